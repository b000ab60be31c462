//! The accounts as the files and the records tell, and the rules.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::names::{Label, UserName};

use super::{
    AccountCommand, AccountFact, AccountRefusal, Actor, ApiToken, ApiTokenId, Changer, INVITATION_LIFE, ListedUser,
    MAX_ACCOUNTS, MAX_API_TOKEN_LIFE, MAX_API_TOKENS, MAX_SIGN_INS_PER_ACCOUNT, People, Proof, Role, SIGN_IN_LIFE,
    SignIn, SignInId, Visitor,
};

/// Since when and why an account lets nobody in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    /// Why.
    pub reason: Label,
    /// By whom.
    pub by: Changer,
}

/// A link with which a password may be chosen, without what it bears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// The SHA-256 of what it bears, as hexadecimal digits.
    hash: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Who says which role an account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleSource {
    /// It is the service user's.
    ServiceUser,
    /// `users.txt`.
    UsersFile,
    /// An admin.
    Admin,
    /// Nobody: it is the usual one.
    Usual,
}

/// An account, as admins see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its name.
    pub user: UserName,
    /// The role in force.
    pub role: Role,
    /// Who says so.
    pub role_source: RoleSource,
    /// Whether `users.txt` names it.
    pub is_listed: bool,
    /// Whether it was added, so that `users.txt` need not name it.
    pub is_added: bool,
    /// Whether it lets its user in.
    pub is_active: bool,
    /// Why not, where an admin disabled it; else it was taken out of `users.txt`.
    pub disabled: Option<Disabled>,
    /// Whether a password was set for it.
    pub has_password: bool,
    /// Its invitation, where one is open.
    pub invitation: Option<Invitation>,
    /// When somebody signed in last.
    pub last_sign_in: Option<Timestamp>,
}

/// A piece of what the records say; all of them make the state again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountsItem {
    /// What is kept of an account.
    Account(Kept),
    /// A sign-in.
    SignIn(SignIn),
    /// An API token.
    ApiToken(ApiToken),
}

/// What the records say of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    user: UserName,
    is_added: bool,
    role: Option<Role>,
    password: Option<String>,
    service_password: Option<String>,
    disabled: Option<Disabled>,
    invitation: Option<Invitation>,
    last_sign_in: Option<Timestamp>,
    /// Grows whenever the access tokens of before must be none any more.
    version: u64,
}

/// What the records say: everything that a snapshot holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Records {
    accounts: BTreeMap<String, Kept>,
    sign_ins: BTreeMap<SignInId, SignIn>,
    api_tokens: BTreeMap<ApiTokenId, ApiToken>,
    api_token_ids: BTreeMap<String, ApiTokenId>,
}

/// Passwords, sign-ins and what admins set, as the records tell, and the people as the files do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountsState {
    people: Arc<People>,
    records: Records,
}

type Decision = Result<Vec<AccountFact>, AccountRefusal>;

impl RoleSource {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            RoleSource::ServiceUser => "service_user",
            RoleSource::UsersFile => "users_file",
            RoleSource::Admin => "admin",
            RoleSource::Usual => "usual",
        }
    }
}

impl AccountsState {
    /// Those people, without passwords or sign-ins.
    pub fn new(people: Arc<People>) -> AccountsState {
        AccountsState { people, records: Records::default() }
    }

    /// Replaces the people, when a file changed.
    pub fn set_people(&mut self, people: Arc<People>) {
        self.people = people;
    }

    /// Who there is by the files.
    pub fn people(&self) -> &Arc<People> {
        &self.people
    }

    /// The account of that name, whatever the case, with its full rights; `None` where it lets nobody in.
    pub fn find(&self, user: &UserName) -> Option<Actor> {
        let (listed, kept) = (self.people.find(user), self.kept(user));
        let name = listed.map(|listed| &listed.name).or(kept.map(|kept| &kept.user))?;
        let (role, source) = role(listed, kept, self.people.service_user());
        is_active(listed, kept, source).then(|| Actor { user: name.clone(), role })
    }

    /// The account of that name, whatever the case, and whether it lets anybody in or not.
    pub fn describe(&self, user: &UserName) -> Option<Described> {
        let (listed, kept) = (self.people.find(user), self.kept(user));
        let name = listed.map(|listed| &listed.name).or(kept.map(|kept| &kept.user))?;
        let (role, role_source) = role(listed, kept, self.people.service_user());
        Some(Described {
            user: name.clone(),
            role,
            role_source,
            is_listed: listed.is_some() && role_source != RoleSource::ServiceUser,
            is_added: kept.is_some_and(|kept| kept.is_added),
            is_active: is_active(listed, kept, role_source),
            disabled: kept.and_then(|kept| kept.disabled.clone()),
            has_password: self.people.has_setting(user) || kept.is_some_and(|kept| kept.password.is_some()),
            invitation: kept.and_then(|kept| kept.invitation.clone()),
            last_sign_in: kept.and_then(|kept| kept.last_sign_in),
        })
    }

    /// Every account: those of the files in their order, then the others by name.
    pub fn all(&self) -> Vec<Described> {
        let listed = self.people.listed().iter().map(|listed| &listed.name);
        let service = Some(self.people.service_user());
        let names = listed.filter(|name| !self.people.is_service(name)).chain(service);
        let others = self.records.accounts.values().map(|kept| &kept.user);
        let others = others.filter(|name| self.people.find(name).is_none());
        names.chain(others).filter_map(|name| self.describe(name)).collect()
    }

    /// The hash of an account's password, where one was set.
    pub fn password_hash(&self, user: &UserName) -> Option<&str> {
        self.kept(user)?.password.as_deref()
    }

    /// The hash of the service password that was taken up from the settings last.
    pub fn service_password_hash(&self) -> Option<&str> {
        self.kept(self.people.service_user())?.service_password.as_deref()
    }

    /// What an access token of the account has to name, so that it is one still.
    pub fn version(&self, user: &UserName) -> u64 {
        self.kept(user).map_or(0, |kept| kept.version)
    }

    /// A sign-in that has not ended by then and whose account is as it was.
    pub fn sign_in(&self, id: &SignInId, now: Timestamp) -> Option<&SignIn> {
        let sign_in = self.records.sign_ins.get(id)?;
        (now.duration_since(sign_in.at) < SIGN_IN_LIFE && self.stands(sign_in)).then_some(sign_in)
    }

    /// An account's sign-ins, in the order of their ids.
    pub fn sign_ins_of(&self, user: &UserName) -> impl Iterator<Item = &SignIn> {
        self.records.sign_ins.values().filter(move |sign_in| sign_in.user.is_same_account(user))
    }

    /// The account that may choose a password with what has that hash.
    pub fn invited(&self, hash: &str, now: Timestamp) -> Option<Actor> {
        let has_it = |kept: &&Kept| kept.invitation.as_ref().is_some_and(|open| open.hash == hash);
        let kept = self.records.accounts.values().find(has_it)?;
        let is_open = kept.invitation.as_ref().is_some_and(|open| now < open.expires_at);
        self.find(&kept.user).filter(|_| is_open)
    }

    /// The id of the API token that has that hash.
    pub fn api_token_id(&self, hash: &str) -> Option<&ApiTokenId> {
        self.records.api_token_ids.get(hash)
    }

    /// An API token that has not ended by then.
    pub fn api_token(&self, id: &ApiTokenId, now: Timestamp) -> Option<&ApiToken> {
        self.records.api_tokens.get(id).filter(|token| now < token.expires_at)
    }

    /// Every API token, also those whose end has come.
    pub fn api_tokens(&self) -> impl Iterator<Item = &ApiToken> {
        self.records.api_tokens.values()
    }

    /// Everything that the records made, in pieces.
    pub fn snapshot(&self) -> impl Iterator<Item = AccountsItem> + '_ {
        let accounts = self.records.accounts.values().cloned().map(AccountsItem::Account);
        let sign_ins = self.records.sign_ins.values().cloned().map(AccountsItem::SignIn);
        accounts.chain(sign_ins).chain(self.records.api_tokens.values().cloned().map(AccountsItem::ApiToken))
    }

    /// Takes a piece of a snapshot.
    pub fn restore(&mut self, item: AccountsItem) {
        match item {
            AccountsItem::Account(kept) => {
                self.records.accounts.insert(kept.user.folded(), kept);
            }
            AccountsItem::SignIn(sign_in) => {
                self.records.sign_ins.insert(sign_in.id.clone(), sign_in);
            }
            AccountsItem::ApiToken(token) => self.take_api_token(token),
        }
    }

    /// Decides a command; changes nothing.
    ///
    /// # Errors
    /// The [`AccountRefusal`] that the rules give.
    pub fn decide(&self, command: AccountCommand, by: Changer, now: Timestamp) -> Decision {
        match command {
            AccountCommand::Add { user, role } => self.add(user, role, by),
            AccountCommand::SetRole { user, role } => self.set_role(&user, role, by),
            AccountCommand::Disable { user, reason } => self.disable(&user, reason, by),
            AccountCommand::Enable { user } => self.enable(&user, by),
            AccountCommand::EndStale { gone } => Ok(self.end_stale(&gone)),
            AccountCommand::SetPassword { user, hash } => self.set_password(&user, hash, by),
            AccountCommand::TakeServicePassword { hash } => {
                let user = self.people.service_user().clone();
                let mut facts = self.end_sign_ins(&user, None);
                facts.push(AccountFact::ServicePasswordTaken { user, hash });
                Ok(facts)
            }
            AccountCommand::Invite { user, hash } => self.invite(&user, hash, by, now),
            AccountCommand::AcceptInvitation { invitation, hash, sign_in } => {
                self.accept_invitation(&invitation, hash, sign_in)
            }
            AccountCommand::CreateApiToken(token) => self.create_api_token(token, by),
            AccountCommand::RevokeApiToken { id } => self.revoke_api_token(id, by),
            AccountCommand::SignIn { sign_in, version } => self.begin_sign_in(sign_in, version),
            AccountCommand::SignOn { sign_in, role, creates_account } => self.sign_on(sign_in, role, creates_account),
            AccountCommand::SignOut { id } => {
                let known = self.records.sign_ins.contains_key(&id);
                Ok(known.then_some(AccountFact::SignedOut { id }).into_iter().collect())
            }
            AccountCommand::SignOutElsewhere { user, here } => Ok(self.end_sign_ins(&user, here.as_ref())),
        }
    }

    /// Makes a fact part of the state.
    pub fn apply(&mut self, fact: &AccountFact) {
        match fact {
            AccountFact::AccountAdded { user, .. } => self.keep(user).is_added = true,
            AccountFact::RoleSet { user, role, .. } => self.keep(user).role = Some(*role),
            AccountFact::AccountDisabled { user, reason, by } => {
                let kept = self.keep(user);
                kept.disabled = Some(Disabled { reason: reason.clone(), by: by.clone() });
                kept.invitation = None;
                kept.version += 1;
            }
            AccountFact::AccountEnabled { user, .. } => self.keep(user).disabled = None,
            AccountFact::AccessEnded { user } => {
                let kept = self.keep(user);
                kept.invitation = None;
                kept.version += 1;
            }
            AccountFact::PasswordSet { user, hash, .. } => {
                let kept = self.keep(user);
                kept.password = Some(hash.clone());
                kept.invitation = None;
                kept.version += 1;
            }
            AccountFact::ServicePasswordTaken { user, hash } => {
                let kept = self.keep(user);
                kept.service_password = Some(hash.clone());
                kept.version += 1;
            }
            AccountFact::Invited { user, hash, expires_at, .. } => {
                self.keep(user).invitation = Some(Invitation { hash: hash.clone(), expires_at: *expires_at });
            }
            AccountFact::InvitationUsed { by } => self.keep(&by.user).invitation = None,
            AccountFact::ApiTokenCreated { token, .. } => self.take_api_token(token.clone()),
            AccountFact::ApiTokenRevoked { id, .. } => {
                if let Some(token) = self.records.api_tokens.remove(id) {
                    self.records.api_token_ids.remove(&token.hash);
                }
            }
            AccountFact::SignedIn(sign_in) => {
                self.keep(&sign_in.user).last_sign_in = Some(sign_in.at);
                self.records.sign_ins.insert(sign_in.id.clone(), sign_in.clone());
            }
            AccountFact::SignedOut { id } => {
                self.records.sign_ins.remove(id);
            }
        }
    }

    fn take_api_token(&mut self, token: ApiToken) {
        self.records.api_token_ids.insert(token.hash.clone(), token.id.clone());
        self.records.api_tokens.insert(token.id.clone(), token);
    }

    fn add(&self, user: UserName, role: Option<Role>, by: Changer) -> Decision {
        if self.describe(&user).is_some_and(|account| account.is_active || account.is_added || account.is_listed) {
            return Err(AccountRefusal::AccountExists { user });
        }
        if self.all().len() >= MAX_ACCOUNTS {
            return Err(AccountRefusal::TooMany { what: "accounts", limit: MAX_ACCOUNTS });
        }
        let set = role.map(|role| AccountFact::RoleSet { user: user.clone(), role, by: by.clone() });
        Ok([AccountFact::AccountAdded { user, by }].into_iter().chain(set).collect())
    }

    fn set_role(&self, user: &UserName, role: Role, by: Changer) -> Decision {
        let account = self.changeable(user, &by)?;
        match account.role_source {
            RoleSource::UsersFile if account.role != role => {
                Err(AccountRefusal::RoleIsListed { user: account.user, role: account.role })
            }
            RoleSource::UsersFile | RoleSource::ServiceUser => Ok(Vec::new()),
            RoleSource::Admin | RoleSource::Usual if account.role == role => Ok(Vec::new()),
            RoleSource::Admin | RoleSource::Usual => {
                let mut facts = self.end_sign_ins(user, None);
                facts.push(AccountFact::RoleSet { user: account.user, role, by });
                Ok(facts)
            }
        }
    }

    fn disable(&self, user: &UserName, reason: Label, by: Changer) -> Decision {
        let account = self.changeable(user, &by)?;
        let mut facts = self.end_sign_ins(user, None);
        facts.push(AccountFact::AccountDisabled { user: account.user, reason, by });
        Ok(facts)
    }

    fn enable(&self, user: &UserName, by: Changer) -> Decision {
        let account = self.changeable(user, &by)?;
        if !account.is_listed && !account.is_added {
            return Err(AccountRefusal::NotListed { user: account.user });
        }
        let enabled = AccountFact::AccountEnabled { user: account.user, by };
        Ok(account.disabled.map(|_| enabled).into_iter().collect())
    }

    fn end_stale(&self, gone: &[UserName]) -> Vec<AccountFact> {
        let stale = self.records.sign_ins.values().filter(|sign_in| !self.stands(sign_in));
        let ended = stale.map(|sign_in| AccountFact::SignedOut { id: sign_in.id.clone() });
        let gone = gone.iter().filter(|user| self.kept(user).is_some() && self.find(user).is_none());
        ended.chain(gone.map(|user| AccountFact::AccessEnded { user: user.clone() })).collect()
    }

    fn set_password(&self, user: &UserName, hash: String, by: Changer) -> Decision {
        let account = self.active(user)?;
        if self.people.has_setting(user) {
            return Err(AccountRefusal::PasswordIsSetting { user: account.user });
        }
        let mut facts = self.end_sign_ins(user, None);
        facts.push(AccountFact::PasswordSet { user: account.user, hash, by: Some(by) });
        Ok(facts)
    }

    fn invite(&self, user: &UserName, hash: String, by: Changer, now: Timestamp) -> Decision {
        let account = self.active(user)?;
        if self.people.has_setting(user) {
            return Err(AccountRefusal::PasswordIsSetting { user: account.user });
        }
        Ok(vec![AccountFact::Invited { user: account.user, hash, expires_at: now + INVITATION_LIFE, by }])
    }

    fn accept_invitation(&self, invitation: &str, hash: String, sign_in: SignIn) -> Decision {
        let account = self.invited(invitation, sign_in.at).ok_or(AccountRefusal::UnknownInvitation)?;
        let by = Visitor { user: account.user.clone(), address: sign_in.address.clone() };
        let mut facts = self.end_sign_ins(&account.user, None);
        facts.push(AccountFact::InvitationUsed { by: by.clone() });
        facts.push(AccountFact::PasswordSet { user: account.user.clone(), hash, by: Some(Changer::Account(by)) });
        let sign_in = SignIn { proof: Proof::Invitation, user: account.user, role: Some(account.role), ..sign_in };
        facts.push(AccountFact::SignedIn(sign_in));
        Ok(facts)
    }

    fn create_api_token(&self, token: ApiToken, by: Changer) -> Decision {
        let account = self.active(&token.user)?;
        let life = token.expires_at.duration_since(token.created_at);
        if token.scopes.is_empty() {
            return Err(AccountRefusal::NoScope);
        }
        if !life.is_positive() || life > MAX_API_TOKEN_LIFE {
            return Err(AccountRefusal::TokenLife);
        }
        if self.records.api_tokens.len() >= MAX_API_TOKENS {
            return Err(AccountRefusal::TooMany { what: "API tokens", limit: MAX_API_TOKENS });
        }
        Ok(vec![AccountFact::ApiTokenCreated { token: ApiToken { user: account.user, ..token }, by }])
    }

    fn revoke_api_token(&self, id: ApiTokenId, by: Changer) -> Decision {
        let known = self.records.api_tokens.get(&id);
        let token = known.ok_or_else(|| AccountRefusal::UnknownApiToken(id.as_str().to_owned()))?;
        let (user, name) = (token.user.clone(), token.name.clone());
        Ok(vec![AccountFact::ApiTokenRevoked { id, user, name, by }])
    }

    fn begin_sign_in(&self, sign_in: SignIn, version: Option<u64>) -> Decision {
        let account = self.active(&sign_in.user)?;
        if version.is_some_and(|proved| proved != self.version(&account.user)) {
            return Err(AccountRefusal::ProofIsOld { user: account.user });
        }
        let too_old = |old: &&SignIn| sign_in.at.duration_since(old.at) >= SIGN_IN_LIFE;
        let (old, all) = (self.records.sign_ins.values().filter(too_old), self.sign_ins_of(&sign_in.user));
        let mut facts: Vec<AccountFact> = old.map(|old| AccountFact::SignedOut { id: old.id.clone() }).collect();
        // Whoever only picks the name of somebody ends nothing of what was proved.
        let is_same_kind = |own: &&SignIn| (own.proof == Proof::Nothing) == (sign_in.proof == Proof::Nothing);
        let mut own: Vec<&SignIn> = all.filter(|own| !too_old(own)).filter(is_same_kind).collect();
        if own.len() >= MAX_SIGN_INS_PER_ACCOUNT {
            own.sort_by_key(|sign_in| sign_in.at);
            facts.push(AccountFact::SignedOut { id: own[0].id.clone() });
        }
        facts.push(AccountFact::SignedIn(SignIn { role: Some(account.role), ..sign_in }));
        Ok(facts)
    }

    /// The provider's role counts where `users.txt` gives none. The service user
    /// comes by password alone: anybody may be named so at a provider.
    fn sign_on(&self, sign_in: SignIn, role: Option<Role>, creates_account: bool) -> Decision {
        let user = sign_in.user.clone();
        if self.people.is_service(&user) {
            return Err(AccountRefusal::ServiceUser { user });
        }
        let by = Changer::Configuration;
        let Some(account) = self.describe(&user) else {
            if !creates_account {
                return Err(AccountRefusal::UnknownAccount { user });
            }
            let mut facts = self.add(user, role, by)?;
            facts.push(AccountFact::SignedIn(SignIn { role: Some(role.unwrap_or(Role::Member)), ..sign_in }));
            return Ok(facts);
        };
        let user = account.comes_in()?;
        let sign_in = SignIn { user: user.clone(), ..sign_in };
        match role.filter(|role| *role != account.role && account.role_source != RoleSource::UsersFile) {
            None => self.begin_sign_in(sign_in, None),
            Some(role) => {
                let mut facts = self.end_sign_ins(&user, None);
                facts.push(AccountFact::RoleSet { user, role, by });
                facts.push(AccountFact::SignedIn(SignIn { role: Some(role), ..sign_in }));
                Ok(facts)
            }
        }
    }

    fn end_sign_ins(&self, user: &UserName, but: Option<&SignInId>) -> Vec<AccountFact> {
        let ended = self.sign_ins_of(user).filter(|sign_in| Some(&sign_in.id) != but);
        ended.map(|sign_in| AccountFact::SignedOut { id: sign_in.id.clone() }).collect()
    }

    /// An account that somebody may change who is not its user.
    fn changeable(&self, user: &UserName, by: &Changer) -> Result<Described, AccountRefusal> {
        let unknown = || AccountRefusal::UnknownAccount { user: user.clone() };
        let account = self.describe(user).ok_or_else(unknown)?;
        if self.people.is_service(user) {
            return Err(AccountRefusal::ServiceUser { user: account.user });
        }
        if by.is(user) { Err(AccountRefusal::Yourself) } else { Ok(account) }
    }

    fn active(&self, user: &UserName) -> Result<Actor, AccountRefusal> {
        self.find(user).ok_or_else(|| match self.describe(user).and_then(|account| account.disabled) {
            Some(_) => AccountRefusal::AccountDisabled { user: user.clone() },
            None => AccountRefusal::UnknownAccount { user: user.clone() },
        })
    }

    /// Whether a sign-in's account lets its user in, in the role of then.
    fn stands(&self, sign_in: &SignIn) -> bool {
        let account = self.find(&sign_in.user);
        account.is_some_and(|account| sign_in.role.is_none_or(|role| role == account.role))
    }

    fn kept(&self, user: &UserName) -> Option<&Kept> {
        self.records.accounts.get(&user.folded())
    }

    fn keep(&mut self, user: &UserName) -> &mut Kept {
        self.records.accounts.entry(user.folded()).or_insert_with(|| Kept {
            user: user.clone(),
            is_added: false,
            role: None,
            password: None,
            service_password: None,
            disabled: None,
            invitation: None,
            last_sign_in: None,
            version: 0,
        })
    }
}

impl Described {
    /// Its name, if it lets its user in.
    fn comes_in(&self) -> Result<UserName, AccountRefusal> {
        let user = self.user.clone();
        match (self.is_active, &self.disabled) {
            (true, _) => Ok(user),
            (false, Some(_)) => Err(AccountRefusal::AccountDisabled { user }),
            (false, None) => Err(AccountRefusal::NotListed { user }),
        }
    }
}

/// Whether an account lets its user in; the service user's always does.
fn is_active(listed: Option<&ListedUser>, kept: Option<&Kept>, source: RoleSource) -> bool {
    let is_there = listed.is_some() || kept.is_some_and(|kept| kept.is_added);
    let is_disabled = kept.is_some_and(|kept| kept.disabled.is_some());
    source == RoleSource::ServiceUser || (is_there && !is_disabled)
}

/// The role of an account, and who says so.
fn role(listed: Option<&ListedUser>, kept: Option<&Kept>, service_user: &UserName) -> (Role, RoleSource) {
    match (listed, kept.and_then(|kept| kept.role)) {
        (Some(listed), _) if listed.name.is_same_account(service_user) => (Role::Admin, RoleSource::ServiceUser),
        (Some(ListedUser { role: Some(role), .. }), _) => (*role, RoleSource::UsersFile),
        (_, Some(role)) => (role, RoleSource::Admin),
        (_, None) => (Role::Member, RoleSource::Usual),
    }
}
