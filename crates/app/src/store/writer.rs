//! The writer: two threads that take turns, so that what waits is decided while
//! the commands before it are on their way to the disk.
//!
//! A thread takes the [`Desk`]'s decisions, then its ledger, and gives the
//! decisions back before it waits for the disk: the other one then decides on
//! top of what is not committed yet. A commit that fails makes void whatever
//! was decided on it; that is refused too, and the working state begins anew
//! from the committed one.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use domain::record::{Draft, Record, Stream};
use serde_json::value::RawValue;
use tokio::{runtime::Handle, sync::oneshot};

use super::{Failure, MAX_COMMANDS_PER_COMMIT, Moment, OnCommit, View, World};
use crate::ports::{LedgerError, Snapshot};

/// How often it is looked whether changes can be kept again.
const PROBE_EVERY: Duration = Duration::from_secs(2);

/// A commit that takes longer is said: nobody's change is kept meanwhile.
const KEPT_WITHIN: Duration = Duration::from_secs(5);

/// One decides while the other waits for the disk.
const THREADS: usize = 2;

type Reply<V> = oneshot::Sender<Result<<V as View>::Outcome, Failure<<V as View>::Refusal>>>;

/// Somebody who waits, and what was decided for them.
type Waiting<V> = (Reply<V>, Result<<V as View>::Outcome, <V as View>::Refusal>);

/// What is handed to the writer.
pub(super) enum Job<V: View> {
    /// Decide, and keep what follows.
    Command {
        /// What is wanted.
        command: V::Command,
        /// Who waits.
        reply: Reply<V>,
    },
    /// Change what is in memory only.
    Adjust {
        /// The change.
        change: Box<dyn Fn(&mut V) + Send>,
        /// Who waits.
        done: oneshot::Sender<()>,
    },
    /// Have the ledger forget what the state no longer holds.
    Compact {
        /// Whether it may.
        may: Box<dyn Fn() -> bool + Send>,
        /// Who waits, and hears whether it did.
        done: oneshot::Sender<Result<bool, LedgerError>>,
    },
    /// Have the ledger drop its oldest segments.
    Drop {
        /// The last record that goes.
        up_to: u64,
        /// Who waits.
        done: oneshot::Sender<Result<(), LedgerError>>,
    },
}

/// Starts the threads; they end when nobody can hand in anything any more.
pub(super) fn start<V: View>(
    world: World,
    view: V,
    committed: Arc<RwLock<V>>,
    on_commit: OnCommit<V>,
    jobs: Receiver<Job<V>>,
) {
    let desk = Arc::new(Desk {
        decisions: Mutex::new(Decisions { jobs, taken: VecDeque::new(), working: view, rest_on: 0 }),
        commits: Mutex::new(on_commit),
        failed_commits: AtomicU64::new(0),
        refuses: Arc::default(),
        committed,
        runtime: Handle::current(),
        world,
    });
    for number in 1..=THREADS {
        let desk = Arc::clone(&desk);
        let name = format!("{} writer {number}", V::STREAM.name());
        let started = thread::Builder::new().name(name).spawn(move || while desk.turn() {});
        started.expect("a thread can be started when the server starts");
    }
}

/// What both threads work on.
struct Desk<V: View> {
    decisions: Mutex<Decisions<V>>,
    commits: Mutex<OnCommit<V>>,
    /// How many commits failed; changed by whoever holds `commits`.
    failed_commits: AtomicU64,
    /// Whether the last changes could not be kept.
    refuses: Arc<AtomicBool>,
    committed: Arc<RwLock<V>>,
    runtime: Handle,
    world: World,
}

struct Decisions<V: View> {
    jobs: Receiver<Job<V>>,
    taken: VecDeque<Job<V>>,
    working: V,
    /// How many commits had failed when the working state was made.
    rest_on: u64,
}

/// Decided, and not yet kept.
struct Batch<V: View> {
    facts: Vec<V::Fact>,
    drafts: Vec<Draft>,
    replies: Vec<Waiting<V>>,
}

impl<V: View> Desk<V> {
    /// Takes what waits, decides it, and commits it; `false` when nothing can
    /// come any more, or a thread died over its work.
    fn turn(&self) -> bool {
        let Ok(mut decisions) = self.decisions.lock() else { return false };
        if !self.receive(&mut decisions) {
            return false;
        }
        self.begin_anew_where_void(&mut decisions);
        let batch = self.decide_all(&mut decisions);
        let Ok(commits) = self.commits.lock() else { return false };
        if decisions.rest_on != self.failed_commits.load(Ordering::SeqCst) {
            self.begin_anew_where_void(&mut decisions);
            refuse_all::<V>(batch.replies, "the changes before it could not be kept");
            return true;
        }
        match decisions.taken.pop_front() {
            None => {
                drop(decisions);
                self.commit(batch, commits);
            }
            Some(job) => {
                self.commit(batch, commits);
                self.do_alone(job, &mut decisions);
            }
        }
        true
    }

    /// Waits for jobs; while changes are refused, looks now and then whether
    /// they could be kept again.
    fn receive(&self, decisions: &mut Decisions<V>) -> bool {
        while decisions.taken.is_empty() {
            match decisions.jobs.recv_timeout(PROBE_EVERY) {
                Ok(job) => decisions.taken.push_back(job),
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) if self.refuses.load(Ordering::SeqCst) => self.look_whether_kept(),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        let more = MAX_COMMANDS_PER_COMMIT - decisions.taken.len().min(MAX_COMMANDS_PER_COMMIT);
        decisions.taken.extend(decisions.jobs.try_iter().take(more));
        true
    }

    fn look_whether_kept(&self) {
        let _commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        if self.runtime.block_on(self.world.ledger.probe()).is_ok() {
            self.can_keep();
        }
    }

    /// A commit failed since the working state was made; none is under way
    /// that rests on it, as it would have been refused.
    fn begin_anew_where_void(&self, decisions: &mut Decisions<V>) {
        let failed = self.failed_commits.load(Ordering::SeqCst);
        if decisions.rest_on != failed {
            decisions.working = self.committed.read().unwrap_or_else(PoisonError::into_inner).clone();
            decisions.rest_on = failed;
        }
    }

    /// Decides the commands that were taken, up to the first other job.
    fn decide_all(&self, decisions: &mut Decisions<V>) -> Batch<V> {
        let mut batch = Batch { facts: Vec::new(), drafts: Vec::new(), replies: Vec::new() };
        while let Some(job) = decisions.taken.pop_front() {
            let Job::Command { command, reply } = job else {
                decisions.taken.push_front(job);
                break;
            };
            let decided = self.decide(&mut decisions.working, command, &mut batch);
            batch.replies.push((reply, decided));
        }
        batch
    }

    fn decide(&self, working: &mut V, command: V::Command, batch: &mut Batch<V>) -> Result<V::Outcome, V::Refusal> {
        let moment = Moment { now: self.world.clock.now(), bits: self.world.entropy.bits() };
        let (facts, outcome) = working.decide(command, &moment)?;
        for fact in facts {
            working.apply(0, &fact);
            batch.drafts.push(Draft::of(moment.now, &fact));
            batch.facts.push(fact);
        }
        Ok(outcome)
    }

    fn commit(&self, batch: Batch<V>, mut on_commit: MutexGuard<'_, OnCommit<V>>) {
        if batch.facts.is_empty() {
            return answer_all::<V>(batch.replies);
        }
        match self.append(batch.drafts) {
            Ok(records) => {
                self.can_keep();
                self.publish(&records, batch.facts, &mut on_commit);
                drop(on_commit);
                answer_all::<V>(batch.replies);
            }
            Err(error) => {
                self.cannot_keep(&error);
                drop(on_commit);
                refuse_all::<V>(batch.replies, &error.to_string());
            }
        }
    }

    /// Appends, however long it takes; when that is long, it is said meanwhile.
    fn append(&self, drafts: Vec<Draft>) -> Result<Vec<Record>, LedgerError> {
        let (findings, refuses) = (Arc::clone(&self.world.findings), Arc::clone(&self.refuses));
        let late = self.runtime.spawn(async move {
            tokio::time::sleep(KEPT_WITHIN).await;
            refuses.store(true, Ordering::SeqCst);
            let detail = "changes wait, as the ledger does not answer; see that the disk of DATA_DIR does";
            findings.begins("ledger", refused_code(V::STREAM), detail.into(), true);
        });
        let done = self.runtime.block_on(self.world.ledger.append(V::STREAM, drafts, self.snapshot()));
        late.abort();
        done
    }

    fn publish(&self, records: &[Record], facts: Vec<V::Fact>, on_commit: &mut OnCommit<V>) {
        let numbered: Vec<(u64, V::Fact)> = records.iter().map(|record| record.seq).zip(facts).collect();
        let mut committed = self.committed.write().unwrap_or_else(PoisonError::into_inner);
        numbered.iter().for_each(|(seq, fact)| committed.apply(*seq, fact));
        drop(committed);
        let committed = self.committed.read().unwrap_or_else(PoisonError::into_inner);
        on_commit(&committed, &numbered);
    }

    /// Does what needs both states to be the same: nothing is under way.
    fn do_alone(&self, job: Job<V>, decisions: &mut Decisions<V>) {
        self.begin_anew_where_void(decisions);
        match job {
            Job::Command { .. } => decisions.taken.push_front(job),
            Job::Adjust { change, done } => {
                change(&mut decisions.working);
                change(&mut self.committed.write().unwrap_or_else(PoisonError::into_inner));
                let _ = done.send(());
            }
            Job::Compact { may, done } => {
                let at = self.world.clock.now();
                let compact = || self.runtime.block_on(self.world.ledger.compact(V::STREAM, at, self.snapshot()));
                let compacted = if may() { compact().map(|()| true) } else { Ok(false) };
                let _ = done.send(compacted);
            }
            Job::Drop { up_to, done } => {
                let at = self.world.clock.now();
                let dropped = self.world.ledger.drop_up_to(V::STREAM, up_to, at, self.snapshot());
                let _ = done.send(self.runtime.block_on(dropped));
            }
        }
    }

    fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::new(Committed(Arc::clone(&self.committed)))
    }

    fn can_keep(&self) {
        if self.refuses.swap(false, Ordering::SeqCst) {
            self.world.findings.ends("ledger", refused_code(V::STREAM));
        }
    }

    fn cannot_keep(&self, error: &LedgerError) {
        self.failed_commits.fetch_add(1, Ordering::SeqCst);
        self.refuses.store(true, Ordering::SeqCst);
        let detail = format!("changes are refused, as they cannot be kept: {error}");
        self.world.findings.begins("ledger", refused_code(V::STREAM), detail, true);
    }
}

/// The committed state, for the ledger: it is asked by whoever commits, so
/// that it is the state before what is written just then.
struct Committed<V: View>(Arc<RwLock<V>>);

impl<V: View> Snapshot for Committed<V> {
    fn each_item(&self, take: &mut dyn FnMut(Box<RawValue>)) {
        let view = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for item in view.snapshot() {
            take(serde_json::value::to_raw_value(&item).expect("items are plain values with string keys"));
        }
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
        // Nobody waits for an answer that the caller dropped.
        let _ = reply.send(decided.map_err(Failure::Refused));
    }
}

/// Refusals too: they were decided on changes that did not come to be.
fn refuse_all<V: View>(replies: Vec<Waiting<V>>, reason: &str) {
    for (reply, _) in replies {
        let _ = reply.send(Err(Failure::Unavailable(reason.to_owned())));
    }
}
