//! The share with the weekly reports: a folder, often mounted from elsewhere,
//! that may be away, full, read-only, or hang.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use app::ports::{ReportFile, ReportShare, ShareError};
use async_trait::async_trait;
use domain::verification::is_audit_file;
use jiff::Timestamp;
use tokio::sync::Semaphore;

/// How many calls are under way at once: a share that hangs holds no more threads.
const CALLS_AT_ONCE: usize = 8;

/// The longest report that is read, in bytes: a million rows, and no memory
/// for whatever endless thing lies under a report's name.
const MAX_REPORT_BYTES: u64 = 512 * 1024 * 1024;

/// A folder of weekly reports.
pub struct FolderShare {
    folder: Arc<Path>,
    calls: Arc<Semaphore>,
    turns: Mutex<BTreeMap<String, Arc<Semaphore>>>,
}

impl FolderShare {
    /// The share at that folder.
    pub fn new(folder: PathBuf) -> FolderShare {
        FolderShare { folder: folder.into(), calls: Arc::new(Semaphore::new(CALLS_AT_ONCE)), turns: Mutex::default() }
    }

    /// Makes the folder where it is missing and the one above it is there.
    ///
    /// # Errors
    /// [`ShareError::Unavailable`].
    pub async fn prepare(&self) -> Result<(), ShareError> {
        self.on_share("", |folder| match fs::create_dir(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(unavailable(folder, &error)),
            Ok(()) | Err(_) => Ok(()),
        })
        .await
    }

    /// Does one thing at a time with a file, and few at once: while a call
    /// hangs, further ones wait without a thread, and none overtakes it.
    async fn on_share<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(&Path) -> Result<T, ShareError> + Send + 'static,
    ) -> Result<T, ShareError> {
        let gone = |error: &dyn std::fmt::Display| ShareError::Unavailable(error.to_string());
        let turn = self.turn_of(name).acquire_owned().await.map_err(|error| gone(&error))?;
        let call = Arc::clone(&self.calls).acquire_owned().await.map_err(|error| gone(&error))?;
        let folder = Arc::clone(&self.folder);
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&folder);
            // Held until here, even by a call that nobody waits for any more.
            drop((turn, call));
            result
        });
        done.await.unwrap_or_else(|error| Err(gone(&error)))
    }

    fn turn_of(&self, name: &str) -> Arc<Semaphore> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(name.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(1))))
    }
}

#[async_trait]
impl ReportShare for FolderShare {
    async fn list(&self) -> Result<Vec<ReportFile>, ShareError> {
        self.on_share("", list).await
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ShareError> {
        let file = name.to_owned();
        self.on_share(name, move |folder| match read(&folder.join(&file)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unavailable(&folder.join(&file), &error)),
        })
        .await
    }

    async fn append(&self, name: &str, expected_bytes: u64, bytes: &[u8]) -> Result<(), ShareError> {
        let (file, bytes) = (name.to_owned(), bytes.to_owned());
        self.on_share(name, move |folder| append(folder, &file, expected_bytes, &bytes)).await
    }

    async fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), ShareError> {
        let (file, bytes) = (name.to_owned(), bytes.to_owned());
        self.on_share(name, move |folder| replace(folder, &file, &bytes)).await
    }
}

fn list(folder: &Path) -> Result<Vec<ReportFile>, ShareError> {
    let entries = fs::read_dir(folder).map_err(|error| unavailable(folder, &error))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let reports = names.filter(|name| is_audit_file(name));
    // One that cannot be looked at says why when it is read, and hides no other.
    let files = reports.filter_map(|name| {
        let metadata = fs::metadata(folder.join(&name)).ok()?;
        let modified = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
        Some(ReportFile { name, bytes: metadata.len(), modified })
    });
    Ok(files.collect())
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let read = File::open(path)?.take(MAX_REPORT_BYTES + 1).read_to_end(&mut content)?;
    if read as u64 > MAX_REPORT_BYTES {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "longer than any report is"));
    }
    Ok(content)
}

fn append(folder: &Path, name: &str, expected_bytes: u64, bytes: &[u8]) -> Result<(), ShareError> {
    let path = folder.join(name);
    let is_new = !path.exists();
    let opened = OpenOptions::new().append(true).create(expected_bytes == 0).open(&path);
    let file = opened.map_err(|error| unavailable(&path, &error))?;
    let length = file.metadata().map_err(|error| unavailable(&path, &error))?.len();
    if length != expected_bytes {
        return Err(ShareError::Changed);
    }
    write_whole(&file, bytes).map_err(|error| {
        // What is left of half a row is seen and completed by the next look.
        let _ = file.set_len(expected_bytes);
        unavailable(&path, &error)
    })?;
    if is_new {
        sync_folder(folder).map_err(|error| unavailable(folder, &error))?;
    }
    Ok(())
}

/// Written beside it and renamed, so that nobody reads half of it.
fn replace(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), ShareError> {
    let (path, beside) = (folder.join(name), folder.join(format!("{name}.new")));
    let written = File::create(&beside).and_then(|file| write_whole(&file, bytes));
    written.and_then(|()| fs::rename(&beside, &path)).map_err(|error| unavailable(&path, &error))
}

fn write_whole(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_data()
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some network shares know no sync of a folder.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        other => other,
    }
}

fn unavailable(path: &Path, error: &io::Error) -> ShareError {
    let mend = match error.kind() {
        ErrorKind::NotFound => "mount the share there, or set AUDIT_DIR to a folder that is there",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room there",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "give the server's user write access there, or close the file where it is open"
        }
        // What a share answers for a file that somebody has open for themselves alone.
        ErrorKind::ResourceBusy | ErrorKind::ExecutableFileBusy | ErrorKind::WouldBlock => {
            "close the file where it is open, its rows wait"
        }
        _ => "AUDIT_DIR has to be a folder that can be written",
    };
    ShareError::Unavailable(format!("{}: {error}; {mend}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "audit-2026-W48.csv";

    #[tokio::test]
    async fn rows_are_appended_to_the_file_that_was_seen() {
        let folder = tempfile::tempdir().unwrap();
        let share = FolderShare::new(folder.path().join("share"));
        share.prepare().await.unwrap();
        share.prepare().await.unwrap();
        assert_eq!(share.read(NAME).await, Ok(None));
        share.append(NAME, 0, b"one\r\n").await.unwrap();
        share.append(NAME, 5, b"two\r\n").await.unwrap();
        assert_eq!(share.append(NAME, 5, b"three\r\n").await, Err(ShareError::Changed));
        assert_eq!(share.append(NAME, 0, b"three\r\n").await, Err(ShareError::Changed));
        assert_eq!(share.read(NAME).await, Ok(Some(b"one\r\ntwo\r\n".to_vec())));
    }

    #[tokio::test]
    async fn only_reports_and_checkpoints_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        for name in [NAME, "audit-2026-W54.csv", "notes.txt", "audit-2026-W48.csv.bak", "audit-2026-W48.txt"] {
            fs::write(folder.path().join(name), "12345").unwrap();
        }
        let listed = FolderShare::new(folder.path().to_owned()).list().await.unwrap();
        let seen: Vec<_> = listed.iter().map(|file| (file.name.as_str(), file.bytes)).collect();
        assert_eq!(seen, [(NAME, 5)]);
        fs::write(folder.path().join("audit-2026-W48.checkpoint"), "1").unwrap();
        fs::write(folder.path().join("ledger.checkpoint"), "1").unwrap();
        assert_eq!(FolderShare::new(folder.path().to_owned()).list().await.unwrap().len(), 3);
    }

    #[tokio::test]
    async fn a_share_that_is_away_says_how_to_mend_it() {
        let folder = tempfile::tempdir().unwrap();
        let away = FolderShare::new(folder.path().join("not").join("there"));
        assert!(away.prepare().await.is_err());
        for result in [away.list().await.map(drop), away.append(NAME, 0, b"x").await] {
            let Err(ShareError::Unavailable(problem)) = result else { panic!("it is not away") };
            assert!(problem.contains("AUDIT_DIR"), "{problem}");
        }
    }

    #[tokio::test]
    async fn a_file_that_hangs_holds_one_thread_and_no_other_file() {
        let folder = tempfile::tempdir().unwrap();
        let share = FolderShare::new(folder.path().to_owned());
        let (release, hold) = std::sync::mpsc::channel::<()>();
        let hung = share.on_share(NAME, move |_| {
            let _ = hold.recv();
            Ok(())
        });
        let soon = std::time::Duration::from_millis(20);
        assert!(tokio::time::timeout(soon, hung).await.is_err());
        for _ in 0..3 {
            assert!(tokio::time::timeout(soon, share.read(NAME)).await.is_err(), "it waits for its turn");
        }
        assert_eq!(share.calls.available_permits(), CALLS_AT_ONCE - 1, "no threads pile up");
        assert!(share.list().await.is_ok() && share.read("audit-2026-W47.csv").await.is_ok());
        drop(release);
        assert_eq!(share.read(NAME).await, Ok(None), "it heals");
        assert!(share.turns.lock().unwrap().len() < 3, "turns are forgotten");
    }

    #[tokio::test]
    async fn a_file_that_somebody_has_open_for_themselves_waits() {
        for kind in [ErrorKind::ResourceBusy, ErrorKind::ExecutableFileBusy] {
            let ShareError::Unavailable(problem) = unavailable(Path::new("report"), &kind.into()) else {
                panic!("it is not to be tried again")
            };
            assert!(problem.contains("close the file"), "{problem}");
        }
    }
}
