//! Accounts: who I am, and passwords.

use axum::{Json, extract::State, http::StatusCode};
use domain::names::UserName;
use wire::{
    board::Me,
    service::{NewPassword, Problem as ProblemShape},
};

use crate::{
    Shared,
    api::Body,
    caller::{Admin, Caller},
    given::Named,
    problem::Problem,
    shapes,
};

/// Who is signed in, and what that may.
#[utoipa::path(get, path = "/api/v1/me", tag = "accounts", responses(
    (status = 200, body = Me),
    (status = 401, body = ProblemShape),
))]
pub(crate) async fn me(caller: Caller) -> Json<Me> {
    Json(shapes::me(&caller.actor))
}

/// Set an account's password and end its sign-ins; by an admin.
#[utoipa::path(put, path = "/api/v1/accounts/{name}/password", tag = "accounts", request_body = NewPassword,
    params(("name" = String, Path, description = "the account's name")),
    responses(
        (status = 204, description = "it is set"),
        (status = 400, description = "it is too short or too long", body = ProblemShape),
        (status = 401, body = ProblemShape),
        (status = 403, body = ProblemShape),
        (status = 404, description = "there is no such account", body = ProblemShape),
        (status = 409, description = "the password is a setting", body = ProblemShape),
    ))]
pub(crate) async fn set_password(
    State(parts): State<Shared>,
    Admin(admin): Admin,
    Named(name): Named,
    Body(new): Body<NewPassword>,
) -> Result<StatusCode, Problem> {
    let user = UserName::parse(&name).map_err(|error| Problem::bad_request(error.to_string()))?;
    parts.accounts.set_password(&user, &new.password).await?;
    tracing::info!(%user, by = %admin.user, "A password was set");
    Ok(StatusCode::NO_CONTENT)
}
