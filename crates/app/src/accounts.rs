//! Accounts: who is let in, and as whom.
//!
//! [`administration`] is what admins do with them, [`view`] their state.

use std::sync::Arc;

use domain::{
    access::{AccessFact, Client},
    account::{
        AccountCommand, AccountFact, AccountRefusal, AccountsState, Actor, ApiTokenId, Changer, ListedUser, People,
        Proof, Rights, Role, SIGN_IN_IDLE, SignIn, SignInId, Visitor,
    },
    names::UserName,
    record::{Hash, Stream},
};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::{
    access::AccessLog,
    keys::{AT_MOST_EVERY, Leavings},
    passwords::{PasswordError, Passwords},
    ports::{Clock, Entropy},
    store::{Answer, Failure, ReplayError, Store, World},
};

use self::last_use::LastUse;

pub use self::{
    administration::{ApiTokenInUse, ApiTokenWanted, Invited},
    view::{AccountsView, Ordered},
};

mod administration;
mod last_use;
mod signing_on;
mod view;

/// What proves at each request who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A browser's sign-in, which the server can end.
    SignIn(SignInId),
    /// A program's access token.
    AccessToken {
        /// Whose.
        user: UserName,
        /// The account's version when it was given.
        version: u64,
        /// When it ends.
        expires_at: Timestamp,
    },
    /// A program's API token.
    ApiToken(ApiTokenId),
}

/// Somebody who is let in, and what they may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Who.
    pub actor: Actor,
    /// What they may with what they came with.
    pub rights: Rights,
    /// Whether they proved who they are, and did not just pick a name.
    pub is_proved: bool,
}

/// Where somebody signs in from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// The address of the network peer, where it is known.
    pub address: Option<String>,
    /// The browser in a few words, where it says what it is.
    pub browser: Option<String>,
}

/// An account whose password was shown, as it was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    /// The account, with its full rights.
    pub account: Actor,
    /// Its version; with another one, the proof holds no longer.
    pub version: u64,
}

/// A program that proved who it is, and what its access token has to name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramSignIn {
    /// Whose.
    pub user: UserName,
    /// The account's version.
    pub version: u64,
}

/// A sign-in, and when it was used last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInInUse {
    /// The sign-in.
    pub sign_in: SignIn,
    /// Its last use; the sign-in itself where there was none since the server started.
    pub last_used_at: Timestamp,
}

/// How accounts are set up.
pub struct AccountSettings {
    /// Whether people may sign in without a password, as members.
    pub board_is_open: bool,
    /// The service user's password, where it is a setting.
    pub service_password: Option<String>,
}

/// Why nobody was let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// User or password is wrong; which, is not said.
    #[error("User or password is wrong.")]
    Wrong,
    /// It could not be kept.
    #[error("Nobody can sign in just now: {0}")]
    Unavailable(String),
}

/// Why a password was not set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetPasswordError {
    /// The rules say no.
    #[error(transparent)]
    Refused(#[from] AccountRefusal),
    /// It is no password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// It could not be kept.
    #[error("the password could not be kept: {0}")]
    Unavailable(String),
}

/// The doors.
pub struct Accounts {
    store: Store<AccountsView>,
    leavings: Arc<Leavings>,
    committed: watch::Receiver<u64>,
    access: Arc<AccessLog>,
    passwords: Passwords,
    settings: AccountSettings,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    started: Timestamp,
    sign_ins_used: Arc<LastUse<SignInId>>,
    tokens_used: LastUse<ApiTokenId>,
}

impl Accounts {
    /// Makes the accounts from their records and the people of the files.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub async fn open(
        world: World,
        people: People,
        settings: AccountSettings,
        passwords: Passwords,
        access: Arc<AccessLog>,
    ) -> Result<Accounts, ReplayError> {
        let (clock, entropy) = (Arc::clone(&world.clock), Arc::clone(&world.entropy));
        let initial = AccountsView(AccountsState::new(Arc::new(people)));
        let (seq, committed) = watch::channel(world.ledger.head(Stream::Keys).seq);
        let sign_ins_used = Arc::new(LastUse::default());
        let used = Arc::clone(&sign_ins_used);
        let leavings = Arc::new(Leavings::of(world.ledger.as_ref()).await?);
        let noting = Arc::clone(&leavings);
        let store = Store::open(world, initial, |_| {
            Box::new(move |_, facts| {
                noting.note(facts.iter().map(|(_, fact)| fact));
                for (number, fact) in facts {
                    if let AccountFact::SignedOut { id } = fact {
                        used.forget(id);
                    }
                    seq.send_replace(*number);
                }
            })
        });
        Ok(Accounts {
            store: store.await?,
            leavings,
            committed,
            access,
            passwords,
            settings,
            started: clock.now(),
            clock,
            entropy,
            sign_ins_used,
            tokens_used: LastUse::default(),
        })
    }

    /// The account whose password this is. A name that lets nobody in costs as
    /// much as one that does.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn prove(&self, name: &str, password: &str) -> Result<Proved, SignInError> {
        // All of one moment: while the password waits for its turn, another may be set.
        let found = UserName::parse(name).ok().and_then(|name| {
            self.store.read(|view| {
                let account = view.0.find(&name)?;
                let hash = view.0.password_hash(&account.user).map(str::to_owned);
                Some((hash, Proved { version: view.0.version(&account.user), account }))
            })
        });
        let hash = found.as_ref().and_then(|(hash, _)| hash.clone());
        let by_hash = self.passwords.proves(password, hash.as_deref()).await;
        let by_hash = by_hash.map_err(|error| SignInError::Unavailable(error.to_string()))?;
        let (_, proved) = found.ok_or(SignInError::Wrong)?;
        let is_right = if self.has_setting(&proved.account) { self.is_service_password(password) } else { by_hash };
        if is_right { Ok(proved) } else { Err(SignInError::Wrong) }
    }

    /// Signs a browser in. Without a password that is possible where the board
    /// is open, for those on its list, and gives a member's rights.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn sign_in(&self, name: &str, password: &str, from: Arrival) -> Result<SignIn, SignInError> {
        let began = if self.is_only_a_pick(password) {
            match self.listed(name) {
                Some(user) => self.begin(user, Proof::Nothing, None, &from).await,
                None => Err(SignInError::Wrong),
            }
        } else {
            match self.prove(name, password).await {
                Ok(proved) => self.begin_proved(proved, &from).await,
                Err(error) => Err(error),
            }
        };
        self.noted(began, name, &from, Client::Browser)
    }

    /// Begins the sign-in of a browser whose password was shown.
    ///
    /// # Errors
    /// [`SignInError`]; [`SignInError::Wrong`] where the account was changed since.
    pub async fn begin_proved(&self, proved: Proved, from: &Arrival) -> Result<SignIn, SignInError> {
        self.begin(proved.account.user, Proof::Password, Some(proved.version), from).await
    }

    async fn begin(
        &self,
        user: UserName,
        proof: Proof,
        version: Option<u64>,
        from: &Arrival,
    ) -> Result<SignIn, SignInError> {
        let sign_in = self.fresh_sign_in(user.clone(), proof, from);
        let command = AccountCommand::SignIn { sign_in: sign_in.clone(), version };
        self.execute(command, from.changer(user)).await?;
        Ok(sign_in)
    }

    /// A sign-in with an id of its own.
    fn fresh_sign_in(&self, user: UserName, proof: Proof, from: &Arrival) -> SignIn {
        SignIn {
            id: SignInId::of_bits(self.entropy.bits()),
            user,
            proof,
            at: self.clock.now(),
            role: None,
            address: from.address.clone(),
            browser: from.browser.clone(),
        }
    }

    /// Lets a program in by password; that is kept before it gets its access token.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn sign_in_program(
        &self,
        name: &str,
        password: &str,
        from: Arrival,
    ) -> Result<ProgramSignIn, SignInError> {
        let proved = self.prove(name, password).await.and_then(|proved| self.still(proved));
        let Proved { account: Actor { user, .. }, version } = self.noted(proved, name, &from, Client::Program)?;
        let by = Visitor { user: user.clone(), address: from.address };
        let (client, proof, at) = (Client::Program, Proof::Password, self.clock.now());
        let signed_in = AccessFact::SignedIn { by, client, proof, at, follows: None };
        self.access.keep(signed_in).await.map_err(SignInError::Unavailable)?;
        Ok(ProgramSignIn { user, version })
    }

    /// Ends a sign-in.
    ///
    /// # Errors
    /// [`Failure::Unavailable`]: it did not end.
    pub async fn sign_out(&self, id: SignInId) -> Result<(), Failure<AccountRefusal>> {
        self.execute(AccountCommand::SignOut { id }, Changer::Configuration).await
    }

    /// Ends a sign-in of that account.
    ///
    /// # Errors
    /// [`Failure`]; a sign-in of somebody else is none.
    pub async fn sign_out_own(&self, user: &UserName, id: SignInId) -> Result<(), Failure<AccountRefusal>> {
        let is_own = self.sign_ins(user).iter().any(|own| own.sign_in.id == id);
        if !is_own {
            return Err(Failure::Refused(AccountRefusal::UnknownSignIn(id.as_str().to_owned())));
        }
        self.sign_out(id).await
    }

    /// Ends all sign-ins of that account but the one here.
    ///
    /// # Errors
    /// [`Failure::Unavailable`]: they did not end.
    pub async fn sign_out_elsewhere(
        &self,
        user: &UserName,
        here: Option<SignInId>,
    ) -> Result<(), Failure<AccountRefusal>> {
        let command = AccountCommand::SignOutElsewhere { user: user.clone(), here };
        self.execute(command, Changer::Configuration).await
    }

    /// Where that account is signed in, the latest first.
    pub fn sign_ins(&self, user: &UserName) -> Vec<SignInInUse> {
        let now = self.clock.now();
        let all: Vec<SignIn> = self.store.read(|view| {
            let own = view.0.sign_ins_of(user).filter(|own| view.0.sign_in(&own.id, now).is_some());
            own.cloned().collect()
        });
        let in_use = |sign_in: SignIn| SignInInUse {
            last_used_at: self.sign_ins_used.of(&sign_in.id).unwrap_or(sign_in.at),
            sign_in,
        };
        let is_idle = |own: &SignInInUse| now.duration_since(own.last_used_at.max(self.started)) >= SIGN_IN_IDLE;
        let mut own: Vec<SignInInUse> = all.into_iter().map(in_use).filter(|own| !is_idle(own)).collect();
        own.sort_by_key(|own| std::cmp::Reverse(own.sign_in.at));
        own
    }

    /// Who that is just now, with the rights in force; `None` when the
    /// credential has ended or its account lets nobody in. Asking is use.
    pub fn known(&self, credential: &Credential) -> Option<Known> {
        let now = self.clock.now();
        match credential {
            Credential::SignIn(id) => self.signed_in(id, now),
            Credential::AccessToken { user, version, expires_at } => {
                let account = self.store.read(|view| {
                    let is_same = view.0.version(user) == *version;
                    view.0.find(user).filter(|_| is_same)
                })?;
                (now < *expires_at).then(|| Known::proved(Rights::of_role(account.role), account))
            }
            Credential::ApiToken(id) => {
                let known = self.store.read(|view| {
                    let token = view.0.api_token(id, now)?;
                    let actor = view.0.find(&token.user)?;
                    Some(Known::proved(Rights::of_api_token(actor.role, &token.scopes), actor))
                })?;
                self.tokens_used.note(id, now);
                Some(known)
            }
        }
    }

    /// Who that is just now; see [`Accounts::known`].
    pub fn actor(&self, credential: &Credential) -> Option<Actor> {
        self.known(credential).map(|known| known.actor)
    }

    /// The credential that an API token is, if there is such a one.
    pub fn api_token(&self, token: &str) -> Option<Credential> {
        let hash = administration::digest(token);
        self.store.read(|view| view.0.api_token_id(&hash).cloned()).map(Credential::ApiToken)
    }

    /// Sets a password and ends the account's sign-ins.
    ///
    /// # Errors
    /// [`SetPasswordError`].
    pub async fn set_password(&self, user: &UserName, password: &str, by: Changer) -> Result<(), SetPasswordError> {
        let hash = self.passwords.hash(user, password).await?;
        self.execute(AccountCommand::SetPassword { user: user.clone(), hash }, by).await?;
        Ok(())
    }

    /// Takes the service user's password up from the settings: with another
    /// one than at the last start, what the one before let in ends.
    ///
    /// # Errors
    /// [`SetPasswordError`].
    pub async fn take_service_password(&self) -> Result<(), SetPasswordError> {
        let Some(password) = &self.settings.service_password else { return Ok(()) };
        let known = self.store.read(|view| view.0.service_password_hash().map(str::to_owned));
        if known.is_some() && self.passwords.proves(password, known.as_deref()).await? {
            return Ok(());
        }
        let hash = self.passwords.hash_as_given(password).await?;
        self.execute(AccountCommand::TakeServicePassword { hash }, Changer::Configuration).await?;
        Ok(())
    }

    /// Whether the account has a password, as a record or as a setting.
    pub fn has_password(&self, user: &UserName) -> bool {
        self.describe(user).is_some_and(|account| account.has_password)
    }

    /// Uses another list of people; what those came in with who are no longer
    /// let in, or in another role, ends.
    pub async fn take_up(&self, listed: Vec<ListedUser>) {
        let before = self.people();
        let people = Arc::new(before.with_list(listed));
        let gone = before.listed().iter().filter(|user| people.find(&user.name).is_none());
        let gone = gone.map(|user| user.name.clone()).collect();
        self.store.adjust(move |view| view.0.set_people(Arc::clone(&people))).await;
        self.end_stale(gone).await;
    }

    /// Ends for good what is good no longer by the files, and what those have
    /// who are gone.
    pub async fn end_stale(&self, gone: Vec<UserName>) {
        if let Err(failure) = self.execute(AccountCommand::EndStale { gone }, Changer::Configuration).await {
            tracing::warn!("Sign-ins of people who left rest, and could not be ended for good: {failure:?}");
        }
    }

    /// Who there is by the files.
    pub fn people(&self) -> Arc<People> {
        self.store.read(|view| Arc::clone(view.0.people()))
    }

    /// Whether somebody who signs in so just picks a name, and proves nothing.
    pub fn is_only_a_pick(&self, password: &str) -> bool {
        password.is_empty() && self.settings.board_is_open
    }

    /// Whether people may sign in without a password.
    pub fn board_is_open(&self) -> bool {
        self.settings.board_is_open
    }

    /// Writes the stream anew whenever something left it, for ever.
    pub async fn keep_compact(&self) {
        loop {
            self.leavings.come().await;
            self.compact().await;
            tokio::time::sleep(AT_MOST_EVERY).await;
        }
    }

    /// Writes the stream anew if something left it, once the record of access
    /// has what follows from it; what fails is tried again.
    pub async fn compact(&self) {
        if !self.leavings.take() {
            return;
        }
        match self.forget_what_left().await {
            Ok(true) => {}
            Ok(false) => self.leavings.stay(),
            Err(problem) => {
                tracing::warn!("What was replaced is still on the disk, and is removed later: {problem}");
                self.leavings.stay();
            }
        }
    }

    /// Whether it was done; not while something came that is not followed yet.
    async fn forget_what_left(&self) -> Result<bool, String> {
        self.access.follow_up().await?;
        let (committed, access) = (self.committed.clone(), Arc::clone(&self.access));
        let is_followed = move || *committed.borrow() <= access.followed_to();
        self.store.compact_where(is_followed).await.map_err(|error| error.to_string())
    }

    /// Wakes at each commit, with the number of its last record.
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.committed.clone()
    }

    /// Waits until everything that was handed in is committed or refused.
    pub async fn settle(&self) {
        self.store.settle().await;
    }

    fn submit(&self, command: AccountCommand, by: Changer) -> Answer<AccountsView> {
        self.store.submit(Ordered { command, by })
    }

    async fn execute(&self, command: AccountCommand, by: Changer) -> Result<(), Failure<AccountRefusal>> {
        self.store.execute(Ordered { command, by }).await
    }

    /// Passes a proof on; one that failed is noted first.
    fn noted<T>(
        &self,
        proved: Result<T, SignInError>,
        name: &str,
        from: &Arrival,
        client: Client,
    ) -> Result<T, SignInError> {
        if matches!(proved, Err(SignInError::Wrong)) {
            let named = UserName::parse(name).ok().and_then(|name| self.describe(&name));
            self.access.sign_in_failed(named.map(|account| account.user), from.address.clone(), client);
        }
        proved
    }

    /// What was proved, where the account is as it was then.
    fn still(&self, proved: Proved) -> Result<Proved, SignInError> {
        let version = self.store.read(|view| view.0.version(&proved.account.user));
        if version == proved.version { Ok(proved) } else { Err(SignInError::Wrong) }
    }

    fn find(&self, name: &str) -> Option<Actor> {
        let name = UserName::parse(name).ok()?;
        self.store.read(|view| view.0.find(&name))
    }

    /// Whoever is on the list that an open board shows.
    fn listed(&self, name: &str) -> Option<UserName> {
        let account = self.find(name)?;
        let people = self.people();
        let is_named = people.listed().iter().any(|listed| listed.name.is_same_account(&account.user));
        (is_named || !people.is_service(&account.user)).then_some(account.user)
    }

    fn has_setting(&self, account: &Actor) -> bool {
        self.settings.service_password.is_some() && self.people().is_service(&account.user)
    }

    /// Compares digests, so that the time taken tells nothing of the password.
    fn is_service_password(&self, password: &str) -> bool {
        let expected = self.settings.service_password.as_deref().map(|setting| Hash::of(setting.as_bytes()));
        expected == Some(Hash::of(password.as_bytes()))
    }

    fn signed_in(&self, id: &SignInId, now: Timestamp) -> Option<Known> {
        let found = self.store.read(|view| {
            let sign_in = view.0.sign_in(id, now)?;
            let account = view.0.find(&sign_in.user)?;
            Some((account, sign_in.proof, sign_in.at))
        });
        let Some((account, proof, since)) = found else {
            self.sign_ins_used.forget(id);
            return None;
        };
        let last = self.sign_ins_used.note(id, now).unwrap_or(self.started.max(since));
        if now.duration_since(last) >= SIGN_IN_IDLE {
            // Kept, so that no restart brings it back; nobody waits for that.
            drop(self.submit(AccountCommand::SignOut { id: id.clone() }, Changer::Configuration));
            self.sign_ins_used.set(id, last);
            return None;
        }
        let role = match proof {
            Proof::Password | Proof::Invitation | Proof::SingleSignOn => account.role,
            Proof::Nothing if self.settings.board_is_open => Role::Member,
            Proof::Nothing => return None,
        };
        let is_proved = proof != Proof::Nothing;
        Some(Known { rights: Rights::of_role(role), actor: Actor { role, ..account }, is_proved })
    }
}

impl Known {
    fn proved(rights: Rights, actor: Actor) -> Known {
        Known { actor, rights, is_proved: true }
    }
}

impl Arrival {
    /// Somebody who comes from there, as who changes something.
    fn changer(&self, user: UserName) -> Changer {
        Changer::Account(Visitor { user, address: self.address.clone() })
    }
}

impl From<Failure<AccountRefusal>> for SignInError {
    fn from(failure: Failure<AccountRefusal>) -> SignInError {
        match failure {
            Failure::Refused(_) => SignInError::Wrong,
            Failure::Unavailable(reason) => SignInError::Unavailable(reason),
        }
    }
}

impl From<Failure<AccountRefusal>> for SetPasswordError {
    fn from(failure: Failure<AccountRefusal>) -> SetPasswordError {
        match failure {
            Failure::Refused(refusal) => SetPasswordError::Refused(refusal),
            Failure::Unavailable(reason) => SetPasswordError::Unavailable(reason),
        }
    }
}
