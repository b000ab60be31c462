//! Weekly reports: a follower of the ledger that brings the share up to date.
//!
//! Each ended session stands in the file of its week exactly once, because a
//! file is looked at before anything is written to it: what it holds already
//! is not written again, and a row of ours that a crash tore is completed.
//! The ledger stays the truth; a file that people edited keeps their content.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::{
    board::BoardFact,
    checkpoint::{CheckpointKey, ReportDigest},
    record::{Record, Stream},
    report,
    session::EndedSession,
    verification::last_week_gone,
    week::Week,
};
use tokio::sync::watch;

use crate::{
    findings::Findings,
    ports::{Ledger, LedgerError, ReportFile, ReportShare, ShareError},
};

use self::{
    checkpoints::Checkpoints,
    strangers::Counted,
    weeks::{WeekState, Weeks},
};

mod catalogue;
mod checkpoints;
mod file;
mod patience;
mod strangers;
mod weeks;

pub use catalogue::Report;

/// How often the share is looked at: with the time after which it counts as
/// hanging, whatever is wrong with it shows within five seconds.
pub const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The shortest pause between two looks: on a busy board many rows are written
/// with one sync, and the disk is left to those who wait for an answer.
const PAUSE: Duration = Duration::from_millis(250);

/// How many records are read at once.
const PAGE: usize = 8_192;

/// How many of them are taken in before others have their turn on the thread.
const AT_ONE_GO: usize = 256;

/// The weekly reports, on the share and in the ledger.
pub struct Reports {
    ledger: Arc<dyn Ledger>,
    share: Arc<dyn ReportShare>,
    findings: Arc<Findings>,
    key: CheckpointKey,
    weeks: Mutex<Weeks>,
    checkpoints: Mutex<Checkpoints>,
    counted: Mutex<BTreeMap<String, (ReportFile, usize)>>,
    strangers: Mutex<BTreeMap<Week, Counted>>,
    /// One look at a time.
    looking: tokio::sync::Mutex<()>,
    /// One walk along the ledger at a time.
    following: tokio::sync::Mutex<()>,
    hangs: AtomicBool,
}

impl Reports {
    /// Reports of that ledger on that share, with checkpoints signed by that key.
    pub fn new(
        ledger: Arc<dyn Ledger>,
        share: Arc<dyn ReportShare>,
        findings: Arc<Findings>,
        key: CheckpointKey,
    ) -> Reports {
        Reports {
            ledger,
            share,
            findings,
            key,
            weeks: Mutex::default(),
            checkpoints: Mutex::default(),
            counted: Mutex::default(),
            strangers: Mutex::default(),
            looking: tokio::sync::Mutex::default(),
            following: tokio::sync::Mutex::default(),
            hangs: AtomicBool::new(false),
        }
    }

    /// Keeps the share up to date, for ever: at once when `wake` says that
    /// there is news, and every two seconds.
    pub async fn follow(&self, mut wake: watch::Receiver<u64>) {
        loop {
            wake.mark_unchanged();
            self.catch_up().await;
            tokio::select! {
                changed = wake.changed() => if changed.is_err() { tokio::time::sleep(LOOK_EVERY).await },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Brings the share up to date once; what fails is a finding.
    pub async fn catch_up(&self) {
        let _one_at_a_time = self.looking.lock().await;
        self.look().await;
    }

    /// Brings the share up to date, and keeps it so while `work` drops what the
    /// reports hold: it is told the last record of which that is known, and
    /// none where the share is not whole. Weeks that are gone then are forgotten.
    ///
    /// # Errors
    /// Those of `work`, and [`LedgerError`].
    pub async fn while_whole<W>(&self, work: impl FnOnce(Option<u64>) -> W) -> Result<bool, LedgerError>
    where
        W: Future<Output = Result<bool, LedgerError>>,
    {
        let _one_at_a_time = self.looking.lock().await;
        let whole_to = self.look().await;
        let dropped = work(whole_to).await;
        if let Some(gone) = self.gone().await? {
            self.lock().forget_up_to(gone);
        }
        dropped
    }

    /// Looks once; gives up to which record the reports are whole on the share.
    async fn look(&self) -> Option<u64> {
        self.hangs.store(false, Ordering::Relaxed);
        // A ledger that is long does not keep from seeing that the share is away.
        let (listed, ()) = tokio::join!(self.listed(), self.follow_ledger());
        let mut whole_to = None;
        if let Ok(files) = listed {
            let written = self.write_all(&files).await;
            self.tell_share(written.as_ref().err());
            whole_to = written.ok().flatten();
        }
        if !self.hangs.load(Ordering::Relaxed) {
            self.findings.ends("share", "share_hangs");
        }
        whole_to
    }

    async fn listed(&self) -> Result<BTreeMap<String, ReportFile>, ShareError> {
        let listed = self.patiently(self.share.list()).await.inspect_err(|error| self.tell_share(Some(error)))?;
        Ok(listed.into_iter().map(|file| (file.name.clone(), file)).collect())
    }

    fn tell_share(&self, problem: Option<&ShareError>) {
        let Some(error) = problem else { return self.findings.ends("share", "share_unavailable") };
        let detail = format!("weekly reports wait in the ledger, as AUDIT_DIR cannot be used: {error}");
        self.findings.begins("share", "share_unavailable", detail, false);
    }

    /// Takes in what is new in the ledger; that it cannot be read is a finding.
    async fn follow_ledger(&self) {
        let _one_at_a_time = self.following.lock().await;
        match self.read_on().await {
            Ok(()) => self.findings.ends("ledger", "ledger_unreadable"),
            Err(error) => self.findings.begins("ledger", "ledger_unreadable", error.to_string(), false),
        }
    }

    async fn read_on(&self) -> Result<(), LedgerError> {
        loop {
            let after = self.lock().cursor();
            let records = self.ledger.read(Stream::Audit, after, PAGE).await?;
            if records.is_empty() {
                self.lock().has_caught_up();
                return Ok(());
            }
            let gone = self.gone().await?;
            for some in records.chunks(AT_ONE_GO) {
                let ended = self.lock().note_all(some, gone);
                if let Some(head) = ended {
                    self.log_checkpoint(head);
                }
                tokio::task::yield_now().await;
            }
        }
    }

    async fn gone(&self) -> Result<Option<Week>, LedgerError> {
        let dropped = self.ledger.dropped(Stream::Audit).await?;
        Ok(dropped.map(|dropped| last_week_gone(dropped.latest, self.findings.now())))
    }

    /// Rows first, then what is signed of them; gives up to which record all
    /// is there, where that is known.
    async fn write_all(&self, files: &BTreeMap<String, ReportFile>) -> Result<Option<u64>, ShareError> {
        let (caught_up, known_to, weeks) = self.lock().states();
        // What is known of a week in part would be signed in part.
        if !caught_up {
            return Ok(None);
        }
        let mut first_error = Ok(());
        let mut written = Vec::new();
        for (week, state) in weeks {
            let bytes = files.get(&week.file_name()).map(|file| file.bytes);
            // One file that cannot be written does not keep the others from it.
            match self.write_rows(week, state.clone(), bytes).await {
                Ok(()) => written.push((week, state)),
                Err(error) => first_error = first_error.and(Err(error)),
            }
        }
        first_error = first_error.and(self.look_for_strangers(files).await);
        let latest = written.last().map(|(week, _)| *week);
        first_error = first_error.and(self.write_ledger_checkpoint(files, latest).await);
        for (week, state) in written {
            first_error = first_error.and(self.write_checkpoint(week, &state, files).await);
        }
        self.tell_checkpoints(files);
        first_error.map(|()| Some(known_to))
    }

    async fn write_rows(&self, week: Week, state: WeekState, bytes: Option<u64>) -> Result<(), ShareError> {
        let as_left = bytes.is_some() && bytes == state.bytes;
        if !as_left || self.may_be_known_now(week) {
            return self.complete(week, state).await;
        }
        if state.written_seq < state.last_seq {
            return self.extend(week, state).await;
        }
        Ok(())
    }

    /// Appends what is new to a file that is as it was left.
    async fn extend(&self, week: Week, state: WeekState) -> Result<(), ShareError> {
        let sessions = once_each(self.ended(week, state.written_seq, state.last_seq).await?);
        let grown = WeekState { rows_in_file: state.rows_in_file + sessions.len(), ..state };
        let rows = off_thread(move || sessions.iter().flat_map(report::row).collect::<Vec<u8>>()).await?;
        self.write(week, grown, state.bytes.unwrap_or(0), &rows).await
    }

    /// Looks at a whole file and appends what it lacks.
    async fn complete(&self, week: Week, state: WeekState) -> Result<(), ShareError> {
        let content = self.patiently(self.share.read(&week.file_name())).await?.unwrap_or_default();
        if self.lock().is_whole(week, &state, &ReportDigest::of(&content)) {
            let rows_in_file = state.rows;
            self.has_no_strangers(week);
            return self.write(week, WeekState { rows_in_file, ..state }, content.len() as u64, &[]).await;
        }
        let ended = self.ended(week, state.first_seq - 1, state.last_seq).await?;
        // What is lost in the ledger must not take its row, or what was signed, along.
        if ended.len() < state.rows {
            let (has, had) = (ended.len(), state.rows);
            let problem = format!("of {week} the ledger has {has} of {had} sessions, and its report is left as it is");
            return Err(ShareError::Unavailable(problem));
        }
        let sessions = once_each(ended);
        let (content, sessions) = self.untorn(week, content, sessions).await?;
        let imported = self.lock().imported();
        let known = imported.len();
        let (missing, strange, rows, bytes) = off_thread(move || {
            let missing = file::missing(&content, &sessions);
            let rows = report::read_rows(&[content.as_slice(), &missing].concat()).len();
            (missing, strangers::strange_rows(&content, &sessions, &imported), rows, content.len() as u64)
        })
        .await?;
        self.note_strangers(week, bytes, strange, known);
        let completed = WeekState { rows_in_file: rows.saturating_sub(1), ..state };
        self.write(week, completed, bytes, &missing).await
    }

    /// A file as it is once what a loss of power tore is mended: appending
    /// does not help where bytes in between were lost.
    async fn untorn(
        &self,
        week: Week,
        content: Vec<u8>,
        sessions: Vec<EndedSession>,
    ) -> Result<(Vec<u8>, Vec<EndedSession>), ShareError> {
        let (content, mended, sessions) = off_thread(move || {
            let mended = report::mended(&content, &sessions);
            (content, mended, sessions)
        })
        .await?;
        let Some(mended) = mended else { return Ok((content, sessions)) };
        let name = week.file_name();
        self.confirm().await?;
        if self.patiently(self.share.read(&name)).await?.as_ref() != Some(&content) {
            return Err(ShareError::Changed);
        }
        self.patiently(self.share.replace(&name, &mended)).await?;
        tracing::warn!(file = name, "A report was torn by a loss of power and is whole again.");
        Ok((mended, sessions))
    }

    async fn write(&self, week: Week, state: WeekState, bytes: u64, rows: &[u8]) -> Result<(), ShareError> {
        if !rows.is_empty() {
            self.confirm().await?;
            self.patiently(self.share.append(&week.file_name(), bytes, rows)).await?;
        }
        self.lock().is_written(week, &state, bytes + rows.len() as u64);
        Ok(())
    }

    /// Where another server has the ledger, the reports are its to write.
    async fn confirm(&self) -> Result<(), ShareError> {
        self.ledger.confirm().await.map_err(|error| ShareError::Unavailable(error.to_string()))
    }

    /// The sessions of a week whose records stand behind `after`, up to `last`, as often as they do.
    async fn ended(&self, week: Week, after: u64, last: u64) -> Result<Vec<EndedSession>, ShareError> {
        let mut sessions = Vec::new();
        let mut after = after;
        while after < last {
            let records = self.ledger.read(Stream::Audit, after, PAGE).await;
            let records = records.map_err(|error| ShareError::Unavailable(error.to_string()))?;
            let Some(end) = records.last() else { break };
            after = end.seq;
            let ended = off_thread(move || {
                let until = records.iter().take_while(|record| record.seq <= last);
                until.filter_map(|record| ended_in(week, record)).collect::<Vec<EndedSession>>()
            });
            sessions.extend(ended.await?);
        }
        Ok(sessions)
    }

    fn lock(&self) -> MutexGuard<'_, Weeks> {
        locked(&self.weeks)
    }
}

/// The session that a record ends, if it is one of that week.
fn ended_in(week: Week, record: &Record) -> Option<EndedSession> {
    let Ok(BoardFact::Unchecked(ended)) = record.fact() else { return None };
    (ended.week == week).then_some(ended)
}

fn once_each(mut ended: Vec<EndedSession>) -> Vec<EndedSession> {
    let mut seen = BTreeSet::new();
    ended.retain(|ended| seen.insert(ended.session.id.clone()));
    ended
}

/// Works where nobody waits for the thread: rows of a whole week take a while.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ShareError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ShareError::Unavailable(error.to_string()))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
