//! API tokens: what a program may with one, and what is kept of it.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    names::{Label, UserName},
    session::hexadecimal,
};

use super::Role;

/// What every API token begins with, so that people and scanners know one.
pub const API_TOKEN_PREFIX: &str = "vpn_";

/// An API token ends after this long at the latest: nobody remembers longer what it is for.
pub const MAX_API_TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(5 * 366 * 24);

/// An API token lasts this long where nobody says how long.
pub const USUAL_API_TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Most API tokens at once: each is a program that somebody set up by hand.
pub const MAX_API_TOKENS: usize = 1_000;

/// When an API token ends that somebody gives a time (RFC 3339), or a day: with that day, in UTC.
pub fn read_end(text: &str) -> Option<Timestamp> {
    let by_day = || {
        let next = text.parse::<Date>().ok()?.tomorrow().ok()?;
        TimeZone::UTC.to_timestamp(next.at(0, 0, 0, 0)).ok()
    };
    text.parse().ok().or_else(by_day)
}

/// What a program may use an API token for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Hand in messages.
    Messages,
    /// The board.
    Board,
    /// Read the audit.
    Audit,
    /// Read the metrics.
    Metrics,
}

impl Scope {
    /// All of them, in the order in which people read them.
    pub const ALL: [Scope; 4] = [Scope::Messages, Scope::Board, Scope::Audit, Scope::Metrics];

    /// Reads `messages`, `board`, `audit` or `metrics`.
    pub fn parse(text: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| scope.name() == text)
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Messages => "messages",
            Scope::Board => "board",
            Scope::Audit => "audit",
            Scope::Metrics => "metrics",
        }
    }
}

/// What somebody may: by the account's role, and by what they came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    role: Role,
    scopes: Option<BTreeSet<Scope>>,
}

impl Rights {
    /// Everything that a role may.
    pub fn of_role(role: Role) -> Rights {
        Rights { role, scopes: None }
    }

    /// What an API token of an account with that role may.
    pub fn of_api_token(role: Role, scopes: &BTreeSet<Scope>) -> Rights {
        Rights { role, scopes: Some(scopes.clone()) }
    }

    /// Whether the board may be seen and changed.
    pub fn uses_board(&self) -> bool {
        self.covers(Scope::Board)
    }

    /// Whether the audit may be read.
    pub fn reads_audit(&self) -> bool {
        self.role.reads_audit() && self.covers(Scope::Audit)
    }

    /// Whether messages may be handed in: by a scope, which an admin gave, or by an admin.
    pub fn hands_in_messages(&self) -> bool {
        self.is_given(Scope::Messages)
    }

    /// Whether the metrics may be read: by a scope, which an admin gave, or by an admin.
    pub fn reads_metrics(&self) -> bool {
        self.is_given(Scope::Metrics)
    }

    /// Whether accounts, tokens and the outbox may be seen and changed; no API token may.
    pub fn administers(&self) -> bool {
        self.scopes.is_none() && self.role == Role::Admin
    }

    /// Whether one's own sign-ins may be seen and ended; no API token may.
    pub fn is_whole_account(&self) -> bool {
        self.scopes.is_none()
    }

    fn covers(&self, scope: Scope) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.contains(&scope))
    }

    fn is_given(&self, scope: Scope) -> bool {
        self.scopes.as_ref().map_or(self.role == Role::Admin, |scopes| scopes.contains(&scope))
    }
}

/// The id of an API token, by which it is listed and revoked: 32 hexadecimal digits, and no secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApiTokenId(String);

impl ApiTokenId {
    /// An id of fresh random bits.
    pub fn of_bits(bits: [u8; 16]) -> ApiTokenId {
        ApiTokenId(hexadecimal(bits))
    }

    /// Whatever a client names as an id; one that no token has is unknown.
    pub fn named(text: &str) -> ApiTokenId {
        ApiTokenId(text.to_owned())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An API token, as it is kept: without the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiToken {
    /// Its id.
    pub id: ApiTokenId,
    /// The account as which it acts.
    pub user: UserName,
    /// What it is for, in the words of whoever made it.
    pub name: Label,
    /// What may be done with it.
    pub scopes: BTreeSet<Scope>,
    /// Since when there is it.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The SHA-256 of the token, as hexadecimal digits: it has more bits than anybody guesses.
    pub hash: String,
}
