//! Errors, health and access tokens.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::board::Session;

/// An error (RFC 9457, `application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the code says what it is.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong and how to mend it.
    pub detail: String,
    /// The stable code.
    pub code: &'static str,
    /// Who is on the connection, where that is the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<Session>,
}

/// An access token for a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccessToken {
    /// A JWT (RFC 7519).
    pub token: String,
    /// When it ends.
    pub expires_at: String,
}

/// The body of `PUT /api/v1/accounts/{name}/password`.
#[derive(Clone, Deserialize, ToSchema)]
pub struct NewPassword {
    /// 8 to 128 characters.
    pub password: String,
}

/// Whether the server does its work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Readiness {
    /// `ok`, `degraded`, or `unavailable` when changes cannot be taken.
    pub status: &'static str,
    /// What is wrong just now.
    pub findings: Vec<Finding>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    /// Which part has it.
    pub part: String,
    /// A stable code.
    pub code: String,
    /// What is wrong and how to mend it.
    pub detail: String,
    /// Since when.
    pub since: String,
}

/// The process is alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    pub status: &'static str,
}
