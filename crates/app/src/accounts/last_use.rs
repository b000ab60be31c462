//! When something was used last. Uses are no records: a restart counts as one.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

/// The last use of each, by its id.
pub(super) struct LastUse<Id>(Mutex<BTreeMap<Id, Timestamp>>);

impl<Id> Default for LastUse<Id> {
    fn default() -> Self {
        LastUse(Mutex::default())
    }
}

impl<Id: Ord + Clone> LastUse<Id> {
    /// Notes a use, and gives the one before.
    pub(super) fn note(&self, id: &Id, now: Timestamp) -> Option<Timestamp> {
        let mut uses = self.lock();
        match uses.get_mut(id) {
            Some(last) => Some(std::mem::replace(last, now)),
            None => {
                uses.insert(id.clone(), now);
                None
            }
        }
    }

    /// When it was used last, since the start.
    pub(super) fn of(&self, id: &Id) -> Option<Timestamp> {
        self.lock().get(id).copied()
    }

    /// Takes a use back: asking in vain was none.
    pub(super) fn set(&self, id: &Id, last: Timestamp) {
        self.lock().insert(id.clone(), last);
    }

    /// It is used no more.
    pub(super) fn forget(&self, id: &Id) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Id, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
