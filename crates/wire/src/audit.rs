//! The audit: weekly reports, sessions of the past, records and their chains.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::board;

/// All weekly reports, latest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reports {
    /// The reports.
    pub reports: Vec<Report>,
}

/// A weekly report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Report {
    /// Its file name.
    #[schema(example = "audit-2026-W48.csv")]
    pub name: String,
    /// Its ISO week.
    #[schema(example = "2026-W48")]
    pub week: String,
    /// The week's Monday.
    pub from: String,
    /// The week's Sunday.
    pub to: String,
    /// How many sessions it holds.
    pub rows: usize,
    /// Its length in bytes.
    pub bytes: u64,
    /// When its file was last written; `null` while it is not on the share.
    pub modified: Option<String>,
}

/// A weekly report as a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReportTable {
    /// Its file name.
    pub name: String,
    /// The header line's cells.
    pub columns: Vec<String>,
    /// The rows' cells, in the file's order.
    pub rows: Vec<Vec<String>>,
}

/// A page of sessions: those that run, then those that ended, each latest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Sessions {
    /// The sessions.
    pub sessions: Vec<Session>,
    /// Where the next page begins; `null` on the last.
    pub cursor: Option<String>,
}

/// A session of the past, or one that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PastSession)]
pub struct Session {
    /// The session; its `source` is `import` where another tool kept it.
    #[serde(flatten)]
    pub session: board::Session,
    /// Whether it was taken over from another tool's file.
    pub imported: bool,
    /// From where, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// Where an imported session comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Origin {
    /// The file's name.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The line in it.
    pub line: u64,
}

/// A page of records, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Records {
    /// `audit` or `access`.
    pub stream: String,
    /// The records.
    pub records: Vec<Record>,
    /// Behind the last record of the page: what is recorded later follows
    /// there too.
    pub cursor: u64,
    /// Whether more follow just now.
    pub more: bool,
}

/// A record of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Record {
    /// Its number; those that open segments, and snapshots, are left out.
    pub seq: u64,
    /// When it was recorded.
    pub at: String,
    /// What kind of fact it is.
    pub kind: String,
    /// The fact.
    pub body: Value,
    /// SHA-256 of the record before.
    pub prev: String,
    /// SHA-256 of this record.
    pub hash: String,
}

/// The state of the ledger's chains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Chains {
    /// Whether all are whole.
    pub is_whole: bool,
    /// Each stream's chain.
    pub streams: Vec<Chain>,
}

/// The chain of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Chain {
    /// `audit`, `access`, `relay` or `keys`.
    pub stream: String,
    /// Number of its last record just now; 0 where there is none.
    pub seq: u64,
    /// Hash of that record.
    pub hash: String,
    /// In how many segments it is kept.
    pub segments: usize,
    /// Whether it holds from its first record to `proved_until`.
    pub is_whole: bool,
    /// Number of the last record that was proved; `null` where it does not hold.
    pub proved_until: Option<u64>,
    /// When it was proved.
    pub proved_at: String,
    /// What is wrong with it, by file and line.
    pub findings: Vec<String>,
    /// What stands in its files and is no part of it, which harms nothing.
    pub notes: Vec<String>,
}
