//! What the use cases need of the world, as role nouns. An error says what the
//! caller can do about it.

use std::sync::Arc;

use async_trait::async_trait;
use domain::record::{Draft, Head, Record, Stream};
use jiff::Timestamp;
use serde_json::{Value, value::RawValue};

/// Where records are kept: append-only, chained, durable once appended.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Appends records to a stream, all or none, and returns them once they
    /// would survive a loss of power. One call is one sync, but where it begins
    /// a segment: then the snapshot of all that stands before goes first. Ask
    /// from a thread of its own: it may block that thread until then, as may
    /// `compact` and `probe`.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`]: nothing of it counts, try again later;
    /// [`LedgerError::Conflict`]: another writer has the ledger;
    /// [`LedgerError::Corrupt`]: what is there cannot be read.
    async fn append(
        &self,
        stream: Stream,
        drafts: Vec<Draft>,
        snapshot: Arc<dyn Snapshot>,
    ) -> Result<Vec<Record>, LedgerError>;

    /// The records of a stream behind `after`, oldest first, at most `limit`.
    /// Those that begin a segment and those of snapshots are left out, so
    /// numbers may be missing.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    async fn read(&self, stream: Stream, after: u64, limit: usize) -> Result<Vec<Record>, LedgerError>;

    /// The newest whole snapshot that the start found, if there is one.
    fn snapshot(&self, stream: Stream) -> Option<SnapshotPlace>;

    /// The items of a part of that snapshot, by its number from 1.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    async fn snapshot_part(&self, stream: Stream, part: u32) -> Result<Vec<Value>, LedgerError>;

    /// Begins a segment with a snapshot, and removes all that stand before it:
    /// what was replaced is gone from the disk, and nothing before can be read.
    ///
    /// # Errors
    /// As [`Ledger::append`]; then all or some of what stands before may still
    /// be there, and another call removes it.
    async fn compact(&self, stream: Stream, at: Timestamp, snapshot: Arc<dyn Snapshot>) -> Result<(), LedgerError>;

    /// Proves one more of the segments that the start did not read, newest
    /// first; whether there are more. One that is damaged is not proved again.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    async fn prove_older(&self, stream: Stream) -> Result<bool, LedgerError>;

    /// Whether records could be appended just now; leaves nothing behind.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    async fn probe(&self) -> Result<(), LedgerError>;

    /// Whether this process is still the one that writes: to be asked before
    /// something outside is done that only one may do. What was paused for long
    /// may have been followed by another.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    async fn confirm(&self) -> Result<(), LedgerError> {
        Ok(())
    }

    /// The end of a stream's chain.
    fn head(&self, stream: Stream) -> Head;

    /// Opaque; another one whenever a number of the `audit` stream could come
    /// twice.
    fn epoch(&self) -> &str;
}

/// The state that the records of a stream made so far. It is asked only when a
/// segment is begun, while the call that begins it is under way.
pub trait Snapshot: Send + Sync {
    /// Gives every item of which the state can be made again, in that order.
    fn each_item(&self, take: &mut dyn FnMut(Box<RawValue>));
}

/// Where a snapshot stands in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotPlace {
    /// The number of the last record whose work is in it.
    pub seq: u64,
    /// How many parts it has, at least 1.
    pub parts: u32,
}

/// Why the ledger could not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Another instance writes the ledger.
    #[error("another instance writes the ledger: {0}")]
    Conflict(String),
    /// The storage does not take or give records; it may again.
    #[error("the ledger cannot be reached: {0}")]
    Unavailable(String),
    /// What is stored is damaged; a person must look. Names file and line.
    #[error("the ledger is damaged: {0}")]
    Corrupt(String),
}

/// Hands mails to a mail server.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends one mail; `Ok` holds the server's words of acceptance.
    ///
    /// # Errors
    /// [`MailError`] says whether trying again can help.
    async fn send(&self, mail: &Mail) -> Result<String, MailError>;
}

/// One mail, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Goes into `Message-ID` (RFC 5322), with its angle brackets; the same
    /// for every attempt.
    pub message_id: String,
    /// Addresses of the recipients (RFC 5321 mailboxes), at least one.
    pub to: Vec<String>,
    /// One line.
    pub subject: String,
    /// Plain text, lines ended by LF.
    pub text: String,
    /// When the message was accepted; goes into `Date`.
    pub date: Timestamp,
    /// 1 (highest) to 5 (lowest); 3 is said by no header.
    pub priority: u8,
}

/// Why a mail was not taken, in the terms of RFC 5321.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Connection, TLS, login or a 4yz reply: try again later.
    #[error("{0}")]
    Transient(String),
    /// A 5yz reply to this mail, or a mail that cannot be written: never again.
    #[error("{0}")]
    Permanent(String),
}

/// The folder of weekly reports, on a share that comes and goes. Calls may
/// hang as long as the share does, so bound each wait; a call that is waited for
/// no longer goes on, and another one for the same file begins after it. Names
/// are those of reports and checkpoints, without path.
#[async_trait]
pub trait ReportShare: Send + Sync {
    /// The files of the folder whose names are those of weekly reports or
    /// checkpoints.
    ///
    /// # Errors
    /// [`ShareError::Unavailable`].
    async fn list(&self) -> Result<Vec<ReportFile>, ShareError>;

    /// A whole file, `None` where there is none of that name.
    ///
    /// # Errors
    /// [`ShareError::Unavailable`].
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ShareError>;

    /// Appends to a file that is `expected_bytes` long, made anew where that is
    /// 0, and syncs it. The file is closed afterwards.
    ///
    /// # Errors
    /// [`ShareError::Changed`] where the length is another,
    /// [`ShareError::Unavailable`] otherwise.
    async fn append(&self, name: &str, expected_bytes: u64, bytes: &[u8]) -> Result<(), ShareError>;

    /// Puts a whole small file in place of the one of that name, at once.
    ///
    /// # Errors
    /// [`ShareError::Unavailable`].
    async fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), ShareError>;
}

/// A file on the share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    /// File name, `audit-2026-W48.csv` for example.
    pub name: String,
    /// Length in bytes.
    pub bytes: u64,
    /// When it was last written, where the share tells.
    pub modified: Option<Timestamp>,
}

/// Why the share did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// Missing, read-only, full, or otherwise not to be used just yet.
    #[error("{0}")]
    Unavailable(String),
    /// Somebody else wrote the file meanwhile: look again.
    #[error("the file was changed by somebody else")]
    Changed,
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time of day, as records and people see it.
    fn now(&self) -> Timestamp;
}

/// Gives random bytes that cannot be guessed.
pub trait Entropy: Send + Sync {
    /// 128 fresh bits.
    fn bits(&self) -> [u8; 16];
}
