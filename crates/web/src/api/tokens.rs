//! API tokens: how programs come in for good.

use app::accounts::ApiTokenWanted;
use axum::{Json, extract::State, http::StatusCode};
use domain::account::{ApiTokenId, Scope, read_end};
use jiff::Timestamp;
use wire::{
    accounts::{ApiToken, ApiTokens, CreatedApiToken, NewApiToken},
    service::Problem as ProblemShape,
};

use crate::{
    Parts, Shared,
    api::Body,
    caller::{Admin, ChangingAdmin},
    given::{self, Named},
    problem::Problem,
    shapes,
};

/// Every API token, without the tokens; for admins.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "accounts", responses(
    (status = 200, body = ApiTokens),
    (status = 401, body = ProblemShape),
    (status = 403, body = ProblemShape),
))]
pub(crate) async fn list(State(parts): State<Shared>, _: Admin) -> Json<ApiTokens> {
    let tokens = parts.accounts.api_tokens();
    let shape = |each: &app::accounts::ApiTokenInUse| shape(&parts, &each.token, each.last_used_at);
    Json(ApiTokens { tokens: tokens.iter().map(shape).collect() })
}

/// Make an API token, which is shown in this answer and never again; by an admin.
///
/// It acts as its account: `board` and `audit` give at most what the account's role may, `messages` and `metrics` need
/// no role.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "accounts", request_body = NewApiToken, responses(
    (status = 201, body = CreatedApiToken),
    (status = 400, body = ProblemShape),
    (status = 401, body = ProblemShape),
    (status = 403, body = ProblemShape),
    (status = 404, description = "unknown_account", body = ProblemShape),
    (status = 409, description = "account_disabled, too_many", body = ProblemShape),
    (status = 503, body = ProblemShape),
))]
pub(crate) async fn create(
    State(parts): State<Shared>,
    admin: ChangingAdmin,
    Body(new): Body<NewApiToken>,
) -> Result<(StatusCode, Json<CreatedApiToken>), Problem> {
    let wanted = ApiTokenWanted {
        user: new.user.as_deref().map(given::user).transpose()?.unwrap_or(admin.0.user.clone()),
        name: given::label("\"name\"", &new.name)?,
        scopes: new.scopes.iter().map(|scope| scope_named(scope)).collect::<Result<_, _>>()?,
        expires_at: new.expires_at.as_deref().map(end).transpose()?,
    };
    let (token, kept) = parts.accounts.create_api_token(wanted, admin.into()).await?;
    let kept = shape(&parts, &kept, None);
    Ok((StatusCode::CREATED, Json(CreatedApiToken { token, kept })))
}

/// End an API token; by an admin.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "accounts",
    params(("id" = String, Path, description = "the token's id")),
    responses(
        (status = 204, description = "it has ended"),
        (status = 401, body = ProblemShape),
        (status = 403, body = ProblemShape),
        (status = 404, description = "unknown_token", body = ProblemShape),
        (status = 503, body = ProblemShape),
    ))]
pub(crate) async fn revoke(
    State(parts): State<Shared>,
    admin: ChangingAdmin,
    Named(id): Named,
) -> Result<StatusCode, Problem> {
    parts.accounts.revoke_api_token(ApiTokenId::named(&id), admin.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn scope_named(text: &str) -> Result<Scope, Problem> {
    let unknown =
        || Problem::bad_request(format!("\"scopes\": {text:?} is none; use messages, board, audit or metrics"));
    Scope::parse(text).ok_or_else(unknown)
}

fn end(text: &str) -> Result<Timestamp, Problem> {
    let wrong = || format!("\"expires_at\": {text:?} is no day, 2027-11-30 for example, and no time");
    read_end(text).ok_or_else(|| Problem::bad_request(wrong()))
}

fn shape(parts: &Parts, token: &domain::account::ApiToken, last_used_at: Option<Timestamp>) -> ApiToken {
    let is_active = parts.accounts.describe(&token.user).is_some_and(|account| account.is_active);
    ApiToken {
        id: token.id.as_str().into(),
        user: token.user.to_string(),
        name: token.name.to_string(),
        scopes: token.scopes.iter().map(|scope| scope.name()).collect(),
        created_at: shapes::time(token.created_at),
        expires_at: shapes::time(token.expires_at),
        ended: !is_active || token.expires_at <= parts.clock.now(),
        last_used_at: last_used_at.map(shapes::time),
    }
}
