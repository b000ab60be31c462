//! Sessions of the past, on the real ledger, with an index and without.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use app::{
    board::Board,
    history::{History, HistoryError, Rendering, SCANS_AT_ONCE},
};
use domain::history::{Cursor, Entry, Filter};
use jiff::SignedDuration;
use testkit::TestWorld;

use crate::team::{Member, board};

const CONNECTIONS: [&str; 2] = ["vpn main 1;vpn sub 1", "vpn main 1;vpn sub 2"];

struct Archive {
    world: TestWorld,
    board: Board,
    history: Arc<History>,
}

impl Archive {
    /// A board on which so many sessions have ended, an hour apart, and one runs.
    async fn of(sessions: usize) -> Archive {
        let world = TestWorld::at("2026-01-05T08:00:00Z");
        let board = board(&world).await;
        for number in 0..sessions {
            let who = Member { board: &board, name: ["alice", "bob", "carol"][number % 3] };
            let connection = CONNECTIONS[number % 2];
            who.checks(connection).await.unwrap();
            world.clock.pass(SignedDuration::from_mins(30));
            who.unchecks(connection).await.unwrap();
            world.clock.pass(SignedDuration::from_mins(30));
        }
        Member { board: &board, name: "dave" }.checks(CONNECTIONS[0]).await.unwrap();
        let history = History::new(world.ledger.clone(), world.chains(), world.clock.clone());
        Archive { world, board, history: Arc::new(history) }
    }

    async fn all(&self, filter: &Filter, limit: usize) -> Vec<Entry> {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.history.page(filter.clone(), cursor, limit, self.board.running()).await.unwrap();
            assert!(page.entries.len() <= limit);
            found.extend(page.entries);
            let Some(next) = page.cursor else { return found };
            cursor = Some(Cursor::parse(&next.to_string()).unwrap());
        }
    }

    async fn whole(&self, filter: &Filter) -> Vec<String> {
        let render: Rendering =
            Arc::new(|entries| entries.iter().flat_map(|entry| format!("{}\n", entry.id()).into_bytes()).collect());
        let mut whole = self.history.whole(filter.clone(), self.board.running(), render).await.unwrap();
        let mut bytes = Vec::new();
        while let Some(piece) = whole.next().await.unwrap() {
            bytes.extend(piece);
        }
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }
}

fn ids(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.id().to_string()).collect()
}

#[tokio::test]
async fn pages_and_wholes_are_the_same_with_the_index_and_without() {
    let archive = Archive::of(700).await;
    let at = |time: &str| time.parse().ok();
    let filters = [
        Filter::default(),
        Filter { user: Some("Bob".into()), ..Filter::default() },
        Filter { from: at("2026-01-10T00:00:00Z"), to: at("2026-01-12T00:00:00Z"), ..Filter::default() },
        Filter { to: at("2026-01-06T00:00:00Z"), sub: Some("vpn sub 2".into()), ..Filter::default() },
        Filter { user: Some("nobody".into()), ..Filter::default() },
    ];
    for (filter, count) in filters.iter().zip([701, 233, 49, 8, 0]) {
        let without = ids(&archive.all(filter, 97).await);
        assert_eq!(without.len(), count, "{filter:?}");
        assert_eq!(without.iter().collect::<BTreeSet<_>>().len(), count, "each once");
        let forward: Vec<String> = archive.whole(filter).await;
        archive.history.catch_up().await.unwrap();
        assert_eq!(ids(&archive.all(filter, 97).await), without);
        assert_eq!(ids(&archive.all(filter, 500).await), without);
        assert_eq!(archive.whole(filter).await, forward);
        assert_eq!(forward.into_iter().rev().collect::<Vec<_>>(), without, "the whole goes the other way");
    }
}

#[tokio::test]
async fn two_scans_go_on_and_a_third_is_refused_until_one_ends() {
    let archive = Archive::of(10).await;
    tokio::time::pause();
    // Each piece is something, so that the last one finds no room before another is taken.
    let render: Rendering = Arc::new(|_| b"something".to_vec());
    let mut scans = Vec::new();
    for _ in 0..SCANS_AT_ONCE {
        let running = archive.board.running();
        scans.push(archive.history.whole(Filter::default(), running, Arc::clone(&render)).await.unwrap());
    }
    let page = || archive.history.page(Filter::default(), None, 10, archive.board.running());
    assert_eq!(page().await, Err(HistoryError::Busy));
    drop(scans.pop());
    assert_eq!(page().await.unwrap().entries.len(), 10, "whoever goes away makes room");
    let mut left = scans.pop().unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let end = loop {
        match left.next().await {
            Ok(Some(_)) => {}
            end => break end,
        }
    };
    assert_eq!(end, Err(HistoryError::NotTaken), "who took nothing has no whole");
}

#[tokio::test]
async fn a_chain_tells_where_it_ends_and_how_far_it_was_proved() {
    let archive = Archive::of(3).await;
    let states = archive.history.chains().await.unwrap();
    let audit = &states[0];
    assert_eq!(audit.head.seq, archive.board.snapshot().seq);
    assert_eq!(audit.proved.as_ref().unwrap().head, audit.head);
    drop(archive.world);
}
