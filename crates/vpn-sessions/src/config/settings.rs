//! The table of settings: the only place where a setting is named.
//!
//! Command line, configuration file, `config check` and the reference page are
//! made from it. What a value means is not here, see the fields of `Config`.

use super::{
    BoardAccess, CreateAccounts, LogFormat, MailTls,
    bounds::{
        MAX_JWT_MINUTES, MAX_MAIL_CONNECTIONS, MAX_MAIL_RATE_PER_MINUTE, MAX_PAYLOAD_BYTES, MAX_PER_MINUTE,
        MAX_PING_MS, MAX_PORT, MAX_RETENTION_DAYS, MAX_SOCKETS, MAX_UNCONFIRMED_MINUTES, MIN_PAYLOAD_BYTES,
        MIN_PING_MS,
    },
    setting::{Effect, Kind, Setting, both, file_only, variable},
};

/// Every setting, in the order in which people read them.
pub static SETTINGS: &[&Setting] = &[
    &CONFIG_DIR,
    &DATA_DIR,
    &AUDIT_DIR,
    &LISTEN,
    &PORT,
    &SECRET_KEY,
    &HC_USER,
    &HC_PW,
    &BOARD_ACCESS,
    &TIMEZONE,
    &JWT_MINUTES,
    &PUBLIC_URL,
    &TRUSTED_PROXIES,
    &DATABASE_URL,
    &SSL_CERT_FILE,
    &LOG_FORMAT,
    &RUST_LOG,
    &MAIL_TO,
    &MAIL_FROM,
    &MAIL_USER,
    &MAIL_PW,
    &MAIL_SERVER,
    &MAIL_PORT,
    &MAIL_TLS,
    &MAIL_RATE_PER_MINUTE,
    &MAIL_CONNECTIONS,
    &MAIL_ALLOW_TO,
    &MAIL_OAUTH_TOKEN_URL,
    &MAIL_OAUTH_CLIENT_ID,
    &MAIL_OAUTH_CLIENT_SECRET,
    &MAIL_OAUTH_SCOPE,
    &OIDC_ISSUER,
    &OIDC_CLIENT_ID,
    &OIDC_CLIENT_SECRET,
    &OIDC_USER_CLAIM,
    &OIDC_SCOPES,
    &OIDC_ROLE_CLAIM,
    &OIDC_AUDITOR_VALUES,
    &OIDC_ADMIN_VALUES,
    &OIDC_CREATE_ACCOUNTS,
    &TLS_CERT,
    &TLS_KEY,
    &SOCKET_PING_INTERVAL_MS,
    &SOCKET_PING_TIMEOUT_MS,
    &SOCKET_MAX_PAYLOAD,
    &LIMIT_SOCKETS,
    &LIMIT_SOCKETS_PER_ACCOUNT,
    &LIMIT_SOCKETS_PER_ADDRESS,
    &LIMIT_COMMANDS_PER_MINUTE,
    &LIMIT_MESSAGES_PER_MINUTE,
    &LIMIT_FAILED_SIGN_INS_PER_MINUTE,
    &BOARD_END_UNCONFIRMED_AFTER_MINUTES,
    &RETENTION_AUDIT_DAYS,
    &RETENTION_ACCESS_DAYS,
    &RETENTION_RELAY_DAYS,
];

/// The directory of `vpn-sessions.toml`, `sessions.csv` and `users.txt`.
pub static CONFIG_DIR: Setting =
    variable("CONFIG_DIR", "Directory of vpn-sessions.toml, sessions.csv and users.txt.").default("config");

/// The directory of what the server keeps.
pub static DATA_DIR: Setting =
    both("DATA_DIR", "data_dir", "Directory of what the server keeps; one server at a time writes there.")
        .default("data");

/// The directory of the weekly reports.
pub static AUDIT_DIR: Setting =
    both("AUDIT_DIR", "audit_dir", "Directory of the weekly audit reports, such as a share.").default("audit_export");

/// The address and port of the server.
pub static LISTEN: Setting =
    both("LISTEN", "listen", "IP address and port that the server listens on.").default("127.0.0.1:5000");

/// The port alone, as hosting platforms give it.
pub static PORT: Setting =
    variable("PORT", "Port alone: without LISTEN on the command line or in the environment, it means 0.0.0.0:PORT.")
        .number(1, MAX_PORT);

/// The key of the access tokens.
pub static SECRET_KEY: Setting =
    both("SECRET_KEY", "secret_key", "Key of the access tokens (HS256), 32 bytes or more.")
        .secret()
        .unset("made at random on first start and kept");

/// The name of the service user.
pub static HC_USER: Setting = both("HC_USER", "hc_user", "Name of the service user, an admin.").default("promon");

/// The password of the service user.
pub static HC_PW: Setting = both("HC_PW", "hc_pw", "Password of the service user, 8 characters or more.")
    .secret()
    .unset("made at random, shown once");

/// How people get onto the board.
pub static BOARD_ACCESS: Setting = both(
    "BOARD_ACCESS",
    "board_access",
    "How people sign in: with a password, or by picking their name (open: on loopback only).",
)
.kind(Kind::Choice(BoardAccess::NAMES))
.default("password");

/// The time zone of weeks and reports.
pub static TIMEZONE: Setting =
    both("TIMEZONE", "timezone", "Time zone (IANA name) of the weeks and times in the audit reports.").default("UTC");

/// The life of an access token.
pub static JWT_MINUTES: Setting =
    both("JWT_MINUTES", "jwt_minutes", "Life of a token from /api/loginUser, in minutes.")
        .number(1, MAX_JWT_MINUTES)
        .default("60");

/// The address that browsers see.
pub static PUBLIC_URL: Setting = both(
    "PUBLIC_URL",
    "public_url",
    "Address that browsers use (http or https); its origin is the only one that they may come from.",
)
.unset("unset: the host of the request");

/// The proxies that may say whom they speak for.
pub static TRUSTED_PROXIES: Setting = both(
    "TRUSTED_PROXIES",
    "trusted_proxies",
    "Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.",
)
.kind(Kind::List)
.unset("none");

/// The database.
pub static DATABASE_URL: Setting =
    both("DATABASE_URL", "database_url", "PostgreSQL database to keep everything in, postgres://….")
        .secret()
        .unset("unset: files in the data directory")
        .not_in_force_yet();

/// More certificates to trust.
pub static SSL_CERT_FILE: Setting =
    variable("SSL_CERT_FILE", "File with more certificates to trust for outgoing TLS, as elsewhere.")
        .unset("unset: those of the system")
        .effect(Effect::Library);

/// How log lines look.
pub static LOG_FORMAT: Setting = variable("LOG_FORMAT", "How log lines look.")
    .kind(Kind::Choice(LogFormat::NAMES))
    .unset("text on a terminal, else json");

/// Which log lines are written.
pub static RUST_LOG: Setting = variable("RUST_LOG", "Which log lines are written, such as info or web=debug.");

/// Who gets the messages.
pub static MAIL_TO: Setting = both("MAIL_TO", "mail.to", "Addresses that messages are sent to.").kind(Kind::List);

/// The sender of the mails.
pub static MAIL_FROM: Setting =
    both("MAIL_FROM", "mail.from", "Address that mails come from.").unset("unset: MAIL_USER, where that is an address");

/// The account at the mail server.
pub static MAIL_USER: Setting = both("MAIL_USER", "mail.user", "User name at the mail server.");

/// The password at the mail server.
pub static MAIL_PW: Setting = both("MAIL_PW", "mail.pw", "Password at the mail server.").secret();

/// The mail server.
pub static MAIL_SERVER: Setting =
    both("MAIL_SERVER", "mail.server", "Host name of the mail server.").unset("unset: messages are kept, not sent");

/// The port of the mail server.
pub static MAIL_PORT: Setting =
    both("MAIL_PORT", "mail.port", "Port of the mail server.").number(1, MAX_PORT).default("587");

/// How the way to the mail server is encrypted.
pub static MAIL_TLS: Setting =
    both("MAIL_TLS", "mail.tls", "How the way to the mail server is encrypted (none: to this machine only).")
        .kind(Kind::Choice(MailTls::NAMES))
        .default("starttls");

/// How many mails are sent a minute.
pub static MAIL_RATE_PER_MINUTE: Setting =
    both("MAIL_RATE_PER_MINUTE", "mail.rate_per_minute", "Most mails a minute; Microsoft 365 allows 30.")
        .number(1, MAX_MAIL_RATE_PER_MINUTE)
        .default("30")
        .not_in_force_yet();

/// How many connections to the mail server there are.
pub static MAIL_CONNECTIONS: Setting = both(
    "MAIL_CONNECTIONS",
    "mail.connections",
    "Most connections to the mail server at once; Microsoft 365 allows 3.",
)
.number(1, MAX_MAIL_CONNECTIONS)
.default("3")
.not_in_force_yet();

/// Whom else a message may name.
pub static MAIL_ALLOW_TO: Setting =
    both("MAIL_ALLOW_TO", "mail.allow_to", "Addresses that a message may name in \"to\", besides those of MAIL_TO.")
        .kind(Kind::List)
        .unset("nobody")
        .not_in_force_yet();

/// Where tokens for the mail server come from.
pub static MAIL_OAUTH_TOKEN_URL: Setting =
    both("MAIL_OAUTH_TOKEN_URL", "mail.oauth.token_url", "Where to get a token for the mail server, https.")
        .unset("unset: password login")
        .not_in_force_yet();

/// Who asks for tokens for the mail server.
pub static MAIL_OAUTH_CLIENT_ID: Setting =
    both("MAIL_OAUTH_CLIENT_ID", "mail.oauth.client_id", "Client id that asks for the mail token.").not_in_force_yet();

/// The secret of who asks for tokens for the mail server.
pub static MAIL_OAUTH_CLIENT_SECRET: Setting =
    both("MAIL_OAUTH_CLIENT_SECRET", "mail.oauth.client_secret", "Secret of that client.").secret().not_in_force_yet();

/// What a token for the mail server is good for.
pub static MAIL_OAUTH_SCOPE: Setting =
    both("MAIL_OAUTH_SCOPE", "mail.oauth.scope", "Scope that the mail token is asked for.").not_in_force_yet();

/// The single sign-on provider.
pub static OIDC_ISSUER: Setting =
    both("OIDC_ISSUER", "oidc.issuer", "Single sign-on: address of the OpenID Connect provider, as it names itself.")
        .unset("unset: no single sign-on");

/// Who we are to the single sign-on provider.
pub static OIDC_CLIENT_ID: Setting =
    both("OIDC_CLIENT_ID", "oidc.client_id", "Single sign-on: client id of this server there.");

/// Our secret at the single sign-on provider.
pub static OIDC_CLIENT_SECRET: Setting =
    both("OIDC_CLIENT_SECRET", "oidc.client_secret", "Single sign-on: secret of that client.").secret();

/// Which claim is a user's name.
pub static OIDC_USER_CLAIM: Setting =
    both("OIDC_USER_CLAIM", "oidc.user_claim", "Single sign-on: claim of the ID token that holds the user name.")
        .unset("`preferred_username`, then `email`");

/// What the single sign-on provider is asked for.
pub static OIDC_SCOPES: Setting =
    both("OIDC_SCOPES", "oidc.scopes", "Single sign-on: scopes that the provider is asked for.")
        .kind(Kind::List)
        .default("openid, profile, email");

/// Which claim gives a role.
pub static OIDC_ROLE_CLAIM: Setting =
    both("OIDC_ROLE_CLAIM", "oidc.role_claim", "Single sign-on: claim of the ID token that holds roles or groups.")
        .unset("unset: the provider says nothing of roles");

/// What makes an auditor there.
pub static OIDC_AUDITOR_VALUES: Setting =
    both("OIDC_AUDITOR_VALUES", "oidc.auditor_values", "Single sign-on: values of that claim that make an auditor.")
        .kind(Kind::List)
        .unset("nobody");

/// What makes an admin there.
pub static OIDC_ADMIN_VALUES: Setting =
    both("OIDC_ADMIN_VALUES", "oidc.admin_values", "Single sign-on: values of that claim that make an admin.")
        .kind(Kind::List)
        .unset("nobody");

/// Whether single sign-on adds accounts.
pub static OIDC_CREATE_ACCOUNTS: Setting = both(
    "OIDC_CREATE_ACCOUNTS",
    "oidc.create_accounts",
    "Single sign-on: whether whom the provider knows and this server does not gets an account.",
)
.kind(Kind::Choice(CreateAccounts::NAMES))
.default("no");

/// The server's certificate.
pub static TLS_CERT: Setting = both("TLS_CERT", "tls.cert", "Certificate chain of the server, a PEM file.")
    .unset("unset: plain HTTP, TLS at the proxy");

/// The key of the server's certificate.
pub static TLS_KEY: Setting = both("TLS_KEY", "tls.key", "Private key of that certificate, a PEM file.");

/// How often a socket is asked whether it lives.
pub static SOCKET_PING_INTERVAL_MS: Setting =
    file_only("socket.ping_interval_ms", "Time between two pings to a socket, in milliseconds.")
        .number(MIN_PING_MS, MAX_PING_MS)
        .default("20000");

/// How long a socket may take to answer.
pub static SOCKET_PING_TIMEOUT_MS: Setting =
    file_only("socket.ping_timeout_ms", "Time that a socket has to answer a ping, in milliseconds.")
        .number(MIN_PING_MS, MAX_PING_MS)
        .default("10000");

/// How much a socket may send at once.
pub static SOCKET_MAX_PAYLOAD: Setting =
    file_only("socket.max_payload", "Most that a socket may send at once, in bytes.")
        .number(MIN_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES)
        .default("65536");

/// How many sockets there may be.
pub static LIMIT_SOCKETS: Setting =
    file_only("limits.sockets", "Most sockets at once.").number(1, MAX_SOCKETS).default("100000");

/// How many sockets an account may have.
pub static LIMIT_SOCKETS_PER_ACCOUNT: Setting =
    file_only("limits.sockets_per_account", "Most sockets of one account at once.")
        .number(1, MAX_SOCKETS)
        .default("100");

/// How many sockets an address may have.
pub static LIMIT_SOCKETS_PER_ADDRESS: Setting =
    file_only("limits.sockets_per_address", "Most sockets from one address at once.")
        .number(1, MAX_SOCKETS)
        .default("2000");

/// How many commands an account may give.
pub static LIMIT_COMMANDS_PER_MINUTE: Setting =
    file_only("limits.commands_per_minute", "Most commands of one account a minute.")
        .number(1, MAX_PER_MINUTE)
        .default("600");

/// How many messages an account may hand over.
pub static LIMIT_MESSAGES_PER_MINUTE: Setting =
    file_only("limits.messages_per_minute", "Most messages of one account a minute.")
        .number(1, MAX_PER_MINUTE)
        .default("6000");

/// How often an address may fail to sign in.
pub static LIMIT_FAILED_SIGN_INS_PER_MINUTE: Setting =
    file_only("limits.failed_sign_ins_per_minute", "Most failed sign-ins from one address a minute.")
        .number(1, MAX_PER_MINUTE)
        .default("20");

/// When an unconfirmed session ends by itself.
pub static BOARD_END_UNCONFIRMED_AFTER_MINUTES: Setting =
    file_only("board.end_unconfirmed_after_minutes", "Minutes after which an unconfirmed session ends by itself.")
        .number(1, MAX_UNCONFIRMED_MINUTES)
        .unset("unset: never")
        .not_in_force_yet();

/// How long the audit is kept.
pub static RETENTION_AUDIT_DAYS: Setting = both(
    "RETENTION_AUDIT_DAYS",
    "retention.audit_days",
    "Days that the board's audit is kept in the data directory, at least the present week, the one before it, and what is not on the share; reports there stay.",
)
.number(1, MAX_RETENTION_DAYS)
.unset("unset: for good");

/// How long the record of access is kept.
pub static RETENTION_ACCESS_DAYS: Setting =
    both("RETENTION_ACCESS_DAYS", "retention.access_days", "Days that the record of sign-ins and reads is kept.")
        .number(1, MAX_RETENTION_DAYS)
        .default("400");

/// How long messages are kept.
pub static RETENTION_RELAY_DAYS: Setting =
    both("RETENTION_RELAY_DAYS", "retention.relay_days", "Days that a message is kept after its end.")
        .number(1, MAX_RETENTION_DAYS)
        .default("90");
