//! The pages. What a page may not show, its account is not given here.

use askama::Template;
use axum::{
    Form, Router,
    extract::{DefaultBodyLimit, State, rejection::FormRejection},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use axum_extra::extract::{
    CookieJar,
    cookie::{Cookie, SameSite},
};
use domain::account::SignIn;
use serde::Deserialize;

use crate::{
    Parts, Shared,
    api::MAX_BODY_BYTES,
    assets,
    caller::{Caller, cookie_name},
    given::Asked,
    problem::Problem,
};

/// How long a browser keeps the cookie, in days; the server ends it earlier.
const COOKIE_DAYS: i64 = 30;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(board))
        .route("/audit", get(audit))
        .route("/login", get(login).post(sign_in))
        .route("/logout", post(sign_out))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

#[derive(Template)]
#[template(path = "board.html")]
struct BoardPage<'a> {
    assets: &'a str,
    user: &'a str,
    role: &'a str,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage<'a> {
    assets: &'a str,
    user: &'a str,
    role: &'a str,
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    assets: &'a str,
    users: Vec<String>,
    problem: &'a str,
    mend: &'a str,
    user: &'a str,
    next: &'a str,
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedPage<'a> {
    assets: &'a str,
    title: &'a str,
    detail: &'a str,
    user: &'a str,
}

#[derive(Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct SignInForm {
    #[serde(default)]
    user: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

async fn board(caller: Result<Caller, Problem>, uri: Uri) -> Response {
    let Ok(caller) = caller else { return to_login(&uri) };
    let page = BoardPage { assets: assets::PREFIX, user: caller.actor.user.as_str(), role: caller.actor.role.name() };
    rendered(StatusCode::OK, page.render())
}

async fn audit(caller: Result<Caller, Problem>, uri: Uri) -> Response {
    let Ok(caller) = caller else { return to_login(&uri) };
    if !caller.actor.role.reads_audit() {
        let detail = "The audit is for auditors and admins, signed in with a password.";
        return refused(StatusCode::FORBIDDEN, "Not for you", detail, caller.actor.user.as_str());
    }
    let page = AuditPage { assets: assets::PREFIX, user: caller.actor.user.as_str(), role: caller.actor.role.name() };
    rendered(StatusCode::OK, page.render())
}

async fn login(State(parts): State<Shared>, Asked(next): Asked<Next>) -> Response {
    login_page(&parts, StatusCode::OK, "", "", own_path(&next.next))
}

async fn sign_in(
    State(parts): State<Shared>,
    jar: CookieJar,
    form: Result<Form<SignInForm>, FormRejection>,
) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(rejection) => return Problem::bad_request(rejection.body_text()).into_response(),
    };
    let next = own_path(&form.next);
    match parts.accounts.sign_in(&form.user, &form.password).await {
        Ok(sign_in) => signed_in(&parts, jar, &sign_in, next),
        Err(error) => {
            let problem = Problem::from(error);
            login_page(&parts, problem.status, &problem.detail, &form.user, next)
        }
    }
}

async fn sign_out(State(parts): State<Shared>, jar: CookieJar, caller: Result<Caller, Problem>) -> Response {
    if let Some(id) = caller.ok().and_then(|caller| caller.sign_in())
        && let Err(failure) = parts.accounts.sign_out(id).await
    {
        return Problem::from(failure).into_response();
    }
    let secure = parts.settings.is_secure();
    let removal = Cookie::build((cookie_name(secure), "")).path("/").secure(secure);
    (jar.remove(removal), Redirect::to("/login")).into_response()
}

fn signed_in(parts: &Parts, jar: CookieJar, sign_in: &SignIn, next: &str) -> Response {
    let token = match parts.access_tokens.for_sign_in(sign_in) {
        Ok(token) => token,
        Err(error) => return Problem::unavailable(error.to_string()).into_response(),
    };
    let secure = parts.settings.is_secure();
    let cookie = Cookie::build((cookie_name(secure), token))
        .path("/")
        .http_only(true)
        .secure(secure)
        .same_site(SameSite::Lax)
        .max_age(time::Duration::days(COOKIE_DAYS));
    (jar.add(cookie), Redirect::to(next)).into_response()
}

fn login_page(parts: &Parts, status: StatusCode, problem: &str, user: &str, next: &str) -> Response {
    let people = parts.accounts.people();
    let users = if parts.accounts.board_is_open() {
        let listed = people.listed().iter().map(|listed| listed.name.to_string());
        listed.chain([people.service_user().to_string()]).collect()
    } else {
        Vec::new()
    };
    let wrong = status == StatusCode::UNAUTHORIZED;
    let mend = if wrong { "Try again, or ask an admin for a new password." } else { "" };
    rendered(status, LoginPage { assets: assets::PREFIX, users, problem, mend, user, next }.render())
}

pub(crate) fn rendered(status: StatusCode, page: askama::Result<String>) -> Response {
    match page {
        Ok(page) => (status, Html(page)).into_response(),
        Err(error) => Problem::unavailable(format!("the page could not be made: {error}")).into_response(),
    }
}

/// A no, as a page.
fn refused(status: StatusCode, title: &str, detail: &str, user: &str) -> Response {
    rendered(status, RefusedPage { assets: assets::PREFIX, title, detail, user }.render())
}

/// There is nothing at that address: a page for a browser that looks for one,
/// a problem for a program.
pub(crate) async fn nothing_there(method: Method, headers: HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if method == Method::GET && accepted.contains("text/html") {
        return refused(StatusCode::NOT_FOUND, "Nothing here", "There is no page at this address.", "");
    }
    Problem::no_such_path().into_response()
}

fn to_login(uri: &Uri) -> Response {
    let target = if uri.path() == "/" { "/login".to_owned() } else { format!("/login?next={}", uri.path()) };
    let target = HeaderValue::from_str(&target).unwrap_or(HeaderValue::from_static("/login"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, target)]).into_response()
}

/// A path of ours, or `/`: nobody is sent elsewhere after signing in.
fn own_path(next: &str) -> &str {
    let own = next.starts_with('/') && !next[1..].starts_with(['/', '\\']) && !next.contains(|c: char| c.is_control());
    if own { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for (next, expected) in [
            ("/audit", "/audit"),
            ("", "/"),
            ("audit", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/a\nb", "/"),
        ] {
            assert_eq!(own_path(next), expected, "{next:?}");
        }
    }
}
