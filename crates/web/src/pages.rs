//! The pages. What a page may not show, its account is not given here.

use askama::Template;
use axum::{
    Form, Router,
    extract::{DefaultBodyLimit, State, rejection::FormRejection},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts as Head},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use axum_extra::extract::{
    CookieJar,
    cookie::{Cookie, SameSite},
};
use domain::{access::Visitor, account::SignIn};
use serde::Deserialize;

use crate::{
    Parts, Shared,
    api::MAX_BODY_BYTES,
    arrival::Came,
    assets,
    caller::{Caller, cookie_name},
    given::Asked,
    invitation,
    limits::in_turn,
    peer::{OverTls, PeerAddress},
    problem::Problem,
    single_sign_on,
};

/// How long a browser keeps the cookie, in days; the server ends it earlier.
const COOKIE_DAYS: i64 = 30;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(board))
        .route("/audit", get(audit))
        .route("/people", get(people))
        .route("/login", get(login).post(sign_in))
        .route("/login/single-sign-on", get(single_sign_on::leave))
        .route("/login/callback", get(single_sign_on::come_back))
        .route("/invite/{secret}", get(invitation::open).post(invitation::accept))
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
#[template(path = "people.html")]
struct PeoplePage<'a> {
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
    single_sign_on: bool,
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedPage<'a> {
    assets: &'a str,
    title: &'a str,
    detail: &'a str,
    user: &'a str,
}

/// Where somebody wants to go after signing in.
#[derive(Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    pub(crate) next: String,
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
    let caller = match caller {
        Ok(caller) => caller,
        Err(problem) => return nobody(&problem, &uri),
    };
    if !caller.rights.uses_board() {
        return Problem::no_scope("board").into_response();
    }
    let page = BoardPage { assets: assets::PREFIX, user: caller.actor.user.as_str(), role: caller.actor.role.name() };
    rendered(StatusCode::OK, page.render())
}

async fn audit(State(parts): State<Shared>, Came(from): Came, caller: Result<Caller, Problem>, uri: Uri) -> Response {
    let caller = match caller {
        Ok(caller) => caller,
        Err(problem) => return nobody(&problem, &uri),
    };
    if !caller.rights.reads_audit() {
        parts.access.audit_refused(Visitor { user: caller.actor.user.clone(), address: from.address }, uri.path());
        let detail = "The audit is for auditors and admins, signed in with a password.";
        return refused(StatusCode::FORBIDDEN, "Not for you", detail, caller.actor.user.as_str());
    }
    let page = AuditPage { assets: assets::PREFIX, user: caller.actor.user.as_str(), role: caller.actor.role.name() };
    rendered(StatusCode::OK, page.render())
}

async fn people(caller: Result<Caller, Problem>, uri: Uri) -> Response {
    let caller = match caller {
        Ok(caller) => caller,
        Err(problem) => return nobody(&problem, &uri),
    };
    let (user, role) = (caller.actor.user.as_str(), caller.actor.role.name());
    if !caller.rights.administers() {
        let detail = "Accounts, invitations and tokens are for admins, signed in with a password.";
        return refused(StatusCode::FORBIDDEN, "Not for you", detail, user);
    }
    rendered(StatusCode::OK, PeoplePage { assets: assets::PREFIX, user, role }.render())
}

async fn login(State(parts): State<Shared>, Asked(next): Asked<Next>) -> Response {
    login_page(&parts, StatusCode::OK, "", "", own_path(&next.next))
}

async fn sign_in(
    State(parts): State<Shared>,
    peer: PeerAddress,
    Came(from): Came,
    over_tls: OverTls,
    headers: HeaderMap,
    form: Result<Form<SignInForm>, FormRejection>,
) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(rejection) => return Problem::bad_request(rejection.body_text()).into_response(),
    };
    let next = own_path(&form.next);
    let proved = async { Ok(parts.accounts.sign_in(&form.user, &form.password, from).await?) };
    // A pick is no guess: it neither waits nor ends the waits of those who guess.
    let signed_in_as = if parts.accounts.is_only_a_pick(&form.password) {
        proved.await
    } else {
        in_turn(&parts, &form.user, peer, proved).await
    };
    match signed_in_as {
        Ok(sign_in) => signed_in(&parts, over_tls, &headers, &sign_in, next).await,
        Err(problem) => {
            let page = login_page(&parts, problem.status, &problem.detail, &form.user, next);
            problem.with_headers_on(page)
        }
    }
}

/// Counts as no command: whoever has made too many of them can still leave.
async fn sign_out(State(parts): State<Shared>, over_tls: OverTls, jar: CookieJar, head: Head) -> Response {
    if let Some(id) = Caller::of_head(&head, &parts).and_then(|caller| caller.sign_in())
        && let Err(failure) = parts.accounts.sign_out(id).await
    {
        return Problem::from(failure).into_response();
    }
    let removal = Cookie::build((cookie_name(over_tls), "")).path("/").secure(over_tls.0);
    (jar.remove(removal), Redirect::to("/login")).into_response()
}

/// Gives the browser its cookie, and sends it on; the sign-in that it had ends.
pub(crate) async fn signed_in(
    parts: &Parts,
    over_tls: OverTls,
    headers: &HeaderMap,
    sign_in: &SignIn,
    next: &str,
) -> Response {
    let token = match parts.access_tokens.for_sign_in(sign_in) {
        Ok(token) => token,
        Err(error) => return Problem::unavailable(error.to_string()).into_response(),
    };
    if let Some(before) = Caller::of_cookie(headers, over_tls, parts).and_then(|caller| caller.sign_in())
        && let Err(failure) = parts.accounts.sign_out(before).await
    {
        return Problem::from(failure).into_response();
    }
    let cookie = Cookie::build((cookie_name(over_tls), token))
        .path("/")
        .http_only(true)
        .secure(over_tls.0)
        .same_site(SameSite::Lax)
        .max_age(time::Duration::days(COOKIE_DAYS));
    (CookieJar::new().add(cookie), Redirect::to(next)).into_response()
}

fn login_page(parts: &Parts, status: StatusCode, problem: &str, user: &str, next: &str) -> Response {
    let users = if parts.accounts.board_is_open() {
        let active = parts.accounts.all().into_iter().filter(|account| account.is_active);
        active.map(|account| account.user.to_string()).collect()
    } else {
        Vec::new()
    };
    let wrong = status == StatusCode::UNAUTHORIZED;
    let mend = if wrong { "Try again, or ask an admin for an invitation." } else { "" };
    let single_sign_on = parts.sign_on.is_some();
    let page = LoginPage { assets: assets::PREFIX, users, problem, mend, user, next, single_sign_on };
    rendered(status, page.render())
}

/// A page, or why there is none.
pub(crate) fn rendered(status: StatusCode, page: askama::Result<String>) -> Response {
    match page {
        Ok(page) => (status, Html(page)).into_response(),
        Err(error) => Problem::unavailable(format!("the page could not be made: {error}")).into_response(),
    }
}

/// A no, as a page.
pub(crate) fn refused(status: StatusCode, title: &str, detail: &str, user: &str) -> Response {
    rendered(status, RefusedPage { assets: assets::PREFIX, title, detail, user }.render())
}

/// There is nothing at that address: a page for a browser that looks for one,
/// a problem for a program.
pub(crate) async fn nothing_there(method: Method, headers: HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if method == Method::GET && accepted.contains("text/html") {
        return nothing_at_this_address();
    }
    Problem::no_such_path().into_response()
}

/// The page for a browser that looks for another one.
pub(crate) fn nothing_at_this_address() -> Response {
    refused(StatusCode::NOT_FOUND, "Nothing here", "There is no page at this address.", "")
}

/// Who is not signed in goes to the sign-in; who may not just now is told so.
fn nobody(problem: &Problem, uri: &Uri) -> Response {
    if problem.is_unauthorized() {
        return to_login(uri);
    }
    problem.with_headers_on(refused(problem.status, "Not now", &problem.detail, ""))
}

fn to_login(uri: &Uri) -> Response {
    let target = if uri.path() == "/" { "/login".to_owned() } else { format!("/login?next={}", uri.path()) };
    let target = HeaderValue::from_str(&target).unwrap_or(HeaderValue::from_static("/login"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, target)]).into_response()
}

/// A path of ours, or `/`: nobody is sent elsewhere after signing in.
pub(crate) fn own_path(next: &str) -> &str {
    let own = next.starts_with('/') && !next[1..].starts_with(['/', '\\']) && !next.contains(|c: char| c.is_control());
    if own { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_is_not_signed_in_goes_to_the_sign_in() {
        let uri = Uri::from_static("/audit");
        let sent = nobody(&Problem::unauthorized(), &uri);
        assert_eq!(
            (sent.status(), &sent.headers()[header::LOCATION]),
            (StatusCode::SEE_OTHER, &"/login?next=/audit".parse().unwrap())
        );
        let told = nobody(&Problem::rate_limited("too many calls", jiff::SignedDuration::from_secs(7)), &uri);
        assert_eq!(told.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(told.headers()[header::RETRY_AFTER], "7");
    }

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
