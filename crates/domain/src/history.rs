//! Finding sessions again: what is looked for, and where it can be.
//!
//! [`Filter`] says whether a session is meant, [`BlockIndex`] in which records
//! such sessions can be at all, [`Cursor`] where a page ends, and [`times`] how
//! people write times. A session lasts from its check to its uncheck, both
//! included; one that has not ended lasts on.

use std::cmp::Ordering;

use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;

use crate::{
    connection::ConnectionId,
    import::ImportedSession,
    names::UserName,
    record::{LineError, Record},
    report::{harmless, line, local_time, row},
    session::{EndedSession, Session, SessionId},
};

mod cursor;
mod index;
pub mod times;

#[cfg(test)]
mod model;

pub use cursor::{Cursor, NotACursor};
pub use index::{BlockIndex, MAX_BLOCKS, RECORDS_PER_BLOCK, Span};

/// A session, however it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// It has not ended.
    Running(Session),
    /// It has ended.
    Ended(EndedSession),
    /// Another tool kept it.
    Imported(ImportedSession),
}

/// Which sessions are meant: all that fit everything that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// It had not ended before this moment.
    pub from: Option<Timestamp>,
    /// It had begun by this moment.
    pub to: Option<Timestamp>,
    /// Who was on it, whatever the case.
    pub user: Option<String>,
    /// The connection's main name, whatever the case.
    pub main: Option<String>,
    /// The connection's sub name, whatever the case.
    pub sub: Option<String>,
}

impl Entry {
    /// The session that a record of the stream `audit` ends or imports.
    ///
    /// # Errors
    /// [`LineError::NotARecord`] where it says it in a way that is not known.
    pub fn of_record(record: &Record) -> Result<Option<Entry>, LineError> {
        let entry = match record.kind.as_str() {
            "unchecked" => EndedSession::deserialize(&record.body).map(Entry::Ended),
            "imported" => ImportedSession::deserialize(&record.body).map(Entry::Imported),
            _ => return Ok(None),
        };
        entry.map(Some).map_err(|error| LineError::NotARecord(error.to_string()))
    }

    /// Its id.
    pub fn id(&self) -> &SessionId {
        match self {
            Entry::Running(session) => &session.id,
            Entry::Ended(ended) => &ended.session.id,
            Entry::Imported(imported) => &imported.id,
        }
    }

    /// Which connection it was on.
    pub fn connection(&self) -> &ConnectionId {
        match self {
            Entry::Running(session) => &session.connection,
            Entry::Ended(ended) => &ended.session.connection,
            Entry::Imported(imported) => &imported.connection,
        }
    }

    /// Who was on it.
    pub fn user(&self) -> &UserName {
        match self {
            Entry::Running(session) => &session.user,
            Entry::Ended(ended) => &ended.session.user,
            Entry::Imported(imported) => &imported.user,
        }
    }

    /// When it began.
    pub fn since(&self) -> Timestamp {
        match self {
            Entry::Running(session) => session.since,
            Entry::Ended(ended) => ended.session.since,
            Entry::Imported(imported) => imported.since,
        }
    }

    /// When it ended, never before it began; `None` while it has not.
    pub fn ended_at(&self) -> Option<Timestamp> {
        match self {
            Entry::Running(_) => None,
            Entry::Ended(ended) => Some(ended.ended_at.max(ended.session.since)),
            Entry::Imported(imported) => Some(imported.ended_at),
        }
    }

    /// Which of two comes first on a page: the one that began later.
    pub fn latest_first(&self, other: &Entry) -> Ordering {
        (other.since(), other.id()).cmp(&(self.since(), self.id()))
    }

    /// Its row as in a weekly report. One that has not ended tells its time in
    /// that zone, and the cells of its end are empty.
    pub fn row(&self, zone: &TimeZone) -> Vec<u8> {
        let names = |entry: &Entry| {
            let connection = entry.connection();
            [connection.main().as_str(), connection.sub().as_str(), entry.user().as_str()].map(harmless)
        };
        let [main, sub, user] = names(self);
        match self {
            Entry::Ended(ended) => row(ended),
            Entry::Running(session) => {
                let since = local_time(session.since, zone);
                let [end, duration, by] = [(); 3].map(|()| String::new());
                line([
                    main,
                    sub,
                    user,
                    since,
                    end,
                    duration,
                    by,
                    harmless(session.note.as_str()),
                    session.id.to_string(),
                ])
            }
            Entry::Imported(imported) => {
                let zone = TimeZone::get(&imported.timezone).unwrap_or(TimeZone::UTC);
                let times = [imported.since, imported.ended_at].map(|at| local_time(at, &zone));
                let [since, end] = times;
                let duration = imported.duration_seconds().to_string();
                let by = imported.ended_by.as_ref().map(ToString::to_string).unwrap_or_default();
                let note = harmless(imported.note.as_str());
                line([main, sub, user, since, end, duration, harmless(&by), note, imported.id.to_string()])
            }
        }
    }
}

impl Filter {
    /// Whether a session is meant.
    pub fn means(&self, entry: &Entry) -> bool {
        let begun = self.to.is_none_or(|to| entry.since() <= to);
        let not_ended = self.from.is_none_or(|from| entry.ended_at().is_none_or(|ended_at| ended_at >= from));
        begun
            && not_ended
            && is_same(self.user.as_deref(), entry.user().as_str())
            && is_same(self.main.as_deref(), entry.connection().main().as_str())
            && is_same(self.sub.as_deref(), entry.connection().sub().as_str())
    }
}

fn is_same(wanted: Option<&str>, name: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == name || wanted.to_lowercase() == name.to_lowercase())
}
