//! Weekly reports: a session's row there.
//!
//! A report is RFC 4180 with a UTF-8 byte order mark; times are RFC 3339 with
//! the zone's offset. Which file a session belongs to says its [`crate::week`].

mod difference;
mod torn;

use jiff::{Timestamp, tz::TimeZone};

use crate::session::EndedSession;

pub use difference::{Difference, ImportedRows, LedgerRow, differences};
pub use torn::{is_torn, mended};

/// How many hexadecimal digits a session's id has.
const SESSION_ID_DIGITS: usize = 32;

/// The columns of a report, in order.
pub const COLUMNS: [&str; 9] =
    ["main", "sub", "user", "connected_at", "disconnected_at", "duration_s", "ended_by", "note", "session_id"];

/// What a report begins with, so that spreadsheets read it as UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The bytes with which a file begins: byte order mark and header line.
pub fn opening() -> Vec<u8> {
    [BYTE_ORDER_MARK, &line(COLUMNS.map(String::from))].concat()
}

/// A session's row, ended by CR LF.
pub fn row(ended: &EndedSession) -> Vec<u8> {
    let zone = TimeZone::get(&ended.timezone).unwrap_or(TimeZone::UTC);
    let session = &ended.session;
    line([
        harmless(session.connection.main().as_str()),
        harmless(session.connection.sub().as_str()),
        harmless(session.user.as_str()),
        local_time(session.since, &zone),
        local_time(ended.ended_at, &zone),
        ended.duration_seconds().to_string(),
        harmless(&ended.ended_by.to_string()),
        harmless(session.note.as_str()),
        session.id.to_string(),
    ])
}

/// The id of the session that a line is about: the last run of just 32
/// hexadecimal digits in it. So it is found whatever people did to the file:
/// another separator, a column more, a stray quote. A note stands before it, so
/// that nobody hides a session by noting its id on another.
pub fn session_of(line: &[u8]) -> Option<&[u8]> {
    let mut runs = line.split(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    runs.rfind(|run| run.len() == SESSION_ID_DIGITS)
}

/// A cell that no spreadsheet takes for a formula: `'` goes before `=`, `+`,
/// `-`, `@`, tab, CR and NUL.
pub fn harmless(cell: &str) -> String {
    match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\0') => format!("'{cell}"),
        _ => cell.to_owned(),
    }
}

/// The rows of a report's bytes as texts: the header first, then each row. A
/// byte order mark is passed over; what is not UTF-8 is replaced.
pub fn read_rows(bytes: &[u8]) -> Vec<Vec<String>> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let rows = reader.byte_records().map_while(Result::ok);
    rows.map(|row| row.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()).collect()
}

pub(crate) fn local_time(at: Timestamp, zone: &TimeZone) -> String {
    let local = at.to_zoned_datetime(zone.clone());
    if local.offset().is_zero() {
        return local.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    }
    local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

pub(crate) fn line(cells: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells).expect("a Vec takes every write");
    writer.into_inner().expect("a Vec takes every flush")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        connection::ConnectionId,
        names::{Note, UserName},
        session::{EndedBy, Session, SessionId, Source},
        week::Week,
    };

    fn ended(note: &str, zone: &str, since: &str, ended_at: &str) -> EndedSession {
        let user = UserName::parse("=alice").unwrap();
        let ended_at: Timestamp = ended_at.parse().unwrap();
        EndedSession {
            session: Session {
                id: SessionId::of_bits([7; 16]),
                connection: ConnectionId::parse("Klinikum \"Ulm\";PACS, Nord").unwrap(),
                user: user.clone(),
                since: since.parse().unwrap(),
                note: Note::parse(note).unwrap(),
                source: Source::Page,
            },
            ended_at,
            ended_by: EndedBy::Holder(user),
            week: Week::of(ended_at, &TimeZone::get(zone).unwrap()),
            timezone: zone.into(),
        }
    }

    #[test]
    fn a_row_is_rfc_4180_and_harmless() {
        let session = ended("-2+3", "Europe/Berlin", "2026-10-25T00:30:00.900Z", "2026-10-25T01:30:00.100Z");
        insta::assert_snapshot!(String::from_utf8(row(&session)).unwrap().escape_debug().to_string());
        insta::assert_snapshot!(String::from_utf8(opening()).unwrap().escape_debug().to_string());
    }

    #[test]
    fn what_was_written_reads_back() {
        let session = ended("a \"quoted\", note", "UTC", "2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z");
        let rows = read_rows(&[opening(), row(&session)].concat());
        assert_eq!(rows[0], COLUMNS);
        assert_eq!(rows[1][7], "a \"quoted\", note");
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn a_clock_set_back_makes_no_negative_duration() {
        let session = ended("", "UTC", "2026-11-24T10:00:00Z", "2026-11-24T09:00:00Z");
        assert_eq!(session.duration_seconds(), 0);
    }

    #[test]
    fn cells_of_formulas_are_made_harmless() {
        for first in ["=", "+", "-", "@", "\t", "\r", "\0"] {
            assert_eq!(harmless(&format!("{first}x")), format!("'{first}x"));
        }
        assert_eq!(harmless("a=b"), "a=b");
        assert_eq!(harmless(""), "");
    }
}
