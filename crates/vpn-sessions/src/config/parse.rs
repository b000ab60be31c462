//! From the text of a value to what it means.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use domain::address::{Network, NetworkError};
use jiff::tz::TimeZone;
use tracing_subscriber::EnvFilter;

use super::{
    bounds::{MAX_ADDRESS_BYTES, MAX_HOST_BYTES, MAX_LIST_ITEMS, MAX_USER_CHARS},
    problem::Problem,
    secret::Secret,
};

/// What is said where a web address is not one.
const WEB_ADDRESS: &str = "http:// or https:// and a host, such as https://vpn.example.com, without ? and #";
const SAFE_ADDRESS: &str = "https:// and a host, such as https://login.example.com/token (http:// to loopback only)";

/// The parts of a web address without query and fragment (RFC 3986).
struct WebAddress<'a> {
    scheme: String,
    host: String,
    port: Option<u16>,
    path: &'a str,
}

pub(super) fn text(text: &str) -> Result<String, Problem> {
    Ok(text.to_owned())
}

pub(super) fn log_filter(text: &str) -> Result<String, Problem> {
    match EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(Problem::LogFilter(text.to_owned())),
    }
}

pub(super) fn path(text: &str) -> Result<PathBuf, Problem> {
    Ok(PathBuf::from(text))
}

pub(super) fn user(text: &str) -> Result<String, Problem> {
    let allowed = !text.contains(':') && text.chars().count() <= MAX_USER_CHARS;
    if allowed { Ok(text.to_owned()) } else { Err(Problem::User(text.to_owned())) }
}

pub(super) fn listen(text: &str) -> Result<SocketAddr, Problem> {
    text.parse().map_err(|_| Problem::Listen(text.to_owned()))
}

/// The address of a database, which may hold a password.
pub(super) fn database_url(text: &str) -> Result<Secret, Problem> {
    let known = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
    if known { Ok(Secret::new(text)) } else { Err(Problem::Database) }
}

pub(super) fn timezone(text: &str) -> Result<TimeZone, Problem> {
    TimeZone::get(text).map_err(|_| Problem::Timezone(text.to_owned()))
}

pub(super) fn network(text: &str) -> Result<Network, Problem> {
    Network::parse(text).map_err(|error| match error {
        NetworkError::Unreadable => Problem::Network(text.to_owned()),
        NetworkError::HostBits { meant } => Problem::HostBits { given: text.to_owned(), meant: meant.to_string() },
    })
}

/// The items of a list, each read by `item`.
pub(super) fn list<T>(text: &str, item: fn(&str) -> Result<T, Problem>) -> Result<Vec<T>, Problem> {
    let items: Vec<&str> = text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
    match items.len() {
        0 => Err(Problem::NoItem),
        1..=MAX_LIST_ITEMS => items.into_iter().map(item).collect(),
        count => Err(Problem::TooManyItems(count)),
    }
}

/// A mail address, by its rough shape: the mail server knows better.
pub(super) fn mail_address(text: &str) -> Result<String, Problem> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>()[]\\,;:\"".contains(c);
    let shaped = match text.split_once('@') {
        Some((local, domain)) => !local.is_empty() && is_host_name(domain),
        None => false,
    };
    let address = shaped && !text.contains(odd) && text.len() <= MAX_ADDRESS_BYTES;
    if address { Ok(text.to_owned()) } else { Err(Problem::Address(text.to_owned())) }
}

/// A host name or an IP address; one of IPv6 with or without brackets.
pub(super) fn host(text: &str) -> Result<String, Problem> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let known = bare.parse::<IpAddr>().is_ok() || is_host_name(text);
    if known { Ok(bare.to_owned()) } else { Err(Problem::Host(text.to_owned())) }
}

/// The address that browsers use, as they write it: small letters, no usual port, no slash at the end.
pub(super) fn public_url(text: &str) -> Result<String, Problem> {
    let address = WebAddress::split(text).ok_or(Problem::Url(WEB_ADDRESS))?;
    let usual = if address.scheme == "https" { 443 } else { 80 };
    let port = address.port.filter(|port| *port != usual).map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{}://{}{port}{}", address.scheme, address.host, address.path.trim_end_matches('/')))
}

/// An address to which a secret may be sent: https, or http on this machine. Kept as it is written.
pub(super) fn safe_url(text: &str) -> Result<String, Problem> {
    let address = WebAddress::split(text).filter(|address| address.scheme == "https" || is_loopback(&address.host));
    address.map(|_| text.to_owned()).ok_or(Problem::Url(SAFE_ADDRESS))
}

/// Whether a host name or address is that of this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<IpAddr>().map(|address| address.to_canonical().is_loopback());
    address.unwrap_or_else(|_| bare.eq_ignore_ascii_case("localhost"))
}

impl WebAddress<'_> {
    fn split(text: &str) -> Option<WebAddress<'_>> {
        let (scheme, rest) = text.split_once("://")?;
        let scheme = Some(scheme.to_ascii_lowercase()).filter(|scheme| scheme == "http" || scheme == "https")?;
        if rest.contains(|c: char| c.is_whitespace() || c.is_control() || "?#@\\".contains(c)) {
            return None;
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (name, port) = match authority.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, Some(port.parse().ok()?)),
            _ => (authority, None),
        };
        let bracketed = name.starts_with('[');
        let bare = host(name).ok().filter(|bare| bracketed || !bare.contains(':'))?.to_ascii_lowercase();
        let host = if bracketed { format!("[{bare}]") } else { bare };
        Some(WebAddress { scheme, host, port, path })
    }
}

fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        let known = label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
        known && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= MAX_HOST_BYTES && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_addresses_are_kept_as_browsers_write_them() {
        for (given, expected) in [
            ("https://vpn.example.com", "https://vpn.example.com"),
            ("https://vpn.example.com/", "https://vpn.example.com"),
            ("HTTPS://VPN.Example.com:443/", "https://vpn.example.com"),
            ("http://vpn.example.com:80", "http://vpn.example.com"),
            ("http://vpn.example.com:443", "http://vpn.example.com:443"),
            ("http://127.0.0.1:5000/vpn/", "http://127.0.0.1:5000/vpn"),
            ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
            ("https://[2001:db8::1]", "https://[2001:db8::1]"),
        ] {
            assert_eq!(public_url(given).as_deref(), Ok(expected), "{given}");
        }
    }

    #[test]
    fn what_is_no_web_address_is_refused() {
        for given in [
            "vpn.example.com",
            "ftp://vpn.example.com",
            "https://",
            "https:///path",
            "https://vpn.example.com?x=1",
            "https://vpn.example.com/#top",
            "https://alice:pw@vpn.example.com",
            "https://vpn.example.com:https",
            "https://vpn.example.com:65536",
            "https://2001:db8::1",
            "https://vpn example.com",
            "https://vpn.example.com\\path",
        ] {
            assert_eq!(public_url(given), Err(Problem::Url(WEB_ADDRESS)), "{given}");
        }
    }

    #[test]
    fn secrets_go_over_https_or_to_this_machine() {
        for given in
            ["https://login.example.com/a/", "http://localhost:8080/token", "http://127.0.0.2", "http://[::1]:1"]
        {
            assert_eq!(safe_url(given).as_deref(), Ok(given));
        }
        for given in ["http://login.example.com", "http://localhost.example.com", "login.example.com"] {
            assert_eq!(safe_url(given), Err(Problem::Url(SAFE_ADDRESS)));
        }
    }

    #[test]
    fn mail_addresses_have_a_name_and_a_host() {
        let longest = format!("{}@example.com", "a".repeat(MAX_ADDRESS_BYTES - 12));
        for given in ["a@b", "on.call+vpn@example.com", "müller@example.com", &longest] {
            assert_eq!(mail_address(given).as_deref(), Ok(given));
        }
        for given in ["a", "@b", "a@", "a@b@c", "a b@c", "A <a@b>", "a@b;c@d", "a@b..c", "a@-b", &format!("a{longest}")]
        {
            assert_eq!(mail_address(given), Err(Problem::Address(given.to_owned())));
        }
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        let longest = format!("{}.example", "a".repeat(MAX_HOST_BYTES - 8));
        for (given, expected) in [
            ("smtp.example.com", "smtp.example.com"),
            ("localhost", "localhost"),
            ("192.0.2.1", "192.0.2.1"),
            ("::1", "::1"),
            ("[::1]", "::1"),
            (longest.as_str(), longest.as_str()),
        ] {
            assert_eq!(host(given).as_deref(), Ok(expected));
        }
        for given in ["smtp.example.com:587", "smtp://example.com", "a b", ".", "[localhost]", &format!("a{longest}")] {
            assert_eq!(host(given), Err(Problem::Host(given.to_owned())));
        }
    }

    #[test]
    fn lists_have_items_up_to_the_limit() {
        let items = |count: usize| vec!["a@b"; count].join(", ");
        assert_eq!(list(" a@b , c@d,", mail_address), Ok(vec!["a@b".to_owned(), "c@d".to_owned()]));
        assert_eq!(list(",", mail_address), Err(Problem::NoItem));
        assert_eq!(list(&items(MAX_LIST_ITEMS), mail_address).map(|list| list.len()), Ok(MAX_LIST_ITEMS));
        let beyond = MAX_LIST_ITEMS + 1;
        assert_eq!(list(&items(beyond), mail_address), Err(Problem::TooManyItems(beyond)));
    }

    #[test]
    fn user_names_are_limited() {
        let longest = "ü".repeat(MAX_USER_CHARS);
        assert_eq!(user(&longest), Ok(longest.clone()));
        for given in [format!("ü{longest}"), "pro:mon".to_owned()] {
            assert_eq!(user(&given), Err(Problem::User(given.clone())));
        }
    }

    #[test]
    fn loopback_is_this_machine_only() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example.com", "128.0.0.1", "0.0.0.0", "::", "example.com"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
