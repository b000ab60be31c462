//! The audit: weekly reports.

use serde::Serialize;
use utoipa::ToSchema;

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
