//! How programs sign in.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::SignedDuration;
use wire::{
    board::Me,
    service::{AccessToken, Problem as ProblemShape},
};

use crate::{Shared, arrival::Came, caller::Caller, limits::in_turn, peer::PeerAddress, problem::Problem, shapes};

/// An access token for a program that signs in by HTTP Basic (RFC 7617).
#[utoipa::path(post, path = "/api/loginUser", tag = "programs", responses(
    (status = 200, body = AccessToken),
    (status = 401, description = "user or password is wrong", body = ProblemShape),
    (status = 429, description = "rate_limited, after too many failures", body = ProblemShape),
    (status = 503, description = "the sign-in could not be kept", body = ProblemShape),
))]
pub(crate) async fn login_user(
    State(parts): State<Shared>,
    peer: PeerAddress,
    Came(from): Came,
    headers: HeaderMap,
) -> Response {
    let Some((user, password)) = basic(&headers) else { return challenge(Problem::unauthorized()) };
    let proved = async { Ok(parts.accounts.sign_in_program(&user, &password, from).await?) };
    let signed_in = match in_turn(&parts, &user, peer, proved).await {
        Ok(signed_in) => signed_in,
        Err(problem) => return challenge(problem),
    };
    let now = parts.clock.now();
    let life = SignedDuration::from_mins(i64::from(parts.settings.access_token_minutes));
    let jti = format!("{:032x}", u128::from_be_bytes(parts.entropy.bits()));
    match parts.access_tokens.for_program(&signed_in, now, life, &jti) {
        Ok(token) => Json(AccessToken { token, expires_at: shapes::time(now + life) }).into_response(),
        Err(error) => Problem::unavailable(error.to_string()).into_response(),
    }
}

/// Whose token this is.
#[utoipa::path(get, path = "/api/test", tag = "programs", responses(
    (status = 200, body = Me),
    (status = 401, body = ProblemShape),
))]
pub(crate) async fn test(caller: Caller) -> Json<Me> {
    Json(shapes::me(&caller.actor))
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

fn challenge(problem: Problem) -> Response {
    let mut response = problem.into_response();
    if response.headers().contains_key(header::WWW_AUTHENTICATE) {
        let basic = HeaderValue::from_static("Basic realm=\"vpn-sessions\", charset=\"UTF-8\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, basic);
    }
    response
}
