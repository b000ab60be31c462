//! Guessing passwords: who has failed waits, and nobody else does.
//!
//! - An account fails five times from one site, then waits 1, 2, 4 … seconds
//!   there, up to 15 minutes. Elsewhere it waits for nothing: who attacks an
//!   account does not lock its owner out.
//! - A site that has used up the failures that it may have a minute, whatever the
//!   accounts, waits until it may have the next, and longer with each that comes
//!   all the same. That wait is not for accounts that have signed in from there, nor
//!   for one's first try: a whole office comes from one address, and some of
//!   it mistype.
//! - A site has no more under way for accounts that have not signed in from there
//!   than it may fail: a burst does not fill the queue for the passwords of everybody.
//!
//! A site is an IPv4 address or an IPv6 network ([`Site`]). What is remembered
//! ends with the process, is bounded, and is no record.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::address::Site;

/// How often somebody may fail before waits begin: a person remembers by then.
pub const FREE_FAILURES: u32 = 5;

/// The longest wait; four guesses an hour lead nowhere.
pub const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);

/// How long a failure is remembered.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(1);

/// How many first tries a site has at once that waits, or would if those under
/// way failed: it may not fill the queue for the passwords of everybody.
const FIRST_TRIES_AT_ONCE: u32 = 4;

/// Most pairs of account and site, and most sites, that are remembered; an
/// entry has up to a kilobyte.
const MAX_REMEMBERED: usize = 32_768;

/// Whether a password may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes; it is under way until its end is told.
    Try,
    /// Once one that is under way has ended.
    Queue,
    /// After that time.
    Wait(SignedDuration),
}

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The password was right.
    Right,
    /// It was wrong.
    Wrong,
    /// That could not be said.
    Unknown,
}

/// What is remembered of tries.
#[derive(Clone, Debug)]
pub struct Guesses {
    /// How long a site's failure counts for.
    interval: SignedDuration,
    /// How often a site may fail a minute.
    limit: u32,
    pairs: BTreeMap<(String, Site), Pair>,
    sites: BTreeMap<Site, Crowd>,
}

/// An account, as one site tries it.
#[derive(Clone, Copy, Debug)]
struct Pair {
    failures: u32,
    under_way: u32,
    /// Whether it has signed in from there.
    known: bool,
    touched: Timestamp,
}

/// All that a site tries.
#[derive(Clone, Copy, Debug)]
struct Crowd {
    /// When its failures are worked off.
    empty_at: Timestamp,
    under_way: u32,
    wait: SignedDuration,
    touched: Timestamp,
}

impl Guesses {
    /// Nothing has happened; a site may fail so often a minute, at least once.
    pub fn new(failures_per_minute: u32) -> Guesses {
        let number = i32::try_from(failures_per_minute.max(1)).unwrap_or(i32::MAX);
        Guesses {
            interval: SignedDuration::from_mins(1) / number,
            limit: failures_per_minute.max(1),
            pairs: BTreeMap::new(),
            sites: BTreeMap::new(),
        }
    }

    /// Whether an account's password may be tried from a site; the account need
    /// not exist.
    pub fn begin(&mut self, account: &str, site: Site, now: Timestamp) -> Verdict {
        self.make_room();
        let pair = self.pairs.entry((account.to_owned(), site)).or_insert_with(|| Pair::untried(now));
        let crowd = self.sites.entry(site).or_insert_with(|| Crowd::quiet(now));
        let verdict = pair.verdict(now).unwrap_or_else(|| crowd.verdict(pair, self.interval, self.limit, now));
        if verdict == Verdict::Try {
            pair.under_way += 1;
            crowd.under_way += 1;
        }
        verdict
    }

    /// Ends a try; where it was wrong and the site waits, gives how long.
    pub fn end(&mut self, account: &str, site: Site, end: End, now: Timestamp) -> Option<SignedDuration> {
        let pair = self.pairs.entry((account.to_owned(), site)).or_insert_with(|| Pair::untried(now));
        let crowd = self.sites.entry(site).or_insert_with(|| Crowd::quiet(now));
        pair.under_way = pair.under_way.saturating_sub(1);
        crowd.under_way = crowd.under_way.saturating_sub(1);
        match end {
            End::Right => (pair.failures, pair.known, pair.touched) = (0, true, now),
            End::Wrong => {
                pair.failures = pair.failures.saturating_add(1);
                pair.touched = now;
                let waited = crowd.waits(now);
                crowd.fail(self.interval, self.limit, now);
                return waited.and_then(|_| crowd.waits(now));
            }
            End::Unknown => {}
        }
        None
    }

    /// How many pairs and sites are remembered.
    pub fn remembered(&self) -> (usize, usize) {
        (self.pairs.len(), self.sites.len())
    }

    fn make_room(&mut self) {
        if self.pairs.len() >= MAX_REMEMBERED {
            let oldest = older_half(self.pairs.values().map(|pair| (pair.known, pair.touched)));
            self.pairs.retain(|_, pair| pair.under_way > 0 || (pair.known, pair.touched) > oldest);
        }
        if self.sites.len() >= MAX_REMEMBERED {
            let oldest = older_half(self.sites.values().map(|crowd| (true, crowd.touched)));
            self.sites.retain(|_, crowd| crowd.under_way > 0 || (true, crowd.touched) > oldest);
        }
    }
}

impl Pair {
    fn untried(now: Timestamp) -> Pair {
        Pair { failures: 0, under_way: 0, known: false, touched: now }
    }

    /// What its own failures say, if anything.
    fn verdict(&mut self, now: Timestamp) -> Option<Verdict> {
        let passed = now.duration_since(self.touched);
        if passed > REMEMBERED {
            self.failures = 0;
        }
        let wait = self.failures.checked_sub(FREE_FAILURES).map_or(SignedDuration::ZERO, doubled);
        if let Some(left) = left(wait, passed) {
            return Some(Verdict::Wait(left));
        }
        (self.under_way > 0 && self.failures + self.under_way >= FREE_FAILURES).then_some(Verdict::Queue)
    }
}

impl Crowd {
    fn quiet(now: Timestamp) -> Crowd {
        Crowd { empty_at: now, under_way: 0, wait: SignedDuration::ZERO, touched: now }
    }

    fn verdict(&self, pair: &Pair, interval: SignedDuration, limit: u32, now: Timestamp) -> Verdict {
        let is_full = self.under_way >= FIRST_TRIES_AT_ONCE;
        let would_wait = || self.level(interval, now).saturating_add(self.under_way) >= limit;
        match self.waits(now) {
            Some(_) | None if pair.known => Verdict::Try,
            Some(left) => match (pair.failures, pair.under_way) {
                (0, 0) if !is_full => Verdict::Try,
                (0, _) => Verdict::Queue,
                _ => Verdict::Wait(left),
            },
            None if is_full && would_wait() => Verdict::Queue,
            None => Verdict::Try,
        }
    }

    fn waits(&self, now: Timestamp) -> Option<SignedDuration> {
        left(self.wait, now.duration_since(self.touched))
    }

    fn fail(&mut self, interval: SignedDuration, limit: u32, now: Timestamp) {
        self.empty_at = self.empty_at.clamp(now, now + REMEMBERED) + interval;
        self.touched = now;
        self.wait = self.level(interval, now).checked_sub(limit).map_or(SignedDuration::ZERO, |over| {
            let failures = i32::try_from(over).unwrap_or(i32::MAX).saturating_add(1);
            interval.checked_mul(failures).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT)
        });
    }
    /// How many failures are not worked off; one that is in part counts whole.
    fn level(&self, interval: SignedDuration, now: Timestamp) -> u32 {
        let (total, each) = (self.empty_at.duration_since(now).as_nanos().max(0), interval.as_nanos().max(1));
        u32::try_from((total + each - 1) / each).unwrap_or(u32::MAX)
    }
}

/// 1, 2, 4 … seconds.
fn doubled(times: u32) -> SignedDuration {
    let seconds = 1_i64.checked_shl(times.min(32)).unwrap_or(i64::MAX);
    SignedDuration::from_secs(seconds).min(LONGEST_WAIT)
}

/// What is left of a wait; nothing where the clock was set back.
fn left(wait: SignedDuration, passed: SignedDuration) -> Option<SignedDuration> {
    (passed >= SignedDuration::ZERO && passed < wait).then(|| wait - passed)
}

/// The middle one of those, by whether it is worth keeping and by age.
fn older_half(entries: impl Iterator<Item = (bool, Timestamp)>) -> (bool, Timestamp) {
    let mut entries: Vec<(bool, Timestamp)> = entries.collect();
    let middle = entries.len() / 2;
    *entries.select_nth_unstable(middle).1
}

#[cfg(test)]
mod tests;
