//! Weekly reports: which file a session belongs to, and its row there.
//!
//! A report is RFC 4180 with a UTF-8 byte order mark; weeks are those of
//! ISO 8601; times are RFC 3339 with the zone's offset.

use std::fmt;

use jiff::{
    Timestamp,
    civil::{Date, ISOWeekDate, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use crate::session::EndedSession;

/// The columns of a report, in order.
pub const COLUMNS: [&str; 9] =
    ["main", "sub", "user", "connected_at", "disconnected_at", "duration_s", "ended_by", "note", "session_id"];

/// What a report begins with, so that spreadsheets read it as UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// An ISO 8601 week, written `2026-W48`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Week {
    year: i16,
    number: i8,
}

/// A text that is no week.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a week like 2026-W48")]
pub struct NotAWeek(String);

impl Week {
    /// The week in which a moment falls where that zone's clocks hang.
    pub fn of(at: Timestamp, zone: &TimeZone) -> Week {
        let date = at.to_zoned_datetime(zone.clone()).date().iso_week_date();
        Week { year: date.year(), number: date.week() }
    }

    /// Reads `2026-W48`.
    ///
    /// # Errors
    /// [`NotAWeek`] for another shape, or a week that its year does not have.
    pub fn parse(text: &str) -> Result<Week, NotAWeek> {
        let refused = || NotAWeek(text.to_owned());
        let shaped = text.len() == 8 && text.is_ascii() && &text[4..6] == "-W";
        if !shaped || text.bytes().enumerate().any(|(at, b)| at != 4 && at != 5 && !b.is_ascii_digit()) {
            return Err(refused());
        }
        let (Ok(year), Ok(number)) = (text[..4].parse(), text[6..].parse()) else {
            return Err(refused());
        };
        ISOWeekDate::new(year, number, Weekday::Monday).map_err(|_| refused())?;
        Ok(Week { year, number })
    }

    /// The week of a report's file name, `audit-2026-W48.csv`.
    pub fn of_file_name(name: &str) -> Option<Week> {
        let text = name.strip_prefix("audit-")?.strip_suffix(".csv")?;
        Week::parse(text).ok()
    }

    /// The report's file name.
    pub fn file_name(self) -> String {
        format!("audit-{self}.csv")
    }

    /// Its Monday and its Sunday.
    pub fn days(self) -> (Date, Date) {
        let day = |weekday| ISOWeekDate::new(self.year, self.number, weekday).map(ISOWeekDate::date);
        let monday = day(Weekday::Monday).expect("a Week is only made of weeks that exist");
        (monday, day(Weekday::Sunday).unwrap_or(Date::MAX))
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-W{:02}", self.year, self.number)
    }
}

impl TryFrom<String> for Week {
    type Error = NotAWeek;
    fn try_from(text: String) -> Result<Self, NotAWeek> {
        Week::parse(&text)
    }
}

impl From<Week> for String {
    fn from(week: Week) -> String {
        week.to_string()
    }
}

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

fn local_time(at: Timestamp, zone: &TimeZone) -> String {
    let local = at.to_zoned_datetime(zone.clone());
    if local.offset().is_zero() {
        return local.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    }
    local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

fn line(cells: [String; 9]) -> Vec<u8> {
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
    };

    fn week(at: &str, zone: &str) -> String {
        Week::of(at.parse().unwrap(), &TimeZone::get(zone).unwrap()).to_string()
    }

    #[test]
    fn weeks_are_those_of_iso_8601_where_the_clock_hangs() {
        for (at, zone, expected) in [
            ("2026-11-24T09:12:00Z", "UTC", "2026-W48"),
            ("2026-12-31T23:30:00Z", "UTC", "2026-W53"),
            ("2027-01-03T22:59:59Z", "Europe/Berlin", "2026-W53"),
            ("2027-01-03T23:00:00Z", "Europe/Berlin", "2027-W01"),
            ("2024-12-30T00:00:00Z", "UTC", "2025-W01"),
            ("2026-03-29T00:59:59Z", "Europe/Berlin", "2026-W13"),
            ("2026-03-29T22:00:00Z", "Europe/Berlin", "2026-W14"),
            ("2026-10-25T22:59:59Z", "Europe/Berlin", "2026-W43"),
            ("2026-10-25T23:00:00Z", "Europe/Berlin", "2026-W44"),
            ("2026-11-23T11:00:00Z", "Pacific/Auckland", "2026-W48"),
            ("2026-11-22T11:00:00Z", "Pacific/Auckland", "2026-W48"),
        ] {
            assert_eq!(week(at, zone), expected, "{at} in {zone}");
        }
    }

    #[test]
    fn only_weeks_that_exist_are_weeks() {
        for (text, fine) in [
            ("2026-W48", true),
            ("2026-W53", true),
            ("2025-W53", false),
            ("2026-W00", false),
            ("2026-W1", false),
            ("2026-48", false),
            ("2026-W+8", false),
            ("../../W48", false),
            ("２６-W48", false),
        ] {
            assert_eq!(Week::parse(text).is_ok(), fine, "{text:?}");
        }
        assert_eq!(
            Week::of_file_name("audit-2026-W48.csv").map(Week::file_name).as_deref(),
            Some("audit-2026-W48.csv")
        );
        assert_eq!(Week::of_file_name("audit-2026-W48.checkpoint"), None);
        let (monday, sunday) = Week::parse("2026-W53").unwrap().days();
        assert_eq!((monday.to_string().as_str(), sunday.to_string().as_str()), ("2026-12-28", "2027-01-03"));
    }

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
