//! A file that people edit, looked at again and again: network shares send no
//! change notices.

use std::{
    io::{self, ErrorKind},
    path::PathBuf,
    time::Duration,
};

use tokio::time::sleep;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(600);

/// How long it has to look the same before it is believed: editors write in parts.
const STEADY_FOR: Duration = Duration::from_millis(150);

/// Longest file that is read, in bytes: 100,000 lines of the usual kind several times.
pub const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Why a file cannot be had just now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It is missing, or may not be read.
    #[error("{path} cannot be read ({reason}); put it back, or give the server's user access")]
    Unreadable {
        /// Which file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// Longer than [`MAX_FILE_BYTES`].
    #[error("{path} has {bytes} bytes; at most {MAX_FILE_BYTES} are read")]
    TooLong {
        /// Which file.
        path: String,
        /// How long it is.
        bytes: u64,
    },
}

/// What a file holds, or why it cannot be had.
type Look = Result<Vec<u8>, FileError>;

/// A file that is watched.
pub struct WatchedFile {
    path: PathBuf,
    last: Option<Look>,
}

impl WatchedFile {
    /// Watches a file; its first content counts as a change.
    pub fn new(path: PathBuf) -> WatchedFile {
        WatchedFile { path, last: None }
    }

    /// Waits until the file holds something else, or cannot be had for another
    /// reason, than was told last.
    ///
    /// # Errors
    /// [`FileError`], once for each change.
    pub async fn changed(&mut self) -> Result<Vec<u8>, FileError> {
        loop {
            let seen = self.look().await;
            if self.last.as_ref() != Some(&seen) {
                sleep(STEADY_FOR).await;
                if self.look().await == seen {
                    self.last = Some(seen.clone());
                    return seen;
                }
                continue;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn look(&self) -> Look {
        let unreadable = |error: &io::Error| FileError::Unreadable {
            path: self.path.display().to_string(),
            reason: if error.kind() == ErrorKind::NotFound { "it is missing".into() } else { error.to_string() },
        };
        let bytes = tokio::fs::metadata(&self.path).await.map_err(|error| unreadable(&error))?.len();
        if bytes > MAX_FILE_BYTES {
            return Err(FileError::TooLong { path: self.path.display().to_string(), bytes });
        }
        tokio::fs::read(&self.path).await.map_err(|error| unreadable(&error))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn changes_are_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sessions.csv");
        fs::write(&path, "a;b").unwrap();
        let mut file = WatchedFile::new(path.clone());
        assert_eq!(file.changed().await, Ok(b"a;b".to_vec()));
        fs::write(&path, "a;c").unwrap();
        assert_eq!(file.changed().await, Ok(b"a;c".to_vec()));
        fs::remove_file(&path).unwrap();
        assert!(matches!(file.changed().await, Err(FileError::Unreadable { .. })));
        fs::write(folder.path().join("new"), "a;c").unwrap();
        fs::rename(folder.path().join("new"), &path).unwrap();
        assert_eq!(file.changed().await, Ok(b"a;c".to_vec()), "back as it was is news after an error");
        let unchanged = tokio::time::timeout(LOOK_EVERY * 2, file.changed()).await;
        assert!(unchanged.is_err(), "nothing changed, nothing told");
    }

    #[tokio::test]
    async fn an_endless_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sessions.csv");
        let endless = fs::File::create(&path).unwrap();
        endless.set_len(MAX_FILE_BYTES + 1).unwrap();
        let mut file = WatchedFile::new(path);
        assert!(matches!(file.changed().await, Err(FileError::TooLong { .. })));
        endless.set_len(MAX_FILE_BYTES).unwrap();
        assert_eq!(file.changed().await.map(|bytes| bytes.len() as u64), Ok(MAX_FILE_BYTES));
    }
}
