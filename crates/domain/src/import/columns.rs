//! Which cell of a line is what: by the names in the first line, or by the
//! order that somebody says.

use std::fmt;

use jiff::tz::TimeZone;

use super::moments;

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// The connection's main name.
    Main,
    /// The connection's sub name.
    Sub,
    /// Both, joined by `;`.
    Connection,
    /// Who was on it.
    User,
    /// When it began.
    ConnectedAt,
    /// When it ended.
    DisconnectedAt,
    /// How long it lasted.
    Duration,
    /// Who ended it.
    EndedBy,
    /// What was said about it.
    Note,
    /// Its id.
    SessionId,
    /// Nothing that is taken over.
    Other,
}

/// What the columns of our own and of other tools are called, in small letters
/// and without anything between them.
const NAMES: [(Column, &[&str]); 10] = [
    (Column::Main, &["main", "vpnmain", "mainname", "vpnmainname", "client", "customer", "kunde"]),
    (Column::Sub, &["sub", "vpnsub", "subname", "vpnsubname"]),
    (Column::Connection, &["connection", "vpnconnection", "connectionid", "vpn", "verbindung"]),
    (Column::User, &["user", "username", "vpnuser", "account", "name", "person", "benutzer", "benutzername"]),
    (
        Column::ConnectedAt,
        &[
            "connectedat",
            "connected",
            "connect",
            "connecttime",
            "connectedsince",
            "since",
            "start",
            "started",
            "starttime",
            "startedat",
            "begin",
            "from",
            "checkedat",
            "checkin",
            "von",
            "beginn",
            "verbundenseit",
        ],
    ),
    (
        Column::DisconnectedAt,
        &[
            "disconnectedat",
            "disconnected",
            "disconnect",
            "disconnecttime",
            "end",
            "ended",
            "endtime",
            "endedat",
            "to",
            "until",
            "uncheckedat",
            "checkout",
            "bis",
            "ende",
            "getrenntam",
        ],
    ),
    (Column::Duration, &["durations", "duration", "durationseconds", "seconds", "dauer"]),
    (Column::EndedBy, &["endedby", "disconnectedby", "uncheckedby", "beendetvon"]),
    (Column::Note, &["note", "notes", "comment", "remark", "notiz", "bemerkung", "kommentar"]),
    (Column::SessionId, &["sessionid"]),
];

/// What may stand between the cells, the likelier first.
const SEPARATORS: [u8; 3] = *b",;\t";

/// Which cell is what, and what stands between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Between the cells.
    pub separator: u8,
    /// Whether the first line names the columns.
    pub has_header: bool,
    /// What each cell is.
    pub columns: Vec<Column>,
}

/// Why it is not known which cell is what.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutRefusal {
    /// A column that it takes is not there.
    #[error("{} {missing}; say what each column is, as --columns main,sub,user,connected_at,disconnected_at (and - for what is passed over)", if *.named { "the columns are named, and none is" } else { "the first line does not name the columns; there is no" })]
    Missing {
        /// What is missing.
        missing: String,
        /// Whether some columns are named.
        named: bool,
    },
    /// Two columns are the same thing.
    #[error("two columns are both {0}; say what each column is with --columns, and - for what is passed over")]
    Twice(Column),
    /// A name in the order that is none.
    #[error(
        "{0:?} is no column; there are main, sub, connection, user, connected_at, disconnected_at, duration_s, ended_by, note, session_id, and - for what is passed over"
    )]
    Unknown(String),
}

impl Column {
    /// Its name, as our own reports have it.
    pub fn name(self) -> &'static str {
        match self {
            Column::Main => "main",
            Column::Sub => "sub",
            Column::Connection => "connection",
            Column::User => "user",
            Column::ConnectedAt => "connected_at",
            Column::DisconnectedAt => "disconnected_at",
            Column::Duration => "duration_s",
            Column::EndedBy => "ended_by",
            Column::Note => "note",
            Column::SessionId => "session_id",
            Column::Other => "-",
        }
    }

    /// What a column of that name is; `None` where nobody calls one so.
    pub fn named(text: &str) -> Option<Column> {
        let plain: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        NAMES.iter().find(|(_, names)| names.contains(&plain.as_str())).map(|(column, _)| *column)
    }

    /// Reads an order: names between commas, `-` for what is passed over.
    ///
    /// # Errors
    /// [`LayoutRefusal`].
    pub fn order(text: &str) -> Result<Vec<Column>, LayoutRefusal> {
        let read = |name: &str| match name.trim() {
            "-" => Ok(Column::Other),
            name => Column::named(name).ok_or_else(|| LayoutRefusal::Unknown(name.to_owned())),
        };
        let columns = text.split(',').map(read).collect::<Result<Vec<_>, _>>()?;
        suffices(&columns, true)?;
        Ok(columns)
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Layout {
    /// How a text is laid out.
    ///
    /// # Errors
    /// [`LayoutRefusal`].
    pub(super) fn of(text: &str, order: Option<&[Column]>, zone: &TimeZone) -> Result<Layout, LayoutRefusal> {
        let first = |separator| rows(text, separator).next().map(|(_, cells)| cells).unwrap_or_default();
        let named = |cells: &[String]| cells.iter().filter(|cell| Column::named(cell).is_some()).count();
        let separator = SEPARATORS.into_iter().rev().max_by_key(|&separator| {
            let cells = first(separator);
            (named(&cells), cells.len())
        });
        let separator = separator.unwrap_or(b',');
        let cells = first(separator);
        if let Some(order) = order {
            // A first line whose time is no time is not a session's.
            let time = order.iter().position(|column| *column == Column::ConnectedAt).and_then(|at| cells.get(at));
            let has_header = time.is_some_and(|cell| moments::read(cell, zone).is_empty()) && named(&cells) > 0;
            return Ok(Layout { separator, has_header, columns: order.to_vec() });
        }
        let columns: Vec<Column> = cells.iter().map(|cell| Column::named(cell).unwrap_or(Column::Other)).collect();
        suffices(&columns, named(&cells) > 1)?;
        Ok(Layout { separator, has_header: true, columns })
    }
}

/// Whether the columns say all that it takes, and nothing twice.
fn suffices(columns: &[Column], named: bool) -> Result<(), LayoutRefusal> {
    let has = |column| columns.contains(&column);
    let twice =
        |column: &&Column| **column != Column::Other && columns.iter().filter(|other| other == column).count() > 1;
    if let Some(column) = columns.iter().find(twice) {
        return Err(LayoutRefusal::Twice(*column));
    }
    let needed = [
        (has(Column::Connection) || (has(Column::Main) && has(Column::Sub)), "main and sub"),
        (has(Column::User), "user"),
        (has(Column::ConnectedAt), "connected_at"),
        (has(Column::DisconnectedAt) || has(Column::Duration), "disconnected_at"),
    ];
    match needed.iter().find(|(there, _)| !there) {
        Some((_, missing)) => Err(LayoutRefusal::Missing { missing: (*missing).to_owned(), named }),
        None => Ok(()),
    }
}

/// The rows of a text, each with its line.
pub(super) fn rows(text: &str, separator: u8) -> impl Iterator<Item = (u64, Vec<String>)> + '_ {
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes());
    reader.into_records().map_while(Result::ok).map(|record| {
        let line = record.position().map_or(0, csv::Position::line);
        (line, record.iter().map(str::to_owned).collect())
    })
}
