//! Who asks: an access token in a header, or the browser's cookie.

use app::accounts::Credential;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts as Head},
};
use axum_extra::extract::CookieJar;
use domain::{
    account::{Actor, Role, SignInId},
    session::Source,
};

use crate::{Parts, Shared, limits::Kind, peer::OverTls, problem::Problem};

/// The cookie that carries a browser's access token. Over TLS its name tells
/// the browser to let nobody else set it.
pub(crate) fn cookie_name(OverTls(over_tls): OverTls) -> &'static str {
    if over_tls { "__Host-vpn_sessions" } else { "vpn_sessions" }
}

/// Whoever signed in.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) actor: Actor,
    pub(crate) credential: Credential,
    pub(crate) source: Source,
}

/// Whoever may read the audit.
pub(crate) struct AuditReader(pub(crate) Actor);

/// An admin.
pub(crate) struct Admin(pub(crate) Actor);

impl Caller {
    /// Whoever a request's head proves, if anybody.
    pub(crate) fn of_head(head: &Head, parts: &Parts) -> Option<Caller> {
        match header_token(&head.headers) {
            Some(token) => Caller::of_token(token, Source::Api, parts),
            None => Caller::of_cookie(&head.headers, OverTls::of(&head.extensions), parts),
        }
    }

    /// Whoever an access token proves.
    pub(crate) fn of_token(token: &str, source: Source, parts: &Parts) -> Option<Caller> {
        let credential = parts.access_tokens.credential(token, parts.clock.now())?;
        let actor = parts.accounts.actor(&credential)?;
        Some(Caller { actor, credential, source })
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
            Credential::AccessToken { .. } => None,
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

impl FromRequestParts<Shared> for AuditReader {
    type Rejection = Problem;
    async fn from_request_parts(head: &mut Head, parts: &Shared) -> Result<AuditReader, Problem> {
        let caller = Caller::from_request_parts(head, parts).await?;
        if caller.actor.role.reads_audit() {
            return Ok(AuditReader(caller.actor));
        }
        tracing::warn!(user = %caller.actor.user, "Reading the audit was refused");
        Err(Problem::forbidden("the audit is for auditors and admins, signed in with a password"))
    }
}

impl FromRequestParts<Shared> for Admin {
    type Rejection = Problem;
    async fn from_request_parts(head: &mut Head, parts: &Shared) -> Result<Admin, Problem> {
        let caller = Caller::from_request_parts(head, parts).await?;
        match caller.actor.role {
            Role::Admin => Ok(Admin(caller.actor)),
            Role::Member | Role::Auditor => Err(Problem::forbidden("this is for admins, signed in with a password")),
        }
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
