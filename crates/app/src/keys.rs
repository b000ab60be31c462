//! What left the stream `keys` leaves the disk too: soon after a password was
//! replaced or a sign-in ended, the stream is written anew without it.

use std::time::Duration;

use domain::{account::AccountFact, record::Stream};
use tokio::sync::watch;

use crate::ports::{Ledger, LedgerError};

/// The pause between two rewritings: people who sign out at the same time
/// share one.
pub const AT_MOST_EVERY: Duration = Duration::from_secs(5);

/// How many records are read at once.
const PAGE: usize = 4_096;

/// Whether something left the stream that still stands on the disk.
pub struct Leavings(watch::Sender<bool>);

impl Leavings {
    /// As the records behind the last snapshot tell.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn of(ledger: &dyn Ledger) -> Result<Leavings, LedgerError> {
        let mut after = 0;
        let mut any = false;
        loop {
            let records = ledger.read(Stream::Keys, after, PAGE).await?;
            let Some(last) = records.last() else { return Ok(Leavings(watch::Sender::new(any))) };
            after = last.seq;
            any |= records.iter().any(|record| record.fact().is_ok_and(|fact| leaves_something(&fact)));
        }
    }

    /// Takes note of what was recorded.
    pub fn note<'a>(&self, facts: impl IntoIterator<Item = &'a AccountFact>) {
        if facts.into_iter().any(leaves_something) {
            self.0.send_replace(true);
        }
    }

    /// Whether there are any; from here on there are none.
    pub fn take(&self) -> bool {
        self.0.send_replace(false)
    }

    /// Waits until there are some.
    pub async fn come(&self) {
        let mut seen = self.0.subscribe();
        // The sender is in `self`, so there is always one to wait for.
        let _ = seen.wait_for(|any| *any).await;
    }

    /// They are still there.
    pub fn stay(&self) {
        self.0.send_replace(true);
    }
}

/// Whether a fact takes away, or replaces, what an earlier one brought.
fn leaves_something(fact: &AccountFact) -> bool {
    match fact {
        AccountFact::PasswordSet { .. }
        | AccountFact::ServicePasswordTaken { .. }
        | AccountFact::Invited { .. }
        | AccountFact::InvitationUsed { .. }
        | AccountFact::AccessEnded { .. }
        | AccountFact::AccountDisabled { .. }
        | AccountFact::RoleSet { .. }
        | AccountFact::ApiTokenRevoked { .. }
        | AccountFact::SignedOut { .. } => true,
        AccountFact::AccountAdded { .. }
        | AccountFact::AccountEnabled { .. }
        | AccountFact::ApiTokenCreated { .. }
        | AccountFact::SignedIn(_) => false,
    }
}
