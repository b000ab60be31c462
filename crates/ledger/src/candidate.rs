//! One who wants to write a data directory, and watches whoever does.
//!
//! A term may be followed at once when its holder let go, or when its process
//! is seen to be dead. Otherwise it is watched: its counter moves while its
//! holder lives, so one that stood still for long enough has no holder, or one
//! that is paused and has to look when it goes on.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::Duration,
};

use app::ports::LedgerError;

use crate::{
    process::{Holder, Life},
    term::{
        Before, PACE, Pace, Term,
        file::{self, TermFile},
    },
    uptime,
};

#[cfg(test)]
mod tests;

/// Wants to write a data directory.
pub struct Candidate {
    folder: PathBuf,
    pace: Pace,
    seen: Option<Seen>,
    /// The own term, and from when on it may be used, once that is known.
    begun: Option<(Term, Option<Duration>)>,
}

/// What came of an attempt.
#[derive(Debug)]
pub enum Attempt {
    /// This process writes the data directory.
    Taken(Term),
    /// Another does; in words, which.
    Held(String),
}

/// What came of a look.
#[derive(Debug)]
pub(crate) enum Look {
    Taken(Term),
    /// Whether its holder is seen to live; of others nobody can tell yet.
    Held {
        by: String,
        lives: bool,
    },
}

/// A term as it was when it was first seen so.
struct Seen {
    file: TermFile,
    since: Duration,
}

impl Candidate {
    /// Wants that data directory.
    pub fn new(folder: &Path) -> Candidate {
        Candidate::at(folder, PACE)
    }

    pub(crate) fn at(folder: &Path, pace: Pace) -> Candidate {
        Candidate { folder: folder.to_owned(), pace, seen: None, begun: None }
    }

    /// Takes the data directory where that may be done; otherwise to be tried
    /// again, as often as it is to be noticed quickly.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] where the folder cannot be used.
    pub fn attempt(&mut self) -> Result<Attempt, LedgerError> {
        Ok(match self.look(uptime::awake())? {
            Look::Taken(term) => Attempt::Taken(term),
            Look::Held { by, .. } => Attempt::Held(by),
        })
    }

    pub(crate) fn look(&mut self, now: Duration) -> Result<Look, LedgerError> {
        if let Some((term, from)) = self.begun.take() {
            // Counted from a look that surely came after the term was made.
            let from = from.unwrap_or(now + self.pace.waits);
            return Ok(if now < from { self.waits(term, Some(from)) } else { self.settle(term) });
        }
        file::make_folder(&self.folder)?;
        let latest = match file::latest(&self.folder) {
            Ok(latest) => latest,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(another_starts()),
            Err(error) => return Err(self.unusable(&error)),
        };
        let Some(latest) = latest else { return self.follow(0, Before::LetGo) };
        let (number, holder) = (latest.number, latest.holder());
        if latest.has_let_go() {
            return self.follow(number, Before::LetGo);
        }
        let life = holder.as_ref().map_or(Life::Unknown, Holder::life);
        if life == Life::Dead {
            return self.follow(number, Before::Dead);
        }
        let known = self.seen.as_ref().is_some_and(|seen| seen.file.number == number);
        let since = self.still_since(latest, now);
        if now.saturating_sub(since) >= self.pace.stands_still_for {
            return self.follow(number, Before::StoodStill);
        }
        let by = holder.map_or("another server".into(), |holder| holder.to_string());
        Ok(Look::Held { by, lives: life == Life::Alive || (known && since == now) })
    }

    /// Since when the term is as it is.
    fn still_since(&mut self, file: TermFile, now: Duration) -> Duration {
        match &self.seen {
            Some(seen) if seen.file == file => seen.since,
            Some(_) | None => {
                self.seen = Some(Seen { file, since: now });
                now
            }
        }
    }

    /// Takes the next term, unless another was first.
    fn follow(&mut self, number: u32, before: Before) -> Result<Look, LedgerError> {
        let own = number + 1;
        match file::take(&self.folder, own) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(another_starts()),
            Err(error) => return Err(self.unusable(&error)),
        }
        let term = Term::begun(&self.folder, own, before, self.pace);
        Ok(if before == Before::StoodStill { self.waits(term, None) } else { self.settle(term) })
    }

    fn waits(&mut self, term: Term, from: Option<Duration>) -> Look {
        self.begun = Some((term, from));
        Look::Held { by: "another server, which stands still,".into(), lives: false }
    }

    fn settle(&mut self, term: Term) -> Look {
        self.seen = None;
        if term.held().look().is_err() {
            return another_starts();
        }
        file::remove_before(&self.folder, term.number());
        Look::Taken(term)
    }

    fn unusable(&self, error: &io::Error) -> LedgerError {
        let mend = "give the server's user write access, or set DATA_DIR to another folder";
        LedgerError::Unavailable(format!("{} cannot be written ({error}); {mend}", self.folder.display()))
    }
}

fn another_starts() -> Look {
    Look::Held { by: "another server, which starts just now,".into(), lives: true }
}
