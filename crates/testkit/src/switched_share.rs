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
use tokio::sync::watch;

/// A share that is there until it is told otherwise.
pub struct SwitchedShare {
    folder: FolderShare,
    away: AtomicBool,
    hangs: watch::Sender<bool>,
    tears_at: Mutex<Option<usize>>,
}

impl SwitchedShare {
    /// The share at that folder.
    pub fn at(folder: PathBuf) -> SwitchedShare {
        SwitchedShare {
            folder: FolderShare::new(folder),
            away: AtomicBool::new(false),
            hangs: watch::Sender::new(false),
            tears_at: Mutex::new(None),
        }
    }

    /// Whether the share is away from here on.
    pub fn away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }

    /// Whether every call hangs from here on; those that hang go on when it ends.
    pub fn hangs(&self, hangs: bool) {
        self.hangs.send_replace(hangs);
    }

    /// The next write ends after so many bytes, and fails.
    pub fn tear_next_at(&self, bytes: usize) {
        *self.tears_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(bytes);
    }

    async fn is_there(&self) -> Result<(), ShareError> {
        // The sender lives as long as the share does.
        let _ = self.hangs.subscribe().wait_for(|hangs| !hangs).await;
        if self.away.load(Ordering::Relaxed) {
            return Err(ShareError::Unavailable("the share is away".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl ReportShare for SwitchedShare {
    async fn list(&self) -> Result<Vec<ReportFile>, ShareError> {
        self.is_there().await?;
        self.folder.list().await
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ShareError> {
        self.is_there().await?;
        self.folder.read(name).await
    }

    async fn append(&self, name: &str, expected_bytes: u64, bytes: &[u8]) -> Result<(), ShareError> {
        self.is_there().await?;
        let torn = self.tears_at.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(torn) = torn else { return self.folder.append(name, expected_bytes, bytes).await };
        self.folder.append(name, expected_bytes, &bytes[..torn.min(bytes.len())]).await?;
        Err(ShareError::Unavailable("the share went away while it was written".into()))
    }

    async fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), ShareError> {
        self.is_there().await?;
        self.folder.replace(name, bytes).await
    }
}
