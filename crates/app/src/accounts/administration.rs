//! What admins do with accounts, invitations and API tokens.

use std::collections::BTreeSet;

use domain::{
    account::{
        API_TOKEN_PREFIX, AccountCommand, AccountRefusal, Actor, ApiToken, ApiTokenId, Changer, Described, Proof, Role,
        Scope, SignIn, USUAL_API_TOKEN_LIFE,
    },
    names::{Label, UserName},
    record::Hash,
};
use jiff::Timestamp;

use crate::store::{Failure, answered};

use super::{Accounts, AccountsView, Arrival, SetPasswordError};

/// An invitation as it is given to whoever made it: once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invited {
    /// Who is invited.
    pub user: UserName,
    /// What the link bears.
    pub secret: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What an API token is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiTokenWanted {
    /// The account as which it acts.
    pub user: UserName,
    /// What it is for.
    pub name: Label,
    /// What may be done with it.
    pub scopes: BTreeSet<Scope>,
    /// When it ends; after a year where nobody says.
    pub expires_at: Option<Timestamp>,
}

/// An API token, and when it was used last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiTokenInUse {
    /// The token, without the token.
    pub token: ApiToken,
    /// Its last use since the server started.
    pub last_used_at: Option<Timestamp>,
}

type Done<T> = Result<T, Failure<AccountRefusal>>;

impl Accounts {
    /// Every account: those of the files in their order, then the others by name.
    pub fn all(&self) -> Vec<Described> {
        self.store.read(|view| view.0.all())
    }

    /// An account, whether it lets anybody in or not.
    pub fn describe(&self, user: &UserName) -> Option<Described> {
        self.store.read(|view| view.0.describe(user))
    }

    /// Adds an account that `users.txt` need not name.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn add(&self, user: UserName, role: Option<Role>, by: Changer) -> Done<()> {
        self.execute(AccountCommand::Add { user, role }, by).await
    }

    /// Gives an account a role; with another one its sign-ins end.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn set_role(&self, user: UserName, role: Role, by: Changer) -> Done<()> {
        self.execute(AccountCommand::SetRole { user, role }, by).await
    }

    /// Lets nobody in by an account any more.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn disable(&self, user: UserName, reason: Label, by: Changer) -> Done<()> {
        self.execute(AccountCommand::Disable { user, reason }, by).await
    }

    /// Lets an account's user in again.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn enable(&self, user: UserName, by: Changer) -> Done<()> {
        self.execute(AccountCommand::Enable { user }, by).await
    }

    /// Invites somebody to choose a password; the invitation before ends.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn invite(&self, user: UserName, by: Changer) -> Done<Invited> {
        let secret = self.secret();
        let command = AccountCommand::Invite { user: user.clone(), hash: digest(&secret) };
        self.execute(command, by).await?;
        Ok(self.invited(user, secret))
    }

    /// Invites everybody who has no password.
    ///
    /// # Errors
    /// [`Failure`]: some may be invited all the same.
    pub async fn invite_all(&self, by: Changer) -> Done<Vec<Invited>> {
        let all = self.all().into_iter().filter(|account| account.is_active && !account.has_password);
        let waiting: Vec<_> = all
            .map(|account| {
                let secret = self.secret();
                let command = AccountCommand::Invite { user: account.user.clone(), hash: digest(&secret) };
                (account.user, secret, self.submit(command, by.clone()))
            })
            .collect();
        let mut invited = Vec::with_capacity(waiting.len());
        for (user, secret, answer) in waiting {
            answered::<AccountsView>(answer).await?;
            invited.push(self.invited(user, secret));
        }
        Ok(invited)
    }

    /// Who is invited by a link; it goes on being good.
    pub fn invited_by(&self, secret: &str) -> Option<Actor> {
        let now = self.clock.now();
        self.store.read(|view| view.0.invited(&digest(secret), now))
    }

    /// Chooses a password by an invitation, and signs in with it.
    ///
    /// # Errors
    /// [`SetPasswordError`].
    pub async fn accept_invitation(
        &self,
        secret: &str,
        password: &str,
        from: Arrival,
    ) -> Result<SignIn, SetPasswordError> {
        let account = self.invited_by(secret).ok_or(AccountRefusal::UnknownInvitation)?;
        let hash = self.passwords.hash(&account.user, password).await?;
        let sign_in = self.fresh_sign_in(account.user.clone(), Proof::Invitation, &from);
        let by = from.changer(account.user);
        let command = AccountCommand::AcceptInvitation { invitation: digest(secret), hash, sign_in: sign_in.clone() };
        self.execute(command, by).await?;
        Ok(sign_in)
    }

    /// Lets a program come with an API token; it is given this once.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn create_api_token(&self, wanted: ApiTokenWanted, by: Changer) -> Done<(String, ApiToken)> {
        let secret = format!("{API_TOKEN_PREFIX}{}{}", self.secret(), self.secret());
        let created_at = self.clock.now();
        let token = ApiToken {
            id: ApiTokenId::of_bits(self.entropy.bits()),
            user: wanted.user,
            name: wanted.name,
            scopes: wanted.scopes,
            created_at,
            expires_at: wanted.expires_at.unwrap_or(created_at + USUAL_API_TOKEN_LIFE),
            hash: digest(&secret),
        };
        self.execute(AccountCommand::CreateApiToken(token.clone()), by).await?;
        Ok((secret, token))
    }

    /// Every API token, oldest first.
    pub fn api_tokens(&self) -> Vec<ApiTokenInUse> {
        let mut tokens: Vec<ApiToken> = self.store.read(|view| view.0.api_tokens().cloned().collect());
        tokens.sort_by_key(|token| token.created_at);
        let in_use = |token: ApiToken| ApiTokenInUse { last_used_at: self.tokens_used.of(&token.id), token };
        tokens.into_iter().map(in_use).collect()
    }

    /// Ends an API token.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn revoke_api_token(&self, id: ApiTokenId, by: Changer) -> Done<()> {
        self.tokens_used.forget(&id);
        self.execute(AccountCommand::RevokeApiToken { id }, by).await
    }

    fn invited(&self, user: UserName, secret: String) -> Invited {
        let account = self.describe(&user);
        let expires_at = account.and_then(|account| account.invitation).map(|invitation| invitation.expires_at);
        Invited { user, secret, expires_at: expires_at.unwrap_or(self.clock.now()) }
    }

    /// 128 random bits as 32 hexadecimal digits.
    fn secret(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.entropy.bits()))
    }
}

/// What is kept of a secret.
pub(super) fn digest(secret: &str) -> String {
    Hash::of(secret.as_bytes()).to_string()
}
