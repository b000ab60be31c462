//! The board: connections, sessions, commands and their answers.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::service::Finding;

/// A connection and who is on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Connection {
    /// Main and sub name, joined by `;`.
    #[schema(example = "vpn main 1;vpn sub 1")]
    pub id: String,
    /// The main name.
    pub main: String,
    /// The sub name.
    pub sub: String,
    /// How many users may be on it at once.
    pub capacity: u32,
    /// Whether it is off the list; without sessions it is gone.
    pub retired: bool,
    /// Who is on it, longest first.
    pub sessions: Vec<Session>,
    /// Who is told when it is free.
    pub waiting: Vec<String>,
}

/// One user being on one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// The connection's id.
    pub connection: String,
    /// Who is on it.
    pub user: String,
    /// Since when.
    pub since: String,
    /// What the user says about it; may be empty.
    pub note: String,
    /// `page`, `api`, `cli` or `hook`.
    pub source: String,
    /// Since when its heartbeats are missing, if they are.
    pub unconfirmed: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Who ended it: a user, `admin:NAME`, `taken-over:NAME` or `expired`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
    /// How long it lasted, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<i64>,
}

/// The whole board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Connections {
    /// Opaque; another one whenever a `seq` could come twice.
    pub epoch: String,
    /// Number of the last change in it.
    pub seq: u64,
    /// Every connection, in the file's order, retired ones last.
    pub connections: Vec<Connection>,
}

/// The event `board`: what a page shows, whole.
#[derive(Clone, Debug, Serialize)]
pub struct Board<'a> {
    /// Opaque; another one whenever a `seq` could come twice.
    pub epoch: &'a str,
    /// Number of the last change in it.
    pub seq: u64,
    /// Who is signed in.
    pub me: Me,
    /// The server's time.
    pub now: String,
    /// What is wrong just now; told to admins.
    pub findings: Vec<Finding>,
    /// Every [`Connection`], in the file's order, retired ones last; encoded
    /// once for all who get it.
    pub connections: &'a RawValue,
}

/// The event `changes`.
#[derive(Clone, Debug, Serialize)]
pub struct Changes {
    /// Number of the last change in it.
    pub seq: u64,
    /// Each changed connection, whole.
    pub connections: Vec<Connection>,
    /// Who is signed in; told to a client that comes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub me: Option<Me>,
    /// The server's time; told to a client that comes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
}

/// The event `findings`.
#[derive(Clone, Debug, Serialize)]
pub struct FindingsEvent {
    /// What is wrong just now.
    pub findings: Vec<Finding>,
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Me {
    /// The account's name.
    pub user: String,
    /// `member`, `auditor` or `admin`; what it may just here.
    pub role: String,
}

/// The body of `POST /api/v1/sessions`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CheckRequest {
    /// The connection's id.
    #[schema(example = "vpn main 1;vpn sub 1")]
    pub connection: String,
    /// What to say about it.
    #[serde(default)]
    pub note: Option<String>,
    /// Whether somebody else's session is ended for it, if there is no room.
    #[serde(default)]
    pub take_over: bool,
    /// Which session is taken over, where several are on it.
    #[serde(default)]
    pub session: Option<String>,
}

/// The body of `PATCH /api/v1/sessions/{id}`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct NoteRequest {
    /// What the session says from then on.
    pub note: String,
}

/// What the events `check`, `uncheck`, `take_over` and `note` carry.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Command {
    /// The connection's id.
    #[serde(default)]
    pub connection: Option<String>,
    /// The session's id.
    #[serde(default)]
    pub session: Option<String>,
    /// The note.
    #[serde(default)]
    pub note: Option<String>,
}

/// What a client says when its socket connects.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct SocketAuth {
    /// An access token, where there is no cookie.
    #[serde(default)]
    pub token: Option<String>,
    /// The epoch of the board that the client knows.
    #[serde(default)]
    pub epoch: Option<String>,
    /// The last change that the client knows.
    #[serde(default)]
    pub seq: Option<u64>,
}

/// The answer to an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Ack {
    /// It is done, and on disk.
    Done {
        /// Always `true`.
        ok: bool,
        /// The session that it concerned.
        session: Session,
    },
    /// It is not done.
    Refused {
        /// Always `false`.
        ok: bool,
        /// The stable code, as in HTTP.
        code: &'static str,
        /// Why, for a person.
        message: String,
        /// Who is on the connection, where that is the reason.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        holders: Vec<Session>,
    },
}

/// The error that a socket gets which may not connect.
#[derive(Clone, Debug, Serialize)]
pub struct ConnectError {
    /// Why, for a person.
    pub message: String,
    /// What a program looks at.
    pub data: ConnectErrorData,
}

/// What a program looks at.
#[derive(Clone, Debug, Serialize)]
pub struct ConnectErrorData {
    /// The stable code.
    pub code: &'static str,
}
