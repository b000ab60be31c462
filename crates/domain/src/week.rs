//! Weeks, and the names of their reports.

use std::fmt;

use jiff::{
    Timestamp,
    civil::{Date, ISOWeekDate, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

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

    /// The file name of the report's checkpoint.
    pub fn checkpoint_name(self) -> String {
        format!("audit-{self}.checkpoint")
    }

    /// The week of a checkpoint's file name, `audit-2026-W48.checkpoint`.
    pub fn of_checkpoint_name(name: &str) -> Option<Week> {
        let text = name.strip_prefix("audit-")?.strip_suffix(".checkpoint")?;
        Week::parse(text).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(Week::of_checkpoint_name("audit-2026-W48.csv"), None);
        let name = "audit-2026-W48.checkpoint";
        assert_eq!(Week::of_checkpoint_name(name).map(Week::checkpoint_name).as_deref(), Some(name));
        let (monday, sunday) = Week::parse("2026-W53").unwrap().days();
        assert_eq!((monday.to_string().as_str(), sunday.to_string().as_str()), ("2026-12-28", "2027-01-03"));
    }
}
