//! Turns at the doors: whoever guessed waits, see [`domain::guessing`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{
    address::Site,
    guessing::{End, Guesses, Verdict},
    names::UserName,
};
use jiff::SignedDuration;
use tokio::sync::Notify;

use crate::ports::Clock;

/// Who may try a password when.
pub struct SignInTurns {
    guesses: Mutex<Guesses>,
    ended: Notify,
    clock: Arc<dyn Clock>,
}

/// One try of a password; given up without a word, it counts as a wrong one.
pub struct Turn<'a> {
    turns: &'a SignInTurns,
    account: String,
    site: Site,
    is_over: bool,
}

impl SignInTurns {
    /// Nobody has failed so far; a site may so often a minute.
    pub fn new(failures_per_minute: u32, clock: Arc<dyn Clock>) -> SignInTurns {
        SignInTurns { guesses: Mutex::new(Guesses::new(failures_per_minute)), ended: Notify::new(), clock }
    }

    /// Waits for the turn to try an account's password from a site; the account
    /// need not exist.
    ///
    /// # Errors
    /// How long this has to wait first, where it failed too often.
    pub async fn take(&self, account: &str, site: Site) -> Result<Turn<'_>, SignedDuration> {
        // What is no name belongs to nobody, and is one account.
        let account = UserName::parse(account).map(|name| name.folded()).unwrap_or_default();
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            let verdict = self.lock().begin(&account, site, self.clock.now());
            match verdict {
                Verdict::Try => return Ok(Turn { turns: self, account, site, is_over: false }),
                Verdict::Wait(wait) => return Err(wait),
                Verdict::Queue => ended.await,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Guesses> {
        self.guesses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// Ends it; where it was wrong and the whole site has to wait, gives how long.
    pub fn end(mut self, end: End) -> Option<SignedDuration> {
        self.finish(end)
    }

    fn finish(&mut self, end: End) -> Option<SignedDuration> {
        self.is_over = true;
        let wait = self.turns.lock().end(&self.account, self.site, end, self.turns.clock.now());
        self.turns.ended.notify_waiters();
        wait
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.finish(End::Wrong);
        }
    }
}
