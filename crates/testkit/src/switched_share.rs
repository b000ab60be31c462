//! A real folder of reports that can be away, or tear what is written to it.

use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use app::ports::{ReportFile, ReportShare, ShareError};
use async_trait::async_trait;
use outbound::FolderShare;

/// A share that is there until it is told otherwise.
pub struct SwitchedShare {
    folder: FolderShare,
    away: AtomicBool,
    tears_at: Mutex<Option<usize>>,
}

impl SwitchedShare {
    /// The share at that folder.
    pub fn at(folder: PathBuf) -> SwitchedShare {
        SwitchedShare { folder: FolderShare::new(folder), away: AtomicBool::new(false), tears_at: Mutex::new(None) }
    }

    /// Whether the share is away from here on.
    pub fn away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }

    /// The next write ends after so many bytes, and fails.
    pub fn tear_next_at(&self, bytes: usize) {
        *self.tears_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(bytes);
    }

    fn is_there(&self) -> Result<(), ShareError> {
        if self.away.load(Ordering::Relaxed) {
            return Err(ShareError::Unavailable("the share is away".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl ReportShare for SwitchedShare {
    async fn list(&self) -> Result<Vec<ReportFile>, ShareError> {
        self.is_there()?;
        self.folder.list().await
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ShareError> {
        self.is_there()?;
        self.folder.read(name).await
    }

    async fn append(&self, name: &str, expected_bytes: u64, bytes: &[u8]) -> Result<(), ShareError> {
        self.is_there()?;
        let torn = self.tears_at.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(torn) = torn else { return self.folder.append(name, expected_bytes, bytes).await };
        self.folder.append(name, expected_bytes, &bytes[..torn.min(bytes.len())]).await?;
        Err(ShareError::Unavailable("the share went away while it was written".into()))
    }

    async fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), ShareError> {
        self.is_there()?;
        self.folder.replace(name, bytes).await
    }
}
