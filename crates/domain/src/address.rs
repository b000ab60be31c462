//! Addresses of network peers, as values: networks of them (CIDR, RFC 4632 and
//! RFC 4291), who stands behind a trusted proxy, and who counts as one.
//!
//! Deliberately absent: sockets and names; nothing here asks the network.

use core::{fmt, net::IpAddr, net::SocketAddr};

/// How many bits of an IPv6 address name a site's network: whoever has one
/// address there has them all (RFC 6177, RFC 7421).
const SITE_BITS: u32 = 64;

/// A network: all addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    prefix: u32,
}

/// Why a text names no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Neither an address nor a network.
    #[error("write an IP address or a network, such as 10.0.0.0/8")]
    Unreadable,
    /// Bits are set behind the prefix.
    #[error("bits are set behind the prefix; write {meant}")]
    HostBits {
        /// The network that it lies in.
        meant: Network,
    },
}

/// Whoever counts as one before limits: an IPv4 address, or an IPv6 network of
/// 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site(IpAddr);

/// Who a request comes from, as the proxies tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The address of the first peer that is no trusted proxy.
    pub address: IpAddr,
    /// How many trusted proxies stand between.
    pub proxies: usize,
}

impl Network {
    /// Reads `ADDRESS/PREFIX`, or an address alone, which is a network of one.
    ///
    /// # Errors
    /// [`NetworkError`].
    pub fn parse(text: &str) -> Result<Network, NetworkError> {
        let network = Network::split(text).ok_or(NetworkError::Unreadable)?;
        let first = masked(network.first, network.prefix);
        if first == network.first {
            Ok(network)
        } else {
            Err(NetworkError::HostBits { meant: Network { first, ..network } })
        }
    }

    /// Whether an address lies in the network; an IPv4 address also when it is written as IPv6.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && masked(address, self.prefix) == self.first
    }

    /// Whether every address of its kind lies in the network.
    pub fn is_everything(&self) -> bool {
        self.prefix == 0
    }

    fn split(text: &str) -> Option<Network> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let first: IpAddr = address.parse().ok()?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(most), str::parse).ok().filter(|prefix| *prefix <= most)?;
        Some(Network { first, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

impl Site {
    /// The one that an address belongs to.
    pub fn of(address: IpAddr) -> Site {
        match address.to_canonical() {
            v4 @ IpAddr::V4(_) => Site(v4),
            v6 @ IpAddr::V6(_) => Site(masked(v6, SITE_BITS)),
        }
    }
}

impl Origin {
    /// Reads `X-Forwarded-For` from the right: each trusted peer is believed
    /// about the one before it, and nobody else about anything. `forwarded` are
    /// the header's values in the order in which they came.
    pub fn behind(peer: IpAddr, forwarded: &[impl AsRef<str>], trusted: &[Network]) -> Origin {
        let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
        let mut origin = Origin { address: peer.to_canonical(), proxies: 0 };
        for told in forwarded.iter().rev().flat_map(|line| line.as_ref().rsplit(',')) {
            if !is_trusted(origin.address) {
                return origin;
            }
            // A proxy that does not know whom it speaks for is whom we know.
            let Some(address) = forwarded_address(told) else { return origin };
            origin = Origin { address, proxies: origin.proxies + 1 };
        }
        origin
    }
}

/// An address as proxies write it: alone, with a port, in brackets or quotes.
fn forwarded_address(told: &str) -> Option<IpAddr> {
    let told = told.trim().trim_matches('"');
    let bracketed = told.strip_prefix('[').and_then(|told| told.strip_suffix(']'));
    let address = bracketed.unwrap_or(told).parse().ok();
    let address = address.or_else(|| told.parse().ok().map(|socket: SocketAddr| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// The address with all bits behind the prefix set to 0.
fn masked(address: IpAddr, prefix: u32) -> IpAddr {
    match address {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & u32::MAX.checked_shl(32 - prefix).unwrap_or(0)).into()),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & u128::MAX.checked_shl(128 - prefix).unwrap_or(0)).into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn networks(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|text| Network::parse(text).unwrap()).collect()
    }

    #[test]
    fn networks_hold_their_addresses_and_no_others() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("192.0.2.7", "::ffff:192.0.2.7", "::7"),
            ("192.0.2.8/31", "192.0.2.9", "192.0.2.10"),
            ("0.0.0.0/0", "203.0.113.1", "::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::1", "::1", "127.0.0.1"),
            ("::/0", "2001:db8::1", "127.0.0.1"),
        ] {
            let read = Network::parse(network).unwrap();
            assert!(read.contains(inside.parse().unwrap()), "{network} {inside}");
            assert!(!read.contains(outside.parse().unwrap()), "{network} {outside}");
            assert_eq!(read.is_everything(), network.ends_with("/0"), "{network}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "proxy", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8", "10.0.0.0/8/8"] {
            assert_eq!(Network::parse(text), Err(NetworkError::Unreadable), "{text}");
        }
        let meant = Network::parse("10.0.0.0/8").unwrap();
        assert_eq!(Network::parse("10.1.2.3/8"), Err(NetworkError::HostBits { meant }));
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxies = networks(&["10.0.0.0/8", "2001:db8:1::/48"]);
        for (peer, forwarded, expected, between) in [
            ("203.0.113.9", &["192.0.2.1"][..], "203.0.113.9", 0),
            ("10.0.0.1", &[], "10.0.0.1", 0),
            ("10.0.0.1", &["192.0.2.1"], "192.0.2.1", 1),
            ("::ffff:10.0.0.1", &["192.0.2.1"], "192.0.2.1", 1),
            ("10.0.0.1", &["127.0.0.1, 192.0.2.1"], "192.0.2.1", 1),
            ("10.0.0.1", &["127.0.0.1", "192.0.2.1"], "192.0.2.1", 1),
            ("10.0.0.1", &["127.0.0.1, 192.0.2.1,10.0.0.2"], "192.0.2.1", 2),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3", 2),
            ("10.0.0.1", &["192.0.2.1:4711"], "192.0.2.1", 1),
            ("10.0.0.1", &["[2001:db8::7]:4711"], "2001:db8::7", 1),
            ("10.0.0.1", &["[2001:db8::7]"], "2001:db8::7", 1),
            ("10.0.0.1", &["\"2001:db8::7\""], "2001:db8::7", 1),
            ("2001:db8:1::5", &["::ffff:192.0.2.1"], "192.0.2.1", 1),
            ("10.0.0.1", &["192.0.2.1, unknown"], "10.0.0.1", 0),
            ("10.0.0.1", &["192.0.2.1, _hidden, 10.0.0.2"], "10.0.0.2", 1),
            ("10.0.0.1", &[""], "10.0.0.1", 0),
        ] {
            let origin = Origin::behind(peer.parse().unwrap(), forwarded, &proxies);
            assert_eq!(origin, Origin { address: expected.parse().unwrap(), proxies: between }, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn a_site_is_an_ipv4_address_or_64_bits_of_ipv6() {
        let site = |text: &str| Site::of(text.parse().unwrap());
        assert_eq!(site("2001:db8:0:1::1"), site("2001:db8:0:1:ffff::9"));
        assert_ne!(site("2001:db8:0:1::1"), site("2001:db8:0:2::1"));
        assert_ne!(site("192.0.2.1"), site("192.0.2.2"));
        assert_eq!(site("::ffff:192.0.2.1"), site("192.0.2.1"));
    }

    proptest! {
        /// Whatever a stranger writes to the left, nothing changes.
        #[test]
        fn nobody_forges_an_address(forged in ".{0,40}", client in any::<[u8; 4]>()) {
            let proxies = networks(&["10.0.0.0/8"]);
            let client = IpAddr::from(client);
            prop_assume!(!proxies[0].contains(client));
            let told = format!("{forged},{client}");
            let origin = Origin::behind("10.0.0.1".parse().unwrap(), &[&told], &proxies);
            prop_assert_eq!(origin.address, client);
            prop_assert_eq!(Origin::behind(client, &[&told], &proxies).address, client);
        }
    }
}
