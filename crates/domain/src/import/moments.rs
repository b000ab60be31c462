//! Times and durations as other tools write them.

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

/// How days, months and years stand in what is not ISO 8601.
const LOCAL_FORMATS: [&str; 4] = ["%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y, %H:%M:%S", "%d.%m.%Y, %H:%M"];

/// More digits than these count milliseconds since 1970, and no seconds.
const MAX_UNIX_SECOND_DIGITS: usize = 11;

/// The moments that a text can mean: none, one, or, where clocks were set back
/// over it, two, the earlier first.
pub(super) fn read(text: &str, zone: &TimeZone) -> Vec<Timestamp> {
    let text = text.trim();
    if let Some(at) = unix(text).or_else(|| text.parse().ok()) {
        return vec![at];
    }
    let Some(local) = local(text) else { return Vec::new() };
    let ambiguous = zone.to_ambiguous_timestamp(local);
    let both = [ambiguous.earlier(), ambiguous.later()];
    match (ambiguous.is_ambiguous(), both, ambiguous.compatible()) {
        (true, [Ok(earlier), Ok(later)], Ok(compatible)) => {
            // In a gap of the clock both are made up; the usual one will do.
            let happened_twice = earlier < later && compatible == earlier;
            if happened_twice { vec![earlier, later] } else { vec![compatible] }
        }
        (_, _, compatible) => compatible.into_iter().collect(),
    }
}

/// Seconds, `h:mm:ss`, or Python's `1 day, 2:03:04`.
pub(super) fn duration(text: &str) -> Option<SignedDuration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return (seconds.is_finite() && seconds >= 0.0).then(|| SignedDuration::try_from_secs_f64(seconds).ok())?;
    }
    let (days, clock) = match text.split_once(", ") {
        Some((days, clock)) => (days.split(' ').next()?.parse::<i64>().ok()?, clock),
        None => (0, text),
    };
    let mut parts = clock.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = days.checked_mul(24)?.checked_add(hours.parse::<u32>().ok()?.into())?;
    let minutes = whole.checked_mul(60)?.checked_add(minutes.parse::<u32>().ok()?.into())?;
    let seconds = seconds.parse::<f64>().ok().filter(|seconds| (0.0..61.0).contains(seconds))?;
    let seconds = SignedDuration::try_from_secs_f64(seconds).ok()?;
    parts.next().is_none().then(|| SignedDuration::from_secs(minutes.checked_mul(60)?).checked_add(seconds))?
}

fn unix(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // Fewer digits are a year, a day, or some other number.
    if whole.len() < 9 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    if whole.len() > MAX_UNIX_SECOND_DIGITS {
        Timestamp::from_millisecond(number)
    } else {
        Timestamp::from_second(number)
    }
    .ok()
}

fn local(text: &str) -> Option<DateTime> {
    // A date alone reads as its midnight, which nobody said.
    if !text.contains(':') {
        return None;
    }
    let iso = || text.replace(',', ".").parse().ok();
    LOCAL_FORMATS.iter().find_map(|format| DateTime::strptime(format, text).ok()).or_else(iso)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin(text: &str) -> Vec<String> {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        read(text, &zone).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn times_of_other_tools_are_read() {
        for (text, expected) in [
            ("2026-11-24T10:00:00+01:00", "2026-11-24T09:00:00Z"),
            ("2026-11-24T09:00:00Z", "2026-11-24T09:00:00Z"),
            ("2026-11-24 10:00:00", "2026-11-24T09:00:00Z"),
            ("2026-11-24 10:00", "2026-11-24T09:00:00Z"),
            ("2026-11-24 10:00:00.250000", "2026-11-24T09:00:00.25Z"),
            ("2026-11-24 10:00:00,250", "2026-11-24T09:00:00.25Z"),
            ("24.11.2026 10:00", "2026-11-24T09:00:00Z"),
            (" 24.11.2026 10:00:05 ", "2026-11-24T09:00:05Z"),
            ("24.11.2026, 10:00:05", "2026-11-24T09:00:05Z"),
            ("1795510800", "2026-11-24T09:00:00Z"),
            ("1795510800.75", "2026-11-24T09:00:00Z"),
            ("1795510800000", "2026-11-24T09:00:00Z"),
        ] {
            assert_eq!(berlin(text), [expected], "{text}");
        }
        for text in ["", "2026-11-24", "24.11.2026", "11/24/2026 10:00", "10:00", "yesterday", "12", "99.99.2026 10:00"]
        {
            assert!(berlin(text).is_empty(), "{text}: {:?}", berlin(text));
        }
    }

    #[test]
    fn an_hour_that_comes_twice_is_two_moments_and_one_that_never_came_is_one() {
        assert_eq!(berlin("2026-10-25 02:30:00"), ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]);
        assert_eq!(berlin("2026-03-29 02:30:00"), ["2026-03-29T01:30:00Z"]);
    }

    #[test]
    fn durations_of_other_tools_are_read() {
        for (text, expected) in [
            ("90", 90),
            ("90.5", 90),
            ("1:01:30", 3_690),
            ("0:00:05.25", 5),
            ("1 day, 0:00:01", 86_401),
            ("2 days, 1:00:00", 176_400),
        ] {
            assert_eq!(duration(text).map(|duration| duration.as_secs()), Some(expected), "{text}");
        }
        for text in ["", "-5", "soon", "1:30", "NaN", "1:2:3:4", "999999999999999999 days, 1:00:00"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
