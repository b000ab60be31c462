//! Which weeks retention may take from the ledger: only those that are long
//! over, wherever their clocks hang, so that their reports are whole before.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::week::Week;

/// How far a time zone is ahead of UTC at most: a week begins so much earlier there.
const MOST_AHEAD: SignedDuration = SignedDuration::from_hours(14);

/// How far a time zone is behind UTC at most: a week lasts so much longer there.
const MOST_BEHIND: SignedDuration = SignedDuration::from_hours(12);

/// A week.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What happened before that time may be dropped, where what happened before
/// `cutoff` is old: nothing of the present week, or of the one before it.
pub fn whole_weeks_before(cutoff: Timestamp, now: Timestamp) -> Timestamp {
    let (monday, _) = week_at(now, -MOST_BEHIND - WEEK).days();
    let begins = TimeZone::UTC.to_timestamp(monday.at(0, 0, 0, 0)).unwrap_or(Timestamp::MIN);
    cutoff.min(begins.checked_sub(MOST_AHEAD).unwrap_or(Timestamp::MIN))
}

/// The last week of which the ledger may have lost sessions to retention, when
/// that was the time of the latest: its report is whole on the share, and
/// stays. The present week never is one, as it gets rows.
pub fn last_week_gone(latest: Timestamp, now: Timestamp) -> Week {
    week_at(latest, MOST_AHEAD).min(week_at(now, -MOST_BEHIND - WEEK))
}

fn week_at(time: Timestamp, ahead: SignedDuration) -> Week {
    Week::of(time.checked_add(ahead).unwrap_or(time), &TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn only_weeks_before_the_last_one_are_dropped() {
        for (now, cutoff, expected) in [
            ("2026-11-25T09:00:00Z", "2026-11-24T09:00:00Z", "2026-11-15T10:00:00Z"),
            ("2026-11-23T11:59:59Z", "2026-11-22T09:00:00Z", "2026-11-08T10:00:00Z"),
            ("2026-11-25T09:00:00Z", "2026-01-05T09:00:00Z", "2026-01-05T09:00:00Z"),
        ] {
            let before = whole_weeks_before(at(cutoff), at(now));
            assert_eq!(before, at(expected), "{now}");
            let latest = before - SignedDuration::from_nanos(1);
            assert_eq!(last_week_gone(latest, at(now)), week_at(latest, MOST_AHEAD), "it is as they say");
        }
    }

    #[test]
    fn the_present_week_is_never_gone() {
        let now = at("2026-11-25T09:00:00Z");
        assert_eq!(last_week_gone(now, now).to_string(), "2026-W47");
        assert_eq!(last_week_gone(at("2026-01-05T09:00:00Z"), now).to_string(), "2026-W02");
    }
}
