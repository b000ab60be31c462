//! Random choices that a seed repeats.

use std::env;

/// What is chosen at random (SplitMix64).
pub struct Chance(u64);

impl Chance {
    /// Choices of that seed.
    pub fn of(seed: u64) -> Chance {
        Chance(seed)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end.max(1) as u64) as usize
    }

    /// Whether something happens that does so once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of those.
    pub fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

/// Whether the long variant runs.
pub fn is_long() -> bool {
    env::var_os("VPN_SESSIONS_LONG").is_some_and(|value| value == "1")
}

/// The seed: `TEST_SEED` repeats a run; the quick variant has one of its own.
pub fn seed() -> u64 {
    let given = env::var("TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| if is_long() { u64::from(std::process::id()) } else { 4 });
    println!("TEST_SEED={seed}");
    seed
}
