//! Who writes a data directory: terms, one after the other, each a file that
//! is made by create-new and never renamed, so that of all who want the next
//! one exactly one has it.
//!
//! [`crate::candidate`] says when a term may be followed by the next. A holder
//! that was paused learns of it here: what it knows of its term is good for
//! [`Pace::known_for`] by a clock that counts suspensions, and from then on it
//! has to look. Whoever follows one that only stood still waits longer than
//! that before it reads, so nothing is acknowledged behind its back.

use std::{
    fmt,
    future::Future,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

use app::ports::LedgerError;
use tokio::sync::watch;

use crate::{
    candidate::{Candidate, Look},
    process::{Holder, Life},
    uptime,
};

pub(crate) mod file;
#[cfg(target_os = "linux")]
#[cfg(test)]
mod processes;
#[cfg(test)]
mod tests;

/// How long terms last and watchers wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// How often a term's counter moves.
    pub(crate) moves_every: Duration,
    /// A term whose counter did not move for so long may be followed.
    pub(crate) stands_still_for: Duration,
    /// How long a holder goes by what it last saw of its term: longer than
    /// between two moves, so that appends seldom have to look.
    pub(crate) known_for: Duration,
    /// How long one who follows a term that stood still waits before it reads:
    /// [`Pace::known_for`], and the second for which a client of an SMB share
    /// may believe that a file is not there.
    pub(crate) waits: Duration,
    /// A term's file that has so many bytes is followed by its holder's own next term.
    pub(crate) longest_file: u64,
}

/// What holds outside tests; a watcher has the ledger within 15 s.
pub(crate) const PACE: Pace = Pace {
    moves_every: Duration::from_secs(1),
    stands_still_for: Duration::from_secs(10),
    known_for: Duration::from_millis(1_500),
    waits: Duration::from_millis(2_500),
    // Eighteen hours.
    longest_file: 64 * 1024,
};

/// The pause between two looks of a command that wants the directory.
const PAUSE: Duration = Duration::from_millis(50);

/// The process that holds a data directory and has not let go nor is seen to
/// be dead, if there is one.
pub fn holder(folder: &Path) -> Option<Holder> {
    let latest = file::latest(folder).ok()??;
    let holder = latest.holder().filter(|_| !latest.has_let_go())?;
    (holder.life() != Life::Dead).then_some(holder)
}

/// This process's term on a data directory; let go when it is dropped.
#[derive(Debug)]
pub struct Term {
    held: Arc<Held>,
    before: Before,
    stop: Option<Sender<()>>,
}

/// How the term before ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// There was none, or its holder said that it writes no more.
    LetGo,
    Dead,
    /// Its holder may go on and learn only then that it has lost.
    StoodStill,
}

/// What the parts that write know of their term.
pub(crate) struct Held {
    folder: PathBuf,
    pace: Pace,
    state: Mutex<State>,
    /// Why it was lost.
    lost: watch::Sender<Option<String>>,
}

#[derive(Debug)]
struct State {
    number: u32,
    /// When it was last seen to be held, in time with suspensions.
    known_at: Duration,
    end: Option<End>,
}

#[derive(Clone, Debug)]
enum End {
    Lost(String),
    LetGo,
}

impl Term {
    /// Takes a data directory for this process, and makes it where there is
    /// none. Waits where nobody can tell whether its holder lives.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] where another process holds it,
    /// [`LedgerError::Unavailable`] where the folder cannot be used.
    pub fn take(folder: &Path) -> Result<Term, LedgerError> {
        Term::take_at(folder, PACE)
    }

    pub(crate) fn take_at(folder: &Path, pace: Pace) -> Result<Term, LedgerError> {
        let mut candidate = Candidate::at(folder, pace);
        loop {
            match candidate.look(uptime::awake())? {
                Look::Taken(term) => return Ok(term),
                Look::Held { by, lives: true } => {
                    let mend = "end it first, or set DATA_DIR to another folder";
                    return Err(LedgerError::Conflict(format!("{by} has {}; {mend}", folder.display())));
                }
                Look::Held { lives: false, .. } => thread::sleep(PAUSE),
            }
        }
    }

    /// A term whose file was made; its counter moves from here on.
    pub(crate) fn begun(folder: &Path, number: u32, before: Before, pace: Pace) -> Term {
        let state = State { number, known_at: uptime::with_suspensions(), end: None };
        let held = Arc::new(Held {
            folder: folder.to_owned(),
            pace,
            state: Mutex::new(state),
            lost: watch::Sender::new(None),
        });
        let (stop, stopped) = channel();
        let moving = Arc::clone(&held);
        thread::spawn(move || keep_moving(&moving, &stopped));
        Term { held, before, stop: Some(stop) }
    }

    /// The data directory.
    pub(crate) fn folder(&self) -> &Path {
        &self.held.folder
    }

    /// How the term before ended.
    pub(crate) fn before(&self) -> Before {
        self.before
    }

    /// What those who write know of it.
    pub(crate) fn held(&self) -> &Arc<Held> {
        &self.held
    }

    /// Its number.
    pub fn number(&self) -> u32 {
        self.held.lock().number
    }

    /// Says that nothing is written any more: whoever waits goes on at once.
    pub fn let_go(&self) {
        self.held.let_go();
    }

    /// Ends when another process is seen to have taken over, and says so;
    /// nothing may be done from then on.
    pub fn lost(&self) -> impl Future<Output = String> + Send + 'static {
        let mut lost = self.held.lost.subscribe();
        async move {
            let reason = lost.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
            match reason {
                Some(reason) => reason,
                // Nobody is left who could find out.
                None => std::future::pending().await,
            }
        }
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        self.stop.take();
        self.let_go();
    }
}

impl Held {
    /// Whether this process is the one that writes, now or within what it last
    /// saw; whatever it synced before may be acknowledged.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] for good where another has taken over,
    /// [`LedgerError::Unavailable`] where that cannot be seen.
    pub(crate) fn confirm(&self) -> Result<(), LedgerError> {
        self.confirm_at(uptime::with_suspensions())
    }

    pub(crate) fn confirm_at(&self, now: Duration) -> Result<(), LedgerError> {
        let mut state = self.lock();
        let is_known = now.saturating_sub(state.known_at) < self.pace.known_for;
        if is_known && state.end.is_none() { Ok(()) } else { self.look_at(&mut state, now) }
    }

    /// Looks whether this process is the one that writes, whatever it knew.
    ///
    /// # Errors
    /// As [`Held::confirm`].
    pub(crate) fn look(&self) -> Result<(), LedgerError> {
        let now = uptime::with_suspensions();
        self.look_at(&mut self.lock(), now)
    }

    fn look_at(&self, state: &mut State, now: Duration) -> Result<(), LedgerError> {
        if let Some(end) = &state.end {
            return Err(end.error());
        }
        let (next, own) = (state.number + 1, state.number);
        // In this order, as older terms are removed first.
        if self.is_there(next)? {
            return Err(self.followed(state, next));
        }
        if !self.is_there(own)? {
            return Err(self.lose(state, format!("the file of term {own} was removed from {}", self.folder.display())));
        }
        state.known_at = now;
        Ok(())
    }

    fn followed(&self, state: &mut State, next: u32) -> LedgerError {
        self.lose(state, format!("another server took over {} by term {next}", self.folder.display()))
    }

    fn lose(&self, state: &mut State, reason: String) -> LedgerError {
        let end = End::Lost(reason.clone());
        let error = end.error();
        state.end = Some(end);
        self.lost.send_replace(Some(reason));
        error
    }

    fn is_there(&self, number: u32) -> Result<bool, LedgerError> {
        let path = file::path(&self.folder, number);
        path.try_exists().map_err(|error| {
            LedgerError::Unavailable(format!(
                "{} cannot be looked at ({error}); see that DATA_DIR is there",
                path.display()
            ))
        })
    }

    /// Moves the counter; whether there is a term to go on with.
    pub(crate) fn moves(&self) -> bool {
        let now = uptime::with_suspensions();
        let mut state = self.lock();
        if self.look_at(&mut state, now).is_err() {
            return state.end.is_none();
        }
        let path = file::path(&self.folder, state.number);
        if file::length(&path) >= self.pace.longest_file {
            return self.moves_on(&mut state, now);
        }
        drop(state);
        // Where it cannot move, records cannot be kept either.
        let _ = file::append(&path, file::MOVE);
        true
    }

    /// Follows the own term, whose file is long, by the next one.
    fn moves_on(&self, state: &mut State, now: Duration) -> bool {
        let next = state.number + 1;
        match file::take(&self.folder, next) {
            Ok(()) => {
                state.number = next;
                state.known_at = now;
                file::remove_before(&self.folder, next);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.followed(state, next);
            }
            // The next move tries again.
            Err(_) => {}
        }
        state.end.is_none()
    }

    fn let_go(&self) {
        let mut state = self.lock();
        if state.end.is_none() {
            state.end = Some(End::LetGo);
            // Where it cannot be said, the process is soon seen to be dead.
            let _ = file::append(&file::path(&self.folder, state.number), file::LET_GO);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl End {
    fn error(&self) -> LedgerError {
        match self {
            End::Lost(reason) => LedgerError::Conflict(reason.clone()),
            End::LetGo => LedgerError::Unavailable("the server is stopping".into()),
        }
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("folder", &self.folder).field("state", &self.state).finish_non_exhaustive()
    }
}

fn keep_moving(held: &Held, stopped: &Receiver<()>) {
    while stopped.recv_timeout(held.pace.moves_every) == Err(RecvTimeoutError::Timeout) {
        if !held.moves() {
            return;
        }
    }
}
