//! The board: what is committed is seen, in one order, and nothing else.

use app::{board::News, store::Failure};
use domain::{board::Refusal, record::Stream};
use testkit::TestWorld;

use crate::team::{Member, board, check, holders};

const FIRST: &str = "vpn main 1;vpn sub 1";
const SECOND: &str = "vpn main 1;vpn sub 2";

#[tokio::test]
async fn what_could_not_be_kept_did_not_happen() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let board = board(&world).await;
    let (alice, bob) = (Member { board: &board, name: "alice" }, Member { board: &board, name: "bob" });
    let mut feed = board.subscribe();
    world.ledger.refuse(true);
    assert!(matches!(alice.checks(FIRST).await, Err(Failure::Unavailable(_))));
    assert!(holders(&board, FIRST).is_empty(), "nobody sees what was not kept");
    assert!(feed.try_recv().is_err(), "nobody is told");
    let finding = world.findings.current().remove(0);
    assert_eq!((finding.part, finding.stops_changes), ("ledger", true), "everybody can see that");
    world.ledger.refuse(false);
    bob.checks(FIRST).await.unwrap();
    assert_eq!(holders(&board, FIRST), ["bob"], "the line was free for the next one");
    assert_eq!(world.findings.current(), []);
}

#[tokio::test(start_paused = true)]
async fn that_changes_can_be_kept_again_is_found_without_one() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let board = board(&world).await;
    let mut news = world.findings.watch();
    world.ledger.refuse(true);
    assert!(Member { board: &board, name: "alice" }.checks(FIRST).await.is_err());
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(world.findings.current().len(), 1, "it is still so");
    world.ledger.refuse(false);
    news.mark_unchanged();
    news.changed().await.unwrap();
    assert_eq!(world.findings.current(), []);
}

#[tokio::test]
async fn a_refusal_that_rests_on_what_was_not_kept_is_not_given() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let board = board(&world).await;
    let (alice, bob) = (Member { board: &board, name: "alice" }, Member { board: &board, name: "bob" });
    world.ledger.refuse(true);
    let both = (board.submit(alice.actor(), check(FIRST)), board.submit(bob.actor(), check(FIRST)));
    assert!(matches!(both.0.await.unwrap(), Err(Failure::Unavailable(_))));
    assert!(matches!(both.1.await.unwrap(), Err(Failure::Unavailable(_))), "it is not taken: nobody got it");
}

#[tokio::test]
async fn commands_handed_over_together_are_decided_in_order_and_kept_by_one_sync() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let board = board(&world).await;
    let alice = Member { board: &board, name: "alice" };
    let before = world.ledger.appends();
    let answers: Vec<_> = (0..50).map(|_| board.submit(alice.actor(), check(SECOND))).collect();
    let mut yes = 0;
    for (place, answer) in answers.into_iter().enumerate() {
        match answer.await.unwrap() {
            Ok(_) => {
                assert_eq!(place, 0, "the first one gets it");
                yes += 1;
            }
            Err(Failure::Refused(Refusal::AlreadyYours { holders, .. })) => assert_eq!(holders.len(), 1),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((yes, world.ledger.appends() - before), (1, 1));
}

#[tokio::test]
async fn who_comes_back_gets_what_was_missed_and_no_more() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let board = board(&world).await;
    let alice = Member { board: &board, name: "alice" };
    let known = board.snapshot().seq;
    for _ in 0..3 {
        alice.checks(FIRST).await.unwrap();
        alice.unchecks(FIRST).await.unwrap();
    }
    alice.checks(FIRST).await.unwrap();
    let missed = board.since(board.epoch(), known).unwrap();
    let News::Lines(lines) = missed.news else { panic!("the list is the same") };
    assert_eq!((missed.seq, lines.len()), (board.snapshot().seq, 1), "each changed line once, as it is");
    assert!(board.since("another epoch", known).is_none());
    assert!(board.since(board.epoch(), missed.seq + 1).is_none(), "a future that never was");
    assert!(board.since(board.epoch(), 0).is_none(), "from before the list");
}

#[tokio::test]
async fn a_restart_keeps_everything_and_its_epoch() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let before = board(&world).await;
    let alice = Member { board: &before, name: "alice" };
    alice.checks(FIRST).await.unwrap();
    alice.checks(SECOND).await.unwrap();
    alice.unchecks(SECOND).await.unwrap();
    let (epoch, snapshot) = (before.epoch().to_owned(), before.snapshot());
    drop(before);
    let world = world.restarted().await;
    let after = board(&world).await;
    assert_eq!((after.epoch(), after.snapshot().lines), (epoch.as_str(), snapshot.lines));
    assert!(after.since(&epoch, snapshot.seq).is_some(), "the list is the same, so pages only ask what they missed");
}

#[tokio::test]
async fn a_start_from_a_snapshot_gives_the_board_and_what_was_missed_since() {
    let mut world = TestWorld::at("2026-11-24T09:00:00Z");
    let (mut epoch, mut known, mut first_known) = (String::new(), 0, 0);
    for start in 0..4 {
        let board = board(&world).await;
        let (alice, bob) = (Member { board: &board, name: "alice" }, Member { board: &board, name: "bob" });
        if start == 0 {
            alice.checks(FIRST).await.unwrap();
            (epoch, first_known) = (board.epoch().to_owned(), board.snapshot().seq);
        } else {
            assert_eq!(world.world().ledger.snapshot(Stream::Audit).is_some_and(|place| place.seq > 0), start > 1);
            assert!(board.since(&epoch, known).is_some(), "start {start}: what was missed is known");
            assert_eq!(holders(&board, FIRST), ["alice"]);
            assert_eq!(board.snapshot().lines.iter().flat_map(|line| &line.sessions).count(), 1);
        }
        if start > 2 {
            assert!(board.since(&epoch, first_known).is_none(), "from before the snapshot: the whole board");
        }
        bob.checks(SECOND).await.unwrap();
        bob.unchecks(SECOND).await.unwrap();
        known = board.snapshot().seq;
        drop(board);
        world = world.restarted().await;
    }
}
