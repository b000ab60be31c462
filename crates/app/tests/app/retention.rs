//! Retention and compaction: what is old or was replaced goes, what is needed
//! stays, and everybody goes on working.

use std::{path::Path, sync::Arc};

use app::{
    access::AccessLog,
    accounts::{AccountSettings, Accounts, Arrival},
    board::Board,
    passwords::Passwords,
    ports::{Ledger, MailError},
    relay::{MailRoute, NewMessage, Relay},
    reports::Reports,
    retention::{Days, Kept},
};
use domain::{
    access::Changer,
    account::People,
    checkpoint::CheckpointKey,
    list_file::read_users,
    names::UserName,
    outbox::{MessageId, Status},
    record::Stream,
    report::read_rows,
};
use jiff::SignedDuration;
use testkit::{ScriptedMailer, SwitchedShare, TestWorld};

use crate::team::{Member, board, holders};

const FIRST: &str = "vpn main 1;vpn sub 1";
const SECOND: &str = "vpn main 1;vpn sub 2";
const DAYS: Days = Days { audit: Some(100), access: 400, relay: 90 };

fn route() -> Option<MailRoute> {
    Some(MailRoute { to: vec!["oncall@example.com".into()], message_id_domain: "example.com".into() })
}

fn promon() -> UserName {
    UserName::parse("promon").unwrap()
}

/// Everything that retention looks after, in one world.
struct House {
    world: TestWorld,
    board: Board,
    share: Arc<SwitchedShare>,
    reports: Reports,
    access: AccessLog,
    relay: Arc<Relay>,
}

impl House {
    async fn of(world: TestWorld) -> House {
        let board = board(&world).await;
        let access = AccessLog::open(world.world()).await.unwrap();
        let relay = Arc::new(Relay::open(world.world(), route()).await.unwrap());
        std::fs::create_dir_all(world.path("share")).unwrap();
        let share = Arc::new(SwitchedShare::at(world.path("share")));
        let key = CheckpointKey::of_seed([7; 32]);
        let reports = Reports::new(world.ledger.clone(), share.clone(), Arc::clone(&world.findings), key);
        House { world, board, share, reports, access, relay }
    }

    async fn restarted(self) -> House {
        let House { world, board, reports, access, relay, .. } = self;
        drop((board, reports, access, relay));
        House::of(world.restarted().await).await
    }

    async fn keeps_to(&self, days: Days) {
        self.drops_old(days).await;
        assert_eq!(self.world.findings.current(), [], "nothing fails");
    }

    async fn drops_old(&self, days: Days) {
        let House { board, reports, access, relay, world, .. } = self;
        let now = app::ports::Clock::now(world.clock.as_ref());
        Kept { board, reports, access, relay, findings: &world.findings }.drop_old(days, now).await;
    }

    fn codes(&self) -> Vec<&'static str> {
        self.world.findings.current().iter().map(|finding| finding.code).collect()
    }

    fn rows(&self, week: &str) -> Option<usize> {
        let content = std::fs::read(self.world.path(&format!("share/audit-{week}.csv"))).ok()?;
        Some(read_rows(&content).len() - 1)
    }

    fn passes(&self, days: i64) {
        self.world.clock.pass(SignedDuration::from_hours(24 * days));
    }

    /// A session of alice, from check to uncheck.
    async fn session(&self) {
        let alice = Member { board: &self.board, name: "alice" };
        alice.checks(FIRST).await.unwrap();
        alice.unchecks(FIRST).await.unwrap();
    }

    async fn message(&self, text: &str) -> MessageId {
        let new = NewMessage { text: text.into(), ..NewMessage::default() };
        self.relay.accept(promon(), new).await.unwrap().0
    }

    /// Mails what is due, whatever the mail server says to it.
    async fn mails(&self, mailer: &Arc<ScriptedMailer>, id: &MessageId) {
        let (relay, mailer) = (Arc::clone(&self.relay), Arc::clone(mailer));
        let findings = app::findings::Findings::new(self.world.clock.clone());
        let delivery = tokio::spawn(async move { relay.deliver(mailer.as_ref(), &findings).await });
        let ended = async {
            while self.relay.find(id).is_none_or(|tracked| tracked.ended_at.is_none()) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), ended).await.expect("it is mailed");
        delivery.abort();
    }

    fn stands_on_disk(&self, word: &str) -> bool {
        stands_in(&self.world.path("data"), word)
    }

    async fn records_name(&self, id: &MessageId) -> bool {
        let records = self.world.ledger.read(Stream::Relay, 0, usize::MAX).await.unwrap();
        records.iter().any(|record| record.body.to_string().contains(id.as_str()))
    }

    async fn records(&self, stream: Stream) -> usize {
        self.world.ledger.read(stream, 0, usize::MAX).await.unwrap().len()
    }
}

fn stands_in(folder: &Path, word: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            stands_in(&path, word)
        } else {
            String::from_utf8_lossy(&std::fs::read(&path).unwrap()).contains(word)
        }
    })
}

#[tokio::test]
async fn the_board_goes_on_when_its_old_records_are_dropped() {
    let house = House::of(TestWorld::at("2026-01-05T09:00:00Z")).await;
    house.session().await;
    let bob = Member { board: &house.board, name: "bob" };
    bob.checks(SECOND).await.unwrap();
    house.passes(60);
    house.session().await;
    house.keeps_to(DAYS).await;
    let before = house.records(Stream::Audit).await;
    house.passes(60);
    house.keeps_to(Days { audit: None, ..DAYS }).await;
    assert_eq!(house.records(Stream::Audit).await, before, "kept for good");
    house.keeps_to(DAYS).await;
    assert_eq!(house.records(Stream::Audit).await, 2, "the second session of alice is younger");
    assert_eq!(holders(&house.board, SECOND), ["bob"]);
    let house = house.restarted().await;
    assert_eq!(holders(&house.board, SECOND), ["bob"], "who has been on it since is");
    house.session().await;
    house.passes(200);
    house.keeps_to(DAYS).await;
    assert_eq!(house.records(Stream::Audit).await, 0);
    assert_eq!(holders(&house.restarted().await.board, SECOND), ["bob"]);
}

#[tokio::test]
async fn a_message_stays_for_so_long_after_its_end() {
    let house = House::of(TestWorld::at("2026-01-05T09:00:00Z")).await;
    let answers = [Ok("250 OK".into()), Err(MailError::Permanent("550 nobody".into()))];
    let mailer = Arc::new(ScriptedMailer::answering(answers));
    let sent = house.message("was sent early").await;
    house.mails(&mailer, &sent).await;
    house.passes(30);
    let late = house.message("ended later").await;
    house.passes(4);
    house.mails(&mailer, &late).await;
    let waits = house.message("waits for ever").await;
    house.passes(60);
    house.keeps_to(DAYS).await;
    assert!(house.relay.find(&sent).is_none() && !house.records_name(&sent).await);
    assert!(house.stands_on_disk("ended later") && house.relay.find(&late).is_some());
    house.passes(60);
    house.keeps_to(DAYS).await;
    let house = house.restarted().await;
    assert!(house.relay.find(&waits).is_some_and(|tracked| tracked.status != Status::Failed), "it has no end yet");
    assert!(house.stands_on_disk("waits for ever"));
}

#[tokio::test]
async fn reports_on_the_share_are_not_touched() {
    let house = House::of(TestWorld::at("2026-01-05T09:00:00Z")).await;
    house.session().await;
    house.passes(2);
    house.session().await;
    house.reports.catch_up().await;
    house.passes(99);
    let before = files_of(&house.world.path("share"));
    assert_eq!(before.len(), 2, "a report and its checkpoint");
    house.keeps_to(DAYS).await;
    let house = house.restarted().await;
    house.session().await;
    house.reports.catch_up().await;
    let after = files_of(&house.world.path("share"));
    assert_eq!(after.len(), 4);
    assert!(before.iter().all(|file| after.contains(file)), "they are as they were signed");
}

#[tokio::test]
async fn what_is_not_on_the_share_is_never_dropped() {
    let house = House::of(TestWorld::at("2026-01-05T09:00:00Z")).await;
    house.session().await;
    house.passes(200);
    house.share.away(true);
    let before = house.records(Stream::Audit).await;
    house.drops_old(DAYS).await;
    assert_eq!(house.records(Stream::Audit).await, before, "its only copy is here");
    assert_eq!(house.codes(), ["retention_waits", "share_unavailable"]);
    house.share.away(false);
    house.keeps_to(DAYS).await;
    assert_eq!(house.records(Stream::Audit).await, 0);
    assert_eq!(house.rows("2026-W02"), Some(1), "it is on the share");
}

#[tokio::test]
async fn a_report_that_the_ledger_cannot_give_any_more_is_not_written_anew() {
    let house = House::of(TestWorld::at("2026-01-05T09:00:00Z")).await;
    house.session().await;
    house.reports.catch_up().await;
    house.passes(200);
    house.session().await;
    house.keeps_to(DAYS).await;
    let report = house.world.path("share/audit-2026-W02.csv");
    let signed = std::fs::read(house.world.path("share/audit-2026-W02.checkpoint")).unwrap();
    std::fs::remove_file(&report).unwrap();
    house.reports.catch_up().await;
    assert_eq!(house.rows("2026-W02"), None, "no empty one stands for it");
    let after = std::fs::read(house.world.path("share/audit-2026-W02.checkpoint")).unwrap();
    assert_eq!(after, signed, "what was signed of it stays");
    assert_eq!(house.rows("2026-W30"), Some(1));
}

#[tokio::test]
async fn a_report_stays_as_it_is_where_the_ledger_lost_sessions_beside_the_follower() {
    let house = House::of(TestWorld::at("2026-01-05T09:00:00Z")).await;
    house.session().await;
    house.reports.catch_up().await;
    house.passes(200);
    // Nobody told the reports.
    let now = app::ports::Clock::now(house.world.clock.as_ref());
    assert!(house.board.drop_before(now, u64::MAX).await.unwrap());
    let report = house.world.path("share/audit-2026-W02.csv");
    std::fs::write(&report, b"somebody's\r\n").unwrap();
    let before = files_of(&house.world.path("share"));
    house.reports.catch_up().await;
    assert_eq!(files_of(&house.world.path("share")), before);
    assert_eq!(house.codes(), ["share_unavailable"]);
}

#[tokio::test]
async fn a_short_retention_takes_no_week_that_still_gets_rows() {
    let house = House::of(TestWorld::at("2026-01-07T09:00:00Z")).await;
    house.session().await;
    let short = Days { audit: Some(1), ..DAYS };
    for passed in 0..10 {
        house.passes(i64::from(passed > 0));
        house.session().await;
        house.keeps_to(short).await;
        house.reports.catch_up().await;
    }
    assert_eq!((house.rows("2026-W02"), house.rows("2026-W03")), (Some(6), Some(5)));
    let house = house.restarted().await;
    house.session().await;
    house.reports.catch_up().await;
    assert_eq!(house.rows("2026-W03"), Some(6));
    house.passes(7);
    house.keeps_to(short).await;
    house.session().await;
    house.reports.catch_up().await;
    assert_eq!((house.rows("2026-W02"), house.rows("2026-W04")), (Some(6), Some(1)));
}

fn files_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let files = names.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()));
    // The ledger's own checkpoint goes on with the ledger.
    files.filter(|(name, _)| name != "ledger.checkpoint").collect()
}

#[tokio::test]
async fn a_full_disk_is_a_finding_and_nothing_is_lost() {
    let house = House::of(TestWorld::at("2026-01-05T09:00:00Z")).await;
    house.session().await;
    house.passes(200);
    house.session().await;
    house.world.ledger.refuse(true);
    house.drops_old(DAYS).await;
    assert_eq!(house.codes(), ["retention"]);
    house.world.ledger.refuse(false);
    house.keeps_to(DAYS).await;
    assert_eq!(house.records(Stream::Audit).await, 2);
}

async fn accounts(world: &TestWorld) -> Accounts {
    let people = People::new(read_users(b"alice\ncarol;auditor").unwrap(), promon(), true);
    let settings = AccountSettings { board_is_open: true, service_password: Some("a service password".into()) };
    let access = Arc::new(AccessLog::open(world.world()).await.unwrap());
    Accounts::open(world.world(), people, settings, Passwords::new().unwrap(), access).await.unwrap()
}

#[tokio::test]
async fn a_replaced_password_is_no_longer_on_the_disk() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let doors = accounts(&world).await;
    let alice = UserName::parse("alice").unwrap();
    doors.set_password(&alice, "the first password", Changer::CommandLine).await.unwrap();
    let ended = doors.sign_in("alice", "the first password", Arrival::default()).await.unwrap();
    let old = hashes(&world).await;
    doors.set_password(&alice, "the second password", Changer::CommandLine).await.unwrap();
    assert!(stands_in(&world.path("data"), &old[0]), "it is coalesced");
    world.ledger.refuse(true);
    doors.compact().await;
    world.ledger.refuse(false);
    drop(doors);
    let world = world.restarted().await;
    let doors = accounts(&world).await;
    doors.compact().await;
    assert!(!stands_in(&world.path("data"), &old[0]), "a start knows what is left to do");
    assert!(!stands_in(&world.path("data"), ended.id.as_str()));
    assert!(doors.prove("alice", "the second password").await.is_ok());
    assert!(doors.prove("alice", "the first password").await.is_err());
    let segments = std::fs::read_dir(world.path("data/ledger/keys")).unwrap().count();
    doors.compact().await;
    assert_eq!(std::fs::read_dir(world.path("data/ledger/keys")).unwrap().count(), segments);
    drop(doors);
    let again = accounts(&world.restarted().await).await;
    assert!(again.prove("alice", "the second password").await.is_ok());
}

async fn hashes(world: &TestWorld) -> Vec<String> {
    let records = world.ledger.read(Stream::Keys, 0, 100).await.unwrap();
    records.iter().filter_map(|record| Some(record.body.get("hash")?.as_str()?.to_owned())).collect()
}
