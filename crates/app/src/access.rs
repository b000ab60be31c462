//! The record of access: who came in, who read the audit.

use std::convert::Infallible;

use domain::{access::AccessFact, record::Stream};
use jiff::Timestamp;

use crate::ports::LedgerError;
use crate::store::{Decided, Failure, Moment, ReplayError, Store, View, World};

/// Keeps what happens at the doors.
pub struct AccessLog {
    store: Store<AccessView>,
}

impl AccessLog {
    /// Goes on behind what is recorded.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub async fn open(world: World) -> Result<AccessLog, ReplayError> {
        Ok(AccessLog { store: Store::open(world, AccessView, |_| Box::new(|_, _| {})).await? })
    }

    /// Keeps a fact, and waits until it is kept.
    ///
    /// # Errors
    /// The reason why it could not be kept: what it speaks of must not happen.
    pub async fn keep(&self, fact: AccessFact) -> Result<(), String> {
        self.store.execute(fact).await.map_err(|failure| match failure {
            Failure::Refused(never) => match never {},
            Failure::Unavailable(reason) => reason,
        })
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

    /// Waits until everything that was handed in is kept or refused.
    pub async fn settle(&self) {
        self.store.settle().await;
    }
}

/// Access has no state: each fact stands for itself.
#[derive(Clone)]
pub struct AccessView;

impl View for AccessView {
    type Command = AccessFact;
    type Fact = AccessFact;
    type Outcome = ();
    type Refusal = Infallible;
    type Item = ();
    const STREAM: Stream = Stream::Access;

    fn decide(&self, command: AccessFact, _: &Moment) -> Decided<Self> {
        Ok((vec![command], ()))
    }

    fn apply(&mut self, _: u64, _: &AccessFact) {}

    fn snapshot(&self) -> Box<dyn Iterator<Item = ()> + '_> {
        Box::new(std::iter::empty())
    }

    fn restore(&mut self, (): ()) {}

    fn restored(&mut self, _: u64) {}
}
