//! What can be wrong with a setting: every sentence that people read about it.
//!
//! Each goes on from the name of the setting: "LISTEN" "is …; write …". No
//! variant holds the value of a secret.

use std::net::SocketAddr;

use super::bounds::{
    MAX_ADDRESS_BYTES, MAX_LIST_ITEMS, MAX_USER_CHARS, MAX_VALUE_BYTES, MIN_KEY_BYTES, MIN_PASSWORD_CHARS,
};

/// What is wrong, and the mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A text that filters no log lines.
    #[error("is {0:?}; write a level or levels by part, such as info or web=debug,info")]
    LogFilter(String),
    /// A list file cannot be taken up.
    #[error("{0}")]
    ListFile(String),
    /// A file that is there cannot be read.
    #[error("cannot be read: {0}; let the server read it, or take it away")]
    Unreadable(String),
    /// The file of a secret cannot be read.
    #[error("names the file {path}, which cannot be read: {cause}; mend the path or the file's permissions")]
    UnreadableSecret {
        /// The file.
        path: String,
        /// What the system says.
        cause: String,
    },
    /// The file of a secret has nothing in it.
    #[error("names the file {0}, which is empty; write the secret into it")]
    EmptySecret(String),
    /// A secret is given itself and by its file.
    #[error("and {0} are both set; unset one of them")]
    BothGiven(String),
    /// An environment variable or argument that is not Unicode.
    #[error("is not UTF-8; set it to text in UTF-8")]
    NotUnicode,
    /// Not TOML.
    #[error("is not TOML: {0}; mend the line")]
    Syntax(String),
    /// A key that no setting has.
    #[error("is not a setting; {}", mend_unknown(.0.as_deref()))]
    UnknownKey(Option<String>),
    /// A value of another type.
    #[error("is {found}; write {expected}")]
    WrongType {
        /// What stands there.
        found: &'static str,
        /// What should.
        expected: &'static str,
    },
    /// Longer than any value may be.
    #[error("has {0} bytes; at most {MAX_VALUE_BYTES} are allowed")]
    TooLong(usize),
    /// A line end or the like.
    #[error("contains {0:?}; leave that character out")]
    ControlCharacter(char),
    /// Not a number, or one out of bounds.
    #[error("is {given:?}; write a whole number from {lowest} to {highest}")]
    Number {
        /// What stands there.
        given: String,
        /// The lowest that is allowed.
        lowest: u64,
        /// The highest that is allowed.
        highest: u64,
    },
    /// Not one of the words.
    #[error("is {given:?}; write {}", one_of(.choices))]
    Choice {
        /// What stands there.
        given: String,
        /// What may.
        choices: &'static [&'static str],
    },
    /// More items than a list may have.
    #[error("has {0} items; at most {MAX_LIST_ITEMS} are allowed")]
    TooManyItems(usize),
    /// A list of nothing but commas.
    #[error("has no item; write one, or unset it")]
    NoItem,
    /// Not an address to listen on.
    #[error("is {0:?}; write an IP address and a port, such as 127.0.0.1:5000 or [::1]:5000")]
    Listen(String),
    /// Not a time zone.
    #[error("is {0:?}, which is not a time zone; write an IANA name, such as Europe/Berlin")]
    Timezone(String),
    /// Not a user name.
    #[error("is {0:?}; write a name without ':', of at most {MAX_USER_CHARS} characters")]
    User(String),
    /// Not an address of a web server.
    #[error("does not fit; write {0}")]
    Url(&'static str),
    /// Not the address of a database.
    #[error("is not the address of a database; write postgres://USER:PASSWORD@HOST/DATABASE")]
    Database,
    /// Not an address or network.
    #[error("has {0:?}; write an IP address or a network, such as 10.0.0.0/8")]
    Network(String),
    /// A network that is written with bits of a host.
    #[error("has {given:?}, where bits are set behind the prefix; write {meant}")]
    HostBits {
        /// What stands there.
        given: String,
        /// The network that it lies in.
        meant: String,
    },
    /// Not a mail address.
    #[error(
        "has {0:?}; write a mail address alone, such as oncall@example.com, of at most {MAX_ADDRESS_BYTES} characters"
    )]
    Address(String),
    /// Not the name of a host.
    #[error("is {0:?}; write a host name or an IP address alone; the port has its own setting")]
    Host(String),
    /// Some settings of a group, but not this one.
    #[error("is set, but {0} is not; set both, or neither")]
    Incomplete(&'static str),
    /// A mail server without a recipient or sender.
    #[error("is set, but {missing} is not; set it to {meaning}, or unset the mail server to keep messages unsent")]
    MailWithout {
        /// The setting that is missing.
        missing: &'static str,
        /// What belongs there.
        meaning: &'static str,
    },
    /// Mail without encryption over the network.
    #[error(
        "is \"none\", which is for a mail server on this machine only; {0} is elsewhere: write starttls or implicit"
    )]
    PlainMail(String),
    /// A mail password without a user, or the other way round.
    #[error("is set without {0}, so the mail server is not asked to sign in; set both, or neither")]
    HalfMailLogin(&'static str),
    /// No version acts on it so far.
    #[error("has no effect in this version; unset it")]
    NoEffect,
    /// Single sign-on on a server of which nobody knows the address.
    #[error(
        "is set, but PUBLIC_URL is not, so the provider cannot send browsers back; set PUBLIC_URL to the address \
         that browsers use (needed unless LISTEN is a loopback address)"
    )]
    NoWayBack,
    /// A port beside an address that has one.
    #[error("has no effect, because LISTEN is set to {0}; unset one of them")]
    PortIgnored(SocketAddr),
    /// A password that can be guessed.
    #[error(
        "is \"12345\" or another password of under {MIN_PASSWORD_CHARS} characters, which is for trying out on \
         loopback only (the server listens on {0}); set a longer one, or unset it to have one made"
    )]
    WeakPassword(SocketAddr),
    /// A key that can be guessed.
    #[error(
        "is \"secret\" or another key of under {MIN_KEY_BYTES} bytes, which is for trying out on loopback only \
         (the server listens on {0}); set a longer one, or unset it to have one made"
    )]
    WeakKey(SocketAddr),
    /// A board without passwords.
    #[error(
        "is \"open\": anybody signs in without a password, which is for trying out on loopback only (the server \
         listens on {0}); write password, or open-to-network if that is meant"
    )]
    OpenBoard(SocketAddr),
    /// A board without passwords for the whole network.
    #[error(
        "is \"open-to-network\": whoever reaches the server signs in without a password; write password to stop that"
    )]
    OpenToNetwork,
    /// Everybody is a proxy.
    #[error("has {0}, so anybody can claim any address; write the addresses of your proxies only")]
    EveryProxy(String),
}

fn mend_unknown(suggestion: Option<&str>) -> String {
    match suggestion {
        Some(near) => format!("did you mean {near}?"),
        None => "remove it".to_owned(),
    }
}

fn one_of(choices: &[&str]) -> String {
    match choices {
        [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        few => few.join(""),
    }
}
