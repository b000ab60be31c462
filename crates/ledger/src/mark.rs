//! Who writes a data directory: a file that names the process.
//!
//! A process that was killed leaves its mark behind; the next one sees that no
//! process of this boot has that number and start time, and takes over at once.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use app::ports::LedgerError;
use serde::{Deserialize, Serialize};

use crate::disk::{Disk, RealDisk};

/// The mark's file in the data directory.
const MARK: &str = "writer.json";

/// How often a mark that vanishes meanwhile is looked at again.
const TRIES: u32 = 3;

/// A process that writes a data directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process's number.
    pub pid: u32,
    /// When it started, in the system's own count since the boot.
    pub started: u64,
    /// Which boot of which machine.
    pub boot_id: String,
}

/// The living process that holds a data directory, if there is one.
pub fn holder(folder: &Path) -> Option<Holder> {
    let mark: Holder = serde_json::from_slice(&fs::read(folder.join(MARK)).ok()?).ok()?;
    mark.is_alive().then_some(mark)
}

/// This process's mark on a data directory; removed when it is dropped.
#[derive(Debug)]
pub struct WriterMark {
    folder: PathBuf,
}

impl WriterMark {
    /// Marks a data directory as this process's, and makes it where there is none.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] where another process holds it,
    /// [`LedgerError::Unavailable`] where the folder cannot be used.
    pub fn take(folder: &Path) -> Result<WriterMark, LedgerError> {
        RealDisk.make_folder(folder).map_err(|error| {
            let mend = "set DATA_DIR to a folder that can be written";
            LedgerError::Unavailable(format!("{} cannot be used ({error}); {mend}", folder.display()))
        })?;
        let path = folder.join(MARK);
        let own = serde_json::to_vec(&Holder::this_process()).expect("a mark is plain values");
        for _ in 0..TRIES {
            match create(&path, &own) {
                Ok(()) => return Ok(WriterMark { folder: folder.to_owned() }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => release_if_dead(folder, &path)?,
                Err(error) => return Err(unusable(&path, &error)),
            }
        }
        Err(LedgerError::Conflict(format!("{} comes and goes; another server starts just now", path.display())))
    }
}

impl WriterMark {
    /// The data directory.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for WriterMark {
    fn drop(&mut self) {
        // One that stays is seen to be of a process that is gone.
        let _ = fs::remove_file(self.folder.join(MARK));
    }
}

impl Holder {
    fn this_process() -> Holder {
        let pid = std::process::id();
        Holder { pid, started: start_of(pid).unwrap_or_default(), boot_id: boot_id() }
    }

    fn is_alive(&self) -> bool {
        self.boot_id == boot_id() && start_of(self.pid) == Some(self.started)
    }
}

fn release_if_dead(folder: &Path, path: &Path) -> Result<(), LedgerError> {
    if let Some(other) = holder(folder) {
        let problem =
            format!("process {} has {}; end it first, or set DATA_DIR to another folder", other.pid, folder.display());
        return Err(LedgerError::Conflict(problem));
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(unusable(path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn create(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(content)?;
    file.sync_all()
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

fn unusable(path: &Path, error: &std::io::Error) -> LedgerError {
    let mend = "give the server's user write access, or set DATA_DIR to another folder";
    LedgerError::Unavailable(format!("{} cannot be written ({error}); {mend}", path.display()))
}
