//! Accounts: who there is, what each may, and where they are signed in.

use std::{collections::BTreeMap, fmt, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{names::UserName, session::hexadecimal};

/// A sign-in ends after this long, used or not.
pub const SIGN_IN_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A sign-in ends after this long without use.
pub const SIGN_IN_IDLE: SignedDuration = SignedDuration::from_hours(12);

/// Most sign-ins that an account has at once; the oldest ends when one more begins.
pub const MAX_SIGN_INS_PER_ACCOUNT: usize = 100;

/// Most accounts in `users.txt`.
pub const MAX_ACCOUNTS: usize = 10_000;

/// Shortest password, in characters (OWASP ASVS 5.0, 6.2.1).
pub const MIN_PASSWORD_CHARS: usize = 8;

/// Longest password, in characters: hashing more costs without gain.
pub const MAX_PASSWORD_CHARS: usize = 128;

/// What an account may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The board.
    Member,
    /// The board and the audit.
    Auditor,
    /// Everything.
    Admin,
}

impl Role {
    /// Reads `member`, `auditor` or `admin`.
    pub fn parse(text: &str) -> Option<Role> {
        [Role::Member, Role::Auditor, Role::Admin].into_iter().find(|role| role.name() == text)
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Member => "member",
            Role::Auditor => "auditor",
            Role::Admin => "admin",
        }
    }

    /// Whether the role may read the audit.
    pub fn reads_audit(self) -> bool {
        match self {
            Role::Member => false,
            Role::Auditor | Role::Admin => true,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who does something, with the rights in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The account's name.
    pub user: UserName,
    /// What it may just here; a sign-in without password has a member's rights.
    pub role: Role,
}

/// A line of `users.txt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUser {
    /// The name.
    pub name: UserName,
    /// The role, where the line gives one.
    pub role: Option<Role>,
}

/// How a sign-in proved who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// By password.
    Password,
    /// Not at all: the board is open.
    Nothing,
}

/// The id of a sign-in: 128 random bits as 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SignInId(String);

impl SignInId {
    /// An id of fresh random bits.
    pub fn of_bits(bits: [u8; 16]) -> SignInId {
        SignInId(hexadecimal(bits))
    }

    /// Whatever an access token names as its id.
    pub fn named(text: &str) -> SignInId {
        SignInId(text.to_owned())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// Its id, the `jti` of its access token.
    pub id: SignInId,
    /// Whose it is.
    pub user: UserName,
    /// How that was proved.
    pub proof: Proof,
    /// Since when.
    pub at: Timestamp,
}

/// What is recorded of accounts, in the stream `keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "body")]
pub enum AccountFact {
    /// A password was set; its Argon2id hash in PHC form.
    PasswordSet {
        /// Whose.
        user: UserName,
        /// `$argon2id$…`.
        hash: String,
    },
    /// A browser signed in.
    SignedIn(SignIn),
    /// A sign-in ended.
    SignedOut {
        /// Which.
        id: SignInId,
    },
}

/// What is wanted of the accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountCommand {
    /// Set a password, already hashed; ends the account's sign-ins.
    SetPassword {
        /// Whose.
        user: UserName,
        /// Its Argon2id hash in PHC form.
        hash: String,
    },
    /// Begin a sign-in whose proof was given.
    SignIn(SignIn),
    /// End a sign-in.
    SignOut {
        /// Which.
        id: SignInId,
    },
}

/// The rules' no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountRefusal {
    /// Nobody of that name is in `users.txt`.
    #[error("there is no account {user}; add the name to users.txt first")]
    UnknownAccount {
        /// What was named.
        user: UserName,
    },
    /// The service user's password is a setting.
    #[error("the password of {user} is set by HC_PW; change it there")]
    PasswordIsSetting {
        /// The service user.
        user: UserName,
    },
}

/// The people of `users.txt`, and the service user, who is an admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct People {
    listed: Arc<Vec<ListedUser>>,
    by_folded_name: BTreeMap<String, ListedUser>,
    service_user: UserName,
    service_password_is_setting: bool,
}

impl People {
    /// The people of a list, unique whatever the case, and the service user.
    pub fn new(listed: Vec<ListedUser>, service_user: UserName, service_password_is_setting: bool) -> People {
        let mut by_folded_name: BTreeMap<String, ListedUser> =
            listed.iter().map(|user| (user.name.folded(), user.clone())).collect();
        let service = ListedUser { name: service_user.clone(), role: Some(Role::Admin) };
        by_folded_name.insert(service_user.folded(), service);
        People { listed: Arc::new(listed), by_folded_name, service_user, service_password_is_setting }
    }

    /// The same service user with another list.
    pub fn with_list(&self, listed: Vec<ListedUser>) -> People {
        People::new(listed, self.service_user.clone(), self.service_password_is_setting)
    }

    /// The account of that name, whatever the case, with its full rights.
    pub fn find(&self, name: &UserName) -> Option<Actor> {
        let found = self.by_folded_name.get(&name.folded())?;
        Some(Actor { user: found.name.clone(), role: found.role.unwrap_or(Role::Member) })
    }

    /// The names of `users.txt`, in its order.
    pub fn listed(&self) -> &[ListedUser] {
        &self.listed
    }

    /// The account under which old scripts post.
    pub fn service_user(&self) -> &UserName {
        &self.service_user
    }

    fn is_service_with_setting(&self, user: &UserName) -> bool {
        self.service_password_is_setting && user.folded() == self.service_user.folded()
    }
}

/// The hash of a password, and the name under which it was set.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Password {
    user: UserName,
    hash: String,
}

/// Passwords and sign-ins, as the records tell, and the people as the files do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountsState {
    people: Arc<People>,
    password_hashes: BTreeMap<String, Password>,
    sign_ins: BTreeMap<SignInId, SignIn>,
}

impl AccountsState {
    /// Those people, without passwords or sign-ins.
    pub fn new(people: Arc<People>) -> AccountsState {
        AccountsState { people, password_hashes: BTreeMap::new(), sign_ins: BTreeMap::new() }
    }

    /// Replaces the people, when a file changed.
    pub fn set_people(&mut self, people: Arc<People>) {
        self.people = people;
    }

    /// Who there is.
    pub fn people(&self) -> &Arc<People> {
        &self.people
    }

    /// The hash of an account's password, where it has one.
    pub fn password_hash(&self, user: &UserName) -> Option<&str> {
        self.password_hashes.get(&user.folded()).map(|password| password.hash.as_str())
    }

    /// A sign-in that has not ended by then and whose account exists.
    pub fn sign_in(&self, id: &SignInId, now: Timestamp) -> Option<&SignIn> {
        let sign_in = self.sign_ins.get(id)?;
        (now.duration_since(sign_in.at) < SIGN_IN_LIFE).then_some(sign_in)
    }

    /// An account's sign-ins, in the order of their ids.
    pub fn sign_ins_of(&self, user: &UserName) -> impl Iterator<Item = &SignIn> {
        self.sign_ins.values().filter(move |sign_in| sign_in.user.folded() == user.folded())
    }

    /// Decides a command; changes nothing.
    ///
    /// # Errors
    /// The [`AccountRefusal`] that the rules give.
    pub fn decide(&self, command: AccountCommand) -> Result<Vec<AccountFact>, AccountRefusal> {
        match command {
            AccountCommand::SetPassword { user, hash } => self.set_password(&user, hash),
            AccountCommand::SignIn(sign_in) => self.begin_sign_in(sign_in),
            AccountCommand::SignOut { id } => {
                let known = self.sign_ins.contains_key(&id);
                Ok(known.then_some(AccountFact::SignedOut { id }).into_iter().collect())
            }
        }
    }

    /// Makes a fact part of the state.
    pub fn apply(&mut self, fact: &AccountFact) {
        match fact {
            AccountFact::PasswordSet { user, hash } => {
                self.password_hashes.insert(user.folded(), Password { user: user.clone(), hash: hash.clone() });
            }
            AccountFact::SignedIn(sign_in) => {
                self.sign_ins.insert(sign_in.id.clone(), sign_in.clone());
            }
            AccountFact::SignedOut { id } => {
                self.sign_ins.remove(id);
            }
        }
    }

    /// The shortest run of facts that makes this state of the same people.
    pub fn snapshot(&self) -> impl Iterator<Item = AccountFact> + '_ {
        let passwords = self.password_hashes.values();
        let passwords = passwords
            .map(|Password { user, hash }| AccountFact::PasswordSet { user: user.clone(), hash: hash.clone() });
        passwords.chain(self.sign_ins.values().cloned().map(AccountFact::SignedIn))
    }

    fn set_password(&self, user: &UserName, hash: String) -> Result<Vec<AccountFact>, AccountRefusal> {
        let account = self.account(user)?;
        if self.people.is_service_with_setting(&account.user) {
            return Err(AccountRefusal::PasswordIsSetting { user: account.user });
        }
        let ended = self.sign_ins_of(&account.user).map(|sign_in| AccountFact::SignedOut { id: sign_in.id.clone() });
        let mut facts: Vec<AccountFact> = ended.collect();
        facts.push(AccountFact::PasswordSet { user: account.user, hash });
        Ok(facts)
    }

    fn begin_sign_in(&self, sign_in: SignIn) -> Result<Vec<AccountFact>, AccountRefusal> {
        self.account(&sign_in.user)?;
        let too_old = self.sign_ins.values().filter(|old| sign_in.at.duration_since(old.at) >= SIGN_IN_LIFE);
        let mut facts: Vec<AccountFact> = too_old.map(|old| AccountFact::SignedOut { id: old.id.clone() }).collect();
        let mut own: Vec<&SignIn> = self.sign_ins_of(&sign_in.user).collect();
        if own.len() >= MAX_SIGN_INS_PER_ACCOUNT {
            own.sort_by_key(|sign_in| sign_in.at);
            facts.push(AccountFact::SignedOut { id: own[0].id.clone() });
        }
        facts.push(AccountFact::SignedIn(sign_in));
        Ok(facts)
    }

    fn account(&self, user: &UserName) -> Result<Actor, AccountRefusal> {
        self.people.find(user).ok_or_else(|| AccountRefusal::UnknownAccount { user: user.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> UserName {
        UserName::parse(name).unwrap()
    }

    fn state() -> AccountsState {
        let carol = ListedUser { name: user("carol"), role: Some(Role::Auditor) };
        let alice = ListedUser { name: user("alice"), role: None };
        AccountsState::new(Arc::new(People::new(vec![alice, carol], user("promon"), true)))
    }

    fn sign_in(name: &str, number: u8, at: &str) -> SignIn {
        SignIn {
            id: SignInId::of_bits([number; 16]),
            user: user(name),
            proof: Proof::Password,
            at: at.parse().unwrap(),
        }
    }

    fn does(state: &mut AccountsState, command: AccountCommand) {
        state.decide(command).unwrap().iter().for_each(|fact| state.apply(fact));
    }

    #[test]
    fn roles_come_from_the_list_and_the_service_user_is_an_admin() {
        let state = state();
        for (name, role) in [
            ("alice", Some(Role::Member)),
            ("CAROL", Some(Role::Auditor)),
            ("promon", Some(Role::Admin)),
            ("mallory", None),
        ] {
            assert_eq!(state.people().find(&user(name)).map(|actor| actor.role), role, "{name}");
        }
    }

    #[test]
    fn a_new_password_ends_the_sign_ins_of_its_account_only() {
        let mut state = state();
        does(&mut state, AccountCommand::SignIn(sign_in("alice", 1, "2026-11-24T09:00:00Z")));
        does(&mut state, AccountCommand::SignIn(sign_in("carol", 2, "2026-11-24T09:00:00Z")));
        does(&mut state, AccountCommand::SetPassword { user: user("Alice"), hash: "$argon2id$".into() });
        let now = "2026-11-24T10:00:00Z".parse().unwrap();
        assert_eq!(state.sign_in(&SignInId::of_bits([1; 16]), now), None);
        assert!(state.sign_in(&SignInId::of_bits([2; 16]), now).is_some());
        assert_eq!(state.password_hash(&user("alice")), Some("$argon2id$"));
    }

    #[test]
    fn passwords_of_nobody_and_of_the_setting_are_refused() {
        let state = state();
        let set = |name: &str| state.decide(AccountCommand::SetPassword { user: user(name), hash: String::new() });
        assert_eq!(set("mallory"), Err(AccountRefusal::UnknownAccount { user: user("mallory") }));
        assert_eq!(set("Promon"), Err(AccountRefusal::PasswordIsSetting { user: user("promon") }));
    }

    #[test]
    fn a_sign_in_has_an_end_and_an_account_a_number_of_them() {
        let mut state = state();
        does(&mut state, AccountCommand::SignIn(sign_in("alice", 0, "2026-11-01T00:00:00Z")));
        let id = SignInId::of_bits([0; 16]);
        assert!(state.sign_in(&id, "2026-11-30T23:59:59Z".parse().unwrap()).is_some());
        assert!(state.sign_in(&id, "2026-12-01T00:00:00Z".parse().unwrap()).is_none());
        for number in 1..=MAX_SIGN_INS_PER_ACCOUNT {
            does(&mut state, AccountCommand::SignIn(sign_in("alice", number as u8, "2026-11-02T00:00:00Z")));
        }
        assert_eq!(state.sign_ins_of(&user("alice")).count(), MAX_SIGN_INS_PER_ACCOUNT);
        assert!(state.sign_in(&id, "2026-11-03T00:00:00Z".parse().unwrap()).is_none());
    }

    #[test]
    fn a_snapshot_makes_the_accounts_again() {
        let mut state = state();
        for number in 1..=9 {
            does(&mut state, AccountCommand::SignIn(sign_in("alice", number, "2026-11-24T09:00:00Z")));
            does(&mut state, AccountCommand::SignIn(sign_in("carol", 10 + number, "2026-11-24T09:00:00Z")));
        }
        does(&mut state, AccountCommand::SetPassword { user: user("ALICE"), hash: "$argon2id$1".into() });
        does(&mut state, AccountCommand::SetPassword { user: user("alice"), hash: "$argon2id$2".into() });
        does(&mut state, AccountCommand::SetPassword { user: user("carol"), hash: "$argon2id$3".into() });
        does(&mut state, AccountCommand::SignIn(sign_in("alice", 30, "2026-11-24T10:00:00Z")));
        let mut restored = AccountsState::new(Arc::clone(state.people()));
        for fact in state.snapshot() {
            restored.apply(&serde_json::from_str(&serde_json::to_string(&fact).unwrap()).unwrap());
        }
        assert_eq!(restored, state);
        let written = serde_json::to_string(&state.snapshot().collect::<Vec<_>>()).unwrap();
        assert!(!written.contains("$argon2id$1"), "what was replaced is in no snapshot");
    }

    #[test]
    fn signing_out_twice_records_once() {
        let mut state = state();
        does(&mut state, AccountCommand::SignIn(sign_in("alice", 1, "2026-11-24T09:00:00Z")));
        let out = AccountCommand::SignOut { id: SignInId::of_bits([1; 16]) };
        assert_eq!(state.decide(out.clone()).unwrap().len(), 1);
        does(&mut state, out.clone());
        assert_eq!(state.decide(out), Ok(Vec::new()));
    }
}
