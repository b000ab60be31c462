//! The one way in: a task that takes all commands that wait, decides each on
//! the state in memory, and commits their records in one append.
//!
//! Readers see committed state only. A commit that fails leaves the state as
//! it was, and everybody whose command was in it is told so.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use domain::record::{Draft, LineError, Record, Stream};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};

use crate::{
    findings::Findings,
    ports::{Clock, Entropy, Ledger, LedgerError, Snapshot},
};

/// How many commands may wait; beyond it the answer is `unavailable` at once.
pub const MAX_WAITING_COMMANDS: usize = 16_384;

/// How many commands are committed at once: their lines stay a fraction of a segment.
pub const MAX_COMMANDS_PER_COMMIT: usize = 1_024;

/// How many records are read at once when a state is made from them.
const REPLAY_PAGE: usize = 4_096;

/// How often it is looked whether changes can be kept again.
const PROBE_EVERY: Duration = Duration::from_secs(2);

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

    /// Makes a fact, with its number in the stream, part of the state.
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
    jobs: mpsc::Sender<Job<V>>,
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
        let (jobs, waiting) = mpsc::channel(MAX_WAITING_COMMANDS);
        let committed = Arc::new(RwLock::new(view.clone()));
        let ledger = Arc::clone(&world.ledger);
        let writer = Writer {
            world,
            working: view.clone(),
            committed: Arc::clone(&committed),
            on_commit: on_commit(&view),
            refuses: false,
        };
        tokio::spawn(writer.run(waiting));
        Ok(Store { jobs, committed, ledger })
    }

    /// Hands a command to the writer; commands are decided in this order.
    pub fn submit(&self, command: V::Command) -> Answer<V> {
        let (reply, answer) = oneshot::channel();
        if let Err(refused) = self.jobs.try_send(Job::Command { command, reply }) {
            let reason = "too many changes wait; try again in a moment";
            if let Job::Command { reply, .. } = refused.into_inner() {
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
        if self.jobs.send(Job::Adjust { change: Box::new(change), done }).await.is_ok() {
            let _ = answer.await;
        }
    }

    /// Has the ledger forget what the state no longer holds: a snapshot stands
    /// in for all records before it.
    ///
    /// # Errors
    /// [`LedgerError`]: some of it is still there.
    pub async fn compact(&self) -> Result<(), LedgerError> {
        let (done, answer) = oneshot::channel();
        self.tidy(Job::Compact { done }, answer).await
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

    async fn tidy(&self, job: Job<V>, answer: oneshot::Receiver<Result<(), LedgerError>>) -> Result<(), LedgerError> {
        let stopping = || LedgerError::Unavailable("the server is stopping".into());
        self.jobs.send(job).await.map_err(|_| stopping())?;
        answer.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Waits until everything that was handed in before is committed or refused.
    pub async fn settle(&self) {
        self.adjust(|_| {}).await;
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

type Reply<V> = oneshot::Sender<Result<<V as View>::Outcome, Failure<<V as View>::Refusal>>>;

/// Somebody who waits, and what was decided for them.
type Waiting<V> = (Reply<V>, Result<<V as View>::Outcome, <V as View>::Refusal>);

enum Job<V: View> {
    Command { command: V::Command, reply: Reply<V> },
    Adjust { change: Box<dyn Fn(&mut V) + Send>, done: oneshot::Sender<()> },
    Compact { done: oneshot::Sender<Result<(), LedgerError>> },
    Drop { up_to: u64, done: oneshot::Sender<Result<(), LedgerError>> },
}

/// The committed state, for the ledger: while it is asked, the writer waits
/// for the ledger, so that it is the state before what is written just then.
struct Committed<V: View>(Arc<RwLock<V>>);

impl<V: View> Snapshot for Committed<V> {
    fn each_item(&self, take: &mut dyn FnMut(Box<RawValue>)) {
        let view = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for item in view.snapshot() {
            take(serde_json::value::to_raw_value(&item).expect("items are plain values with string keys"));
        }
    }
}

struct Writer<V: View> {
    world: World,
    working: V,
    committed: Arc<RwLock<V>>,
    on_commit: OnCommit<V>,
    /// Whether the last changes could not be kept.
    refuses: bool,
}

/// Decided, and not yet kept.
struct Batch<V: View> {
    facts: Vec<V::Fact>,
    drafts: Vec<Draft>,
    replies: Vec<Waiting<V>>,
}

impl<V: View> Writer<V> {
    async fn run(mut self, mut waiting: mpsc::Receiver<Job<V>>) {
        let mut jobs = Vec::with_capacity(MAX_COMMANDS_PER_COMMIT);
        while self.receive(&mut waiting, &mut jobs).await > 0 {
            let mut batch = Batch { facts: Vec::new(), drafts: Vec::new(), replies: Vec::new() };
            for job in jobs.drain(..) {
                match job {
                    Job::Command { command, reply } => self.decide(command, reply, &mut batch),
                    Job::Adjust { change, done } => {
                        self.commit(std::mem::take(&mut batch)).await;
                        self.adjust(change.as_ref(), done);
                    }
                    Job::Compact { done } => {
                        self.commit(std::mem::take(&mut batch)).await;
                        let at = self.world.clock.now();
                        let _ = done.send(self.world.ledger.compact(V::STREAM, at, self.snapshot()).await);
                    }
                    Job::Drop { up_to, done } => {
                        self.commit(std::mem::take(&mut batch)).await;
                        let at = self.world.clock.now();
                        let dropped = self.world.ledger.drop_up_to(V::STREAM, up_to, at, self.snapshot()).await;
                        let _ = done.send(dropped);
                    }
                }
            }
            self.commit(batch).await;
        }
    }

    /// Waits for jobs; while changes are refused, looks now and then whether
    /// they could be kept again.
    async fn receive(&mut self, waiting: &mut mpsc::Receiver<Job<V>>, jobs: &mut Vec<Job<V>>) -> usize {
        loop {
            let received = waiting.recv_many(jobs, MAX_COMMANDS_PER_COMMIT);
            if !self.refuses {
                return received.await;
            }
            match tokio::time::timeout(PROBE_EVERY, received).await {
                Ok(received) => return received,
                Err(_) if self.world.ledger.probe().await.is_ok() => self.can_keep(),
                Err(_) => {}
            }
        }
    }

    fn can_keep(&mut self) {
        if std::mem::take(&mut self.refuses) {
            self.world.findings.ends("ledger", refused_code(V::STREAM));
        }
    }

    fn cannot_keep(&mut self, error: &LedgerError) {
        self.refuses = true;
        let detail = format!("changes are refused, as they cannot be kept: {error}");
        self.world.findings.begins("ledger", refused_code(V::STREAM), detail, true);
    }

    fn decide(&mut self, command: V::Command, reply: Reply<V>, batch: &mut Batch<V>) {
        let moment = Moment { now: self.world.clock.now(), bits: self.world.entropy.bits() };
        let decided = self.working.decide(command, &moment).map(|(facts, outcome)| {
            for fact in facts {
                let seq = self.world.ledger.head(V::STREAM).seq + 1 + batch.facts.len() as u64;
                self.working.apply(seq, &fact);
                batch.drafts.push(Draft::of(moment.now, &fact));
                batch.facts.push(fact);
            }
            outcome
        });
        batch.replies.push((reply, decided));
    }

    async fn commit(&mut self, batch: Batch<V>) {
        if batch.facts.is_empty() {
            return answer_all::<V>(batch.replies);
        }
        match self.world.ledger.append(V::STREAM, batch.drafts, self.snapshot()).await {
            Ok(records) => {
                self.can_keep();
                self.publish(&records, batch.facts);
                answer_all::<V>(batch.replies);
            }
            Err(error) => {
                self.cannot_keep(&error);
                self.working = self.committed.read().unwrap_or_else(PoisonError::into_inner).clone();
                refuse_all::<V>(batch.replies, &error);
            }
        }
    }

    fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::new(Committed(Arc::clone(&self.committed)))
    }

    fn publish(&mut self, records: &[Record], facts: Vec<V::Fact>) {
        let numbered: Vec<(u64, V::Fact)> = records.iter().map(|record| record.seq).zip(facts).collect();
        let mut committed = self.committed.write().unwrap_or_else(PoisonError::into_inner);
        numbered.iter().for_each(|(seq, fact)| committed.apply(*seq, fact));
        drop(committed);
        let committed = self.committed.read().unwrap_or_else(PoisonError::into_inner);
        (self.on_commit)(&committed, &numbered);
    }

    fn adjust(&mut self, change: &dyn Fn(&mut V), done: oneshot::Sender<()>) {
        change(&mut self.working);
        change(&mut self.committed.write().unwrap_or_else(PoisonError::into_inner));
        let _ = done.send(());
    }
}

impl<V: View> Default for Batch<V> {
    fn default() -> Self {
        Batch { facts: Vec::new(), drafts: Vec::new(), replies: Vec::new() }
    }
}

/// The code of the finding that changes of a stream cannot be kept.
fn refused_code(stream: Stream) -> &'static str {
    match stream {
        Stream::Audit => "board_refused",
        Stream::Access => "access_refused",
        Stream::Relay => "messages_refused",
        Stream::Keys => "sign_ins_refused",
    }
}

fn answer_all<V: View>(replies: Vec<Waiting<V>>) {
    for (reply, decided) in replies {
        let _ = reply.send(decided.map_err(Failure::Refused));
    }
}

/// Refusals too: they were decided on changes that did not come to be.
fn refuse_all<V: View>(replies: Vec<Waiting<V>>, error: &LedgerError) {
    for (reply, _) in replies {
        let _ = reply.send(Err(Failure::Unavailable(error.to_string())));
    }
}

async fn replay<V: View>(ledger: &dyn Ledger, mut view: V) -> Result<V, ReplayError> {
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
