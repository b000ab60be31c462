//! The two clocks that terms go by. Neither is ever set; both count from some
//! moment of the past.

use std::time::Duration;

/// The time since the boot, suspensions included: by it a writer knows how
/// long ago it last knew that it is the one.
#[cfg(target_os = "linux")]
pub(crate) fn with_suspensions() -> Duration {
    reading(rustix::time::ClockId::Boottime)
}

/// Elsewhere there is no such clock to be had, or it is the only one.
#[cfg(not(target_os = "linux"))]
pub(crate) fn with_suspensions() -> Duration {
    awake()
}

/// The time that this machine was awake: by it a watcher knows how long it saw
/// another stand still, as both may have slept on the same machine.
#[cfg(unix)]
pub(crate) fn awake() -> Duration {
    reading(rustix::time::ClockId::Monotonic)
}

#[cfg(unix)]
fn reading(clock: rustix::time::ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    Duration::try_from(time).expect("these clocks count up from zero")
}

/// The time since this was first asked for.
#[cfg(not(unix))]
#[allow(clippy::disallowed_methods, reason = "no time of day, and the only clock there is")]
pub(crate) fn awake() -> Duration {
    static BEGAN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    BEGAN.get_or_init(std::time::Instant::now).elapsed()
}
