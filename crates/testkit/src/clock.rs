//! A clock that is set, and ids that can be told apart.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use app::ports::{Clock, Entropy};
use jiff::{SignedDuration, Timestamp};

/// A clock that stands still until it is set.
pub struct SettableClock(Mutex<Timestamp>);

impl SettableClock {
    /// A clock that shows that time (RFC 3339).
    pub fn at(time: &str) -> SettableClock {
        SettableClock(Mutex::new(parsed(time)))
    }

    /// Sets it, forward or back.
    pub fn set(&self, time: &str) {
        *self.lock() = parsed(time);
    }

    /// Lets so much time pass.
    pub fn pass(&self, time: SignedDuration) {
        *self.lock() += time;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SettableClock {
    fn now(&self) -> Timestamp {
        *self.lock()
    }
}

/// Ids 1, 2, 3 …
#[derive(Default)]
pub struct CountingEntropy(AtomicU64);

impl Entropy for CountingEntropy {
    fn bits(&self) -> [u8; 16] {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed) + 1).to_be_bytes()
    }
}

fn parsed(time: &str) -> Timestamp {
    time.parse().expect("a test writes its times right")
}
