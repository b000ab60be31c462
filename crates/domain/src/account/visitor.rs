//! Who comes, and who changes something.

use serde::{Deserialize, Serialize};

use crate::names::UserName;

/// Somebody and where they came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// The account.
    pub user: UserName,
    /// The address of the network peer, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// Who changes an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Changer {
    /// An account.
    Account(Visitor),
    /// A command that worked on the data directory itself.
    CommandLine,
    /// `users.txt`, or a setting.
    Configuration,
}

impl Changer {
    /// Whether that account does it.
    pub fn is(&self, user: &UserName) -> bool {
        match self {
            Changer::Account(visitor) => visitor.user.is_same_account(user),
            Changer::CommandLine | Changer::Configuration => false,
        }
    }
}
