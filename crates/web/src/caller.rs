//! Who asks: a token in a header, or the browser's cookie; and what they may.

use app::accounts::{Credential, Known};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts as Head},
};
use axum_extra::extract::CookieJar;
use domain::{
    access::{Changer, Visitor},
    account::{API_TOKEN_PREFIX, Actor, Rights, Role, SignInId},
    session::Source,
};

use crate::{Parts, Shared, arrival, limits::Kind, peer::OverTls, problem::Problem};

/// The cookie that carries a browser's access token. Over TLS its name tells
/// the browser to let nobody else set it.
pub(crate) fn cookie_name(OverTls(over_tls): OverTls) -> &'static str {
    if over_tls { "__Host-vpn_sessions" } else { "vpn_sessions" }
}

/// Whoever signed in.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) actor: Actor,
    pub(crate) rights: Rights,
    pub(crate) is_proved: bool,
    pub(crate) credential: Credential,
    pub(crate) source: Source,
}

/// Whoever may see and change the board.
pub(crate) struct BoardUser(pub(crate) Caller);

/// Whoever came by sign-in or password, and not with an API token.
pub(crate) struct AccountHolder(pub(crate) Caller);

/// Whoever may read the audit: who it is and from where, as the record of the
/// reading says it.
pub(crate) struct AuditReader {
    pub(crate) by: Visitor,
    pub(crate) role: Role,
}

/// Whoever may hand in messages.
pub(crate) struct Sender(pub(crate) Actor);

/// An admin.
pub(crate) struct Admin;

/// An admin, as the one who changes something.
pub(crate) struct ChangingAdmin(pub(crate) Visitor);

impl Caller {
    /// Whoever a request's head proves, if anybody.
    pub(crate) fn of_head(head: &Head, parts: &Parts) -> Option<Caller> {
        match header_token(&head.headers) {
            Some(token) => Caller::of_token(token, Source::Api, parts),
            None => Caller::of_cookie(&head.headers, OverTls::of(&head.extensions), parts),
        }
    }

    /// Whoever an access token or an API token proves.
    pub(crate) fn of_token(token: &str, source: Source, parts: &Parts) -> Option<Caller> {
        let credential = if token.starts_with(API_TOKEN_PREFIX) {
            parts.accounts.api_token(token)?
        } else {
            parts.access_tokens.credential(token, parts.clock.now())?
        };
        let Known { actor, rights, is_proved } = parts.accounts.known(&credential)?;
        Some(Caller { actor, rights, is_proved, credential, source })
    }

    /// Whoever the browser's cookie proves.
    pub(crate) fn of_cookie(headers: &HeaderMap, over_tls: OverTls, parts: &Parts) -> Option<Caller> {
        let jar = CookieJar::from_headers(headers);
        let cookie = jar.get(cookie_name(over_tls))?;
        Caller::of_token(cookie.value(), Source::Page, parts)
    }

    /// The sign-in that can be ended, where a browser asks.
    pub(crate) fn sign_in(&self) -> Option<SignInId> {
        match &self.credential {
            Credential::SignIn(id) => Some(id.clone()),
            Credential::AccessToken { .. } | Credential::ApiToken(_) => None,
        }
    }
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Problem;
    async fn from_request_parts(head: &mut Head, parts: &Shared) -> Result<Caller, Problem> {
        let caller = Caller::of_head(head, parts).ok_or_else(Problem::unauthorized)?;
        parts.limits.count(&caller.actor.user, Kind::of(head))?;
        Ok(caller)
    }
}

impl FromRequestParts<Shared> for BoardUser {
    type Rejection = Problem;
    async fn from_request_parts(head: &mut Head, parts: &Shared) -> Result<BoardUser, Problem> {
        let caller = Caller::from_request_parts(head, parts).await?;
        if caller.rights.uses_board() { Ok(BoardUser(caller)) } else { Err(Problem::no_scope("board")) }
    }
}

impl FromRequestParts<Shared> for AccountHolder {
    type Rejection = Problem;
    async fn from_request_parts(head: &mut Head, parts: &Shared) -> Result<AccountHolder, Problem> {
        let caller = Caller::from_request_parts(head, parts).await?;
        if caller.rights.is_whole_account() {
            return Ok(AccountHolder(caller));
        }
        Err(Problem::forbidden("an API token may not do this; sign in with a password"))
    }
}

impl FromRequestParts<Shared> for AuditReader {
    type Rejection = Problem;
    async fn from_request_parts(head: &mut Head, parts: &Shared) -> Result<AuditReader, Problem> {
        let caller = Caller::from_request_parts(head, parts).await?;
        let by = Visitor { user: caller.actor.user, address: arrival::address(&head.extensions) };
        if caller.rights.reads_audit() {
            return Ok(AuditReader { by, role: caller.actor.role });
        }
        parts.access.audit_refused(by, head.uri.path());
        Err(Problem::forbidden(
            "the audit is for auditors and admins, signed in with a password or by a token with the scope audit",
        ))
    }
}

impl FromRequestParts<Shared> for Sender {
    type Rejection = Problem;
    async fn from_request_parts(head: &mut Head, parts: &Shared) -> Result<Sender, Problem> {
        let caller = Caller::from_request_parts(head, parts).await?;
        if caller.rights.hands_in_messages() {
            return Ok(Sender(caller.actor));
        }
        Err(Problem::forbidden("messages are handed in by admins, or with an API token that has the scope messages"))
    }
}

impl FromRequestParts<Shared> for Admin {
    type Rejection = Problem;
    async fn from_request_parts(head: &mut Head, parts: &Shared) -> Result<Admin, Problem> {
        ChangingAdmin::from_request_parts(head, parts).await.map(|_| Admin)
    }
}

impl FromRequestParts<Shared> for ChangingAdmin {
    type Rejection = Problem;
    async fn from_request_parts(head: &mut Head, parts: &Shared) -> Result<ChangingAdmin, Problem> {
        let caller = Caller::from_request_parts(head, parts).await?;
        if caller.rights.administers() {
            let address = arrival::address(&head.extensions);
            return Ok(ChangingAdmin(Visitor { user: caller.actor.user, address }));
        }
        Err(Problem::forbidden("this is for admins, signed in with a password"))
    }
}

impl From<ChangingAdmin> for Changer {
    fn from(ChangingAdmin(admin): ChangingAdmin) -> Changer {
        Changer::Account(admin)
    }
}

/// The token that a program sends.
pub(crate) fn header_token(headers: &HeaderMap) -> Option<&str> {
    let own = headers.get("x-access-tokens").and_then(|value| value.to_str().ok());
    own.or_else(|| {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    })
}
