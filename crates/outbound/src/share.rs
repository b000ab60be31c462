//! The share with the weekly reports: a folder, often mounted from elsewhere,
//! that may be away, full, read-only, or hang.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use app::ports::{ReportFile, ReportShare, ShareError};
use async_trait::async_trait;
use domain::week::Week;
use jiff::Timestamp;
use tokio::sync::Semaphore;

/// How long a call to the share may take before it counts as away.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// A folder of weekly reports.
pub struct FolderShare {
    folder: Arc<Path>,
    turn: Arc<Semaphore>,
    answers_within: Duration,
}

impl FolderShare {
    /// The share at that folder.
    pub fn new(folder: PathBuf) -> FolderShare {
        FolderShare { folder: folder.into(), turn: Arc::new(Semaphore::new(1)), answers_within: ANSWERS_WITHIN }
    }

    /// Makes the folder where it is missing and the one above it is there.
    ///
    /// # Errors
    /// [`ShareError::Unavailable`].
    pub fn prepare(&self) -> Result<(), ShareError> {
        match fs::create_dir(&self.folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(unavailable(&self.folder, &error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Does one thing at a time with the share: while a call hangs, further
    /// ones are answered at once, and no threads pile up.
    async fn on_share<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> Result<T, ShareError> + Send + 'static,
    ) -> Result<T, ShareError> {
        let hangs = || {
            ShareError::Unavailable(format!("{} does not answer; see that the share is mounted", self.folder.display()))
        };
        let turn = tokio::time::timeout(self.answers_within, Arc::clone(&self.turn).acquire_owned()).await;
        let turn = turn.ok().and_then(Result::ok).ok_or_else(hangs)?;
        let folder = Arc::clone(&self.folder);
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&folder);
            drop(turn);
            result
        });
        let result = tokio::time::timeout(self.answers_within, done).await.map_err(|_| hangs())?;
        result.unwrap_or_else(|error| Err(ShareError::Unavailable(error.to_string())))
    }
}

#[async_trait]
impl ReportShare for FolderShare {
    async fn list(&self) -> Result<Vec<ReportFile>, ShareError> {
        self.on_share(list).await
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ShareError> {
        let name = name.to_owned();
        self.on_share(move |folder| match fs::read(folder.join(&name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unavailable(&folder.join(&name), &error)),
        })
        .await
    }

    async fn append(&self, name: &str, expected_bytes: u64, bytes: &[u8]) -> Result<(), ShareError> {
        let (name, bytes) = (name.to_owned(), bytes.to_owned());
        self.on_share(move |folder| append(folder, &name, expected_bytes, &bytes)).await
    }

    async fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), ShareError> {
        let (name, bytes) = (name.to_owned(), bytes.to_owned());
        self.on_share(move |folder| replace(folder, &name, &bytes)).await
    }
}

fn list(folder: &Path) -> Result<Vec<ReportFile>, ShareError> {
    let entries = fs::read_dir(folder).map_err(|error| unavailable(folder, &error))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let reports = names.filter(|name| Week::of_file_name(name).is_some());
    let files = reports.filter_map(|name| match fs::metadata(folder.join(&name)) {
        Ok(metadata) => {
            let modified = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
            Some(Ok(ReportFile { name, bytes: metadata.len(), modified }))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => Some(Err(unavailable(&folder.join(&name), &error))),
    });
    files.collect()
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
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "give the server's user write access there",
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
        share.prepare().unwrap();
        share.prepare().unwrap();
        assert_eq!(share.read(NAME).await, Ok(None));
        share.append(NAME, 0, b"one\r\n").await.unwrap();
        share.append(NAME, 5, b"two\r\n").await.unwrap();
        assert_eq!(share.append(NAME, 5, b"three\r\n").await, Err(ShareError::Changed));
        assert_eq!(share.append(NAME, 0, b"three\r\n").await, Err(ShareError::Changed));
        assert_eq!(share.read(NAME).await, Ok(Some(b"one\r\ntwo\r\n".to_vec())));
    }

    #[tokio::test]
    async fn only_reports_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        for name in [NAME, "audit-2026-W54.csv", "notes.txt", "audit-2026-W48.csv.bak", "audit-2026-W48.checkpoint"] {
            fs::write(folder.path().join(name), "12345").unwrap();
        }
        let listed = FolderShare::new(folder.path().to_owned()).list().await.unwrap();
        let seen: Vec<_> = listed.iter().map(|file| (file.name.as_str(), file.bytes)).collect();
        assert_eq!(seen, [(NAME, 5)]);
    }

    #[tokio::test]
    async fn a_share_that_is_away_says_how_to_mend_it() {
        let folder = tempfile::tempdir().unwrap();
        let away = FolderShare::new(folder.path().join("not").join("there"));
        assert!(away.prepare().is_err());
        for result in [away.list().await.map(drop), away.append(NAME, 0, b"x").await] {
            let Err(ShareError::Unavailable(problem)) = result else { panic!("it is not away") };
            assert!(problem.contains("AUDIT_DIR"), "{problem}");
        }
    }

    #[tokio::test]
    async fn a_share_that_hangs_holds_one_thread_and_nobody_for_long() {
        let folder = tempfile::tempdir().unwrap();
        let share =
            FolderShare { answers_within: Duration::from_millis(20), ..FolderShare::new(folder.path().to_owned()) };
        let (release, hold) = std::sync::mpsc::channel::<()>();
        let hung = share.on_share(move |_| {
            let _ = hold.recv();
            Ok(())
        });
        assert!(matches!(hung.await, Err(ShareError::Unavailable(_))));
        assert!(matches!(share.list().await, Err(ShareError::Unavailable(_))), "the next call does not queue up");
        drop(release);
        while share.turn.available_permits() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(share.list().await.is_ok(), "it heals");
    }
}
