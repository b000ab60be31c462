//! How often somebody may do something: so many a minute, all of them at once
//! if need be (a token bucket, kept as GCRA: one time for each who asks).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// The span that limits speak of.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Most who are remembered; beyond, who asked least lately is forgotten. An
/// entry has about a hundred bytes.
const MAX_REMEMBERED: usize = 65_536;

/// Counts what each may do a minute.
#[derive(Clone, Debug)]
pub struct Rate<Key> {
    interval: SignedDuration,
    /// When each may do the whole minute's number at once again.
    full_at: BTreeMap<Key, Timestamp>,
}

impl<Key: Ord + Clone> Rate<Key> {
    /// So many a minute for each, at least one.
    pub fn per_minute(number: u32) -> Rate<Key> {
        Rate { interval: MINUTE / i32::try_from(number.max(1)).unwrap_or(i32::MAX), full_at: BTreeMap::new() }
    }

    /// Takes one of them.
    ///
    /// # Errors
    /// How long to wait where there is none left.
    pub fn take(&mut self, key: &Key, now: Timestamp) -> Result<(), SignedDuration> {
        // What lies further ahead was noted before the clock was set back: it keeps nobody waiting.
        let noted = self.full_at.get(key).copied().filter(|full_at| *full_at <= now + MINUTE);
        let full_at = noted.unwrap_or(now).max(now);
        let next = full_at + self.interval;
        let wait = next.duration_since(now) - MINUTE;
        if wait > SignedDuration::ZERO {
            return Err(wait);
        }
        if !self.full_at.contains_key(key) {
            self.make_room(now);
        }
        self.full_at.insert(key.clone(), next);
        Ok(())
    }

    /// How many are remembered.
    pub fn remembered(&self) -> usize {
        self.full_at.len()
    }

    fn make_room(&mut self, now: Timestamp) {
        if self.full_at.len() < MAX_REMEMBERED {
            return;
        }
        self.full_at.retain(|_, full_at| *full_at > now);
        if self.full_at.len() >= MAX_REMEMBERED {
            let mut times: Vec<Timestamp> = self.full_at.values().copied().collect();
            let (_, middle, _) = times.select_nth_unstable(MAX_REMEMBERED / 2);
            let middle = *middle;
            self.full_at.retain(|_, full_at| *full_at > middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap()
    }

    #[test]
    fn the_whole_minute_may_come_at_once_and_then_one_by_one() {
        let mut rate = Rate::per_minute(60);
        for _ in 0..60 {
            assert_eq!(rate.take(&"alice", at(0)), Ok(()));
        }
        assert_eq!(rate.take(&"alice", at(0)), Err(SignedDuration::from_secs(1)));
        assert_eq!(rate.take(&"bob", at(0)), Ok(()), "others have their own");
        assert_eq!(rate.take(&"alice", at(999)), Err(SignedDuration::from_millis(1)));
        assert_eq!(rate.take(&"alice", at(1_000)), Ok(()));
        assert!(rate.take(&"alice", at(1_000)).is_err());
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_waiting() {
        let mut rate = Rate::per_minute(1);
        assert_eq!(rate.take(&"alice", at(86_400_000)), Ok(()));
        assert_eq!(rate.take(&"alice", at(0)), Ok(()));
        assert_eq!(rate.take(&"alice", at(0)), Err(MINUTE), "it is counted from there");
        assert_eq!(rate.take(&"bob", at(0)), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let mut rate = Rate::per_minute(1);
        for key in 0..(3 * MAX_REMEMBERED) {
            assert_eq!(rate.take(&key, at(i64::try_from(key).unwrap() / 100)), Ok(()));
        }
        assert!(rate.remembered() <= MAX_REMEMBERED);
    }

    proptest! {
        /// In no minute, nobody gets more than twice the number (a full bucket
        /// and its refill), and a wait that was told is enough.
        #[test]
        fn nobody_gets_more_than_the_number(number in 1_u32..50, pauses in prop::collection::vec(0_i64..5_000, 1..200)) {
            let mut rate = Rate::per_minute(number);
            let (mut now, mut taken) = (0, Vec::new());
            for pause in pauses {
                now += pause;
                match rate.take(&(), at(now)) {
                    Ok(()) => taken.push(now),
                    Err(wait) => prop_assert!(rate.clone().take(&(), at(now) + wait).is_ok()),
                }
                let lately = taken.iter().filter(|then| **then > now - 60_000).count();
                prop_assert!(lately <= 2 * number as usize);
            }
        }
    }
}
