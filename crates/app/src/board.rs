//! The board: commands in, updates out.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use domain::{
    account::{Actor, Role},
    board::{BoardCommand, BoardFact, BoardOutcome, BoardState, Circumstances, Line, Refusal, ReportZone, Touched},
    connection::{ConnectionId, ConnectionList},
    import::ImportedSession,
    names::UserName,
    record::Stream,
    session::{Session, SessionId},
};
use jiff::Timestamp;
use tokio::sync::{broadcast, watch};

use crate::ports::LedgerError;
use crate::store::{Answer, Decided, Failure, Moment, ReplayError, Store, View, World};

/// How many updates a reader of the feed may be behind; one who is further
/// behind takes the whole board again.
pub const FEED_LENGTH: usize = 4_096;

/// How many changes are remembered for clients that come back: a busy team's day.
pub const REMEMBERED_CHANGES: usize = 10_000;

/// The list and who is on it, for everybody.
pub struct Board {
    store: Store<BoardView>,
    feed: broadcast::Sender<Arc<Update>>,
    committed: watch::Receiver<u64>,
    epoch: String,
    zone: ReportZone,
}

/// What is told to all who look at the board, after each commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The number of the last record in it.
    pub seq: u64,
    /// What to show from then on.
    pub news: News,
}

/// What an update brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// These lines, each whole.
    Lines(Vec<Line>),
    /// Another list: take the whole board again.
    OtherList,
}

/// The sessions that have not ended at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The number of the last record.
    pub seq: u64,
    /// The sessions, in no order that matters.
    pub sessions: Vec<Session>,
}

/// The whole board at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The number of the last record in it.
    pub seq: u64,
    /// Every line, in the file's order, retired ones last.
    pub lines: Vec<Line>,
}

impl Board {
    /// Makes the board from its records, with that list.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub async fn open(world: World, list: Arc<ConnectionList>, zone: ReportZone) -> Result<Board, ReplayError> {
        let epoch = world.ledger.epoch().to_owned();
        let (feed, _) = broadcast::channel(FEED_LENGTH);
        let updates = feed.clone();
        let (seq, committed) = watch::channel(0);
        let initial = BoardView { state: BoardState::with_list(list), changes: Changes::default() };
        let store = Store::open(world, initial, |_| {
            Box::new(move |view, facts| {
                publish(&updates, view, facts);
                seq.send_replace(view.changes.last_seq);
            })
        });
        Ok(Board { store: store.await?, feed, committed, epoch, zone })
    }

    /// Hands a command to the writer; those of one caller are decided in the
    /// order in which they were handed over.
    pub fn submit(&self, actor: Actor, command: BoardCommand) -> Answer<BoardView> {
        self.store.submit(ByActor { actor, command, zone: self.zone.clone() })
    }

    /// Does a command, and waits until it is kept.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn execute(&self, actor: Actor, command: BoardCommand) -> Result<BoardOutcome, Failure<Refusal>> {
        self.store.execute(ByActor { actor, command, zone: self.zone.clone() }).await
    }

    /// Uses another list of connections.
    ///
    /// # Errors
    /// [`Failure::Unavailable`]; the list before stays in force.
    pub async fn take_up(&self, list: Arc<ConnectionList>) -> Result<(), Failure<Refusal>> {
        self.execute(system(), BoardCommand::TakeUpList(list)).await.map(|_| ())
    }

    /// Keeps sessions that another tool kept: all of them, or none.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn import(&self, sessions: Vec<ImportedSession>) -> Result<(), Failure<Refusal>> {
        self.execute(system(), BoardCommand::Import(sessions)).await.map(|_| ())
    }

    /// Opaque; another one whenever a number could come twice.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The whole board.
    pub fn snapshot(&self) -> Snapshot {
        self.store.read(|view| Snapshot { seq: view.changes.last_seq, lines: view.state.lines().collect() })
    }

    /// Who is on any connection.
    pub fn running(&self) -> Running {
        self.store
            .read(|view| Running { seq: view.changes.last_seq, sessions: view.state.sessions().cloned().collect() })
    }

    /// The zone whose weeks and times the reports tell.
    pub fn zone(&self) -> &ReportZone {
        &self.zone
    }

    /// What changed behind `seq`, for a client that knows the board up to
    /// there; `None` where only the whole board will do.
    pub fn since(&self, epoch: &str, seq: u64) -> Option<Update> {
        if epoch != self.epoch {
            return None;
        }
        self.store.read(|view| {
            let changed = view.changes.since(seq)?;
            let lines = changed.iter().map(|id| view.state.line(id)).collect();
            Some(Update { seq: view.changes.last_seq, news: News::Lines(lines) })
        })
    }

    /// Every update from here on; subscribe first, then take the snapshot.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Update>> {
        self.feed.subscribe()
    }

    /// Wakes at each commit, with the number of its last record.
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.committed.clone()
    }

    /// Forgets the sessions that ended before `cutoff`, and drops the oldest
    /// segments in which everything happened before it, up to the record
    /// `whole_to`: behind it the reports do not hold what they should. Whether
    /// there were any.
    ///
    /// # Errors
    /// [`LedgerError`]: some of it is still there.
    pub async fn drop_before(&self, cutoff: Timestamp, whole_to: u64) -> Result<bool, LedgerError> {
        self.store.adjust(move |view| view.state.forget_ended_before(cutoff)).await;
        self.store.drop_unneeded(move |_, record| record.at >= cutoff || record.seq > whole_to).await
    }

    /// Waits until everything that was handed in is committed or refused.
    pub async fn settle(&self) {
        self.store.settle().await;
    }
}

/// Who does what nobody asked for.
fn system() -> Actor {
    Actor { user: UserName::parse("system").expect("the word is a name"), role: Role::Admin }
}

fn publish(feed: &broadcast::Sender<Arc<Update>>, view: &BoardView, facts: &[(u64, BoardFact)]) {
    let Some((seq, _)) = facts.last() else { return };
    let changed: Option<BTreeSet<&ConnectionId>> = facts.iter().map(|(_, fact)| changed_by(fact)).collect();
    let news = match changed {
        Some(changed) => News::Lines(changed.into_iter().map(|id| view.state.line(id)).collect()),
        None => News::OtherList,
    };
    // No receiver means that nobody looks.
    let _ = feed.send(Arc::new(Update { seq: *seq, news }));
}

/// The connection that a fact changes; `None` where it changes the list.
fn changed_by(fact: &BoardFact) -> Option<&ConnectionId> {
    match fact {
        BoardFact::Checked(session) => Some(&session.connection),
        BoardFact::Unchecked(ended) => Some(&ended.session.connection),
        BoardFact::NoteChanged { connection, .. } => Some(connection),
        // Imports are made while no board is open; whoever saw one looks again.
        BoardFact::ListTakenUp { .. } | BoardFact::Imported(_) => None,
    }
}

/// A command of the board and who gives it.
pub struct ByActor {
    actor: Actor,
    command: BoardCommand,
    zone: ReportZone,
}

/// The board's state, and what changed lately.
#[derive(Clone)]
pub struct BoardView {
    state: BoardState,
    changes: Changes,
}

impl View for BoardView {
    type Command = ByActor;
    type Fact = BoardFact;
    type Outcome = BoardOutcome;
    type Refusal = Refusal;
    type Item = BoardFact;
    const STREAM: Stream = Stream::Audit;

    fn decide(&self, command: ByActor, moment: &Moment) -> Decided<Self> {
        let circumstances = Circumstances {
            actor: command.actor,
            now: moment.now,
            fresh_id: SessionId::of_bits(moment.bits),
            zone: command.zone,
        };
        let decision = self.state.decide(command.command, &circumstances)?;
        Ok((decision.facts, decision.outcome))
    }

    fn apply(&mut self, seq: u64, fact: &BoardFact) {
        let touched = self.state.apply(fact);
        self.changes.note(seq, touched);
    }

    fn snapshot(&self) -> Box<dyn Iterator<Item = BoardFact> + '_> {
        Box::new(self.state.snapshot())
    }

    fn restore(&mut self, item: BoardFact) {
        self.state.apply(&item);
    }

    fn restored(&mut self, seq: u64) {
        self.changes = Changes { last_seq: seq, complete_behind: seq, remembered: VecDeque::new() };
    }
}

/// Which connections changed, by the number of the record that did it.
#[derive(Clone, Default)]
struct Changes {
    last_seq: u64,
    complete_behind: u64,
    remembered: VecDeque<(u64, ConnectionId)>,
}

impl Changes {
    fn note(&mut self, seq: u64, touched: Touched) {
        self.last_seq = seq;
        match touched {
            Touched::Connection(id) => self.remembered.push_back((seq, id)),
            Touched::Nothing => {}
            Touched::List => {
                self.remembered.clear();
                self.complete_behind = seq;
            }
        }
        if self.remembered.len() > REMEMBERED_CHANGES
            && let Some((forgotten, _)) = self.remembered.pop_front()
        {
            self.complete_behind = forgotten;
        }
    }

    fn since(&self, seq: u64) -> Option<BTreeSet<&ConnectionId>> {
        let known = self.complete_behind <= seq && seq <= self.last_seq;
        known.then(|| self.remembered.iter().filter(|(at, _)| *at > seq).map(|(_, id)| id).collect())
    }
}
