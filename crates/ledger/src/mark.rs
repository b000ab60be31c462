//! Who writes a data directory: a file that names the process, and grows
//! while it lives.
//!
//! A process that was killed leaves its mark behind. The next one of the same
//! boot and PID namespace sees that no process has that number and start time,
//! and takes over at once. A mark of another machine, boot or container cannot
//! be asked; it is dead when it stood still for [`STANDS_STILL_FOR`].

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use app::ports::LedgerError;
use serde::{Deserialize, Serialize};

use crate::disk::{Disk, RealDisk};

/// The mark's file in the data directory.
const MARK: &str = "writer.json";

/// How often a mark that vanishes or is not written yet is looked at again.
const TRIES: u32 = 20;

/// The pause between these looks.
const PAUSE: Duration = Duration::from_millis(50);

/// How often a living mark grows.
const GROWS_EVERY: Duration = Duration::from_secs(2);

/// A foreign mark that has not grown for so long belongs to nobody alive.
const STANDS_STILL_FOR: Duration = Duration::from_secs(10);

/// A process that writes a data directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process's number.
    pub pid: u32,
    /// When it started, in the system's own count since the boot.
    pub started: u64,
    /// Which boot of which machine.
    pub boot_id: String,
    /// In which PID namespace its number counts.
    #[serde(default)]
    pub namespace: String,
}

/// The process that holds a data directory and is not seen to be dead, if
/// there is one.
pub fn holder(folder: &Path) -> Option<Holder> {
    let holder = holder_of(&fs::read(folder.join(MARK)).ok()?)?;
    (holder.state() != State::Dead).then_some(holder)
}

/// This process's mark on a data directory; removed when it is dropped.
#[derive(Debug)]
pub struct WriterMark {
    folder: PathBuf,
    own: Vec<u8>,
    stop: Option<Sender<()>>,
}

/// What is seen of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Alive,
    Dead,
    /// It is of another boot or PID namespace.
    Unknown,
}

impl WriterMark {
    /// Marks a data directory as this process's, and makes it where there is none.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] where another process holds it,
    /// [`LedgerError::Unavailable`] where the folder cannot be used.
    pub fn take(folder: &Path) -> Result<WriterMark, LedgerError> {
        WriterMark::take_from(folder, STANDS_STILL_FOR)
    }

    pub(crate) fn take_from(folder: &Path, stands_still_for: Duration) -> Result<WriterMark, LedgerError> {
        RealDisk.make_folder(folder).map_err(|error| {
            let mend = "set DATA_DIR to a folder that can be written";
            LedgerError::Unavailable(format!("{} cannot be used ({error}); {mend}", folder.display()))
        })?;
        let path = folder.join(MARK);
        let mut own = serde_json::to_vec(&Holder::this_process()).expect("a mark is plain values");
        own.push(b'\n');
        for _ in 0..TRIES {
            match create(&path, &own) {
                Ok(file) => return WriterMark::held(folder, own, file),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(unusable(&path, &error)),
            }
            release_if_dead(folder, stands_still_for)?;
            thread::sleep(PAUSE);
        }
        Err(LedgerError::Conflict(format!("{} comes and goes; another server starts just now", path.display())))
    }

    /// A mark that was made counts once it is seen to be there still: another
    /// who takes over the same dead one may have moved it aside meanwhile.
    fn held(folder: &Path, own: Vec<u8>, file: File) -> Result<WriterMark, LedgerError> {
        thread::sleep(PAUSE);
        let path = folder.join(MARK);
        if !fs::read(&path).is_ok_and(|content| content.starts_with(&own)) {
            return Err(LedgerError::Conflict(format!("another server took {} just now", folder.display())));
        }
        let (stop, stopped) = channel();
        thread::spawn(move || keep_growing(file, &stopped));
        Ok(WriterMark { folder: folder.to_owned(), own, stop: Some(stop) })
    }

    /// The data directory.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for WriterMark {
    fn drop(&mut self) {
        self.stop.take();
        let path = self.folder.join(MARK);
        if fs::read(&path).is_ok_and(|content| content.starts_with(&self.own)) {
            // One that stays is seen to be of a process that is gone.
            let _ = fs::remove_file(path);
        }
    }
}

impl Holder {
    fn this_process() -> Holder {
        let pid = std::process::id();
        Holder { pid, started: start_of(pid).unwrap_or_default(), boot_id: boot_id(), namespace: pid_namespace() }
    }

    fn state(&self) -> State {
        if self.boot_id != boot_id() || self.namespace != pid_namespace() {
            return State::Unknown;
        }
        if start_of(self.pid) == Some(self.started) { State::Alive } else { State::Dead }
    }
}

fn keep_growing(mut file: File, stopped: &Receiver<()>) {
    while stopped.recv_timeout(GROWS_EVERY) == Err(RecvTimeoutError::Timeout) {
        // Where it cannot grow, records cannot be kept either.
        let _ = file.write_all(b".");
    }
}

/// Moves a mark aside whose process is dead.
fn release_if_dead(folder: &Path, stands_still_for: Duration) -> Result<(), LedgerError> {
    let path = folder.join(MARK);
    let Ok(content) = fs::read(&path) else { return Ok(()) };
    let holder = holder_of(&content);
    let state = holder.as_ref().map_or(State::Unknown, Holder::state);
    let lives = match state {
        State::Alive => true,
        State::Dead => false,
        State::Unknown => changes_within(&path, &content, stands_still_for),
    };
    if !lives {
        return put_aside(folder, &content);
    }
    let who = holder.map_or("another server".into(), |holder| format!("process {}", holder.pid));
    let mend = "end it first, or set DATA_DIR to another folder";
    Err(LedgerError::Conflict(format!("{who} has {}; {mend}", folder.display())))
}

fn changes_within(path: &Path, content: &[u8], time: Duration) -> bool {
    let looks = time.as_millis().div_ceil(PAUSE.as_millis());
    (0..looks).any(|_| {
        thread::sleep(PAUSE);
        fs::read(path).is_ok_and(|later| later != content)
    })
}

/// Renames the mark, and puts it back if it is not the dead one any more.
fn put_aside(folder: &Path, dead: &[u8]) -> Result<(), LedgerError> {
    let path = folder.join(MARK);
    let aside = folder.join(format!("{MARK}.{}", std::process::id()));
    match fs::rename(&path, &aside) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unusable(&path, &error)),
    }
    if fs::read(&aside).is_ok_and(|content| content == dead) {
        return fs::remove_file(&aside).map_err(|error| unusable(&aside, &error));
    }
    fs::rename(&aside, &path).map_err(|error| unusable(&path, &error))
}

fn create(path: &Path, content: &[u8]) -> io::Result<File> {
    let mut file = OpenOptions::new().append(true).create_new(true).open(path)?;
    file.write_all(content)?;
    file.sync_all()?;
    Ok(file)
}

/// The first line of a mark.
fn holder_of(content: &[u8]) -> Option<Holder> {
    serde_json::from_slice(content.split(|&byte| byte == b'\n').next()?).ok()
}

/// Field 22 of `/proc/PID/stat` (proc(5)): the start in clock ticks since the boot.
fn start_of(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let behind_name = &stat[stat.rfind(')')? + 1..];
    behind_name.split_whitespace().nth(19)?.parse().ok()
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

fn pid_namespace() -> String {
    fs::read_link("/proc/self/ns/pid").map(|link| link.display().to_string()).unwrap_or_default()
}

fn unusable(path: &Path, error: &io::Error) -> LedgerError {
    let mend = "give the server's user write access, or set DATA_DIR to another folder";
    LedgerError::Unavailable(format!("{} cannot be written ({error}); {mend}", path.display()))
}
