//! Accounts: who is let in, and as whom.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{
    account::{
        AccountCommand, AccountFact, AccountRefusal, AccountsState, Actor, ListedUser, People, Proof, Role,
        SIGN_IN_IDLE, SignIn, SignInId,
    },
    names::UserName,
    record::{Hash, Stream},
};
use jiff::Timestamp;

use crate::{
    keys::{AT_MOST_EVERY, Leavings},
    passwords::{PasswordError, Passwords},
    ports::{Clock, Entropy},
    store::{Decided, Failure, Moment, ReplayError, Store, View, World},
};

/// What proves at each request who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A browser's sign-in, which the server can end.
    SignIn(SignInId),
    /// A program's access token.
    AccessToken {
        /// Whose.
        user: UserName,
        /// When it ends.
        expires_at: Timestamp,
    },
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
    passwords: Passwords,
    settings: AccountSettings,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    started: Timestamp,
    last_used: Mutex<BTreeMap<SignInId, Timestamp>>,
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
    ) -> Result<Accounts, ReplayError> {
        let (clock, entropy) = (Arc::clone(&world.clock), Arc::clone(&world.entropy));
        let initial = AccountsView(AccountsState::new(Arc::new(people)));
        let leavings = Arc::new(Leavings::of(world.ledger.as_ref()).await?);
        let noting = Arc::clone(&leavings);
        let on_commit = move |_: &AccountsView, facts: &[(u64, AccountFact)]| {
            noting.note(facts.iter().map(|(_, fact)| fact));
        };
        let store = Store::open(world, initial, |_| Box::new(on_commit)).await?;
        let started = clock.now();
        Ok(Accounts { store, leavings, passwords, settings, clock, entropy, started, last_used: Mutex::default() })
    }

    /// The account whose password this is, with its full rights.
    ///
    /// # Errors
    /// [`SignInError::Wrong`].
    pub async fn prove(&self, name: &str, password: &str) -> Result<Actor, SignInError> {
        let account = self.find(name);
        let hash = account
            .as_ref()
            .and_then(|account| self.store.read(|view| view.0.password_hash(&account.user).map(str::to_owned)));
        let by_hash = self.passwords.proves(password, hash.as_deref()).await;
        let account = account.ok_or(SignInError::Wrong)?;
        let proved = if self.has_setting(&account) { self.is_service_password(password) } else { by_hash };
        if proved { Ok(account) } else { Err(SignInError::Wrong) }
    }

    /// Signs a browser in. Without a password that is possible where the board
    /// is open, for those on its list, and gives a member's rights.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn sign_in(&self, name: &str, password: &str) -> Result<SignIn, SignInError> {
        let (user, proof) = if password.is_empty() && self.settings.board_is_open {
            (self.listed(name).ok_or(SignInError::Wrong)?, Proof::Nothing)
        } else {
            (self.prove(name, password).await?.user, Proof::Password)
        };
        let sign_in = SignIn { id: SignInId::of_bits(self.entropy.bits()), user, proof, at: self.clock.now() };
        let kept = self.store.execute(AccountCommand::SignIn(sign_in.clone())).await;
        kept.map_err(|failure| match failure {
            Failure::Refused(_) => SignInError::Wrong,
            Failure::Unavailable(reason) => SignInError::Unavailable(reason),
        })?;
        Ok(sign_in)
    }

    /// Ends a sign-in.
    ///
    /// # Errors
    /// [`Failure::Unavailable`]: it did not end.
    pub async fn sign_out(&self, id: SignInId) -> Result<(), Failure<AccountRefusal>> {
        self.lock_last_used().remove(&id);
        self.store.execute(AccountCommand::SignOut { id }).await
    }

    /// Who that is just now, with the rights in force; `None` when the
    /// credential has ended or its account is gone. Asking is use.
    pub fn actor(&self, credential: &Credential) -> Option<Actor> {
        let now = self.clock.now();
        match credential {
            Credential::AccessToken { user, expires_at } => {
                let account = self.store.read(|view| view.0.people().find(user))?;
                (now < *expires_at).then_some(account)
            }
            Credential::SignIn(id) => self.signed_in(id, now),
        }
    }

    /// Sets a password and ends the account's sign-ins.
    ///
    /// # Errors
    /// [`SetPasswordError`].
    pub async fn set_password(&self, user: &UserName, password: &str) -> Result<(), SetPasswordError> {
        let hash = self.passwords.hash(password).await?;
        let set = self.store.execute(AccountCommand::SetPassword { user: user.clone(), hash }).await;
        set.map_err(|failure| match failure {
            Failure::Refused(refusal) => SetPasswordError::Refused(refusal),
            Failure::Unavailable(reason) => SetPasswordError::Unavailable(reason),
        })
    }

    /// Whether the account has a password, as a record or as a setting.
    pub fn has_password(&self, user: &UserName) -> bool {
        let recorded = self.store.read(|view| view.0.password_hash(user).is_some());
        let service = self.store.read(|view| view.0.people().service_user().folded());
        recorded || (self.settings.service_password.is_some() && user.folded() == service)
    }

    /// Uses another list of people.
    pub async fn take_up(&self, listed: Vec<ListedUser>) {
        let people = Arc::new(self.people().with_list(listed));
        self.store.adjust(move |view| view.0.set_people(Arc::clone(&people))).await;
    }

    /// Who there is.
    pub fn people(&self) -> Arc<People> {
        self.store.read(|view| Arc::clone(view.0.people()))
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

    /// Writes the stream anew if something left it; what fails is tried again.
    pub async fn compact(&self) {
        if self.leavings.take()
            && let Err(error) = self.store.compact().await
        {
            tracing::warn!("What was replaced is still on the disk, and is removed later: {error}");
            self.leavings.stay();
        }
    }

    /// Waits until everything that was handed in is committed or refused.
    pub async fn settle(&self) {
        self.store.settle().await;
    }

    fn find(&self, name: &str) -> Option<Actor> {
        let name = UserName::parse(name).ok()?;
        self.store.read(|view| view.0.people().find(&name))
    }

    fn listed(&self, name: &str) -> Option<UserName> {
        let name = UserName::parse(name).ok()?.folded();
        let people = self.people();
        people.listed().iter().find(|user| user.name.folded() == name).map(|user| user.name.clone())
    }

    fn has_setting(&self, account: &Actor) -> bool {
        let service = self.store.read(|view| view.0.people().service_user().folded());
        self.settings.service_password.is_some() && account.user.folded() == service
    }

    /// Compares digests, so that the time taken tells nothing of the password.
    fn is_service_password(&self, password: &str) -> bool {
        let expected = self.settings.service_password.as_deref().map(|setting| Hash::of(setting.as_bytes()));
        expected == Some(Hash::of(password.as_bytes()))
    }

    fn signed_in(&self, id: &SignInId, now: Timestamp) -> Option<Actor> {
        let found = self.store.read(|view| {
            let sign_in = view.0.sign_in(id, now)?;
            let account = view.0.people().find(&sign_in.user)?;
            Some((account, sign_in.proof, sign_in.at))
        });
        let Some((account, proof, since)) = found else {
            self.lock_last_used().remove(id);
            return None;
        };
        if !self.use_at(id, since, now) {
            // Kept, so that no restart brings it back; nobody waits for that.
            drop(self.store.submit(AccountCommand::SignOut { id: id.clone() }));
            return None;
        }
        match proof {
            Proof::Password => Some(account),
            Proof::Nothing if self.settings.board_is_open => Some(Actor { role: Role::Member, ..account }),
            Proof::Nothing => None,
        }
    }

    /// Notes a use; `false` if the last one was too long ago. Uses are not
    /// recorded: a restart counts as one of every sign-in.
    fn use_at(&self, id: &SignInId, since: Timestamp, now: Timestamp) -> bool {
        let mut last_used = self.lock_last_used();
        let last = last_used.entry(id.clone()).or_insert(self.started.max(since));
        let in_time = now.duration_since(*last) < SIGN_IN_IDLE;
        if in_time {
            *last = now;
        }
        in_time
    }

    fn lock_last_used(&self) -> std::sync::MutexGuard<'_, BTreeMap<SignInId, Timestamp>> {
        self.last_used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state of the accounts as a fold over the stream `keys`.
#[derive(Clone)]
pub struct AccountsView(AccountsState);

impl View for AccountsView {
    type Command = AccountCommand;
    type Fact = AccountFact;
    type Outcome = ();
    type Refusal = AccountRefusal;
    type Item = AccountFact;
    const STREAM: Stream = Stream::Keys;

    fn decide(&self, command: AccountCommand, _: &Moment) -> Decided<Self> {
        Ok((self.0.decide(command)?, ()))
    }

    fn apply(&mut self, _: u64, fact: &AccountFact) {
        self.0.apply(fact);
    }

    fn snapshot(&self) -> Box<dyn Iterator<Item = AccountFact> + '_> {
        Box::new(self.0.snapshot())
    }

    fn restore(&mut self, item: AccountFact) {
        self.0.apply(&item);
    }

    fn restored(&mut self, _: u64) {}
}
