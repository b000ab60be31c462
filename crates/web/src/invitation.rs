//! The page that an invitation's link opens: choose a password, and come in.

use app::{accounts::SetPasswordError, passwords::PasswordError};
use askama::Template;
use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::{
    Shared,
    arrival::Came,
    assets,
    given::Named,
    pages::{refused, rendered, signed_in},
    peer::OverTls,
    problem::Problem,
};

#[derive(Template)]
#[template(path = "invite.html")]
struct InvitePage<'a> {
    assets: &'a str,
    user: &'a str,
    secret: &'a str,
    problem: &'a str,
}

#[derive(Deserialize)]
pub(crate) struct ChosenPassword {
    #[serde(default)]
    password: String,
    /// The same again, where the form asks for it.
    again: Option<String>,
}

/// Opening a link uses nothing up: scanners of mails open all of them.
pub(crate) async fn open(State(parts): State<Shared>, Named(secret): Named) -> Response {
    match parts.accounts.invited_by(&secret) {
        Some(account) => page(StatusCode::OK, account.user.as_str(), &secret, ""),
        None => used_up(),
    }
}

/// Choosing a password does, and signs in.
pub(crate) async fn accept(
    State(parts): State<Shared>,
    Named(secret): Named,
    Came(from): Came,
    over_tls: OverTls,
    headers: HeaderMap,
    form: Result<Form<ChosenPassword>, FormRejection>,
) -> Response {
    let Form(chosen) = match form {
        Ok(form) => form,
        Err(rejection) => return Problem::bad_request(rejection.body_text()).into_response(),
    };
    let Some(account) = parts.accounts.invited_by(&secret) else { return used_up() };
    let page = |status, problem: &str| page(status, account.user.as_str(), &secret, problem);
    if chosen.again.is_some_and(|again| again != chosen.password) {
        return page(StatusCode::BAD_REQUEST, "The two passwords differ.");
    }
    match parts.accounts.accept_invitation(&secret, &chosen.password, from).await {
        Ok(sign_in) => signed_in(&parts, over_tls, &headers, &sign_in, "/").await,
        Err(SetPasswordError::Refused(_)) => used_up(),
        Err(error @ (SetPasswordError::Unavailable(_) | SetPasswordError::Password(PasswordError::Busy))) => {
            page(StatusCode::SERVICE_UNAVAILABLE, &sentence(&error.to_string()))
        }
        Err(SetPasswordError::Password(error)) => page(StatusCode::BAD_REQUEST, &sentence(&error.to_string())),
    }
}

fn page(status: StatusCode, user: &str, secret: &str, problem: &str) -> Response {
    rendered(status, InvitePage { assets: assets::PREFIX, user, secret, problem }.render())
}

fn used_up() -> Response {
    let detail = "It works once, and for three days. If you have chosen a password, sign in with it; else ask an admin \
                  for another invitation.";
    refused(StatusCode::NOT_FOUND, "This invitation has ended", detail, "")
}

/// A detail as a sentence of its own.
fn sentence(detail: &str) -> String {
    let mut letters = detail.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
