//! Finding sessions again, ended ones in the ledger and running ones on the
//! board, and reading the records themselves.
//!
//! An index of blocks says which records to read; it follows the ledger, and
//! what it does not cover yet is read without it. Only so many scans go on at
//! once, none of them on a thread that answers others.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use domain::{
    history::{BlockIndex, Cursor, Entry, Filter, Span},
    record::{Record, Stream},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::{
    board::Running,
    ports::{Chains, Clock, Ledger, LedgerError},
};

mod chains;
mod whole;

pub use chains::ChainState;
pub use whole::{Rendering, Whole};

/// How many scans go on at once: they are to leave a core for the board.
pub const SCANS_AT_ONCE: usize = 2;

/// How long a scan waits for another to end before it is refused.
pub const SCAN_WAITS: Duration = Duration::from_secs(10);

/// How many records a page's scan reads at once: some milliseconds of work.
const RECORDS_AT_ONCE: u64 = 256;

/// More sessions than this have never run at once: as many as there can be connections.
const MOST_RUNNING: usize = 100_000;

/// How many records the index takes in at once.
const RECORDS_TAKEN_IN: usize = 2_048;

/// How often it is looked for records where nothing wakes.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Sessions and records of the past.
pub struct History {
    ledger: Arc<dyn Ledger>,
    chains: Arc<dyn Chains>,
    index: Arc<RwLock<BlockIndex>>,
    scans: Arc<Semaphore>,
    clock: Arc<dyn Clock>,
    proof: tokio::sync::Mutex<Option<chains::Proof>>,
}

/// Sessions, latest first: those that run, then those that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The sessions.
    pub entries: Vec<Entry>,
    /// Where the next page begins, if there is one.
    pub cursor: Option<Cursor>,
}

/// Why a search found nothing out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// Others search just now.
    #[error("{SCANS_AT_ONCE} searches are under way already; try again in a moment")]
    Busy,
    /// The ledger does not give its records.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Whoever asked takes nothing of the answer.
    #[error("the answer was not taken in time")]
    NotTaken,
}

impl History {
    /// What that ledger has, and who proves its chains.
    pub fn new(ledger: Arc<dyn Ledger>, chains: Arc<dyn Chains>, clock: Arc<dyn Clock>) -> History {
        let scans = Arc::new(Semaphore::new(SCANS_AT_ONCE));
        History { ledger, chains, index: Arc::default(), scans, clock, proof: tokio::sync::Mutex::default() }
    }

    /// Keeps the index up to date, for ever.
    pub async fn follow(&self, mut wake: watch::Receiver<u64>) {
        loop {
            wake.mark_unchanged();
            // What it cannot read is read by each search, which says what is wrong.
            let _ = self.catch_up().await;
            tokio::select! {
                changed = wake.changed() => if changed.is_err() { tokio::time::sleep(LOOK_EVERY).await },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Takes what is new into the index.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn catch_up(&self) -> Result<(), LedgerError> {
        loop {
            let after = self.index.read().unwrap_or_else(PoisonError::into_inner).covered();
            let records = self.ledger.read(Stream::Audit, after, RECORDS_TAKEN_IN).await?;
            let Some(last) = records.last().map(|record| record.seq) else { return Ok(()) };
            let index = Arc::clone(&self.index);
            off_thread(move || {
                let entries = sessions_in(&records, last)?;
                let numbered = entries.iter().map(|(seq, entry)| (*seq, entry));
                index.write().unwrap_or_else(PoisonError::into_inner).take_in(numbered, last);
                Ok(())
            })
            .await?;
        }
    }

    /// A page of at most `limit` sessions that the filter means.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub async fn page(
        &self,
        filter: Filter,
        cursor: Option<Cursor>,
        limit: usize,
        running: Running,
    ) -> Result<Page, HistoryError> {
        let _scan = self.scan().await?;
        let filter = Arc::new(filter);
        let (first, last) = self.begin(&filter, cursor, running).await?;
        let mut entries: Vec<(u64, Entry)> = first.into_iter().map(|entry| (0, entry)).collect();
        entries.sort_by(|(_, one), (_, other)| one.latest_first(other));
        self.look_back(&mut entries, last, limit + 1, &filter).await?;
        let more = entries.len() > limit;
        entries.truncate(limit);
        let cursor = entries.last().filter(|_| more).map(|(seq, entry)| match seq {
            0 => Cursor::Running { head: last, since: entry.since(), id: entry.id().clone() },
            seq => Cursor::Ended { seq: *seq },
        });
        Ok(Page { entries: entries.into_iter().map(|(_, entry)| entry).collect(), cursor })
    }

    /// A page of at most `limit` records of a stream, oldest first.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub async fn records(&self, stream: Stream, after: u64, limit: usize) -> Result<Vec<Record>, HistoryError> {
        let _scan = self.scan().await?;
        Ok(self.ledger.read(stream, after, limit).await?)
    }

    /// The sessions with which a page begins that are not read from before the
    /// first page, and the last record before it.
    async fn begin(
        &self,
        filter: &Arc<Filter>,
        cursor: Option<Cursor>,
        running: Running,
    ) -> Result<(Vec<Entry>, u64), HistoryError> {
        let head = running.seq;
        let running = running.sessions.into_iter().map(Entry::Running).filter(|entry| filter.means(entry));
        match cursor {
            None => Ok((running.collect(), head)),
            Some(Cursor::Running { head: then, since, id }) => {
                let follows = |entry: &Entry| (entry.since(), entry.id()) < (since, &id);
                // They ran when the first page was made, and have ended since.
                let ended = self.ended_between(then, head, filter, follows).await?;
                Ok((running.filter(follows).chain(ended).collect(), then.min(head)))
            }
            Some(Cursor::Ended { seq }) => Ok((Vec::new(), seq.saturating_sub(1).min(head))),
        }
    }

    async fn ended_between(
        &self,
        after: u64,
        head: u64,
        filter: &Arc<Filter>,
        follows: impl Fn(&Entry) -> bool,
    ) -> Result<Vec<Entry>, HistoryError> {
        let mut ended = Vec::new();
        let mut at = after;
        while let Some(span) = behind(&self.index, at, head, RECORDS_AT_ONCE, filter) {
            let found = found_in(self.ledger.as_ref(), span, filter).await?;
            let ours = found.into_iter().filter(|(_, entry)| matches!(entry, Entry::Ended(_)) && follows(entry));
            ended.extend(ours.map(|(_, entry)| entry));
            at = span.last;
            if ended.len() >= MOST_RUNNING {
                break;
            }
        }
        Ok(ended)
    }

    /// Adds what ended at `last` or before, latest first, until there are `wanted`.
    async fn look_back(
        &self,
        entries: &mut Vec<(u64, Entry)>,
        last: u64,
        wanted: usize,
        filter: &Arc<Filter>,
    ) -> Result<(), HistoryError> {
        let mut last = last;
        while entries.len() < wanted
            && let Some(span) = self.at_or_before(last, filter)
        {
            let found = found_in(self.ledger.as_ref(), span, filter).await?;
            entries.extend(found.into_iter().rev());
            last = span.after;
        }
        Ok(())
    }

    fn at_or_before(&self, last: u64, filter: &Filter) -> Option<Span> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).at_or_before(last, RECORDS_AT_ONCE, filter)
    }

    async fn scan(&self) -> Result<OwnedSemaphorePermit, HistoryError> {
        let permit = tokio::time::timeout(SCAN_WAITS, Arc::clone(&self.scans).acquire_owned()).await;
        permit.ok().and_then(Result::ok).ok_or(HistoryError::Busy)
    }
}

fn behind(index: &RwLock<BlockIndex>, after: u64, head: u64, limit: u64, filter: &Filter) -> Option<Span> {
    index.read().unwrap_or_else(PoisonError::into_inner).behind(after, head, limit, filter)
}

/// The sessions of some records that a filter means, with the records' numbers.
async fn found_in(ledger: &dyn Ledger, span: Span, filter: &Arc<Filter>) -> Result<Vec<(u64, Entry)>, HistoryError> {
    let count = usize::try_from(span.last - span.after).unwrap_or(usize::MAX);
    let records = ledger.read(Stream::Audit, span.after, count).await?;
    let filter = Arc::clone(filter);
    let found = off_thread(move || {
        let mut found = sessions_in(&records, span.last)?;
        found.retain(|(_, entry)| filter.means(entry));
        Ok(found)
    });
    Ok(found.await?)
}

/// The sessions that records up to `last` end or import.
fn sessions_in(records: &[Record], last: u64) -> Result<Vec<(u64, Entry)>, LedgerError> {
    let records = records.iter().take_while(|record| record.seq <= last);
    let sessions = records.filter_map(|record| {
        let seq = record.seq;
        let unknown = |error| LedgerError::Corrupt(format!("record {seq} says something unknown: {error}"));
        Some(Entry::of_record(record).map_err(unknown).transpose()?.map(|entry| (seq, entry)))
    });
    sessions.collect()
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, LedgerError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(LedgerError::Unavailable(error.to_string())))
}
