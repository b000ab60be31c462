//! Times as people write them in a search: RFC 3339, or a day, or a local time.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// What a day stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    /// Its first moment.
    Beginning,
    /// Its last moment.
    End,
    /// It is no time; one has to be given.
    Refused,
}

/// A text that is no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotATime {
    /// It cannot be read.
    #[error("{0:?} is no time; write 2026-11-24T09:30:00Z, 2026-11-24T09:30 (in TIMEZONE) or a day, 2026-11-24")]
    Unknown(String),
    /// A day where a time is meant.
    #[error("{0} is a whole day; name a time, as 2026-11-24T09:30, or the day with from and to")]
    WholeDay(String),
}

/// Reads a time; one without offset is the clock's in that zone.
///
/// # Errors
/// [`NotATime`].
pub fn read_time(text: &str, zone: &TimeZone, day: Day) -> Result<Timestamp, NotATime> {
    let text = text.trim();
    if let Some(date) = date(text) {
        let beginning =
            |date: Date| zone.to_ambiguous_zoned_datetime(date.to_datetime(jiff::civil::Time::midnight())).compatible();
        let read = match day {
            Day::Beginning => beginning(date).map(|first| first.timestamp()),
            Day::End => date
                .tomorrow()
                .and_then(beginning)
                .and_then(|next| next.timestamp().checked_sub(jiff::SignedDuration::from_nanos(1))),
            Day::Refused => return Err(NotATime::WholeDay(text.to_owned())),
        };
        return read.map_err(|_| NotATime::Unknown(text.to_owned()));
    }
    instant(text)
        .or_else(|| {
            let local: DateTime = text.parse().ok()?;
            zone.to_ambiguous_timestamp(local).compatible().ok()
        })
        .ok_or_else(|| NotATime::Unknown(text.to_owned()))
}

/// A day and nothing else: a longer text is a time.
fn date(text: &str) -> Option<Date> {
    if text.len() == "2026-11-24".len() { text.parse().ok() } else { None }
}

/// RFC 3339. A `+` that was not escaped in an address comes as a space.
fn instant(text: &str) -> Option<Timestamp> {
    let unescaped = || {
        let (time, offset) = text.rsplit_once(' ')?;
        format!("{time}+{offset}").parse().ok()
    };
    text.parse().ok().or_else(unescaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, day: Day) -> Option<String> {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        read_time(text, &zone, day).ok().map(|at| at.to_string())
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, expected) in [
            ("2026-11-24T09:30:00Z", "2026-11-24T09:30:00Z"),
            ("2026-11-24T09:30:00+02:00", "2026-11-24T07:30:00Z"),
            ("2026-11-24T09:30:00 02:00", "2026-11-24T07:30:00Z"),
            ("2026-11-24T09:30", "2026-11-24T08:30:00Z"),
            ("2026-11-24 09:30:15", "2026-11-24T08:30:15Z"),
            ("2026-10-25T02:30", "2026-10-25T00:30:00Z"),
        ] {
            assert_eq!(read(text, Day::Refused).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "yesterday", "2026-11-24", "2026-13-01", "09:30", "24.11.2026", "2026-11-24T25:00"] {
            assert_eq!(read(text, Day::Refused), None, "{text}");
        }
    }

    #[test]
    fn a_day_is_its_beginning_or_its_end() {
        for (text, beginning, end) in [
            ("2026-11-24", "2026-11-23T23:00:00Z", "2026-11-24T22:59:59.999999999Z"),
            ("2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59.999999999Z"),
            ("2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59.999999999Z"),
        ] {
            assert_eq!(read(text, Day::Beginning).as_deref(), Some(beginning));
            assert_eq!(read(text, Day::End).as_deref(), Some(end));
        }
        assert_eq!(read("2026-02-30", Day::End), None);
    }
}
