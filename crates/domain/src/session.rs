//! Sessions: one user being on one connection, from check to uncheck.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    connection::ConnectionId,
    names::{NameError, Note, UserName},
    week::Week,
};

/// The id of a session: 128 random bits as 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(String);

impl SessionId {
    /// An id of fresh random bits.
    pub fn of_bits(bits: [u8; 16]) -> SessionId {
        SessionId(hexadecimal(bits))
    }

    /// Whatever a client names as an id; one that no session has is unknown.
    pub fn named(text: &str) -> SessionId {
        SessionId(text.to_owned())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// By what kind of client a session was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The board in a browser.
    Page,
    /// A program over HTTP or Socket.IO.
    Api,
    /// The command line.
    Cli,
    /// A VPN client's own script.
    Hook,
}

impl Source {
    /// The word for it, as in the API.
    pub fn name(self) -> &'static str {
        match self {
            Source::Page => "page",
            Source::Api => "api",
            Source::Cli => "cli",
            Source::Hook => "hook",
        }
    }
}

/// A session that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Which connection it is on.
    pub connection: ConnectionId,
    /// Who is on it.
    pub user: UserName,
    /// When it was checked.
    pub since: Timestamp,
    /// What the user says about it.
    #[serde(default)]
    pub note: Note,
    /// What began it.
    pub source: Source,
}

/// Who ended a session, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how", content = "user")]
pub enum EndedBy {
    /// Its holder unchecked it.
    Holder(UserName),
    /// An admin unchecked it for the holder.
    Admin(UserName),
    /// Somebody took the connection over.
    TakenOver(UserName),
    /// The system ended it, because its heartbeats stopped.
    Expired,
}

impl fmt::Display for EndedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EndedBy::Holder(user) => write!(f, "{user}"),
            EndedBy::Admin(user) => write!(f, "admin:{user}"),
            EndedBy::TakenOver(user) => write!(f, "taken-over:{user}"),
            EndedBy::Expired => f.write_str("expired"),
        }
    }
}

impl EndedBy {
    /// Reads what a report says.
    ///
    /// # Errors
    /// [`NameError`] of the name in it.
    pub fn parse(text: &str) -> Result<EndedBy, NameError> {
        if text == "expired" {
            return Ok(EndedBy::Expired);
        }
        match text.split_once(':') {
            Some(("admin", name)) => UserName::parse(name).map(EndedBy::Admin),
            Some(("taken-over", name)) => UserName::parse(name).map(EndedBy::TakenOver),
            Some(_) | None => UserName::parse(text).map(EndedBy::Holder),
        }
    }
}

/// A session that has ended: a row of a weekly report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedSession {
    /// The session as it was.
    #[serde(flatten)]
    pub session: Session,
    /// When it was unchecked.
    pub ended_at: Timestamp,
    /// By whom.
    pub ended_by: EndedBy,
    /// In which report it stands.
    pub week: Week,
    /// The IANA time zone in which the report tells its times.
    pub timezone: String,
}

impl EndedSession {
    /// How long it lasted, in whole seconds; never negative, whatever clocks did.
    pub fn duration_seconds(&self) -> i64 {
        let lasted: SignedDuration = self.ended_at.duration_since(self.session.since);
        lasted.as_secs().max(0)
    }
}

/// Bits as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bits: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bits))
}
