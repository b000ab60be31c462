//! Single sign-on: a browser is sent to the provider, and comes back.

use app::{
    accounts::{Arrival, SignInError},
    ports::ProviderAnswer,
    sign_on::{Proved, Return, SIGN_ON_LIFE, SignOnError, SingleSignOn},
};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::{
    CookieJar,
    cookie::{Cookie, SameSite},
};
use serde::Deserialize;

use crate::{
    Parts, Shared,
    arrival::Came,
    given::Asked,
    pages::{Next, nothing_at_this_address, own_path, refused, signed_in},
    peer::{OverTls, PeerAddress},
    problem::Problem,
};

/// What the provider sends along with a browser (RFC 6749, 4.1.2; RFC 9207).
#[derive(Deserialize)]
pub(crate) struct Callback {
    #[serde(default)]
    state: String,
    code: Option<String>,
    iss: Option<String>,
}

/// Sends a browser to the provider.
pub(crate) async fn leave(
    State(parts): State<Shared>,
    peer: PeerAddress,
    over_tls: OverTls,
    Asked(next): Asked<Next>,
) -> Response {
    let Some(sign_on) = &parts.sign_on else { return nothing_at_this_address() };
    if let Err(problem) = parts.limits.count_sign_on(peer.site()) {
        return problem.into_response();
    }
    match sign_on.leave(own_path(&next.next)).await {
        Ok(departure) => {
            let cookie = with_life(cookie(over_tls, departure.browser));
            (CookieJar::new().add(cookie), Redirect::to(&departure.address)).into_response()
        }
        Err(error) => told(error),
    }
}

/// Takes back whoever was at the provider.
pub(crate) async fn come_back(
    State(parts): State<Shared>,
    peer: PeerAddress,
    Came(from): Came,
    over_tls: OverTls,
    headers: HeaderMap,
    Asked(callback): Asked<Callback>,
) -> Response {
    let Some(sign_on) = &parts.sign_on else { return nothing_at_this_address() };
    if let Err(problem) = parts.limits.count_sign_on(peer.site()) {
        return problem.into_response();
    }
    let answer = match proved(sign_on, callback, over_tls, &headers).await {
        Ok(proved) => let_in(&parts, &proved, from, over_tls, &headers).await,
        Err(error) => told(error),
    };
    without_cookie(over_tls, answer)
}

async fn proved(
    sign_on: &SingleSignOn,
    callback: Callback,
    over_tls: OverTls,
    headers: &HeaderMap,
) -> Result<Proved, SignOnError> {
    let jar = CookieJar::from_headers(headers);
    let browser = jar.get(cookie_name(over_tls)).ok_or(SignOnError::Ended)?.value().to_owned();
    let answer = callback.code.map(|code| ProviderAnswer { code, issuer: callback.iss });
    sign_on.come_back(Return { state: callback.state, browser, answer }).await
}

async fn let_in(parts: &Parts, proved: &Proved, from: Arrival, over_tls: OverTls, headers: &HeaderMap) -> Response {
    match parts.accounts.sign_on(proved, from).await {
        Ok(sign_in) => signed_in(parts, over_tls, headers, &sign_in, &proved.next).await,
        Err(SignInError::Wrong) => {
            let detail = format!(
                "You proved who you are, as {}, and no account here lets that name in. Ask an admin of this board to \
                 add or enable it.",
                proved.user
            );
            refused(StatusCode::FORBIDDEN, "No account for you yet", &detail, "")
        }
        Err(error @ SignInError::Unavailable(_)) => Problem::unavailable(error.to_string()).into_response(),
    }
}

fn told(error: SignOnError) -> Response {
    let (status, title, detail) = match error {
        SignOnError::Ended => (
            StatusCode::BAD_REQUEST,
            "Please sign in again",
            "This single sign-on has ended, was used already, or began in another browser or tab. Begin again from \
             the board.",
        ),
        SignOnError::Refused => (
            StatusCode::FORBIDDEN,
            "Single sign-on did not work",
            "The provider of your organisation did not confirm who you are. Try again; if it stays so, ask an admin of \
             this board, who finds the reason in the server's log.",
        ),
        SignOnError::Nameless => (
            StatusCode::FORBIDDEN,
            "Single sign-on did not work",
            "The provider of your organisation tells no user name. Ask an admin of this board to look at the setting \
             OIDC_USER_CLAIM.",
        ),
        SignOnError::Unreachable => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Single sign-on is away",
            "The provider of your organisation does not answer. Try again in a minute, or sign in with a password; if \
             it stays so, ask an admin of this board.",
        ),
    };
    refused(status, title, detail, "")
}

fn cookie_name(OverTls(over_tls): OverTls) -> &'static str {
    if over_tls { "__Host-vpn_sessions_sign_on" } else { "vpn_sessions_sign_on" }
}

/// Lax, as the browser comes back from another site.
fn cookie(over_tls: OverTls, value: String) -> Cookie<'static> {
    Cookie::build((cookie_name(over_tls), value))
        .path("/")
        .http_only(true)
        .secure(over_tls.0)
        .same_site(SameSite::Lax)
        .build()
}

fn with_life(mut cookie: Cookie<'static>) -> Cookie<'static> {
    cookie.set_max_age(time::Duration::minutes(SIGN_ON_LIFE.as_mins()));
    cookie
}

/// Takes the cookie of the sign-on away, as it is over.
fn without_cookie(over_tls: OverTls, mut answer: Response) -> Response {
    let mut ended = cookie(over_tls, String::new());
    ended.make_removal();
    if let Ok(value) = HeaderValue::from_str(&ended.to_string()) {
        answer.headers_mut().append(header::SET_COOKIE, value);
    }
    answer
}
