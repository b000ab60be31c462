//! Where a request comes from: the address of its network peer, and the browser.

use std::convert::Infallible;

use app::accounts::Arrival;
use axum::{
    extract::FromRequestParts,
    http::{Extensions, HeaderMap, header, request::Parts as Head},
};

use crate::peer::PeerAddress;

/// The names that browsers give themselves; whoever builds on another one
/// names both, so the order matters.
const BROWSERS: [(&str, &str); 6] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// The same for the systems that they run on.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// Where a request comes from, as handlers ask for it.
pub(crate) struct Came(pub(crate) Arrival);

impl<S: Send + Sync> FromRequestParts<S> for Came {
    type Rejection = Infallible;
    async fn from_request_parts(head: &mut Head, _: &S) -> Result<Came, Infallible> {
        Ok(Came(Arrival { address: address(&head.extensions), browser: browser(&head.headers) }))
    }
}

/// The address of the network peer, behind the proxies that are trusted.
pub(crate) fn address(extensions: &Extensions) -> Option<String> {
    extensions.get::<PeerAddress>().map(PeerAddress::to_string)
}

/// `Firefox on Windows`; nothing of what else a client says of itself is kept.
fn browser(headers: &HeaderMap) -> Option<String> {
    let says = headers.get(header::USER_AGENT)?.to_str().ok()?;
    let named =
        |names: &[(&str, &'static str)]| names.iter().find(|(mark, _)| says.contains(mark)).map(|(_, name)| *name);
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => Some(format!("{browser} on {system}")),
        (Some(name), None) | (None, Some(name)) => Some(name.to_owned()),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_browser_is_named_in_a_few_words() {
        let windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)";
        for (says, expected) in [
            (format!("{windows} Gecko/20100101 Firefox/145.0"), Some("Firefox on Windows")),
            (format!("{windows} AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36 Edg/142.0"), Some("Edge on Windows")),
            ("Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0.0.0 Safari/537.36".into(), Some("Chrome on Linux")),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1".into(),
                Some("Safari on iPhone"),
            ),
            ("curl/8.14.1".into(), None),
            ("<script>".into(), None),
        ] {
            let headers = HeaderMap::from_iter([(header::USER_AGENT, HeaderValue::from_str(&says).unwrap())]);
            assert_eq!(browser(&headers).as_deref(), expected, "{says}");
        }
        assert_eq!(browser(&HeaderMap::new()), None);
    }
}
