//! Where a request comes from: the network peer, or whom a trusted proxy names.
//!
//! [`settle`] stands before everything and puts [`PeerAddress`] and [`OverTls`]
//! into the request, for handlers and sockets alike.

use std::{
    borrow::Cow,
    convert::Infallible,
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{Extensions, HeaderMap, request::Parts as Head},
    middleware::Next,
    response::Response,
};
use domain::address::{Origin, Site};

use crate::{Parts, Shared};

/// The address that a request comes from, behind the proxies that are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PeerAddress(pub(crate) IpAddr);

/// Whether the browser came by TLS: to us, to a trusted proxy, or to the
/// address that is set as ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OverTls(pub(crate) bool);

/// Says in the request where it comes from.
pub(crate) async fn settle(State(parts): State<Shared>, mut request: Request, next: Next) -> Response {
    let connected = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = connected.map_or(UNKNOWN, |ConnectInfo(peer)| peer.ip());
    let (address, over_tls) = come_from(peer, request.headers(), &parts);
    request.extensions_mut().insert(address);
    request.extensions_mut().insert(over_tls);
    next.run(request).await
}

fn come_from(peer: IpAddr, headers: &HeaderMap, parts: &Parts) -> (PeerAddress, OverTls) {
    let origin = Origin::behind(peer, &lines(headers, "x-forwarded-for"), &parts.settings.trusted_proxies);
    let told = origin.proxies > 0 || parts.settings.trusted_proxies.iter().any(|proxy| proxy.contains(peer));
    let by_proxy = told && is_https(&lines(headers, "x-forwarded-proto"), origin.proxies);
    (PeerAddress(origin.address), OverTls(by_proxy || parts.is_secure()))
}

/// What the proxies say of the way to the outermost of them that is trusted;
/// the value of one that the client made up stands further left.
fn is_https(lines: &[impl AsRef<str>], proxies: usize) -> bool {
    let mut told = lines.iter().rev().flat_map(|line| line.as_ref().rsplit(',')).take(proxies.max(1));
    told.by_ref().last().is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"))
}

/// A header's values. Bytes that are no text stand in what a stranger wrote; what
/// a proxy appended on the right is as good as before.
fn lines<'a>(headers: &'a HeaderMap, name: &str) -> Vec<Cow<'a, str>> {
    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect()
}

/// Where no connection tells an address: in a test that calls the service.
const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

impl PeerAddress {
    /// The address that [`settle`] put there.
    pub(crate) fn of(extensions: &Extensions) -> PeerAddress {
        extensions.get().copied().unwrap_or(PeerAddress(UNKNOWN))
    }

    /// Whom limits count it to.
    pub(crate) fn site(self) -> Site {
        Site::of(self.0)
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PeerAddress {
    type Rejection = Infallible;
    async fn from_request_parts(head: &mut Head, _: &S) -> Result<PeerAddress, Infallible> {
        Ok(PeerAddress::of(&head.extensions))
    }
}

impl OverTls {
    /// What [`settle`] put there.
    pub(crate) fn of(extensions: &Extensions) -> OverTls {
        extensions.get().copied().unwrap_or(OverTls(false))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OverTls {
    type Rejection = Infallible;
    async fn from_request_parts(head: &mut Head, _: &S) -> Result<OverTls, Infallible> {
        Ok(OverTls::of(&head.extensions))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use domain::address::Network;

    use super::*;

    const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

    #[test]
    fn no_byte_takes_a_proxys_word_away() {
        let proxies = [Network::parse("10.0.0.0/8").unwrap()];
        let client: IpAddr = "203.0.113.10".parse().unwrap();
        for byte in 0..=u8::MAX {
            let written = [&[byte, b','], client.to_string().as_bytes()].concat();
            let Ok(value) = HeaderValue::from_bytes(&written) else { continue };
            let headers = HeaderMap::from_iter([(FORWARDED_FOR, value)]);
            let origin =
                Origin::behind("10.0.0.1".parse().unwrap(), &lines(&headers, FORWARDED_FOR.as_str()), &proxies);
            assert_eq!(origin, Origin { address: client, proxies: 1 }, "{byte:#x}");
        }
    }

    #[test]
    fn the_outermost_trusted_proxy_says_whether_it_was_tls() {
        for (lines, proxies, expected) in [
            (&[][..], 1, false),
            (&["https"], 1, true),
            (&["HTTPS"], 1, true),
            (&["http"], 1, false),
            (&["https, http"], 1, false),
            (&["https", "http"], 1, false),
            (&["https, http"], 2, true),
            (&["https, http, http"], 2, false),
            (&["https"], 2, true),
            (&["https"], 0, true),
        ] {
            assert_eq!(is_https(lines, proxies), expected, "{lines:?} {proxies}");
        }
    }
}
