//! Accounts: who there is, what each may, and passwords.

use axum::{Json, extract::State, http::StatusCode};
use domain::access::Changer;
use wire::{
    accounts::{Account, AccountPatch, Accounts, NewAccount},
    board::Me,
    service::{NewPassword, Problem as ProblemShape},
};

use crate::{
    Parts, Shared,
    api::Body,
    caller::{Admin, Caller, ChangingAdmin},
    given::{self, Named},
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

/// Every account; for admins.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "accounts", responses(
    (status = 200, body = Accounts),
    (status = 401, body = ProblemShape),
    (status = 403, body = ProblemShape),
))]
pub(crate) async fn list(State(parts): State<Shared>, _: Admin) -> Json<Accounts> {
    let now = parts.clock.now();
    let accounts = parts.accounts.all();
    Json(Accounts { accounts: accounts.iter().map(|account| shapes::account(account, now)).collect() })
}

/// Add an account that users.txt need not name; by an admin.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "accounts", request_body = NewAccount, responses(
    (status = 201, body = Account),
    (status = 400, body = ProblemShape),
    (status = 401, body = ProblemShape),
    (status = 403, body = ProblemShape),
    (status = 409, description = "account_exists, too_many", body = ProblemShape),
    (status = 503, body = ProblemShape),
))]
pub(crate) async fn add(
    State(parts): State<Shared>,
    admin: ChangingAdmin,
    Body(new): Body<NewAccount>,
) -> Result<(StatusCode, Json<Account>), Problem> {
    let user = given::user(&new.name)?;
    let role = new.role.as_deref().map(given::role).transpose()?;
    parts.accounts.add(user, role, admin.into()).await?;
    Ok((StatusCode::CREATED, shown(&parts, &new.name)?))
}

/// Give an account a role, disable it with a reason, or enable it; by an admin.
///
/// One of them a call. Its sign-ins end where that changes what they may.
#[utoipa::path(patch, path = "/api/v1/accounts/{name}", tag = "accounts", request_body = AccountPatch,
    params(("name" = String, Path, description = "the account's name")),
    responses(
        (status = 200, body = Account),
        (status = 400, body = ProblemShape),
        (status = 401, body = ProblemShape),
        (status = 403, body = ProblemShape),
        (status = 404, description = "unknown_account", body = ProblemShape),
        (status = 409, description = "role_is_listed, service_user, yourself, not_listed", body = ProblemShape),
        (status = 503, body = ProblemShape),
    ))]
pub(crate) async fn change(
    State(parts): State<Shared>,
    admin: ChangingAdmin,
    Named(name): Named,
    Body(wanted): Body<AccountPatch>,
) -> Result<Json<Account>, Problem> {
    let (user, by) = (given::user(&name)?, Changer::from(admin));
    let role = wanted.role.as_deref().map(given::role).transpose()?;
    let reason = wanted.reason.as_deref().map(|reason| given::label("\"reason\"", reason)).transpose()?;
    match (role, wanted.disabled, reason) {
        // Two changes could end with one of them made and the other refused.
        (Some(_), Some(_), _) => {
            return Err(Problem::bad_request("say \"role\" or \"disabled\", each in a call of its own"));
        }
        (Some(role), None, _) => parts.accounts.set_role(user, role, by).await?,
        (None, Some(true), Some(reason)) => parts.accounts.disable(user, reason, by).await?,
        (None, Some(true), None) => return Err(Problem::bad_request("an account is disabled with a \"reason\"")),
        (None, Some(false), _) => parts.accounts.enable(user, by).await?,
        (None, None, _) => return Err(Problem::bad_request("say \"role\" or \"disabled\"")),
    }
    shown(&parts, &name)
}

/// Set an account's password and end its sign-ins; by an admin.
#[utoipa::path(put, path = "/api/v1/accounts/{name}/password", tag = "accounts", request_body = NewPassword,
    params(("name" = String, Path, description = "the account's name")),
    responses(
        (status = 204, description = "it is set"),
        (status = 400, description = "it is too short, too long, or common", body = ProblemShape),
        (status = 401, body = ProblemShape),
        (status = 403, body = ProblemShape),
        (status = 404, description = "there is no such account", body = ProblemShape),
        (status = 409, description = "the password is a setting, or the account disabled", body = ProblemShape),
        (status = 503, body = ProblemShape),
    ))]
pub(crate) async fn set_password(
    State(parts): State<Shared>,
    admin: ChangingAdmin,
    Named(name): Named,
    Body(new): Body<NewPassword>,
) -> Result<StatusCode, Problem> {
    let user = given::user(&name)?;
    parts.accounts.set_password(&user, &new.password, admin.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(parts: &Parts, name: &str) -> Result<Json<Account>, Problem> {
    let account = parts.accounts.describe(&given::user(name)?);
    let account = account.ok_or_else(|| Problem::unavailable("the account is gone again"))?;
    Ok(Json(shapes::account(&account, parts.clock.now())))
}
