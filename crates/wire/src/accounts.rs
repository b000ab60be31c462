//! Accounts, invitations, API tokens and sign-ins.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Every account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Accounts {
    /// Those of the files in their order, then the others by name.
    pub accounts: Vec<Account>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// `member`, `auditor` or `admin`: the role in force.
    pub role: String,
    /// Who gave it: `service_user` (HC_USER is always an admin), `users_file`, `admin`, or `usual`.
    pub role_source: &'static str,
    /// `active`, `disabled` by an admin, or `taken_out` of users.txt.
    pub status: &'static str,
    /// Why it is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Which account disabled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_by: Option<String>,
    /// Whether `users.txt` names it.
    pub listed: bool,
    /// Whether a password was set for it.
    pub has_password: bool,
    /// When its open invitation ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invited_until: Option<String>,
    /// When somebody signed in last.
    pub last_sign_in_at: Option<String>,
}

/// The body of `POST /api/v1/accounts`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// Its name.
    pub name: String,
    /// `member`, `auditor` or `admin`; `member` where it is left out.
    pub role: Option<String>,
}

/// The body of `PATCH /api/v1/accounts/{name}`: what is to be another way.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountPatch {
    /// `member`, `auditor` or `admin`.
    pub role: Option<String>,
    /// Whether it lets nobody in.
    pub disabled: Option<bool>,
    /// Why; where it is disabled.
    pub reason: Option<String>,
}

/// An invitation: whoever opens the link chooses the account's password. It is shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Invitation {
    /// Who is invited.
    pub user: String,
    /// What to give to them, and to nobody else.
    #[schema(example = "https://board.example.com/invite/8c1f0c6f0d4be2a07d4be2a08c1f0c6f")]
    pub link: String,
    /// When it ends.
    pub expires_at: String,
}

/// Several invitations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Invitations {
    /// One for each account without a password.
    pub invitations: Vec<Invitation>,
}

/// Every API token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ApiTokens {
    /// Oldest first.
    pub tokens: Vec<ApiToken>,
}

/// An API token, without the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ApiToken {
    /// Its id, by which it is revoked.
    pub id: String,
    /// The account as which it acts.
    pub user: String,
    /// What it is for.
    pub name: String,
    /// `messages`, `board`, `audit`, `metrics`.
    pub scopes: Vec<&'static str>,
    /// Since when there is it.
    pub created_at: String,
    /// When it ends.
    pub expires_at: String,
    /// Whether its end has come, or its account lets nobody in.
    pub ended: bool,
    /// Its last use since the server started.
    pub last_used_at: Option<String>,
}

/// An API token that was just made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CreatedApiToken {
    /// The token itself; it is shown this once.
    #[schema(example = "vpn_8c1f0c6f0d4be2a07d4be2a08c1f0c6f8c1f0c6f0d4be2a07d4be2a08c1f0c6f")]
    pub token: String,
    /// What is kept of it.
    #[serde(flatten)]
    pub kept: ApiToken,
}

/// The body of `POST /api/v1/tokens`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiToken {
    /// The account as which it acts; one's own where it is left out.
    pub user: Option<String>,
    /// What it is for.
    pub name: String,
    /// `messages`, `board`, `audit`, `metrics`: at least one.
    pub scopes: Vec<String>,
    /// When it ends: a day (`2027-11-30`, whole) or a time (RFC 3339); after a year where it is left out.
    pub expires_at: Option<String>,
}

/// Where an account is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SignIns {
    /// The latest first.
    pub sign_ins: Vec<SignIn>,
}

/// A browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SignIn {
    /// Its id, by which it is ended.
    pub id: String,
    /// Since when.
    pub at: String,
    /// When it was used last.
    pub last_used_at: String,
    /// From which address, where it is known.
    pub address: Option<String>,
    /// The browser, where it says what it is.
    pub browser: Option<String>,
    /// How it proved who it is: `password`, `invitation`, or `nothing` where the board is open.
    pub proof: &'static str,
    /// Whether it is the one that asks.
    pub current: bool,
}
