//! What is wrong just now, told by `/readyz` and to admins: each part says
//! when something begins and when it is over.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::ports::Clock;

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which part has it: `config`, `ledger`, `share`, `mail`, `tls` or `sso`.
    pub part: &'static str,
    /// A stable code.
    pub code: &'static str,
    /// What is wrong and how to mend it, for a person.
    pub detail: String,
    /// Since when.
    pub since: Timestamp,
    /// Whether changes cannot be taken because of it.
    pub stops_changes: bool,
}

/// All that is wrong just now.
pub struct Findings {
    clock: Arc<dyn Clock>,
    current: RwLock<BTreeMap<(&'static str, &'static str), Finding>>,
    changed: watch::Sender<()>,
}

impl Findings {
    /// Nothing is wrong yet.
    pub fn new(clock: Arc<dyn Clock>) -> Findings {
        Findings { clock, current: RwLock::default(), changed: watch::Sender::new(()) }
    }

    /// What time it is, by the clock that says since when something is wrong.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Something is wrong; logged once, when it begins or says something else.
    pub fn begins(&self, part: &'static str, code: &'static str, detail: String, stops_changes: bool) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let known = current.get(&(part, code));
        if known.is_some_and(|finding| finding.detail == detail) {
            return;
        }
        tracing::warn!(part, code, "{detail}");
        let since = known.map_or_else(|| self.clock.now(), |finding| finding.since);
        current.insert((part, code), Finding { part, code, detail, since, stops_changes });
        drop(current);
        self.changed.send_replace(());
    }

    /// It is over.
    pub fn ends(&self, part: &'static str, code: &'static str) {
        let ended = self.current.write().unwrap_or_else(PoisonError::into_inner).remove(&(part, code));
        if ended.is_some() {
            tracing::info!(part, code, "Over: it works again");
            self.changed.send_replace(());
        }
    }

    /// Everything that is wrong, by part and code.
    pub fn current(&self) -> Vec<Finding> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Wakes whenever something begins or ends.
    pub fn watch(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }
}
