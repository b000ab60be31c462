//! Weekly reports: each session once, whatever the share does.

use std::{fs, sync::Arc, time::Duration};

use app::{board::Board, findings::Findings, reports::Reports};
use domain::{
    checkpoint::{Checkpoint, CheckpointKey, Earlier, ReportDigest},
    import::Origin,
    report::read_rows,
    verification::{Files, against_ledger},
    week::Week,
};
use testkit::{SwitchedShare, TestWorld};

use crate::team::{Member, board};

const CONNECTION: &str = "vpn main 1;vpn sub 1";

/// Whatever signs checkpoints here.
const SEED: [u8; 32] = [7; 32];

struct Office {
    world: TestWorld,
    board: Board,
    share: Arc<SwitchedShare>,
    reports: Reports,
    findings: Arc<Findings>,
}

impl Office {
    async fn at(time: &str) -> Office {
        let world = TestWorld::at(time);
        fs::create_dir(world.path("audit")).unwrap();
        Office::in_world(world).await
    }

    async fn in_world(world: TestWorld) -> Office {
        let board = board(&world).await;
        let share = Arc::new(SwitchedShare::at(world.path("audit")));
        let findings = Arc::clone(&world.findings);
        let key = CheckpointKey::of_seed(SEED);
        let reports = Reports::new(world.ledger.clone(), share.clone(), findings.clone(), key);
        Office { world, board, share, reports, findings }
    }

    async fn restarted(self) -> Office {
        let Office { world, board, reports, .. } = self;
        drop((board, reports));
        Office::in_world(world.restarted().await).await
    }

    async fn session(&self, from: &str, to: &str) {
        let alice = Member { board: &self.board, name: "alice" };
        self.world.clock.set(from);
        alice.checks(CONNECTION).await.unwrap();
        self.world.clock.set(to);
        alice.unchecks(CONNECTION).await.unwrap();
    }

    async fn sessions(&self, count: usize) {
        for _ in 0..count {
            self.session("2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z").await;
        }
    }

    fn content(&self, week: &str) -> Vec<u8> {
        fs::read(self.world.path("audit").join(Week::parse(week).unwrap().file_name())).unwrap_or_default()
    }

    /// How many rows a week's file has, each once.
    fn rows(&self, week: &str) -> usize {
        let rows = read_rows(&self.content(week));
        let ids: std::collections::BTreeSet<_> = rows.iter().skip(1).map(|row| row.last().cloned()).collect();
        assert_eq!(ids.len(), rows.len().saturating_sub(1), "a session is there twice: {rows:?}");
        ids.len()
    }

    fn codes(&self) -> Vec<&'static str> {
        self.findings.current().iter().map(|finding| finding.code).collect()
    }

    fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.world.path("audit").join(name), content).unwrap();
    }
}

#[tokio::test]
async fn a_share_that_is_away_is_a_finding_and_catches_up() {
    let office = Office::at("2026-11-24T08:00:00Z").await;
    office.share.away(true);
    office.sessions(3).await;
    office.reports.catch_up().await;
    assert_eq!(office.findings.current().len(), 1);
    let listed = office.reports.list().await.unwrap();
    assert_eq!((listed[0].rows, listed[0].modified), (3, None), "auditors see the rows all the same");
    let shown = office.reports.read(listed[0].week).await.unwrap().unwrap();
    office.share.away(false);
    office.reports.catch_up().await;
    assert_eq!((office.findings.current().len(), office.rows("2026-W48")), (0, 3));
    assert_eq!(office.content("2026-W48"), shown, "the file is what they saw");
}

#[tokio::test]
async fn a_write_torn_at_any_byte_is_completed() {
    let office = Office::at("2026-11-24T08:00:00Z").await;
    office.sessions(1).await;
    office.reports.catch_up().await;
    let row = office.content("2026-W48").len();
    let mut expected = 1;
    for torn in (0..row).step_by(17) {
        office.share.tear_next_at(torn);
        office.sessions(2).await;
        expected += 2;
        office.reports.catch_up().await;
        office.reports.catch_up().await;
        assert_eq!(office.rows("2026-W48"), expected, "torn at {torn}");
    }
}

#[tokio::test]
async fn bytes_that_a_power_cut_lost_come_back_and_each_session_is_there_once() {
    let mut office = Office::at("2026-11-24T08:00:00Z").await;
    office.sessions(6).await;
    office.reports.catch_up().await;
    let whole = office.content("2026-W48");
    for (from, to) in [(0, 300), (200, 420), (whole.len() - 200, whole.len())] {
        let mut torn = whole.clone();
        torn[from..to].fill(0);
        office.write("audit-2026-W48.csv", &torn);
        office = office.restarted().await;
        office.reports.catch_up().await;
        assert_eq!(office.content("2026-W48"), whole, "{from} to {to}");
    }
    let remark = b"a remark by hand\r\n".as_slice();
    office.write("audit-2026-W48.csv", &[&whole[..whole.len() - 90], &[0; 4096], remark].concat());
    office = office.restarted().await;
    office.reports.catch_up().await;
    let mended = office.content("2026-W48");
    assert!(mended.len() == whole.len() + remark.len() && mended.ends_with(remark), "what people wrote stays");
    assert_eq!(office.rows("2026-W48"), 6 + 1);
    office.sessions(1).await;
    office.reports.catch_up().await;
    assert!(office.content("2026-W48").starts_with(&mended) && office.rows("2026-W48") == 8, "and it goes on");
}

#[tokio::test]
async fn beside_each_report_stands_its_signed_checkpoint() {
    let office = Office::at("2026-11-24T08:00:00Z").await;
    let public = CheckpointKey::of_seed(SEED).public();
    for sessions in 1..4 {
        office.sessions(1).await;
        office.reports.catch_up().await;
        let note = fs::read_to_string(office.world.path("audit").join("audit-2026-W48.checkpoint")).unwrap();
        let checkpoint = public.open(&note).unwrap();
        assert_eq!(checkpoint.digest, ReportDigest::of(&office.content("2026-W48")), "after {sessions}");
        assert_eq!(checkpoint.head.seq, office.board.snapshot().seq);
    }
}

#[tokio::test]
async fn a_restart_writes_nothing_twice() {
    let mut office = Office::at("2026-11-24T08:00:00Z").await;
    for expected in [2, 4, 6] {
        office.sessions(2).await;
        office.reports.catch_up().await;
        let before = office.content("2026-W48");
        office = office.restarted().await;
        office.reports.catch_up().await;
        assert_eq!((office.content("2026-W48"), office.rows("2026-W48")), (before, expected));
    }
}

#[tokio::test]
async fn a_file_that_is_gone_is_written_anew_and_one_that_was_edited_keeps_its_content() {
    let office = Office::at("2026-11-24T08:00:00Z").await;
    office.sessions(2).await;
    office.reports.catch_up().await;
    let name = "audit-2026-W48.csv";
    let whole = office.content("2026-W48");
    fs::remove_file(office.world.path("audit").join(name)).unwrap();
    office.reports.catch_up().await;
    assert_eq!(office.content("2026-W48"), whole);
    let edited = [whole.as_slice(), b"a remark by hand\r\n"].concat();
    office.write(name, &edited);
    office.sessions(1).await;
    office.reports.catch_up().await;
    let content = office.content("2026-W48");
    assert!(content.starts_with(&edited), "what people wrote stays");
    assert_eq!(read_rows(&content).len(), 1 + 2 + 1 + 1);
}

#[tokio::test]
async fn a_report_that_cannot_be_written_holds_up_no_other_week() {
    let office = Office::at("2026-11-24T08:00:00Z").await;
    fs::create_dir(office.world.path("audit").join("audit-2026-W48.csv")).unwrap();
    office.sessions(1).await;
    office.session("2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z").await;
    office.reports.catch_up().await;
    assert_eq!(office.rows("2026-W49"), 1);
    assert_eq!(office.findings.current().len(), 1, "and it is said");
    let listed = office.reports.list().await.unwrap();
    assert_eq!(listed.iter().map(|report| report.rows).collect::<Vec<_>>(), [1, 1]);
}

#[tokio::test]
async fn each_session_is_in_the_week_of_its_uncheck_by_the_zone() {
    let office = Office::at("2026-12-31T08:00:00Z").await;
    office.session("2026-12-31T09:00:00Z", "2027-01-03T22:59:59Z").await;
    office.session("2027-01-03T23:00:00Z", "2027-01-03T23:00:01Z").await;
    office.session("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z").await;
    office.session("2026-10-25T10:00:00Z", "2026-10-25T09:00:00Z").await;
    office.reports.catch_up().await;
    assert_eq!((office.rows("2026-W53"), office.rows("2027-W01"), office.rows("2026-W43")), (1, 1, 2));
    let rows = read_rows(&office.content("2026-W43"));
    assert_eq!(rows[1][3..6], ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "3600"]);
    assert_eq!(rows[2][5], "0", "a clock that was set back makes nothing negative");
}

#[tokio::test]
async fn one_that_lost_the_ledger_writes_no_reports() {
    let office = Office::at("2026-11-24T08:00:00Z").await;
    office.sessions(1).await;
    office.reports.catch_up().await;
    office.sessions(1).await;
    office.world.ledger.lose();
    office.reports.catch_up().await;
    assert_eq!(office.rows("2026-W48"), 1, "another server writes the rest");
}

#[tokio::test(start_paused = true)]
async fn a_share_that_hangs_is_said_while_it_does_and_heals() {
    let office = Office::at("2026-11-24T08:00:00Z").await;
    office.sessions(1).await;
    office.share.hangs(true);
    let said = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let seen = office.codes();
        office.share.hangs(false);
        seen
    };
    let ((), seen) = tokio::join!(office.reports.catch_up(), said);
    assert_eq!(seen, ["share_hangs"]);
    assert_eq!((office.codes(), office.rows("2026-W48")), (vec![], 1));
}

#[tokio::test(start_paused = true)]
async fn a_share_that_hangs_for_good_is_given_up_and_looked_at_again() {
    let office = Office::at("2026-11-24T08:00:00Z").await;
    office.sessions(1).await;
    office.share.hangs(true);
    for _ in 0..2 {
        office.reports.catch_up().await;
        assert_eq!(office.codes(), ["share_hangs", "share_unavailable"]);
        assert_eq!(office.reports.list().await.unwrap()[0].rows, 1, "auditors see the rows all the same");
    }
    office.share.hangs(false);
    office.reports.catch_up().await;
    assert_eq!((office.codes(), office.rows("2026-W48")), (vec![], 1));
}

#[tokio::test]
async fn a_checkpoint_that_is_gone_is_written_anew_at_the_next_look() {
    let office = Office::at("2026-11-24T08:00:00Z").await;
    office.sessions(1).await;
    office.reports.catch_up().await;
    for name in ["audit-2026-W48.checkpoint", "ledger.checkpoint"] {
        let path = office.world.path("audit").join(name);
        let before = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        office.reports.catch_up().await;
        assert_eq!(fs::read(&path).unwrap(), before, "{name}");
    }
}

#[tokio::test]
async fn a_checkpoint_says_what_the_week_before_held() {
    let office = Office::at("2026-11-24T08:00:00Z").await;
    office.sessions(2).await;
    office.session("2026-12-01T09:00:00Z", "2026-12-01T10:00:00Z").await;
    office.reports.catch_up().await;
    let note = fs::read_to_string(office.world.path("audit").join("audit-2026-W49.checkpoint")).unwrap();
    let Checkpoint { before, rows, .. } = CheckpointKey::of_seed(SEED).public().open(&note).unwrap();
    let week = Week::parse("2026-W48").unwrap();
    assert_eq!(before, Some(Earlier { week, digest: ReportDigest::of(&office.content("2026-W48")) }));
    assert_eq!(rows.map(|rows| rows.rows()), Some(1));
}

#[tokio::test]
async fn a_checkpoint_that_proves_something_else_is_never_written_over() {
    let office = Office::at("2026-11-24T08:00:00Z").await;
    office.sessions(1).await;
    office.reports.catch_up().await;
    let name = "audit-2026-W48.checkpoint";
    let path = office.world.path("audit").join(name);
    let public = CheckpointKey::of_seed(SEED).public();
    let ours = public.open(&fs::read_to_string(&path).unwrap()).unwrap();
    let mut ahead = ours.clone();
    ahead.head.seq += 40;
    let mut another = ours.clone();
    another.head.hash = domain::record::Hash::of(b"another history");
    for (note, code) in [
        (CheckpointKey::of_seed(SEED).sign(&ahead), "checkpoint_ahead"),
        (CheckpointKey::of_seed(SEED).sign(&another), "checkpoint_ahead"),
        (CheckpointKey::of_seed([9; 32]).sign(&ours), "checkpoint_unknown"),
        ("no checkpoint at all".to_owned(), "checkpoint_unknown"),
    ] {
        office.write(name, note.as_bytes());
        for _ in 0..2 {
            office.sessions(1).await;
            office.reports.catch_up().await;
            assert_eq!(office.codes(), [code]);
            assert!(office.findings.current()[0].detail.contains(name));
            assert_eq!(fs::read_to_string(&path).unwrap(), note, "it is the proof");
        }
        fs::remove_file(&path).unwrap();
        office.reports.catch_up().await;
        assert_eq!(office.codes(), Vec::<&str>::new());
        assert!(public.open(&fs::read_to_string(&path).unwrap()).is_ok());
    }
}

#[tokio::test]
async fn sessions_that_the_ledger_does_not_know_are_said_and_kept() {
    let office = Office::at("2026-11-24T08:00:00Z").await;
    office.sessions(1).await;
    office.reports.catch_up().await;
    let row = String::from_utf8(office.content("2026-W48")).unwrap();
    let [header, row] = [0, 1].map(|line| row.lines().nth(line).unwrap().to_owned());
    let strange = format!("{header}\r\n{}\r\n", row.replace(&row[row.len() - 32..], &"a".repeat(32)));
    office.write("audit-2026-W40.csv", strange.as_bytes());
    office.write("audit-2026-W41.csv", format!("{header}\r\na remark\r\n").as_bytes());
    office.reports.catch_up().await;
    assert_eq!(office.codes(), ["reports_unknown"]);
    let detail = office.findings.current()[0].detail.clone();
    assert!(detail.contains("audit-2026-W40.csv (1)") && !detail.contains("W41"), "{detail}");
    assert_eq!(office.content("2026-W40"), strange.as_bytes());
    fs::remove_file(office.world.path("audit").join("audit-2026-W40.csv")).unwrap();
    office.reports.catch_up().await;
    assert_eq!(office.codes(), Vec::<&str>::new());
}

#[tokio::test]
async fn sessions_that_were_imported_are_known_and_not_written_again() {
    let lost = Office::at("2026-11-24T08:00:00Z").await;
    lost.session("2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z").await;
    lost.session("2026-11-24T11:00:00Z", "2026-11-24T12:00:00Z").await;
    lost.reports.catch_up().await;
    // Each world counts its ids from 1.
    let old = String::from_utf8(lost.content("2026-W48")).unwrap().replace(&"0".repeat(31), &"a".repeat(31));
    let old = old.into_bytes();
    let office = Office::at("2026-11-26T08:00:00Z").await;
    office.write("audit-2026-W48.csv", &old);
    office.write("audit-2026-W40.csv", &old);
    office.session("2026-11-26T09:00:00Z", "2026-11-26T10:00:00Z").await;
    office.reports.catch_up().await;
    assert_eq!(office.codes(), ["reports_unknown"]);
    let (file, timezone) = ("audit-2026-W48.csv".into(), "Europe/Berlin".into());
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let origin = Origin { file, timezone, zone, now: "2026-11-26T11:00:00Z".parse().unwrap() };
    office.board.import(domain::import::read(&old, None, &origin).unwrap().sessions).await.unwrap();
    office.reports.catch_up().await;
    assert_eq!(office.codes(), Vec::<&str>::new());
    assert_eq!((office.rows("2026-W48"), office.content("2026-W40")), (3, old.clone()));
    let files = Files::from([("audit-2026-W48.csv".to_owned(), office.content("2026-W48"))]);
    let told = app::verification::told(office.world.ledger.as_ref(), &[], office.findings.now()).await.unwrap();
    let verdicts = against_ledger(&files, &told, None);
    assert!(verdicts[0].is_sound() && verdicts[0].summary.ends_with("3 rows"), "{verdicts:?}");
}

/// Ten thousand rows in the long variant.
#[tokio::test]
async fn all_that_waited_comes_at_once() {
    let long = std::env::var_os("VPN_SESSIONS_LONG").is_some_and(|value| value == "1");
    let count = if long { 10_000 } else { 500 };
    let office = Office::at("2026-11-24T08:00:00Z").await;
    office.share.away(true);
    office.sessions(count).await;
    office.share.away(false);
    let begun = tokio::time::Instant::now();
    office.reports.catch_up().await;
    let took = begun.elapsed();
    assert_eq!(office.rows("2026-W48"), count);
    assert!(!long || took < Duration::from_secs(10), "{count} rows took {took:?}");
}
