//! What is kept of who came in and who read the audit, in the stream `access`.
//!
//! Deliberately absent: passwords, tokens and anything else that opens a door.

use serde::{Deserialize, Serialize};

use crate::names::UserName;

/// Somebody and where they came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// The account.
    pub user: UserName,
    /// The address of the network peer, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// What is recorded of access, in the stream `access`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "body")]
pub enum AccessFact {
    /// Somebody read the audit, or took a copy of it.
    AuditRead {
        /// Who.
        by: Visitor,
        /// What: a report's name, or the path that was asked.
        what: String,
        /// The filter in words, empty where there was none.
        filter: String,
        /// How many rows were given, where they were counted before.
        rows: Option<u64>,
    },
}
