//! What stands before every request: who may come from where, and what every
//! answer tells the browser.

use std::time::Duration;

use axum::{
    body::{Body, HttpBody},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};

use crate::{Parts, Shared, WebSettings, api::MAX_BODY_BYTES, peer::OverTls, problem::Problem, socket};

/// How much of a body that is too long is taken off the wire, in bytes; the
/// connection of one that is longer still is cut.
const MAX_DRAINED_BYTES: usize = 1024 * 1024;

/// A body that has not come whole after this long is not waited for: 128 KiB take
/// it at 56 kbit/s.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// For a year (ASVS 3.4.1), this host and those below it.
const TLS_ONLY: &str = "max-age=31536000; includeSubDomains";

/// Headers that only a proxy adds.
const FORWARDING: [&str; 5] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "via"];

/// Each answer tells the browser what it may do with it; what has no other
/// word for it is private and not kept.
pub(crate) async fn security_headers(request: Request, next: Next) -> Response {
    let OverTls(over_tls) = OverTls::of(request.extensions());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if over_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(TLS_ONLY));
    }
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A request says once for whom it is (RFC 9112, 3.2): whatever stands before us
/// might have read another one.
pub(crate) async fn one_host(request: Request, next: Next) -> Response {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        return Problem::bad_request("a request has one header Host; send it once").into_response();
    }
    next.run(request).await
}

/// With settings that are good for trying out only, nobody is served who comes
/// through a proxy or by another name than this machine's own.
pub(crate) async fn only_loopback(State(parts): State<Shared>, request: Request, next: Next) -> Response {
    let guarded = parts.settings.only_loopback && request.uri().path() != "/healthz";
    if guarded && !is_loopback(request.headers()) {
        let detail = "the sample settings (open board, known password or key) serve this machine only, at \
                      http://localhost, http://127.0.0.1 or http://[::1]; set HC_PW, SECRET_KEY and BOARD_ACCESS";
        return Problem::forbidden(detail).into_response();
    }
    next.run(request).await
}

/// Takes a request's body off the wire before anybody looks at it: a refusal
/// that leaves it there makes the connection break, and the client may not get
/// to read why. What is too long is passed on just so long that it is refused.
pub(crate) async fn whole_body(State(parts): State<Shared>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let longest = MAX_BODY_BYTES.max(parts.settings.max_payload) + 1;
    let in_time = Instant::now() + BODY_TIMEOUT;
    let (head, body) = request.into_parts();
    let mut frames = body.into_data_stream();
    let (mut kept, mut taken) = (Vec::new(), 0);
    while taken <= MAX_DRAINED_BYTES {
        let frame = match timeout_at(in_time, frames.next()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => {
                return Problem::bad_request(format!("the body did not arrive whole: {error}")).into_response();
            }
            Ok(None) => break,
            Err(_) => return Problem::too_slow(BODY_TIMEOUT).into_response(),
        };
        taken += frame.len();
        let room = longest.saturating_sub(kept.len());
        kept.extend_from_slice(&frame[..frame.len().min(room)]);
    }
    next.run(Request::from_parts(head, Body::from(kept))).await
}

/// What Engine.IO refuses without a word gets one.
pub(crate) async fn socket_problems(request: Request, next: Next) -> Response {
    let is_socket = request.uri().path().starts_with(socket::PATH);
    let response = next.run(request).await;
    let is_silent = response.body().size_hint().exact() == Some(0);
    match response.status() {
        StatusCode::PAYLOAD_TOO_LARGE if is_socket && is_silent => {
            let detail = "the packet is larger than [socket] max_payload; send less";
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail).into_response()
        }
        StatusCode::BAD_REQUEST if is_socket && is_silent => {
            Problem::bad_request("this is no Engine.IO packet (protocol 4)").into_response()
        }
        _ => response,
    }
}

/// Browsers change something, or open a socket, from our own pages only.
pub(crate) async fn same_origin(State(parts): State<Shared>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let opens_socket = request.uri().path().starts_with(socket::PATH);
    if (!reads || opens_socket) && !comes_from_us(request.headers(), OverTls::of(request.extensions()), &parts.settings)
    {
        let detail = "a browser may do this from this server's own pages only; where the server is known by another \
                      address, set PUBLIC_URL to it";
        return Problem::forbidden(detail).into_response();
    }
    next.run(request).await
}

/// Whether the request comes from our own pages, or from no browser. Browsers
/// send `Origin` (RFC 6454) or `Sec-Fetch-Site` (Fetch Metadata) with whatever
/// another site makes them do.
fn comes_from_us(headers: &HeaderMap, over_tls: OverTls, settings: &WebSettings) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let origins: Vec<&str> = headers.get_all("origin").iter().map(|value| value.to_str().unwrap_or("?")).collect();
    let host = text("host").unwrap_or_default();
    if origins.is_empty() {
        return matches!(text("sec-fetch-site"), None | Some("same-origin" | "none"));
    }
    origins.iter().all(|origin| is_our_origin(origin, host, over_tls, settings))
}

fn is_our_origin(origin: &str, host: &str, over_tls: OverTls, settings: &WebSettings) -> bool {
    let schemes: &[&str] = if over_tls.0 { &["https"] } else { &["http", "https"] };
    match &settings.public_origin {
        Some(public) => origin == public,
        None => !host.is_empty() && schemes.iter().any(|scheme| origin == format!("{scheme}://{host}")),
    }
}

/// Whether the request names this machine, and no proxy passed it on.
pub(crate) fn is_loopback(headers: &HeaderMap) -> bool {
    if FORWARDING.iter().any(|name| headers.contains_key(*name)) {
        return false;
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

impl Parts {
    /// Whether all browsers see the server by TLS; others may behind a proxy,
    /// see [`OverTls`].
    pub(crate) fn is_secure(&self) -> bool {
        self.tls.is_some()
            || self.settings.public_origin.as_deref().is_some_and(|origin| origin.starts_with("https://"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::limits::LimitSettings;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let mut headers = HeaderMap::new();
        pairs.for_each(|(name, value)| {
            headers.append(name, value);
        });
        headers
    }

    fn settings(public_origin: Option<&str>) -> WebSettings {
        WebSettings {
            access_token_minutes: 60,
            public_origin: public_origin.map(str::to_owned),
            trusted_proxies: Vec::new(),
            only_loopback: true,
            ping_interval: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(10),
            max_payload: 65_536,
            limits: LimitSettings {
                sockets: 10,
                sockets_per_account: 10,
                sockets_per_address: 10,
                commands_per_minute: 10,
                messages_per_minute: 10,
                failed_sign_ins_per_minute: 10,
            },
        }
    }

    #[test]
    fn only_our_own_pages_are_us() {
        for (pairs, ours) in [
            (&[][..], true),
            (&[("host", "board:5000"), ("origin", "http://board:5000")], true),
            (&[("host", "board:5000"), ("origin", "https://board:5000")], true),
            (&[("host", "board:5000"), ("origin", "http://board:5001")], false),
            (&[("host", "board"), ("origin", "http://board.evil.example")], false),
            (&[("host", "board"), ("origin", "http://evilboard")], false),
            (&[("host", "board"), ("origin", "null")], false),
            (&[("host", "board"), ("origin", "")], false),
            (&[("origin", "http://")], false),
            (&[("host", "board"), ("origin", "http://board"), ("origin", "http://evil.example")], false),
            (&[("host", "board"), ("sec-fetch-site", "cross-site")], false),
            (&[("host", "board"), ("sec-fetch-site", "same-site")], false),
            (&[("host", "board"), ("sec-fetch-site", "same-origin")], true),
            (&[("host", "board"), ("sec-fetch-site", "none")], true),
            (&[("host", "board"), ("origin", "http://evil.example"), ("sec-fetch-site", "same-origin")], false),
        ] {
            assert_eq!(comes_from_us(&headers(pairs), OverTls(false), &settings(None)), ours, "{pairs:?}");
        }
    }

    #[test]
    fn a_public_url_is_the_only_origin() {
        let settings = settings(Some("https://board.example.com"));
        for (origin, ours) in [
            ("https://board.example.com", true),
            ("http://board.example.com", false),
            ("https://board.example.com.evil.example", false),
            ("https://internal:5000", false),
        ] {
            let pairs = [("host", "internal:5000"), ("origin", origin)];
            assert_eq!(comes_from_us(&headers(&pairs), OverTls(true), &settings), ours, "{origin}");
        }
    }

    #[test]
    fn loopback_is_a_name_and_no_proxy() {
        for (pairs, loopback) in [
            (&[("host", "localhost:5000")][..], true),
            (&[("host", "127.0.0.1:5000")], true),
            (&[("host", "127.0.0.1")], true),
            (&[("host", "[::1]:5000")], true),
            (&[("host", "[::1]")], true),
            (&[("host", "rebound.example:5000")], false),
            (&[("host", "127.0.0.1.evil.example")], false),
            (&[("host", "localhost:5000"), ("x-forwarded-for", "10.0.0.1")], false),
            (&[("host", "localhost:5000"), ("forwarded", "for=10.0.0.1")], false),
            (&[("host", "localhost:5000"), ("via", "1.1 proxy")], false),
            (&[], false),
        ] {
            assert_eq!(is_loopback(&headers(pairs)), loopback, "{pairs:?}");
        }
    }
}
