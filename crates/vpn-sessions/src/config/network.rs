//! Networks of addresses, as in `10.0.0.0/8` (CIDR, RFC 4632 and RFC 4291).

use std::{fmt, net::IpAddr};

use super::problem::Problem;

/// A network: all addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    prefix: u32,
}

impl Network {
    /// Reads `ADDRESS/PREFIX`, or an address alone, which is a network of one.
    ///
    /// # Errors
    /// [`Problem::Network`], or [`Problem::HostBits`] where bits are set behind the prefix.
    pub fn parse(text: &str) -> Result<Network, Problem> {
        let network = Network::split(text).ok_or_else(|| Problem::Network(text.to_owned()))?;
        let first = masked(network.first, network.prefix);
        if first == network.first {
            return Ok(network);
        }
        let meant = Network { first, ..network }.to_string();
        Err(Problem::HostBits { given: text.to_owned(), meant })
    }

    /// Whether an address lies in the network; an IPv4 address also when it is written as IPv6.
    #[allow(dead_code, reason = "not in force yet")]
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

/// The address with all bits behind the prefix set to 0.
fn masked(address: IpAddr, prefix: u32) -> IpAddr {
    match address {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & u32::MAX.checked_shl(32 - prefix).unwrap_or(0)).into()),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & u128::MAX.checked_shl(128 - prefix).unwrap_or(0)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(Network::parse(text), Err(Problem::Network(text.to_owned())));
        }
        let meant = "10.0.0.0/8".to_owned();
        assert_eq!(Network::parse("10.1.2.3/8"), Err(Problem::HostBits { given: "10.1.2.3/8".to_owned(), meant }));
    }
}
