//! Connections: the lines of the list, each a client VPN.

use std::{collections::BTreeMap, fmt, num::NonZeroU32};

use serde::{Deserialize, Serialize};

use crate::{
    names::{LineName, NameError},
    record::Hash,
};

/// The id of a connection: main and sub name, joined by `;`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConnectionId {
    main: LineName,
    sub: LineName,
}

impl ConnectionId {
    /// The id of the connection of these names.
    pub fn new(main: LineName, sub: LineName) -> ConnectionId {
        ConnectionId { main, sub }
    }

    /// Reads `main;sub`.
    ///
    /// # Errors
    /// [`NameError`] of the half that is wrong; a text without `;` lacks its sub.
    pub fn parse(text: &str) -> Result<ConnectionId, NameError> {
        let (main, sub) = text.split_once(';').unwrap_or((text, ""));
        Ok(ConnectionId { main: LineName::parse("the main name", main)?, sub: LineName::parse("the sub name", sub)? })
    }

    /// The main name: usually the client.
    pub fn main(&self) -> &LineName {
        &self.main
    }

    /// The sub name: which of the client's VPNs.
    pub fn sub(&self) -> &LineName {
        &self.sub
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};{}", self.main, self.sub)
    }
}

impl TryFrom<String> for ConnectionId {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        ConnectionId::parse(&text)
    }
}

impl From<ConnectionId> for String {
    fn from(id: ConnectionId) -> String {
        id.to_string()
    }
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its two names.
    pub id: ConnectionId,
    /// How many users may be on it at once.
    pub capacity: NonZeroU32,
}

/// The whole list, in the file's order, with the digest of the file that said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionList {
    connections: Vec<Connection>,
    places: BTreeMap<ConnectionId, usize>,
    digest: Hash,
}

impl ConnectionList {
    /// A list of connections, unique by id, and the digest of its file.
    pub fn new(connections: Vec<Connection>, digest: Hash) -> ConnectionList {
        let places = connections.iter().enumerate().map(|(place, line)| (line.id.clone(), place)).collect();
        ConnectionList { connections, places, digest }
    }

    /// The connection of that id, if it is on the list.
    pub fn find(&self, id: &ConnectionId) -> Option<&Connection> {
        self.places.get(id).map(|&place| &self.connections[place])
    }

    /// All connections in the file's order.
    pub fn iter(&self) -> std::slice::Iter<'_, Connection> {
        self.connections.iter()
    }

    /// How many connections the list has.
    pub fn len(&self) -> usize {
        self.connections.len()
    }

    /// Whether the list has no connection.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// SHA-256 of the file's bytes.
    pub fn digest(&self) -> Hash {
        self.digest
    }
}

impl Default for ConnectionList {
    fn default() -> ConnectionList {
        ConnectionList::new(Vec::new(), Hash::of(b""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_as_in_the_file() {
        let id = ConnectionId::parse("vpn main 1;vpn sub 1").unwrap();
        assert_eq!(id.to_string(), "vpn main 1;vpn sub 1");
        assert_eq!((id.main().as_str(), id.sub().as_str()), ("vpn main 1", "vpn sub 1"));
        for wrong in ["", "main", ";sub", "main;", "a;b;c"] {
            assert!(ConnectionId::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
