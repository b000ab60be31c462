//! How far a command is, on a terminal, once it takes a while.

use std::{
    io::{IsTerminal, stderr},
    time::Duration,
};

use tokio::time::Instant;

/// What takes less is not worth a word.
const AFTER: Duration = Duration::from_secs(1);

/// How often it is said.
const EVERY: Duration = Duration::from_millis(200);

/// How far it is.
pub(super) struct Progress {
    what: &'static str,
    done: u64,
    next: Option<Instant>,
    said: bool,
}

impl Progress {
    /// Counts such things; says nothing in a pipe.
    pub(super) fn of(what: &'static str) -> Progress {
        let next = stderr().is_terminal().then(|| Instant::now() + AFTER);
        Progress { what, done: 0, next, said: false }
    }

    /// One more is done.
    pub(super) fn step(&mut self) {
        self.done += 1;
        if let Some(next) = self.next
            && Instant::now() >= next
        {
            eprint!("\r{} {} ", self.done, self.what);
            self.next = Some(Instant::now() + EVERY);
            self.said = true;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.said {
            eprintln!("\r{} {} ", self.done, self.what);
        }
    }
}
