//! Seats for sockets: so many in all, so many for an address, so many for an
//! account. A seat is free again when the last that holds it lets go.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{address::Site, names::UserName};

use crate::limits::LimitSettings;

/// All seats.
#[derive(Clone)]
pub(crate) struct Seats {
    taken: Arc<Mutex<Taken>>,
    limits: LimitSettings,
}

#[derive(Default)]
struct Taken {
    all: usize,
    of_sites: BTreeMap<Site, usize>,
    of_accounts: BTreeMap<String, usize>,
}

/// A socket's own, from before it opens until nothing of it is left.
pub(crate) struct Seat {
    seats: Seats,
    site: Site,
}

/// A socket's among those of its account, from its sign-in on.
pub(crate) struct AccountSeat {
    seats: Seats,
    account: String,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSeat {
    /// All are taken.
    InAll,
    /// The address has taken what it may.
    AtAddress,
}

impl Seats {
    pub(crate) fn new(limits: &LimitSettings) -> Seats {
        Seats { taken: Arc::default(), limits: *limits }
    }

    /// Takes a seat for whoever comes from there.
    pub(crate) fn take(&self, site: Site) -> Result<Seat, NoSeat> {
        let mut taken = self.lock();
        if taken.all >= self.limits.sockets {
            return Err(NoSeat::InAll);
        }
        let of_site = taken.of_sites.entry(site).or_default();
        if *of_site >= self.limits.sockets_per_address {
            return Err(NoSeat::AtAddress);
        }
        *of_site += 1;
        taken.all += 1;
        Ok(Seat { seats: self.clone(), site })
    }

    /// Takes one of an account's.
    pub(crate) fn take_of(&self, user: &UserName) -> Option<AccountSeat> {
        let account = user.folded();
        let mut taken = self.lock();
        let of_account = taken.of_accounts.entry(account.clone()).or_default();
        if *of_account >= self.limits.sockets_per_account {
            return None;
        }
        *of_account += 1;
        Some(AccountSeat { seats: self.clone(), account })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        taken.all = taken.all.saturating_sub(1);
        give_back(&mut taken.of_sites, &self.site);
    }
}

impl Drop for AccountSeat {
    fn drop(&mut self) {
        give_back(&mut self.seats.lock().of_accounts, &self.account);
    }
}

fn give_back<Key: Ord>(taken: &mut BTreeMap<Key, usize>, key: &Key) {
    if let Some(number) = taken.get_mut(key) {
        *number = number.saturating_sub(1);
        if *number == 0 {
            taken.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seats() -> Seats {
        Seats::new(&LimitSettings {
            sockets: 3,
            sockets_per_account: 1,
            sockets_per_address: 2,
            commands_per_minute: 1,
            messages_per_minute: 1,
            failed_sign_ins_per_minute: 1,
        })
    }

    fn site(number: u8) -> Site {
        Site::of([192, 0, 2, number].into())
    }

    #[test]
    fn there_is_one_for_each_and_none_beyond() {
        let seats = seats();
        let first = seats.take(site(1)).ok();
        let _second = seats.take(site(1)).ok();
        assert_eq!(seats.take(site(1)).err(), Some(NoSeat::AtAddress));
        let _third = seats.take(site(2)).ok();
        assert_eq!(seats.take(site(2)).err(), Some(NoSeat::InAll));
        drop(first);
        assert!(seats.take(site(1)).is_ok());
    }

    #[test]
    fn an_account_has_its_own_and_nothing_is_left_behind() {
        let seats = seats();
        let alice = UserName::parse("alice").unwrap();
        let seat = seats.take_of(&alice);
        assert!(seat.is_some());
        assert!(seats.take_of(&UserName::parse("ALICE").unwrap()).is_none());
        assert!(seats.take_of(&UserName::parse("bob").unwrap()).is_some());
        drop((seat, seats.take(site(1)).ok()));
        let taken = seats.lock();
        assert!(taken.all == 0 && taken.of_sites.is_empty() && taken.of_accounts.is_empty());
    }
}
