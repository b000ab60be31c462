//! Sessions that another tool kept in weekly files: how such a file is read.
//!
//! [`text`] makes text of bytes, [`columns`] says which cell is what, [`moments`]
//! reads times, and [`read`] puts them together. A row is taken or skipped with
//! the reason; what a file does not say is not invented.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    connection::ConnectionId,
    history::Entry,
    names::{LineName, NameError, Note, UserName},
    record::Hash,
    report::line,
    session::{EndedBy, SessionId, hexadecimal},
};

pub mod columns;
mod moments;
mod row;
mod text;

#[cfg(test)]
mod tests;

use columns::{Column, Layout, LayoutRefusal};
pub use text::Encoding;

/// Longest file that is read, in bytes: years of a busy team.
pub const MAX_FILE_BYTES: usize = 256 * 1024 * 1024;

/// Longest row that is kept as it was, in bytes: ten times what a row of the
/// longest names and note takes.
pub const MAX_ROW_BYTES: usize = 16 * 1024;

/// A session that was taken over from another tool's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedSession {
    /// The one that the file says, or one made of the session itself, so that
    /// it is the same whenever it is read.
    pub id: SessionId,
    /// Which connection it was on; the list need not know it.
    pub connection: ConnectionId,
    /// Who was on it; there need be no such account.
    pub user: UserName,
    /// When it began.
    pub since: Timestamp,
    /// When it ended; not before it began.
    pub ended_at: Timestamp,
    /// Who ended it, where the file says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<EndedBy>,
    /// The note, where the file has one.
    #[serde(default)]
    pub note: Note,
    /// The IANA time zone in which times without offset were read.
    pub timezone: String,
    /// The file's name, without its folder.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The line in it.
    pub line: u64,
    /// The line's cells, as they were.
    pub row: Vec<String>,
}

/// What makes two sessions the same: connection, account, and both times to
/// the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionKey([u8; 16]);

/// Where a file comes from and how its times are meant.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Its name, without its folder.
    pub file: String,
    /// The IANA name of the zone of times without offset.
    pub timezone: String,
    /// Its rules.
    pub zone: TimeZone,
    /// What time it is: no session has ended behind it.
    pub now: Timestamp,
}

/// A file, read.
#[derive(Clone, Debug)]
pub struct ImportFile {
    /// SHA-256 of its bytes.
    pub sha256: Hash,
    /// How its bytes are text.
    pub encoding: Encoding,
    /// Which cell is what.
    pub layout: Layout,
    /// The sessions to take over.
    pub sessions: Vec<ImportedSession>,
    /// The lines that are not taken over, and why.
    pub skipped: Vec<Remark>,
    /// What else is to be said of lines that are taken over.
    pub remarks: Vec<Remark>,
}

/// Something about a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Its number, from 1.
    pub line: u64,
    /// What about it.
    pub words: String,
}

/// Why a file is not read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileRefusal {
    /// It is longer than [`MAX_FILE_BYTES`].
    #[error("it has more than {MAX_FILE_BYTES} bytes; split it")]
    TooLarge,
    /// Nothing stands in it.
    #[error("it is empty")]
    Empty,
    /// It is no text.
    #[error("it is no text file; save it as CSV")]
    NoText,
    /// It is not known which cell is what.
    #[error(transparent)]
    Layout(#[from] LayoutRefusal),
}

/// Reads a file. `order` says which cell is what, where its first line does not.
///
/// # Errors
/// [`FileRefusal`].
pub fn read(bytes: &[u8], order: Option<&[Column]>, origin: &Origin) -> Result<ImportFile, FileRefusal> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(FileRefusal::TooLarge);
    }
    let (text, encoding) = text::decoded(bytes)?;
    let layout = Layout::of(&text, order, &origin.zone)?;
    let sha256 = Hash::of(bytes);
    let mut file =
        ImportFile { sha256, encoding, layout, sessions: Vec::new(), skipped: Vec::new(), remarks: Vec::new() };
    let rows = columns::rows(&text, file.layout.separator).skip(usize::from(file.layout.has_header));
    let mut lines: BTreeMap<SessionKey, u64> = BTreeMap::new();
    for (line, cells) in rows {
        match row::session(&cells, &file.layout.columns, origin) {
            Err(why) => file.skipped.push(Remark { line, words: why.to_string() }),
            Ok((mut session, remark)) => {
                if let Some(first) = lines.get(&session.key()) {
                    file.skipped.push(Remark { line, words: format!("the same session as line {first}") });
                    continue;
                }
                lines.insert(session.key(), line);
                file.remarks.extend(remark.map(|words| Remark { line, words }));
                session.sha256 = sha256.to_string();
                session.line = line;
                session.row = cells;
                file.sessions.push(session);
            }
        }
    }
    Ok(file)
}

impl ImportedSession {
    /// How long it lasted, in whole seconds.
    pub fn duration_seconds(&self) -> i64 {
        self.ended_at.duration_since(self.since).as_secs().max(0)
    }

    /// Whether the file named the session: it was a report of ours.
    pub fn is_of_a_report(&self) -> bool {
        self.row.iter().any(|cell| cell == self.id.as_str())
    }

    /// The hash of its line as reports write one.
    pub fn line_hash(&self) -> Hash {
        Hash::of(&line(&self.row))
    }

    /// What makes it the same as another.
    pub fn key(&self) -> SessionKey {
        SessionKey::of(&self.connection, &self.user, self.since, self.ended_at)
    }
}

impl ImportFile {
    /// The ids and keys of what is to be taken over.
    pub fn wanted(&self) -> (BTreeSet<SessionId>, BTreeSet<SessionKey>) {
        let ids = self.sessions.iter().map(|session| session.id.clone());
        (ids.collect(), self.sessions.iter().map(ImportedSession::key).collect())
    }

    /// Leaves out what the ledger has already.
    pub fn leave_out(&mut self, known: &Known) {
        let (new, old): (Vec<_>, Vec<_>) = std::mem::take(&mut self.sessions)
            .into_iter()
            .partition(|session| !known.ids.contains(&session.id) && !known.keys.contains(&session.key()));
        self.sessions = new;
        let words = "the ledger has this session already";
        self.skipped.extend(old.iter().map(|session| Remark { line: session.line, words: words.into() }));
        self.skipped.sort_by_key(|remark| remark.line);
        let lines: BTreeSet<u64> = old.iter().map(|session| session.line).collect();
        self.remarks.retain(|remark| !lines.contains(&remark.line));
    }
}

/// The sessions of the ledger that are like wanted ones.
#[derive(Clone, Debug, Default)]
pub struct Known {
    ids: BTreeSet<SessionId>,
    keys: BTreeSet<SessionKey>,
}

impl Known {
    /// Remembers a session of the ledger, if it is like a wanted one.
    pub fn note(&mut self, entry: &Entry, ids: &BTreeSet<SessionId>, keys: &BTreeSet<SessionKey>) {
        if ids.contains(entry.id()) {
            self.ids.insert(entry.id().clone());
        }
        let Some(ended_at) = entry.ended_at() else { return };
        let key = SessionKey::of(entry.connection(), entry.user(), entry.since(), ended_at);
        if keys.contains(&key) {
            self.keys.insert(key);
        }
    }

    /// Remembers what was taken over just now.
    pub fn add(&mut self, sessions: &[ImportedSession]) {
        self.ids.extend(sessions.iter().map(|session| session.id.clone()));
        self.keys.extend(sessions.iter().map(ImportedSession::key));
    }
}

impl SessionKey {
    fn of(connection: &ConnectionId, user: &UserName, since: Timestamp, ended_at: Timestamp) -> SessionKey {
        let text = format!("{connection}\n{}\n{}\n{}", user.folded(), since.as_second(), ended_at.as_second());
        let mut key = [0; 16];
        key.copy_from_slice(&Hash::of(text.as_bytes()).bytes()[..16]);
        SessionKey(key)
    }

    /// An id made of it.
    fn id(self) -> SessionId {
        SessionId::named(&hexadecimal(self.0))
    }
}
