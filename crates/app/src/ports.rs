//! What the use cases need of the world, as role nouns. An error says what the
//! caller can do about it.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    account::Claims,
    record::{Draft, Head, Record, Stream},
};
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

    /// How far the oldest segments reach of which no record is needed any
    /// more: the number of the last record in them, where there are any.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    async fn oldest_unneeded(&self, stream: Stream, is_needed: IsNeeded) -> Result<Option<u64>, LedgerError>;

    /// Drops the segments that have no record behind `up_to`: says so in the
    /// chain, by a record of the ledger's own, and then removes them.
    ///
    /// # Errors
    /// As [`Ledger::append`]; what was said is done then by the next start.
    async fn drop_up_to(
        &self,
        stream: Stream,
        up_to: u64,
        at: Timestamp,
        snapshot: Arc<dyn Snapshot>,
    ) -> Result<(), LedgerError>;

    /// What is not there any more of the begin of a stream, where anything is.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    async fn dropped(&self, stream: Stream) -> Result<Option<Dropped>, LedgerError>;

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

/// Proves the chains of the ledger, each from its first record to its last, and
/// changes nothing.
#[async_trait]
pub trait Chains: Send + Sync {
    /// Each stream with its chain, or what is wrong with it.
    async fn prove(&self) -> Vec<(Stream, Result<Chain, LedgerError>)>;
}

/// Whether a record is still needed, whatever its age.
pub type IsNeeded = Arc<dyn Fn(&Record) -> bool + Send + Sync>;

/// What is not there any more of the begin of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The number of the last record that is not there.
    pub to_seq: u64,
    /// When the latest of them happened.
    pub latest: Timestamp,
}

/// A chain that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its end.
    pub head: Head,
    /// In how many segments it is kept.
    pub segments: usize,
    /// What stands in its files and is no part of it, in words.
    pub notes: Vec<String>,
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

/// The provider of single sign-on. It may be away: what it says of itself is
/// asked for when it is needed, and known for a while.
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// Asks it what it says of itself, where that is not known.
    ///
    /// # Errors
    /// [`ProviderError::Unreachable`].
    async fn reach(&self) -> Result<(), ProviderError>;

    /// Where a browser is sent to be asked there who it is.
    ///
    /// # Errors
    /// [`ProviderError::Unreachable`].
    async fn address(&self, secrets: &SignOnSecrets) -> Result<String, ProviderError>;

    /// What the provider says of whoever came back, proved to be meant for us
    /// and for the sign-on that has those secrets.
    ///
    /// # Errors
    /// [`ProviderError`].
    async fn claims(&self, answer: &ProviderAnswer, secrets: &SignOnSecrets) -> Result<Claims, ProviderError>;
}

/// What belongs to one sign-on, and to no other.
#[derive(Clone, PartialEq, Eq)]
pub struct SignOnSecrets {
    /// Comes back with the browser.
    pub state: String,
    /// Comes back in the ID token.
    pub nonce: String,
    /// Proves that whoever changes the code in has begun the sign-on (RFC 7636).
    pub verifier: String,
}

/// What a browser brings back from the provider.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderAnswer {
    /// What is changed in for an ID token.
    pub code: String,
    /// Who says so, where the provider tells (RFC 9207).
    pub issuer: Option<String>,
}

/// Why the provider proved nothing. The words are for the log only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It cannot be asked; it may be again.
    #[error("{0}")]
    Unreachable(String),
    /// It says no, or what it says does not hold.
    #[error("{0}")]
    Refused(String),
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
