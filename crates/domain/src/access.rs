//! What is kept of who came in, who was refused and who changed an account, in
//! the stream `access`.
//!
//! What follows from a record of the stream `keys` names that record's number,
//! so that it is kept once, whatever crashed in between.
//!
//! Deliberately absent: passwords, tokens and anything else that opens a door.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    account::{AccountFact, Proof, Role, Scope},
    names::{Label, UserName},
};

pub use crate::account::{Changer, Visitor};

/// How many refusals of a kind are records in a minute; the rest is counted.
pub const MAX_REFUSALS_PER_MINUTE: u64 = 60;

/// How long refusals are counted together.
const WINDOW: SignedDuration = SignedDuration::from_mins(1);

/// What is recorded of access, in the stream `access`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "body")]
pub enum AccessFact {
    /// Somebody read the audit, or took a copy of it.
    AuditRead {
        /// Who.
        by: Visitor,
        /// What: a report's name, or the path that was asked.
        what: String,
        /// The filter in words, empty where there was none.
        filter: String,
        /// How many rows were given, where they were counted before.
        rows: Option<u64>,
    },
    /// Somebody was not given the audit.
    AuditRefused {
        /// Who.
        by: Visitor,
        /// The path that was asked.
        what: String,
    },
    /// More were not given the audit than are recorded one by one.
    AuditRefusals(Refusals),
    /// Somebody signed in.
    SignedIn {
        /// Who, and from where.
        by: Visitor,
        /// With a browser, or with a program.
        client: Client,
        /// How that was proved.
        proof: Proof,
        /// When.
        at: Timestamp,
        /// The number of the record in the stream `keys` that it follows from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        follows: Option<u64>,
    },
    /// Somebody could not sign in.
    SignInFailed {
        /// The account that was named, where there is one: what else was typed may be a secret.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<UserName>,
        /// The address of the network peer, where it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
        /// With a browser, or with a program.
        client: Client,
    },
    /// More could not sign in than are recorded one by one.
    SignInFailures(Refusals),
    /// An account was changed.
    AccountChanged {
        /// By whom.
        by: Changer,
        /// Whose.
        user: UserName,
        /// How.
        change: AccountChange,
        /// When.
        at: Timestamp,
        /// The number of the record in the stream `keys` that it follows from.
        follows: u64,
    },
    /// The stream `keys` ends before what was followed of it: it was removed,
    /// or is an older copy. What it holds now is followed from its begin.
    KeysBeganAnew(AccountsBehind),
    /// The server started with other settings than before.
    SettingsChanged {
        /// Each setting that differs, and what is in force; a secret is shown as `***`.
        settings: BTreeMap<String, String>,
    },
}

/// How far the accounts' records were followed, and where they end before that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountsBehind {
    /// The number of the last record in the stream `keys` that something follows from.
    pub followed: u64,
    /// The number of the last record that is there.
    pub head: u64,
}

/// How many there were beyond those that are records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusals {
    /// How many.
    pub count: u64,
    /// Within the minute from then on.
    pub from: Timestamp,
}

/// What somebody signed in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Client {
    /// A browser, which gets a cookie.
    Browser,
    /// A program, which gets an access token.
    Program,
}

/// How an account was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountChange {
    /// It was added.
    Added,
    /// It got a role.
    Role(Role),
    /// It lets nobody in any more.
    Disabled {
        /// Why.
        reason: Label,
    },
    /// It lets its user in again.
    Enabled,
    /// It was taken out of `users.txt`.
    TakenOut,
    /// It got another password.
    Password,
    /// Its user was invited to choose a password.
    Invited,
    /// Its user chose a password by an invitation.
    InvitationUsed,
    /// A program may come with an API token of it.
    ApiTokenCreated {
        /// The token's id, which opens nothing.
        id: String,
        /// What it is for.
        name: Label,
        /// What may be done with it.
        scopes: BTreeSet<Scope>,
        /// When it ends.
        expires_at: Timestamp,
    },
    /// An API token of it is none any more.
    ApiTokenRevoked {
        /// The token's id.
        id: String,
        /// What it was for.
        name: Label,
    },
}

impl AccessFact {
    /// What follows from a record of the stream `keys`, if anything.
    pub fn following(fact: &AccountFact, at: Timestamp, follows: u64) -> Option<AccessFact> {
        let changed = |by: &Changer, user: &UserName, change| {
            let (by, user) = (by.clone(), user.clone());
            Some(AccessFact::AccountChanged { by, user, change, at, follows })
        };
        match fact {
            AccountFact::SignedIn(sign_in) => Some(AccessFact::SignedIn {
                by: Visitor { user: sign_in.user.clone(), address: sign_in.address.clone() },
                client: Client::Browser,
                proof: sign_in.proof,
                at,
                follows: Some(follows),
            }),
            AccountFact::SignedOut { .. } => None,
            AccountFact::AccountAdded { user, by } => changed(by, user, AccountChange::Added),
            AccountFact::RoleSet { user, role, by } => changed(by, user, AccountChange::Role(*role)),
            AccountFact::AccountDisabled { user, reason, by } => {
                changed(by, user, AccountChange::Disabled { reason: reason.clone() })
            }
            AccountFact::AccountEnabled { user, by } => changed(by, user, AccountChange::Enabled),
            AccountFact::AccessEnded { user } => changed(&Changer::Configuration, user, AccountChange::TakenOut),
            AccountFact::PasswordSet { user, by, .. } => {
                changed(by.as_ref().unwrap_or(&Changer::CommandLine), user, AccountChange::Password)
            }
            AccountFact::ServicePasswordTaken { user, .. } => {
                changed(&Changer::Configuration, user, AccountChange::Password)
            }
            AccountFact::Invited { user, by, .. } => changed(by, user, AccountChange::Invited),
            AccountFact::InvitationUsed { by } => {
                changed(&Changer::Account(by.clone()), &by.user, AccountChange::InvitationUsed)
            }
            AccountFact::ApiTokenCreated { token, by } => {
                let (id, name) = (token.id.as_str().to_owned(), token.name.clone());
                let (scopes, expires_at) = (token.scopes.clone(), token.expires_at);
                changed(by, &token.user, AccountChange::ApiTokenCreated { id, name, scopes, expires_at })
            }
            AccountFact::ApiTokenRevoked { id, user, name, by } => {
                let (id, name) = (id.as_str().to_owned(), name.clone());
                changed(by, user, AccountChange::ApiTokenRevoked { id, name })
            }
        }
    }

    /// The number of the record in the stream `keys` that it follows from.
    pub fn follows(&self) -> Option<u64> {
        match self {
            AccessFact::SignedIn { follows, .. } => *follows,
            AccessFact::AccountChanged { follows, .. } => Some(*follows),
            AccessFact::AuditRead { .. }
            | AccessFact::AuditRefused { .. }
            | AccessFact::AuditRefusals(_)
            | AccessFact::SignInFailed { .. }
            | AccessFact::SignInFailures(_)
            | AccessFact::KeysBeganAnew(_)
            | AccessFact::SettingsChanged { .. } => None,
        }
    }
}

/// Counts the refusals of a kind, minute by minute, so that who guesses fills
/// no disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RefusalWindow {
    minute: Option<Refusals>,
    /// How many of the minute are records of their own.
    records: u64,
}

/// What becomes of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Whether it is a record of its own.
    pub is_record: bool,
    /// The rest of the minute before, where it had one.
    pub rest: Option<Refusals>,
}

impl RefusalWindow {
    /// Counts one more.
    pub fn count(&mut self, now: Timestamp) -> Counted {
        let rest = self.count_only(now);
        let is_record = self.records < MAX_REFUSALS_PER_MINUTE;
        self.records += u64::from(is_record);
        Counted { is_record, rest }
    }

    /// Counts one more that is no record of its own; gives the rest of the minute before.
    pub fn count_only(&mut self, now: Timestamp) -> Option<Refusals> {
        let rest = self.close(now);
        self.minute.get_or_insert(Refusals { count: 0, from: now }).count += 1;
        rest
    }

    /// Ends the minute where it is over, or a clock was set back; what of it was no record.
    pub fn close(&mut self, now: Timestamp) -> Option<Refusals> {
        let minute = self.minute?;
        let lasted = now.duration_since(minute.from);
        if lasted >= SignedDuration::ZERO && lasted < WINDOW {
            return None;
        }
        self.finish()
    }

    /// Ends the minute at once; what of it was no record.
    pub fn finish(&mut self) -> Option<Refusals> {
        let minute = self.minute.take()?;
        let count = minute.count.saturating_sub(std::mem::take(&mut self.records));
        (count > 0).then_some(Refusals { count, ..minute })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn sixty_in_a_minute_are_records_and_the_rest_is_one_count() {
        let mut window = RefusalWindow::default();
        let (first, later) = (at("2026-11-24T09:00:00Z"), at("2026-11-24T09:00:59Z"));
        for number in 1..=100 {
            let counted = window.count(if number == 1 { first } else { later });
            assert_eq!(counted, Counted { is_record: number <= 60, rest: None }, "{number}");
        }
        let rest = Some(Refusals { count: 40, from: first });
        assert_eq!(window.count(at("2026-11-24T09:01:00Z")), Counted { is_record: true, rest });
        assert_eq!(window.close(at("2026-11-24T09:30:00Z")), None, "one is a record of its own");
        assert_eq!(window, RefusalWindow::default());
    }

    #[test]
    fn what_is_only_counted_takes_no_record_from_the_others() {
        let mut window = RefusalWindow::default();
        let now = at("2026-11-24T09:00:00Z");
        (0..1_000).for_each(|_| assert_eq!(window.count_only(now), None));
        assert!((0..60).all(|_| window.count(now).is_record) && !window.count(now).is_record);
        assert_eq!(window.finish(), Some(Refusals { count: 1_001, from: now }));
    }

    #[test]
    fn a_clock_that_was_set_back_loses_no_count() {
        let mut window = RefusalWindow::default();
        let now = at("2026-11-24T09:00:00Z");
        (0..61).for_each(|_| _ = window.count(now));
        assert_eq!(window.close(at("2026-11-24T08:00:00Z")), Some(Refusals { count: 1, from: now }));
    }

    #[test]
    fn what_follows_names_what_it_follows_from_and_no_secret() {
        let user = UserName::parse("alice").unwrap();
        let by = Some(Changer::Account(Visitor { user: user.clone(), address: Some("10.0.0.1".into()) }));
        let fact = AccountFact::PasswordSet { user, hash: "$argon2id$".into(), by };
        let follows = AccessFact::following(&fact, at("2026-11-24T09:00:00Z"), 7).unwrap();
        assert_eq!(follows.follows(), Some(7));
        let text = serde_json::to_string(&follows).unwrap();
        assert_eq!(
            text,
            r#"{"kind":"account_changed","body":{"by":{"account":{"user":"alice","address":"10.0.0.1"}},"user":"alice","change":"password","at":"2026-11-24T09:00:00Z","follows":7}}"#
        );
    }
}
