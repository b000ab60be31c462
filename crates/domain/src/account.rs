//! Accounts: who there is, what each may, and where they are signed in.
//!
//! [`people`] is what the files say, [`state`] what the records add to it and
//! the rules, [`api_token`] what programs come with, [`sign_on`] what a provider
//! of single sign-on says, [`visitor`] who changes something.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    names::{Label, UserName},
    session::hexadecimal,
};

pub use self::{
    api_token::{
        API_TOKEN_PREFIX, ApiToken, ApiTokenId, MAX_API_TOKEN_LIFE, MAX_API_TOKENS, Rights, Scope,
        USUAL_API_TOKEN_LIFE, read_end,
    },
    people::{ListedUser, People},
    sign_on::{ClaimRules, Claims},
    state::{AccountsItem, AccountsState, Described, Disabled, Invitation, RoleSource},
    visitor::{Changer, Visitor},
};

mod api_token;
mod people;
mod sign_on;
mod state;
#[cfg(test)]
mod tests;
mod visitor;

/// A sign-in ends after this long, used or not.
pub const SIGN_IN_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A sign-in ends after this long without use.
pub const SIGN_IN_IDLE: SignedDuration = SignedDuration::from_hours(12);

/// An invitation ends after this long: it comes on a Friday, and is opened on the Monday.
pub const INVITATION_LIFE: SignedDuration = SignedDuration::from_hours(3 * 24);

/// Most sign-ins that an account has at once, and as many for which only its name
/// was picked; the oldest of its kind ends when one more begins.
pub const MAX_SIGN_INS_PER_ACCOUNT: usize = 100;

/// Most accounts, in `users.txt` and in all.
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

/// How a sign-in proved who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// By password.
    Password,
    /// By the link of an invitation, with which a password was chosen.
    Invitation,
    /// By the provider of single sign-on.
    #[serde(rename = "single_sign_on")]
    SingleSignOn,
    /// Not at all: the board is open.
    Nothing,
}

impl Proof {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Proof::Password => "password",
            Proof::Invitation => "invitation",
            Proof::SingleSignOn => "single_sign_on",
            Proof::Nothing => "nothing",
        }
    }
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
    /// The account's role then: with another one the sign-in is none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The address of the network peer, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The browser in a few words, where it says what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
}

/// What is recorded of accounts, in the stream `keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "body")]
pub enum AccountFact {
    /// An account is there that `users.txt` need not name.
    AccountAdded {
        /// Whose.
        user: UserName,
        /// By whom.
        by: Changer,
    },
    /// An account has a role, where `users.txt` gives it none.
    RoleSet {
        /// Whose.
        user: UserName,
        /// Which.
        role: Role,
        /// By whom.
        by: Changer,
    },
    /// An account lets nobody in any more.
    AccountDisabled {
        /// Whose.
        user: UserName,
        /// Why.
        reason: Label,
        /// By whom.
        by: Changer,
    },
    /// An account lets its user in again.
    AccountEnabled {
        /// Whose.
        user: UserName,
        /// By whom.
        by: Changer,
    },
    /// An account was taken out of `users.txt`: what its user came in with ended.
    AccessEnded {
        /// Whose.
        user: UserName,
    },
    /// A password was set; its Argon2id hash in PHC form.
    PasswordSet {
        /// Whose.
        user: UserName,
        /// `$argon2id$…`.
        hash: String,
        /// By whom, where that was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Changer>,
    },
    /// The service user's password is another setting than before.
    ServicePasswordTaken {
        /// The service user.
        user: UserName,
        /// Its Argon2id hash in PHC form.
        hash: String,
    },
    /// A link with which its user may choose a password; the one before is none any more.
    Invited {
        /// Who.
        user: UserName,
        /// The SHA-256 of what the link bears, as hexadecimal digits.
        hash: String,
        /// When it ends.
        expires_at: Timestamp,
        /// By whom.
        by: Changer,
    },
    /// An invitation was used: a password was chosen.
    InvitationUsed {
        /// By whom.
        by: Visitor,
    },
    /// A program may come with an API token.
    ApiTokenCreated {
        /// Which.
        token: ApiToken,
        /// By whom.
        by: Changer,
    },
    /// An API token is none any more.
    ApiTokenRevoked {
        /// Which.
        id: ApiTokenId,
        /// Whose.
        user: UserName,
        /// What it was for.
        name: Label,
        /// By whom.
        by: Changer,
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
    /// Add an account, with a role where it is not the usual one.
    Add {
        /// Whose.
        user: UserName,
        /// Which.
        role: Option<Role>,
    },
    /// Give an account a role; ends what its user came in with.
    SetRole {
        /// Whose.
        user: UserName,
        /// Which.
        role: Role,
    },
    /// Let nobody in by this account any more: sign-ins and access tokens end, API tokens rest.
    Disable {
        /// Whose.
        user: UserName,
        /// Why.
        reason: Label,
    },
    /// Let the account's user in again.
    Enable {
        /// Whose.
        user: UserName,
    },
    /// End what those came in with who were taken out of `users.txt`, and every
    /// sign-in whose account has another role by it.
    EndStale {
        /// Who was taken out.
        gone: Vec<UserName>,
    },
    /// Set a password, already hashed; ends the account's sign-ins.
    SetPassword {
        /// Whose.
        user: UserName,
        /// Its Argon2id hash in PHC form.
        hash: String,
    },
    /// Take another service password up from the settings; ends its sign-ins.
    TakeServicePassword {
        /// Its Argon2id hash in PHC form.
        hash: String,
    },
    /// Invite somebody to choose a password.
    Invite {
        /// Whom.
        user: UserName,
        /// The SHA-256 of what the link bears, as hexadecimal digits.
        hash: String,
    },
    /// Choose a password by an invitation, and sign in.
    AcceptInvitation {
        /// The SHA-256 of what the link bears, as hexadecimal digits.
        invitation: String,
        /// The Argon2id hash of the password, in PHC form.
        hash: String,
        /// The sign-in that begins; of the invited account.
        sign_in: SignIn,
    },
    /// Let a program come with an API token.
    CreateApiToken(ApiToken),
    /// End an API token.
    RevokeApiToken {
        /// Which.
        id: ApiTokenId,
    },
    /// Begin a sign-in whose proof was given.
    SignIn {
        /// The sign-in.
        sign_in: SignIn,
        /// The account's version that the proof is of; nothing where nothing was proved.
        version: Option<u64>,
    },
    /// Begin a sign-in of somebody whom the provider of single sign-on proved.
    SignOn {
        /// The sign-in that begins.
        sign_in: SignIn,
        /// The role that the provider gives, if it says anything of roles.
        role: Option<Role>,
        /// Whether who has no account gets one.
        creates_account: bool,
    },
    /// End a sign-in.
    SignOut {
        /// Which.
        id: SignInId,
    },
    /// End all sign-ins of an account but one.
    SignOutElsewhere {
        /// Whose.
        user: UserName,
        /// The one that goes on.
        here: Option<SignInId>,
    },
}

/// The rules' no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountRefusal {
    /// There is no account of that name.
    #[error("there is no account {user}; add the name to users.txt first, or with `user add`")]
    UnknownAccount {
        /// What was named.
        user: UserName,
    },
    /// There is one of that name.
    #[error("there is an account {user} already")]
    AccountExists {
        /// Its name.
        user: UserName,
    },
    /// The service user's password is a setting.
    #[error("the password of {user} is set by HC_PW; change it there")]
    PasswordIsSetting {
        /// The service user.
        user: UserName,
    },
    /// `users.txt` gives the account its role.
    #[error("users.txt gives {user} the role {role}; change it there")]
    RoleIsListed {
        /// Whose.
        user: UserName,
        /// Which it gives.
        role: Role,
    },
    /// The service user is an admin, always.
    #[error("{user} is the service user of HC_USER, an admin who cannot be changed or disabled")]
    ServiceUser {
        /// The service user.
        user: UserName,
    },
    /// Nobody takes their own rights: they could not give them back.
    #[error("this is your own account; ask another admin")]
    Yourself,
    /// The account lets nobody in.
    #[error("the account {user} is disabled; enable it first")]
    AccountDisabled {
        /// Whose.
        user: UserName,
    },
    /// It is not there to be enabled, as `users.txt` does not name it.
    #[error("{user} was taken out of users.txt; put the name back there, or add the account with `user add`")]
    NotListed {
        /// Whose.
        user: UserName,
    },
    /// There is no such invitation, or it has ended.
    #[error("this invitation has been used or has ended; ask an admin for another one")]
    UnknownInvitation,
    /// There is no such API token.
    #[error("there is no API token {0}")]
    UnknownApiToken(String),
    /// There is no such sign-in of that account.
    #[error("there is no sign-in {0} of yours; it may have ended")]
    UnknownSignIn(String),
    /// What was proved holds no longer.
    #[error("the account of {user} was changed meanwhile; sign in once more")]
    ProofIsOld {
        /// Whose.
        user: UserName,
    },
    /// An API token that may nothing is none.
    #[error("name at least one scope: messages, board, audit or metrics")]
    NoScope,
    /// An API token has an end, and not before its beginning.
    #[error("an API token ends in the future, and within five years")]
    TokenLife,
    /// There are as many as there may be.
    #[error("there are {limit} {what} already, the most that there may be")]
    TooMany {
        /// What.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
}
