//! The record of access: who came in, who was refused, who changed an account
//! and who read the audit.
//!
//! What follows from the accounts' own records is written by a follower of the
//! stream `keys`, which goes on where it was, whatever crashed in between.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::{
    access::{AccessFact, AccountsBehind, Client, Counted, RefusalWindow, Refusals, Visitor},
    account::AccountFact,
    names::UserName,
    record::{Record, Stream},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{
    ports::{Clock, Ledger, LedgerError},
    store::{Decided, Failure, Moment, ReplayError, Store, View, World, answered, replay},
};

/// How many records of accounts are followed at once.
const PAGE: usize = 512;

/// How often it is looked whether a minute of refusals is over, and the pause
/// before what could not be kept is tried again.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Keeps what happens at the doors.
pub struct AccessLog {
    store: Store<AccessView>,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    refusals: Mutex<Windows>,
    /// Up to where the records of the accounts were followed.
    followed_to: AtomicU64,
}

/// The refusals of the minute, by their kind.
#[derive(Default)]
struct Windows {
    sign_ins: RefusalWindow,
    audit: RefusalWindow,
}

/// Why what follows could not be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum FollowError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("{0}")]
    Unavailable(String),
}

impl AccessLog {
    /// Goes on behind what is recorded; accounts that are behind it are followed
    /// from their begin, and said.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub async fn open(world: World) -> Result<AccessLog, ReplayError> {
        let (ledger, clock) = (Arc::clone(&world.ledger), Arc::clone(&world.clock));
        let findings = Arc::clone(&world.findings);
        let store = Store::open(world, AccessView::default(), |_| Box::new(|_, _| {})).await?;
        let log = AccessLog { store, ledger, clock, refusals: Mutex::default(), followed_to: AtomicU64::new(0) };
        if let Some(behind) = behind(log.store.read(|view| view.followed), log.ledger.as_ref()) {
            let AccountsBehind { followed, head } = behind;
            let detail = format!(
                "the accounts' records were followed to {followed} and end with {head}: ledger/keys was removed, or is \
                 an older copy. See who did it, and which passwords and roles are in force; this is said until the \
                 next start, and stands in the record of access"
            );
            findings.begins("ledger", "keys_rolled_back", detail, false);
            // What cannot be kept is a finding of the store, and found again at the next start.
            let _ = log.keep(AccessFact::KeysBeganAnew(behind)).await;
        }
        Ok(log)
    }

    /// Keeps a fact, and waits until it is kept.
    ///
    /// # Errors
    /// The reason why it could not be kept: what it speaks of must not happen.
    pub async fn keep(&self, fact: AccessFact) -> Result<(), String> {
        self.store.execute(fact).await.map_err(reason)
    }

    /// Keeps a fact that nobody waits for.
    pub fn note(&self, fact: AccessFact) {
        drop(self.store.submit(fact));
    }

    /// Drops the oldest segments in which everything happened before `cutoff`;
    /// whether there were any.
    ///
    /// # Errors
    /// [`LedgerError`]: some of it is still there.
    pub async fn drop_before(&self, cutoff: Timestamp) -> Result<bool, LedgerError> {
        self.store.drop_unneeded(move |_, record| record.at >= cutoff).await
    }

    /// Keeps, or counts, that somebody could not sign in.
    pub fn sign_in_failed(&self, user: Option<UserName>, address: Option<String>, client: Client) {
        let fact = AccessFact::SignInFailed { user, address, client };
        let counted = self.windows().sign_ins.count(self.clock.now());
        self.refused(counted, fact, AccessFact::SignInFailures);
    }

    /// Counts that somebody was not let try a password, and has to wait: that
    /// may come as often as somebody calls, and is no record each.
    pub fn sign_in_had_to_wait(&self) {
        let rest = self.windows().sign_ins.count_only(self.clock.now());
        self.note_counts(rest, None);
    }

    /// Keeps, or counts, that somebody was not given the audit.
    pub fn audit_refused(&self, by: Visitor, what: &str) {
        let fact = AccessFact::AuditRefused { by, what: what.to_owned() };
        let counted = self.windows().audit.count(self.clock.now());
        self.refused(counted, fact, AccessFact::AuditRefusals);
    }

    /// Keeps that settings are others than at the last start, if they are.
    ///
    /// # Errors
    /// The reason why it could not be kept.
    pub async fn settings(&self, in_force: BTreeMap<String, String>) -> Result<(), String> {
        let before = self.store.read(|view| view.settings.clone());
        let is_other = |(name, value): &(&String, &String)| before.get(*name) != Some(*value);
        let other = in_force.iter().filter(is_other).map(|(name, value)| (name.clone(), value.clone()));
        let settings: BTreeMap<String, String> = other.collect();
        if settings.is_empty() {
            return Ok(());
        }
        self.keep(AccessFact::SettingsChanged { settings }).await
    }

    /// Follows the records of the accounts for ever; `committed` wakes it.
    pub async fn follow(&self, mut committed: watch::Receiver<u64>) {
        let mut followed = self.store.read(|view| view.followed);
        loop {
            if let Err(error) = self.catch_up_from(&mut followed).await {
                tracing::warn!("The record of access waits for the ledger: {error}");
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            self.close_minutes();
            tokio::select! {
                changed = committed.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Keeps what follows from the records of the accounts until here, and the
    /// counts of the minute; for a command that works alone, and at a stop.
    pub async fn catch_up(&self) {
        let mut followed = self.store.read(|view| view.followed);
        if let Err(error) = self.catch_up_from(&mut followed).await {
            tracing::warn!("The record of access goes on at the next start: {error}");
        }
        let (sign_ins, audit) = {
            let mut windows = self.windows();
            (windows.sign_ins.finish(), windows.audit.finish())
        };
        self.note_counts(sign_ins, audit);
        self.settle().await;
    }

    /// Waits until everything that was handed in is kept or refused.
    pub async fn settle(&self) {
        self.store.settle().await;
    }

    /// Keeps what follows from the records of the accounts until here.
    ///
    /// # Errors
    /// The reason why it could not be kept.
    pub async fn follow_up(&self) -> Result<(), String> {
        let mut followed = self.store.read(|view| view.followed);
        self.catch_up_from(&mut followed).await.map_err(|error| error.to_string())
    }

    /// Up to which record of the accounts everything that follows is kept.
    pub fn followed_to(&self) -> u64 {
        self.followed_to.load(Ordering::SeqCst)
    }

    async fn catch_up_from(&self, followed: &mut u64) -> Result<(), FollowError> {
        loop {
            let head = self.ledger.head(Stream::Keys).seq;
            let records = self.ledger.read(Stream::Keys, *followed, PAGE).await?;
            let Some(last) = records.last() else {
                self.followed_to.fetch_max(head, Ordering::SeqCst);
                return Ok(());
            };
            let facts = records.iter().filter_map(following);
            let waiting: Vec<_> = facts.map(|fact| self.store.submit(fact)).collect();
            for answer in waiting {
                answered::<AccessView>(answer).await.map_err(|failure| FollowError::Unavailable(reason(failure)))?;
            }
            *followed = last.seq;
        }
    }

    fn refused(&self, counted: Counted, fact: AccessFact, rest: fn(Refusals) -> AccessFact) {
        if let Some(refusals) = counted.rest {
            self.note(rest(refusals));
        }
        if counted.is_record {
            self.note(fact);
        }
    }

    fn close_minutes(&self) {
        let now = self.clock.now();
        let (sign_ins, audit) = {
            let mut windows = self.windows();
            (windows.sign_ins.close(now), windows.audit.close(now))
        };
        self.note_counts(sign_ins, audit);
    }

    fn note_counts(&self, sign_ins: Option<Refusals>, audit: Option<Refusals>) {
        let counts = [sign_ins.map(AccessFact::SignInFailures), audit.map(AccessFact::AuditRefusals)];
        counts.into_iter().flatten().for_each(|fact| self.note(fact));
    }

    fn windows(&self) -> std::sync::MutexGuard<'_, Windows> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far the record of access followed the accounts, where their records end
/// before that and it does not say so. Two ledgers, so that beside a server the
/// accounts are read no earlier than what follows from them.
///
/// # Errors
/// [`ReplayError`].
pub async fn accounts_behind(access: &dyn Ledger, keys: &dyn Ledger) -> Result<Option<AccountsBehind>, ReplayError> {
    let view = replay(access, AccessView::default()).await?;
    Ok(behind(view.followed, keys))
}

fn behind(followed: u64, ledger: &dyn Ledger) -> Option<AccountsBehind> {
    let head = ledger.head(Stream::Keys).seq;
    (followed > head).then_some(AccountsBehind { followed, head })
}

/// What follows from a record of the accounts; one that a newer version wrote is left to it.
fn following(record: &Record) -> Option<AccessFact> {
    let fact: AccountFact = record.fact().ok()?;
    AccessFact::following(&fact, record.at, record.seq)
}

fn reason(failure: Failure<Infallible>) -> String {
    match failure {
        Failure::Refused(never) => match never {},
        Failure::Unavailable(reason) => reason,
    }
}

/// How far the accounts were followed, and the settings of the last start; each fact else stands for itself.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct AccessView {
    followed: u64,
    settings: BTreeMap<String, String>,
}

impl View for AccessView {
    type Command = AccessFact;
    type Fact = AccessFact;
    type Outcome = ();
    type Refusal = Infallible;
    type Item = AccessView;
    const STREAM: Stream = Stream::Access;

    /// What follows from a record and is there already, is not kept again.
    fn decide(&self, command: AccessFact, _: &Moment) -> Decided<Self> {
        let is_there = command.follows().is_some_and(|follows| follows <= self.followed);
        Ok((if is_there { Vec::new() } else { vec![command] }, ()))
    }

    fn apply(&mut self, _: u64, fact: &AccessFact) {
        if let Some(follows) = fact.follows() {
            self.followed = self.followed.max(follows);
        }
        if let AccessFact::KeysBeganAnew(_) = fact {
            self.followed = 0;
        }
        if let AccessFact::SettingsChanged { settings } = fact {
            self.settings.extend(settings.clone());
        }
    }

    fn snapshot(&self) -> Box<dyn Iterator<Item = AccessView> + '_> {
        Box::new(std::iter::once(self.clone()))
    }

    fn restore(&mut self, item: AccessView) {
        *self = item;
    }

    fn restored(&mut self, _: u64) {}
}
