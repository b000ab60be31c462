//! Which process holds a data directory, and whether it is seen to be dead.

use std::{
    fmt, fs,
    io::{self, ErrorKind},
};

use serde::{Deserialize, Serialize};

/// A process that writes a data directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process's number.
    pub pid: u32,
    /// When it started, in the system's own count since the boot.
    pub started: u64,
    /// Which boot of which machine.
    pub boot_id: String,
    /// In which PID namespace its number counts.
    #[serde(default)]
    pub namespace: String,
}

/// What is seen of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Alive,
    Dead,
    /// It is of another boot or PID namespace, or this system does not tell.
    Unknown,
}

/// What the system says of a process number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    /// A process that started at that time.
    Lives(u64),
    /// One that has ended, and whose parent has not asked how.
    Ended,
    Missing,
    Hidden,
}

impl Holder {
    /// The process that asks.
    pub(crate) fn this_process() -> Holder {
        let pid = std::process::id();
        let started = match entry(pid) {
            Entry::Lives(started) => started,
            Entry::Ended | Entry::Missing | Entry::Hidden => 0,
        };
        Holder { pid, started, boot_id: boot_id(), namespace: pid_namespace() }
    }

    pub(crate) fn life(&self) -> Life {
        let is_of_here = !self.boot_id.is_empty() && self.boot_id == boot_id() && self.namespace == pid_namespace();
        if !is_of_here {
            return Life::Unknown;
        }
        match entry(self.pid) {
            Entry::Lives(started) if started == self.started => Life::Alive,
            Entry::Lives(_) | Entry::Ended | Entry::Missing => Life::Dead,
            Entry::Hidden => Life::Unknown,
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let elsewhere = match (self.boot_id == boot_id(), self.namespace == pid_namespace()) {
            (true, true) => "",
            (true, false) => " of another container",
            (false, _) => " of another machine or boot",
        };
        write!(f, "process {}{elsewhere}", self.pid)
    }
}

/// proc(5): field 3 of `/proc/PID/stat` is the state, field 22 the start in
/// clock ticks since the boot.
fn entry(pid: u32) -> Entry {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => parsed(&stat).unwrap_or(Entry::Hidden),
        Err(error) => unread(pid, &error),
    }
}

fn parsed(stat: &str) -> Option<Entry> {
    let mut behind_name = stat[stat.rfind(')')? + 1..].split_whitespace();
    let state = behind_name.next()?;
    let started = behind_name.nth(18)?.parse().ok()?;
    Some(if matches!(state, "Z" | "X" | "x") { Entry::Ended } else { Entry::Lives(started) })
}

/// Without an entry there is no process, unless those of others are hidden
/// (`hidepid`) or the system has no such entries at all.
#[cfg(unix)]
fn unread(pid: u32, error: &io::Error) -> Entry {
    use rustix::{io::Errno, process};
    // ESRCH: the process ended while its entry was read.
    let is_gone = error.kind() == ErrorKind::NotFound || Errno::from_io_error(error) == Some(Errno::SRCH);
    let tells = fs::read_to_string("/proc/self/stat").is_ok();
    let number = i32::try_from(pid).ok().and_then(process::Pid::from_raw);
    let answers = number.is_some_and(|number| process::test_kill_process(number) != Err(Errno::SRCH));
    if is_gone && tells && !answers { Entry::Missing } else { Entry::Hidden }
}

#[cfg(not(unix))]
fn unread(_: u32, _: &io::Error) -> Entry {
    Entry::Hidden
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

fn pid_namespace() -> String {
    fs::read_link("/proc/self/ns/pid").map(|link| link.display().to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_whatever_the_process_is_called() {
        let rest = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18";
        for (stat, expected) in [
            (format!("7 (a) S {rest} 4711 0"), Some(Entry::Lives(4711))),
            (format!("7 (a) Z ) R) D {rest} 4711 0"), Some(Entry::Lives(4711))),
            (format!("7 (a) Z {rest} 4711 0"), Some(Entry::Ended)),
            (format!("7 (a) X {rest} 4711"), Some(Entry::Ended)),
            ("7 (a) S 1 2".into(), None),
            (String::new(), None),
        ] {
            assert_eq!(parsed(&stat), expected, "{stat}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_is_seen_alive_then_ended_then_gone() {
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let Entry::Lives(started) = entry(child.id()) else { panic!("it runs") };
        let holder = Holder { pid: child.id(), started, ..Holder::this_process() };
        assert_eq!(holder.life(), Life::Alive);
        assert_eq!(Holder { started: started + 1, ..holder.clone() }.life(), Life::Dead, "a later process");
        assert_eq!(Holder { boot_id: "another".into(), ..holder.clone() }.life(), Life::Unknown);
        assert_eq!(Holder { namespace: "another".into(), ..holder.clone() }.life(), Life::Unknown);
        child.kill().unwrap();
        // Nobody has asked how it ended: it stays as a zombie.
        while holder.life() == Life::Alive {
            std::thread::yield_now();
        }
        assert_eq!((entry(child.id()), holder.life()), (Entry::Ended, Life::Dead));
        child.wait().unwrap();
        assert_eq!((entry(child.id()), holder.life()), (Entry::Missing, Life::Dead));
    }
}
