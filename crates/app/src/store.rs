//! The one way in: a writer that takes all commands that wait, decides each on
//! the state in memory, and commits their records in one append.
//!
//! Readers see committed state only. A commit that fails leaves the state as
//! it was, and everybody whose command was in it is told so.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    time::Duration,
};

use domain::record::{LineError, Record, Stream};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::oneshot;

use self::writer::Job;

use crate::{
    findings::Findings,
    ports::{Clock, Entropy, Ledger, LedgerError},
};

mod writer;

/// How many commands may wait; beyond it the answer is `unavailable` at once.
pub const MAX_WAITING_COMMANDS: usize = 16_384;

/// How many commands are committed at once: their lines stay a fraction of a segment.
pub const MAX_COMMANDS_PER_COMMIT: usize = 1_024;

/// How many records are read at once when a state is made from them.
const REPLAY_PAGE: usize = 4_096;

/// The pause before a job that nobody answers at once is handed in again.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(5);

/// A state that is a fold over the records of one stream.
pub trait View: Clone + Send + Sync + 'static {
    /// What may be wanted of it.
    type Command: Send + 'static;
    /// What is recorded.
    type Fact: Serialize + DeserializeOwned + Send + Sync + 'static;
    /// What a command came to.
    type Outcome: Send + 'static;
    /// The rules' no.
    type Refusal: Send + 'static;
    /// What a snapshot of it is made of.
    type Item: Serialize + DeserializeOwned + Send;
    /// Where its records are.
    const STREAM: Stream;

    /// Decides a command; changes nothing.
    ///
    /// # Errors
    /// The refusal of the rules.
    fn decide(&self, command: Self::Command, moment: &Moment) -> Decided<Self>;

    /// Makes a fact part of the state, with its number in the stream; that is 0
    /// in the state that is decided on, as long as nothing is committed.
    fn apply(&mut self, seq: u64, fact: &Self::Fact);

    /// Everything that the facts made, as items that make it again.
    fn snapshot(&self) -> Box<dyn Iterator<Item = Self::Item> + '_>;

    /// Takes an item of a snapshot; they come in its order, before any fact.
    fn restore(&mut self, item: Self::Item);

    /// All items were taken; in them is what stands up to that record.
    fn restored(&mut self, seq: u64);
}

/// A yes, with what is recorded and what to answer, or the rules' no.
pub type Decided<V> = Result<(Vec<<V as View>::Fact>, <V as View>::Outcome), <V as View>::Refusal>;

/// What the world gives to each decision.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// What time it is.
    pub now: Timestamp,
    /// 128 fresh random bits.
    pub bits: [u8; 16],
}

/// Why a command did not happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure<R> {
    /// The rules say no.
    Refused(R),
    /// It could not be kept. It may have happened all the same.
    Unavailable(String),
}

/// A state could not be made from its records.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The ledger did not give them.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A record is whole, yet says nothing that this version knows.
    #[error(
        "record {seq} of the stream {stream} says something unknown ({error}); a newer version may have written it"
    )]
    Unknown {
        /// In which stream.
        stream: &'static str,
        /// Which record.
        seq: u64,
        /// What is unknown.
        error: LineError,
    },
    /// A snapshot is whole, yet says something that this version does not know.
    #[error(
        "the snapshot of the stream {stream} says something unknown ({error}); a newer version may have written it"
    )]
    UnknownSnapshot {
        /// In which stream.
        stream: &'static str,
        /// What is unknown.
        error: String,
    },
}

/// The answer to a command, when it comes.
pub type Answer<V> = oneshot::Receiver<Result<<V as View>::Outcome, Failure<<V as View>::Refusal>>>;

/// What is told of each commit: the committed state and the numbers of its records.
pub type OnCommit<V> = Box<dyn FnMut(&V, &[(u64, <V as View>::Fact)]) + Send>;

/// A view, its writer and its readers.
pub struct Store<V: View> {
    jobs: SyncSender<Job<V>>,
    committed: Arc<RwLock<V>>,
    ledger: Arc<dyn Ledger>,
}

impl<V: View> Store<V> {
    /// Makes the state from its records and starts its writer.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub async fn open(
        world: World,
        initial: V,
        on_commit: impl FnOnce(&V) -> OnCommit<V>,
    ) -> Result<Store<V>, ReplayError> {
        let view = replay(world.ledger.as_ref(), initial).await?;
        let (jobs, waiting) = sync_channel(MAX_WAITING_COMMANDS);
        let committed = Arc::new(RwLock::new(view.clone()));
        let on_commit = on_commit(&view);
        let ledger = Arc::clone(&world.ledger);
        writer::start(world, view, Arc::clone(&committed), on_commit, waiting);
        Ok(Store { jobs, committed, ledger })
    }

    /// Hands a command to the writer; commands are decided in this order.
    pub fn submit(&self, command: V::Command) -> Answer<V> {
        let (reply, answer) = oneshot::channel();
        if let Err(refused) = self.jobs.try_send(Job::Command { command, reply }) {
            let reason = "too many changes wait; try again in a moment";
            let (TrySendError::Full(job) | TrySendError::Disconnected(job)) = refused;
            if let Job::Command { reply, .. } = job {
                // Nobody waits for an answer that the caller dropped.
                let _ = reply.send(Err(Failure::Unavailable(reason.into())));
            }
        }
        answer
    }

    /// Does a command, and waits until it is kept.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn execute(&self, command: V::Command) -> Result<V::Outcome, Failure<V::Refusal>> {
        answered::<V>(self.submit(command)).await
    }

    /// Reads the committed state; keep it short, as commits wait for it.
    pub fn read<R>(&self, look: impl FnOnce(&V) -> R) -> R {
        look(&self.committed.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes what is in memory only, such as a list that a file gives.
    pub async fn adjust(&self, change: impl Fn(&mut V) + Send + 'static) {
        let (done, answer) = oneshot::channel();
        self.hand_in(Job::Adjust { change: Box::new(change), done }).await;
        // A writer that is gone has nothing to adjust.
        let _ = answer.await;
    }

    /// Has the ledger forget what the state no longer holds: a snapshot stands
    /// in for all records before it. Only where `may` says so when nothing is
    /// under way; whether it did.
    ///
    /// # Errors
    /// [`LedgerError`]: some of it is still there.
    pub async fn compact_where(&self, may: impl Fn() -> bool + Send + 'static) -> Result<bool, LedgerError> {
        let (done, answer) = oneshot::channel();
        self.tidy(Job::Compact { may: Box::new(may), done }, answer).await
    }

    /// Whether there is a segment that could be dropped, as no record in it is needed.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn has_unneeded(
        &self,
        is_needed: impl Fn(&V, &Record) -> bool + Send + Sync + 'static,
    ) -> Result<bool, LedgerError> {
        Ok(self.unneeded(is_needed).await?.is_some())
    }

    /// Drops the oldest segments of which no record is needed; whether there
    /// were any. They are looked at beside the writer.
    ///
    /// # Errors
    /// [`LedgerError`]: some of it is still there.
    pub async fn drop_unneeded(
        &self,
        is_needed: impl Fn(&V, &Record) -> bool + Send + Sync + 'static,
    ) -> Result<bool, LedgerError> {
        let Some(up_to) = self.unneeded(is_needed).await? else { return Ok(false) };
        let (done, answer) = oneshot::channel();
        self.tidy(Job::Drop { up_to, done }, answer).await?;
        Ok(true)
    }

    async fn unneeded(
        &self,
        is_needed: impl Fn(&V, &Record) -> bool + Send + Sync + 'static,
    ) -> Result<Option<u64>, LedgerError> {
        let committed = Arc::clone(&self.committed);
        let is_needed =
            move |record: &Record| is_needed(&committed.read().unwrap_or_else(PoisonError::into_inner), record);
        self.ledger.oldest_unneeded(V::STREAM, Arc::new(is_needed)).await
    }

    async fn tidy<T>(&self, job: Job<V>, answer: oneshot::Receiver<Result<T, LedgerError>>) -> Result<T, LedgerError> {
        let stopping = || LedgerError::Unavailable("the server is stopping".into());
        self.hand_in(job).await;
        answer.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Waits until everything that was handed in before is committed or refused.
    pub async fn settle(&self) {
        self.adjust(|_| {}).await;
    }

    async fn hand_in(&self, mut job: Job<V>) {
        while let Err(TrySendError::Full(refused)) = self.jobs.try_send(job) {
            job = refused;
            tokio::time::sleep(TRY_AGAIN_AFTER).await;
        }
    }
}

/// Waits for the answer to a command.
///
/// # Errors
/// [`Failure`]; a writer that is gone is `Unavailable`.
pub async fn answered<V: View>(answer: Answer<V>) -> Result<V::Outcome, Failure<V::Refusal>> {
    answer.await.unwrap_or_else(|_| Err(Failure::Unavailable("the server is stopping".into())))
}

/// What a writer needs of the world.
#[derive(Clone)]
pub struct World {
    /// Where records are kept.
    pub ledger: Arc<dyn Ledger>,
    /// What tells the time.
    pub clock: Arc<dyn Clock>,
    /// What gives fresh ids.
    pub entropy: Arc<dyn Entropy>,
    /// Who is told that changes cannot be kept.
    pub findings: Arc<Findings>,
}

/// Makes a state from all records of its stream.
pub(crate) async fn replay<V: View>(ledger: &dyn Ledger, mut view: V) -> Result<V, ReplayError> {
    let mut after = restore(ledger, &mut view).await?;
    loop {
        let records = ledger.read(V::STREAM, after, REPLAY_PAGE).await?;
        let Some(last) = records.last() else { return Ok(view) };
        after = last.seq;
        for record in &records {
            let fact = record.fact().map_err(|error| ReplayError::Unknown {
                stream: V::STREAM.name(),
                seq: record.seq,
                error,
            })?;
            view.apply(record.seq, &fact);
        }
    }
}

/// Takes the newest whole snapshot; returns the number of the last record in it.
async fn restore<V: View>(ledger: &dyn Ledger, view: &mut V) -> Result<u64, ReplayError> {
    let Some(place) = ledger.snapshot(V::STREAM) else { return Ok(0) };
    for part in 1..=place.parts {
        for item in ledger.snapshot_part(V::STREAM, part).await? {
            let item = serde_json::from_value(item)
                .map_err(|error| ReplayError::UnknownSnapshot { stream: V::STREAM.name(), error: error.to_string() })?;
            view.restore(item);
        }
    }
    view.restored(place.seq);
    Ok(place.seq)
}
