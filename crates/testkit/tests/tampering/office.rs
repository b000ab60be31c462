//! An office whose people work for weeks, and everything that is kept of it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use app::{access::AccessLog, board::Board, ports::Clock, reports::Reports, verification::told};
use domain::{
    access::{AccessFact, Visitor},
    account::{Actor, Role},
    board::{BoardCommand, Check, ReportZone, TakeOver, Target},
    checkpoint::{CheckpointKey, PublicKey},
    connection::ConnectionId,
    list_file::read_connections,
    names::{Note, UserName},
    session::Source,
    verification::{Files, Verdict, against_ledger, by_checkpoints, is_audit_file, signed_heads},
};
use jiff::{SignedDuration, tz::TimeZone};
use outbound::{FolderShare, SystemClock};
use testkit::TestWorld;

use crate::chance::Chance;

const LIST: &str = "main 1;sub 1\nmain 1;sub 2\nmain 2;sub 1;2\nmain 3;sub 1\n";
const CONNECTIONS: [&str; 4] = ["main 1;sub 1", "main 1;sub 2", "main 2;sub 1", "main 3;sub 1"];
const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dave"];
const NOTES: [&str; 5] = ["", "ticket 4711", "=1+1", "a, \"quoted\"; note", "\u{1F512} \u{e4}\u{f6}\u{fc}"];
const SEED: [u8; 32] = [7; 32];

/// The office.
pub struct Office {
    world: TestWorld,
    board: Board,
    access: AccessLog,
    reports: Arc<Reports>,
}

/// What somebody who verifies says is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The file's name.
    pub file: String,
    /// The line, where one is named.
    pub line: Option<u64>,
    /// The whole sentence.
    pub text: String,
}

impl Office {
    /// One that opens on a Monday.
    pub async fn opens() -> Office {
        let world = TestWorld::at("2026-11-23T08:00:00Z");
        fs::create_dir(world.path("audit")).unwrap();
        Office::in_world(world).await
    }

    async fn in_world(world: TestWorld) -> Office {
        let list = Arc::new(read_connections(LIST.as_bytes()).unwrap());
        let zone = ReportZone { name: "Europe/Berlin".into(), rules: TimeZone::get("Europe/Berlin").unwrap() };
        let board = Board::open(world.world(), Arc::clone(&list), zone).await.unwrap();
        board.take_up(list).await.unwrap();
        let access = AccessLog::open(world.world()).await.unwrap();
        let share = Arc::new(FolderShare::new(world.path("audit")));
        let key = CheckpointKey::of_seed(SEED);
        let reports = Arc::new(Reports::new(world.ledger.clone(), share, Arc::clone(&world.findings), key));
        Office { world, board, access, reports }
    }

    /// After a restart.
    pub async fn restarted(self) -> Office {
        let Office { world, board, access, reports } = self;
        drop((board, access, reports));
        Office::in_world(world.restarted().await).await
    }

    /// Somebody does something, whatever it comes to.
    pub async fn does_something(&self, chance: &mut Chance) {
        let connection = ConnectionId::parse(chance.one_of(&CONNECTIONS)).unwrap();
        let actor = Actor { user: UserName::parse(chance.one_of(&PEOPLE)).unwrap(), role: Role::Admin };
        let note = Note::parse(chance.one_of(&NOTES)).unwrap();
        let target = Target::Connection(connection.clone());
        let command = match chance.below(5) {
            0 | 1 => BoardCommand::Check(Check { connection, note, take_over: TakeOver::No, source: Source::Page }),
            2 => BoardCommand::Check(Check { connection, note, take_over: TakeOver::OnlyHolder, source: Source::Api }),
            3 => BoardCommand::Uncheck { target },
            _ => BoardCommand::ChangeNote { target, note },
        };
        // A refusal is an everyday thing.
        let _ = self.board.execute(actor, command).await;
    }

    /// An auditor reads something.
    pub async fn is_read(&self, chance: &mut Chance) {
        let by = Visitor { user: UserName::parse(chance.one_of(&PEOPLE)).unwrap(), address: None };
        let read = AccessFact::AuditRead { by, what: "a report".into(), filter: String::new(), rows: None };
        self.access.keep(read).await.unwrap();
    }

    /// Time passes, and a clock is set back now and then.
    pub fn time_passes(&self, chance: &mut Chance) {
        let minutes = if chance.once_in(20) { -60 } else { chance.below(3 * 24 * 60) as i64 };
        self.world.clock.pass(SignedDuration::from_mins(minutes));
    }

    /// A session of somebody, from its check to its uncheck.
    pub async fn has_a_session(&self, chance: &mut Chance) {
        let connection = ConnectionId::parse(chance.one_of(&CONNECTIONS)).unwrap();
        let actor = Actor { user: UserName::parse("erin").unwrap(), role: Role::Admin };
        let note = Note::parse(chance.one_of(&NOTES)).unwrap();
        let check =
            Check { connection: connection.clone(), note, take_over: TakeOver::OnlyHolder, source: Source::Page };
        let _ = self.board.execute(actor.clone(), BoardCommand::Check(check)).await;
        let _ = self.board.execute(actor, BoardCommand::Uncheck { target: Target::Connection(connection) }).await;
    }

    /// The share is brought up to date with whatever was asked for.
    pub async fn catches_up(&self) {
        self.board.settle().await;
        self.access.settle().await;
        self.reports.catch_up().await;
        assert_eq!(self.world.findings.current(), [], "nothing is wrong here");
    }

    /// Who follows the ledger beside whoever works.
    pub fn reports(&self) -> Arc<Reports> {
        Arc::clone(&self.reports)
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.world.path("data")
    }

    /// What stands on the share.
    pub fn share(&self) -> Files {
        files_of(&self.world.path("audit")).into_iter().filter(|(name, _)| is_audit_file(name)).collect()
    }
}

/// The key that proves the office's checkpoints.
pub fn key() -> PublicKey {
    CheckpointKey::of_seed(SEED).public()
}

/// The files of a folder, by name.
pub fn files_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter_map(|path| Some((path.file_name()?.to_str()?.to_owned(), fs::read(&path).ok()?))).collect()
}

/// Everything that is wrong, by the ledger.
pub async fn found(data: &Path, share: &Files) -> Vec<Found> {
    let (mut found, verdicts) = looked(data, share).await;
    found.extend(complaints(&verdicts));
    found
}

/// What is wrong with the chains, and what is said of the share.
pub async fn looked(data: &Path, share: &Files) -> (Vec<Found>, Vec<Verdict>) {
    let mut found = Vec::new();
    let mut whole = true;
    for (stream, proof) in ledger::verify(data) {
        let (texts, holds) = match proof {
            Ok(proof) => (proof.notes.iter().map(ToString::to_string).collect(), true),
            Err(error) => (vec![error.to_string()], false),
        };
        whole &= holds;
        found.extend(texts.into_iter().map(|text| Found { file: stream.name().into(), line: None, text }));
    }
    if !whole {
        return (found, Vec::new());
    }
    let ledger = ledger::open_to_read(data).unwrap();
    let told = told(&ledger, &signed_heads(share, &key()), SystemClock.now()).await.unwrap();
    (found, against_ledger(share, &told, Some(&key())))
}

/// Everything that is wrong, by the checkpoints alone.
pub fn found_offline(share: &Files) -> Vec<Found> {
    complaints(&by_checkpoints(share, &key()))
}

fn complaints(verdicts: &[Verdict]) -> Vec<Found> {
    let all = verdicts.iter().flat_map(|verdict| verdict.complaints.iter().map(|complaint| (&verdict.file, complaint)));
    all.map(|(file, complaint)| Found { file: file.clone(), line: complaint.line, text: complaint.text.clone() })
        .collect()
}
