//! The relay: accepted is kept, and mailed once the mail server takes it.

use std::sync::Arc;

use app::{
    findings::Findings,
    ports::MailError,
    relay::{AcceptError, MailRoute, NewMessage, Relay},
};
use domain::{names::UserName, outbox::Status};
use jiff::SignedDuration;
use testkit::{ScriptedMailer, TestWorld};

fn route() -> Option<MailRoute> {
    Some(MailRoute { to: vec!["oncall@example.com".into()], message_id_domain: "example.com".into() })
}

fn message(text: &str) -> NewMessage {
    NewMessage { text: text.into(), ..NewMessage::default() }
}

fn promon() -> UserName {
    UserName::parse("promon").unwrap()
}

/// Delivers in the background until it is dropped.
struct Delivery(tokio::task::JoinHandle<()>);

impl Delivery {
    fn start(world: &TestWorld, relay: &Arc<Relay>, mailer: &Arc<ScriptedMailer>) -> Delivery {
        let (relay, mailer) = (Arc::clone(relay), Arc::clone(mailer));
        let findings = Findings::new(world.clock.clone());
        Delivery(tokio::spawn(async move { relay.deliver(mailer.as_ref(), &findings).await }))
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn is(relay: &Relay, id: &domain::outbox::MessageId, status: Status) {
    let reached = async {
        while relay.find(id).map(|tracked| tracked.status) != Some(status) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), reached).await.expect("the message gets there");
}

#[tokio::test]
async fn a_message_that_was_not_kept_is_not_accepted() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let relay = Relay::open(world.world(), route()).await.unwrap();
    world.ledger.refuse(true);
    assert!(matches!(relay.accept(promon(), message("hello")).await, Err(AcceptError::Unavailable(_))));
    assert!(relay.latest(u64::MAX, None, 10).is_empty());
}

#[tokio::test(start_paused = true)]
async fn transient_trouble_is_tried_again_with_the_same_message_id() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let relay = Arc::new(Relay::open(world.world(), route()).await.unwrap());
    let away = || Err(MailError::Transient("451 try later".into()));
    let mailer = Arc::new(ScriptedMailer::answering([away(), away()]));
    let _delivery = Delivery::start(&world, &relay, &mailer);
    let (id, _) = relay.accept(promon(), message("disk full\non host 7")).await.unwrap();
    mailer.tried(1).await;
    for tries in 2..=3 {
        assert_eq!(relay.find(&id).unwrap().status, Status::Queued);
        world.clock.pass(SignedDuration::from_mins(1));
        mailer.tried(tries).await;
    }
    is(&relay, &id, Status::Sent).await;
    let mails = mailer.tried(3).await;
    assert_eq!(mails.len(), 3);
    assert!(mails.iter().all(|mail| *mail == mails[0]), "each attempt is the same mail: {mails:?}");
    assert_eq!((mails[0].subject.as_str(), mails[0].to.len()), ("disk full", 1));
    assert_eq!(relay.find(&id).unwrap().attempts, 3);
}

#[tokio::test]
async fn a_permanent_no_holds_up_nobody_and_can_be_tried_again() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let relay = Arc::new(Relay::open(world.world(), route()).await.unwrap());
    let mailer = Arc::new(ScriptedMailer::answering([Err(MailError::Permanent("550 no such user".into()))]));
    let (refused, _) = relay.accept(promon(), message("first")).await.unwrap();
    let (taken, _) = relay.accept(promon(), message("second")).await.unwrap();
    let _delivery = Delivery::start(&world, &relay, &mailer);
    is(&relay, &taken, Status::Sent).await;
    let tracked = relay.find(&refused).unwrap();
    assert_eq!((tracked.status, tracked.last_words.as_deref()), (Status::Failed, Some("550 no such user")));
    relay.retry(refused.clone()).await.unwrap();
    is(&relay, &refused, Status::Sent).await;
}

#[tokio::test]
async fn what_waits_is_tried_at_once_after_a_restart() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let relay = Arc::new(Relay::open(world.world(), route()).await.unwrap());
    let mailer = Arc::new(ScriptedMailer::answering([Err(MailError::Transient("connection refused".into()))]));
    let delivery = Delivery::start(&world, &relay, &mailer);
    let (id, _) = relay.accept(promon(), message("hello")).await.unwrap();
    let first = mailer.tried(1).await;
    while relay.find(&id).unwrap().attempts == 0 {
        tokio::task::yield_now().await;
    }
    drop((delivery, relay));
    let world = world.restarted().await;
    let relay = Arc::new(Relay::open(world.world(), route()).await.unwrap());
    let mailer = Arc::new(ScriptedMailer::answering([]));
    let _delivery = Delivery::start(&world, &relay, &mailer);
    is(&relay, &id, Status::Sent).await;
    assert_eq!(mailer.tried(1).await, first, "the clock did not move, and it is the same mail");
}

#[tokio::test(start_paused = true)]
async fn a_mail_whose_record_cannot_be_kept_is_not_sent_again() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let relay = Arc::new(Relay::open(world.world(), route()).await.unwrap());
    let mailer = Arc::new(ScriptedMailer::answering([]));
    let (id, _) = relay.accept(promon(), message("hello")).await.unwrap();
    world.ledger.refuse(true);
    let _delivery = Delivery::start(&world, &relay, &mailer);
    mailer.tried(1).await;
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;
    assert_eq!(relay.find(&id).unwrap().status, Status::Queued, "nobody can know yet");
    world.ledger.refuse(false);
    is(&relay, &id, Status::Sent).await;
    assert_eq!(mailer.tried(1).await.len(), 1, "one message, one mail");
}

#[tokio::test]
async fn a_stop_lets_what_is_under_way_be_recorded_and_begins_nothing() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let relay = Arc::new(Relay::open(world.world(), route()).await.unwrap());
    let (under_way, _) = relay.accept(promon(), message("first")).await.unwrap();
    let (waiting, _) = relay.accept(promon(), message("second")).await.unwrap();
    let (mailer, go_on) = ScriptedMailer::waiting();
    let mailer = Arc::new(mailer);
    let _delivery = Delivery::start(&world, &relay, &mailer);
    mailer.tried(1).await;
    relay.stop();
    go_on.notify_one();
    relay.finish().await;
    assert_eq!(relay.find(&under_way).unwrap().status, Status::Sent);
    assert_eq!(relay.find(&waiting).unwrap().status, Status::Queued);
    assert_eq!(mailer.tried(1).await.len(), 1);
}

#[tokio::test]
async fn held_messages_are_mailed_once_there_is_a_mail_server() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let relay = Relay::open(world.world(), None).await.unwrap();
    let (old, _) = relay.accept(promon(), message("old")).await.unwrap();
    world.clock.pass(SignedDuration::from_hours(20));
    let (fresh, status) = relay.accept(promon(), message("fresh")).await.unwrap();
    assert_eq!(status, Status::Held);
    drop(relay);
    world.clock.pass(SignedDuration::from_hours(10));
    let world = world.restarted().await;
    let relay = Arc::new(Relay::open(world.world(), route()).await.unwrap());
    let mailer = Arc::new(ScriptedMailer::answering([]));
    let _delivery = Delivery::start(&world, &relay, &mailer);
    is(&relay, &fresh, Status::Sent).await;
    assert_eq!(relay.find(&old).unwrap().status, Status::Held, "what is no news any more waits for a person");
}

#[tokio::test(start_paused = true)]
async fn one_that_lost_the_ledger_mails_nothing() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let relay = Arc::new(Relay::open(world.world(), route()).await.unwrap());
    let mailer = Arc::new(ScriptedMailer::answering([]));
    let (id, _) = relay.accept(promon(), message("hello")).await.unwrap();
    world.ledger.lose();
    let _delivery = Delivery::start(&world, &relay, &mailer);
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;
    assert!(mailer.tried(0).await.is_empty(), "another server sends it");
    assert_eq!(relay.find(&id).unwrap().status, Status::Queued);
}
