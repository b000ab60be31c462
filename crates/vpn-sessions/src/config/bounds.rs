//! How large or small a setting may be: each bound with its unit and reason.

/// Longest value of a setting, in bytes: a key or a list of addresses, not a document.
pub const MAX_VALUE_BYTES: usize = 8_192;

/// Largest file that is read for settings or a secret, in bytes: a hundred times what people write.
pub const MAX_FILE_BYTES: u64 = 1_048_576;

/// Most items of a list: one mail to more recipients is refused by common mail servers.
pub const MAX_LIST_ITEMS: usize = 100;

/// Longest name of the service user, in characters: the same as for every account.
pub const MAX_USER_CHARS: usize = 200;

/// Longest mail address, in bytes (RFC 5321, 4.5.3.1.3, without the angle brackets).
pub const MAX_ADDRESS_BYTES: usize = 254;

/// Longest host name, in bytes (RFC 1035, 2.3.4, without the root's dot).
pub const MAX_HOST_BYTES: usize = 253;

/// Shortest password that is accepted from the network, in characters (NIST SP 800-63B).
pub const MIN_PASSWORD_CHARS: usize = 8;

/// Shortest key that is accepted from the network, in bytes: HS256 wants as many as its hash has (RFC 7518, 3.2).
pub const MIN_KEY_BYTES: usize = 32;

/// Longest life of an access token, in minutes: 30 days, as a sign-in has at most.
pub const MAX_JWT_MINUTES: u64 = 43_200;

/// Most mails a minute: beyond what any mail server takes from one account.
pub const MAX_MAIL_RATE_PER_MINUTE: u64 = 10_000;

/// Most connections to the mail server at once: more are taken for an attack.
pub const MAX_MAIL_CONNECTIONS: u64 = 100;

/// Shortest time between two pings, or to wait for the answer, in milliseconds: a mobile network needs this long.
pub const MIN_PING_MS: u64 = 100;

/// Longest time between two pings, or to wait for the answer, in milliseconds: proxies close what is silent longer.
pub const MAX_PING_MS: u64 = 120_000;

/// Smallest payload limit of a socket, in bytes: a check with the longest names and note fits.
pub const MIN_PAYLOAD_BYTES: u64 = 8_192;

/// Largest payload limit of a socket, in bytes: with a thousand sockets this is a gigabyte of memory.
pub const MAX_PAYLOAD_BYTES: u64 = 1_048_576;

/// Most sockets: a Linux process has about as many file descriptors at most.
pub const MAX_SOCKETS: u64 = 1_000_000;

/// Most commands, messages or failed sign-ins a minute: more than one instance can commit.
pub const MAX_PER_MINUTE: u64 = 1_000_000;

/// Longest time until an unconfirmed session ends by itself, in minutes: a week.
pub const MAX_UNCONFIRMED_MINUTES: u64 = 10_080;

/// Highest port number (TCP, RFC 9293).
pub const MAX_PORT: u64 = 65_535;

/// Longest retention, in days: a hundred years, beyond which it is better not set.
pub const MAX_RETENTION_DAYS: u64 = 36_500;
