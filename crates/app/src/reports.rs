//! Weekly reports: a follower of the ledger that brings the share up to date.
//!
//! Each ended session stands in the file of its week exactly once, because a
//! file is looked at before anything is written to it: what it holds already
//! is not written again, and a row of ours that a crash tore is completed.
//! The ledger stays the truth; a file that people edited keeps their content.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{
    board::BoardFact,
    checkpoint::{Checkpoint, CheckpointKey, GrowingDigest},
    record::{Hash, Head, Stream},
    report,
    session::EndedSession,
    week::Week,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::sync::watch;

use crate::{
    findings::Findings,
    ports::{Ledger, LedgerError, ReportFile, ReportShare, ShareError},
};

mod catalogue;
mod file;

pub use catalogue::Report;

/// How often the share is looked at.
pub const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How far a time zone is ahead of UTC at most: a week begins so much earlier there.
const MOST_AHEAD: SignedDuration = SignedDuration::from_hours(14);

/// How many records are read at once.
const PAGE: usize = 4_096;

/// The weekly reports, on the share and in the ledger.
pub struct Reports {
    ledger: Arc<dyn Ledger>,
    share: Arc<dyn ReportShare>,
    findings: Arc<Findings>,
    key: CheckpointKey,
    weeks: Mutex<Weeks>,
    counted: Mutex<BTreeMap<String, (ReportFile, usize)>>,
}

/// What the ledger says of the weeks, and how far it was followed.
#[derive(Default)]
struct Weeks {
    cursor: u64,
    by_week: BTreeMap<Week, WeekState>,
}

/// What is known of a week's file.
#[derive(Clone)]
struct WeekState {
    /// How many sessions the ledger has of the week.
    rows: usize,
    /// Numbers of the first and the last record of the week.
    first_seq: u64,
    last_seq: u64,
    /// Hash of the last record of the week.
    last_hash: Hash,
    /// The file as it must be when nobody else writes to it.
    digest: GrowingDigest,
    /// The last record that a checkpoint on the share speaks of.
    signed_seq: u64,
    /// How long the file was when it held all rows up to `written_seq`.
    bytes: Option<u64>,
    /// How many rows the file had then, those of others included.
    rows_in_file: usize,
    /// The last record whose row is known to be in the file.
    written_seq: u64,
}

impl Reports {
    /// Reports of that ledger on that share, with checkpoints signed by that key.
    pub fn new(
        ledger: Arc<dyn Ledger>,
        share: Arc<dyn ReportShare>,
        findings: Arc<Findings>,
        key: CheckpointKey,
    ) -> Reports {
        Reports { ledger, share, findings, key, weeks: Mutex::default(), counted: Mutex::default() }
    }

    /// Keeps the share up to date, for ever: at once when `wake` says that
    /// there is news, and every five seconds.
    pub async fn follow(&self, mut wake: watch::Receiver<u64>) {
        loop {
            wake.mark_unchanged();
            self.catch_up().await;
            tokio::select! {
                changed = wake.changed() => if changed.is_err() { tokio::time::sleep(LOOK_EVERY).await },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Brings the share up to date once; what fails is a finding.
    pub async fn catch_up(&self) {
        match self.follow_ledger().await {
            Ok(()) => self.findings.ends("ledger", "ledger_unreadable"),
            Err(error) => self.findings.begins("ledger", "ledger_unreadable", error.to_string(), false),
        }
        match self.write_all().await {
            Ok(()) => self.findings.ends("share", "share_unavailable"),
            Err(error) => {
                let detail = format!("weekly reports wait in the ledger, as AUDIT_DIR cannot be used: {error}");
                self.findings.begins("share", "share_unavailable", detail, false);
            }
        }
    }

    async fn follow_ledger(&self) -> Result<(), LedgerError> {
        loop {
            let after = self.lock().cursor;
            let records = self.ledger.read(Stream::Audit, after, PAGE).await?;
            let Some(last) = records.last() else { return Ok(()) };
            let dropped = self.ledger.dropped(Stream::Audit).await?;
            let gone = dropped.map(|dropped| last_week_dropped(dropped.latest));
            let mut weeks = self.lock();
            for record in &records {
                if let Ok(BoardFact::Unchecked(ended)) = record.fact()
                    && gone.is_none_or(|gone| ended.week > gone)
                {
                    weeks.note(&ended, record.head());
                }
            }
            weeks.cursor = last.seq;
        }
    }

    async fn write_all(&self) -> Result<(), ShareError> {
        let files = self.share.list().await?;
        let lengths: BTreeMap<&str, u64> = files.iter().map(|file| (file.name.as_str(), file.bytes)).collect();
        let weeks: Vec<(Week, WeekState)> =
            self.lock().by_week.iter().map(|(week, state)| (*week, state.clone())).collect();
        let mut first_error = Ok(());
        for (week, state) in weeks {
            let bytes = lengths.get(week.file_name().as_str()).copied();
            // One file that cannot be written does not keep the others from it.
            first_error = first_error.and(self.write_week(week, state, bytes).await);
        }
        first_error
    }

    async fn write_week(&self, week: Week, state: WeekState, bytes: Option<u64>) -> Result<(), ShareError> {
        self.write_rows(week, state.clone(), bytes).await?;
        self.write_checkpoint(week, &state).await
    }

    /// Signs what the ledger has of a week, once its rows are on the share.
    async fn write_checkpoint(&self, week: Week, state: &WeekState) -> Result<(), ShareError> {
        if state.signed_seq == state.last_seq {
            return Ok(());
        }
        let head = Head { seq: state.last_seq, hash: state.last_hash };
        let note = self.key.sign(&Checkpoint { head, week, digest: state.digest.so_far() });
        let name = week.checkpoint_name();
        if self.share.read(&name).await?.as_deref() != Some(note.as_bytes()) {
            self.share.replace(&name, note.as_bytes()).await?;
        }
        if let Some(known) = self.lock().by_week.get_mut(&week) {
            known.signed_seq = state.last_seq;
        }
        Ok(())
    }

    async fn write_rows(&self, week: Week, state: WeekState, bytes: Option<u64>) -> Result<(), ShareError> {
        let as_left = bytes.is_some() && bytes == state.bytes;
        if !as_left {
            return self.complete(week, state).await;
        }
        if state.written_seq < state.last_seq {
            return self.extend(week, state).await;
        }
        Ok(())
    }

    /// Appends what is new to a file that is as it was left.
    async fn extend(&self, week: Week, state: WeekState) -> Result<(), ShareError> {
        let sessions = self.sessions(week, state.written_seq, state.last_seq).await?;
        let rows: Vec<u8> = sessions.iter().flat_map(report::row).collect();
        let grown = WeekState { rows_in_file: state.rows_in_file + sessions.len(), ..state };
        self.write(week, grown, state.bytes.unwrap_or(0), &rows).await
    }

    /// Looks at a whole file and appends what it lacks.
    async fn complete(&self, week: Week, state: WeekState) -> Result<(), ShareError> {
        let content = self.share.read(&week.file_name()).await?.unwrap_or_default();
        let sessions = self.sessions(week, state.first_seq - 1, state.last_seq).await?;
        let missing = file::missing(&content, &sessions);
        let rows = report::read_rows(&[content.as_slice(), &missing].concat()).len();
        let completed = WeekState { rows_in_file: rows.saturating_sub(1), ..state };
        self.write(week, completed, content.len() as u64, &missing).await
    }

    async fn write(&self, week: Week, state: WeekState, bytes: u64, rows: &[u8]) -> Result<(), ShareError> {
        if !rows.is_empty() {
            self.share.append(&week.file_name(), bytes, rows).await?;
        }
        if let Some(known) = self.lock().by_week.get_mut(&week) {
            known.bytes = Some(bytes + rows.len() as u64);
            known.rows_in_file = state.rows_in_file;
            known.written_seq = state.last_seq;
        }
        Ok(())
    }

    /// The sessions of a week whose records stand behind `after`, up to `last`.
    async fn sessions(&self, week: Week, after: u64, last: u64) -> Result<Vec<EndedSession>, ShareError> {
        let mut sessions = Vec::new();
        let mut seen = BTreeSet::new();
        let mut after = after;
        while after < last {
            let records = self.ledger.read(Stream::Audit, after, PAGE).await;
            let records = records.map_err(|error| ShareError::Unavailable(error.to_string()))?;
            let Some(end) = records.last() else { break };
            after = end.seq;
            for record in records.iter().filter(|record| record.seq <= last) {
                if let Ok(BoardFact::Unchecked(ended)) = record.fact()
                    && ended.week == week
                    && seen.insert(ended.session.id.clone())
                {
                    sessions.push(ended);
                }
            }
        }
        Ok(sessions)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Weeks> {
        self.weeks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last week of which the ledger may have lost sessions to retention, when
/// that was the time of the last: its report is whole on the share, and stays.
pub fn last_week_dropped(latest: Timestamp) -> Week {
    let anywhere = latest.checked_add(MOST_AHEAD).unwrap_or(latest);
    Week::of(anywhere, &TimeZone::UTC)
}

impl Weeks {
    fn note(&mut self, ended: &EndedSession, head: Head) {
        let state = self.by_week.entry(ended.week).or_insert_with(|| WeekState::beginning(head));
        state.rows += 1;
        state.last_seq = head.seq;
        state.last_hash = head.hash;
        state.digest.add_row(ended);
    }
}

impl WeekState {
    fn beginning(Head { seq, hash }: Head) -> WeekState {
        WeekState {
            rows: 0,
            first_seq: seq,
            last_seq: seq,
            last_hash: hash,
            digest: GrowingDigest::default(),
            signed_seq: 0,
            bytes: None,
            rows_in_file: 0,
            written_seq: 0,
        }
    }

    /// How many rows a file has that is as it was left, if this is one.
    fn rows_of(&self, file: &ReportFile) -> Option<usize> {
        (self.bytes == Some(file.bytes)).then_some(self.rows_in_file)
    }
}
