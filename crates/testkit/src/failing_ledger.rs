//! A real ledger whose disk can be full, and that can be lost to another server.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use app::ports::{Ledger, LedgerError, Snapshot, SnapshotPlace};
use async_trait::async_trait;
use domain::record::{Draft, Head, Record, Stream};
use jiff::Timestamp;
use serde_json::Value;

/// A ledger that refuses to append while it is told to.
pub struct FailingLedger {
    ledger: Arc<dyn Ledger>,
    refuses: AtomicBool,
    lost: AtomicBool,
    appends: AtomicUsize,
}

impl FailingLedger {
    /// That ledger, working.
    pub fn around(ledger: Arc<dyn Ledger>) -> FailingLedger {
        FailingLedger {
            ledger,
            refuses: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            appends: AtomicUsize::new(0),
        }
    }

    /// Whether appends are refused from here on.
    pub fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::Relaxed);
    }

    /// Another server takes the ledger over.
    pub fn lose(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    /// How often something was appended: each is one sync.
    pub fn appends(&self) -> usize {
        self.appends.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Ledger for FailingLedger {
    async fn append(
        &self,
        stream: Stream,
        drafts: Vec<Draft>,
        snapshot: Arc<dyn Snapshot>,
    ) -> Result<Vec<Record>, LedgerError> {
        if self.refuses.load(Ordering::Relaxed) {
            return Err(LedgerError::Unavailable("the disk is full".into()));
        }
        self.appends.fetch_add(1, Ordering::Relaxed);
        self.ledger.append(stream, drafts, snapshot).await
    }

    async fn read(&self, stream: Stream, after: u64, limit: usize) -> Result<Vec<Record>, LedgerError> {
        self.ledger.read(stream, after, limit).await
    }

    fn snapshot(&self, stream: Stream) -> Option<SnapshotPlace> {
        self.ledger.snapshot(stream)
    }

    async fn snapshot_part(&self, stream: Stream, part: u32) -> Result<Vec<Value>, LedgerError> {
        self.ledger.snapshot_part(stream, part).await
    }

    async fn compact(&self, stream: Stream, at: Timestamp, snapshot: Arc<dyn Snapshot>) -> Result<(), LedgerError> {
        if self.refuses.load(Ordering::Relaxed) {
            return Err(LedgerError::Unavailable("the disk is full".into()));
        }
        self.ledger.compact(stream, at, snapshot).await
    }

    async fn prove_older(&self, stream: Stream) -> Result<bool, LedgerError> {
        self.ledger.prove_older(stream).await
    }

    async fn probe(&self) -> Result<(), LedgerError> {
        if self.refuses.load(Ordering::Relaxed) {
            return Err(LedgerError::Unavailable("the disk is full".into()));
        }
        self.ledger.probe().await
    }

    async fn confirm(&self) -> Result<(), LedgerError> {
        if self.lost.load(Ordering::Relaxed) {
            return Err(LedgerError::Conflict("another has it".into()));
        }
        self.ledger.confirm().await
    }

    fn head(&self, stream: Stream) -> Head {
        self.ledger.head(stream)
    }

    fn epoch(&self) -> &str {
        self.ledger.epoch()
    }
}
