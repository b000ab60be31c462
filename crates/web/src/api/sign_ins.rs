//! Where one is signed in.

use axum::{Json, extract::State, http::StatusCode};
use domain::account::{Proof, SignInId};
use wire::{
    accounts::{SignIn, SignIns},
    service::Problem as ProblemShape,
};

use crate::{
    Parts, Shared,
    caller::{AccountHolder, Caller},
    given::Named,
    problem::Problem,
    shapes,
};

/// Where I am signed in, the latest first.
#[utoipa::path(get, path = "/api/v1/me/sign-ins", tag = "accounts", responses(
    (status = 200, body = SignIns),
    (status = 401, body = ProblemShape),
    (status = 403, body = ProblemShape),
))]
pub(crate) async fn list(State(parts): State<Shared>, AccountHolder(caller): AccountHolder) -> Json<SignIns> {
    Json(SignIns { sign_ins: own(&parts, &caller) })
}

/// Sign out everywhere but here.
#[utoipa::path(delete, path = "/api/v1/me/sign-ins", tag = "accounts", responses(
    (status = 204, description = "they have ended"),
    (status = 401, body = ProblemShape),
    (status = 403, body = ProblemShape),
    (status = 503, body = ProblemShape),
))]
pub(crate) async fn end_others(
    State(parts): State<Shared>,
    AccountHolder(caller): AccountHolder,
) -> Result<StatusCode, Problem> {
    if !caller.is_proved {
        return Err(Problem::forbidden("whoever came in without a password signs out here only"));
    }
    parts.accounts.sign_out_elsewhere(&caller.actor.user, caller.sign_in()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sign out somewhere.
#[utoipa::path(delete, path = "/api/v1/me/sign-ins/{id}", tag = "accounts",
    params(("id" = String, Path, description = "the sign-in's id")),
    responses(
        (status = 204, description = "it has ended"),
        (status = 401, body = ProblemShape),
        (status = 403, body = ProblemShape),
        (status = 404, description = "unknown_sign_in: not there, or somebody else's", body = ProblemShape),
        (status = 503, body = ProblemShape),
    ))]
pub(crate) async fn end(
    State(parts): State<Shared>,
    AccountHolder(caller): AccountHolder,
    Named(id): Named,
) -> Result<StatusCode, Problem> {
    if !own(&parts, &caller).iter().any(|sign_in| sign_in.id == id) {
        let detail = format!("there is no sign-in {id} of yours; it may have ended");
        return Err(Problem::not_found("unknown_sign_in", detail));
    }
    parts.accounts.sign_out_own(&caller.actor.user, SignInId::named(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The caller's sign-ins; whoever just picked a name sees those of others who did.
fn own(parts: &Parts, caller: &Caller) -> Vec<SignIn> {
    let here = caller.sign_in();
    let all = parts.accounts.sign_ins(&caller.actor.user).into_iter();
    let seen = all.filter(|own| caller.is_proved || own.sign_in.proof == Proof::Nothing);
    seen.map(|own| SignIn {
        current: here.as_ref() == Some(&own.sign_in.id),
        id: own.sign_in.id.as_str().into(),
        at: shapes::time(own.sign_in.at),
        last_used_at: shapes::time(own.last_used_at),
        address: own.sign_in.address,
        browser: own.sign_in.browser,
        proof: own.sign_in.proof.name(),
    })
    .collect()
}
