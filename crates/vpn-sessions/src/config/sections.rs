//! The smaller tables of `vpn-sessions.toml`: sockets, limits, retention, TLS and single sign-on.

use std::path::PathBuf;

use domain::account::ClaimRules;

use super::{
    CreateAccounts, parse,
    problem::Problem,
    secret::Secret,
    settings::{
        LIMIT_COMMANDS_PER_MINUTE, LIMIT_FAILED_SIGN_INS_PER_MINUTE, LIMIT_MESSAGES_PER_MINUTE, LIMIT_SOCKETS,
        LIMIT_SOCKETS_PER_ACCOUNT, LIMIT_SOCKETS_PER_ADDRESS, OIDC_ADMIN_VALUES, OIDC_AUDITOR_VALUES, OIDC_CLIENT_ID,
        OIDC_CLIENT_SECRET, OIDC_CREATE_ACCOUNTS, OIDC_ISSUER, OIDC_ROLE_CLAIM, OIDC_SCOPES, OIDC_USER_CLAIM,
        RETENTION_ACCESS_DAYS, RETENTION_AUDIT_DAYS, RETENTION_RELAY_DAYS, SOCKET_MAX_PAYLOAD, SOCKET_PING_INTERVAL_MS,
        SOCKET_PING_TIMEOUT_MS, TLS_CERT, TLS_KEY,
    },
    values::Values,
};

/// How sockets are kept.
#[derive(Clone, Debug)]
pub struct SocketConfig {
    /// Time between two pings, in milliseconds.
    pub ping_interval_ms: u32,
    /// Time to answer one, in milliseconds.
    pub ping_timeout_ms: u32,
    /// Most that a socket may send at once, in bytes.
    pub max_payload: u32,
}

/// How much there may be of what costs the server something.
#[derive(Clone, Debug)]
pub struct LimitsConfig {
    /// Most sockets at once.
    pub sockets: u32,
    /// Most sockets of an account.
    pub sockets_per_account: u32,
    /// Most sockets from an address.
    pub sockets_per_address: u32,
    /// Most commands of an account a minute.
    pub commands_per_minute: u32,
    /// Most messages of an account a minute.
    pub messages_per_minute: u32,
    /// Most failed sign-ins from an address a minute.
    pub failed_sign_ins_per_minute: u32,
}

/// How many days things are kept.
#[derive(Clone, Copy, Debug)]
pub struct RetentionConfig {
    /// The board's audit; unset, for good.
    pub audit_days: Option<u32>,
    /// The record of sign-ins and reads.
    pub access_days: u32,
    /// Messages after their end.
    pub relay_days: u32,
}

/// The server's own certificate.
#[derive(Clone, Debug)]
pub struct TlsConfig {
    /// Certificate chain, a PEM file.
    pub cert: PathBuf,
    /// Private key, a PEM file.
    pub key: PathBuf,
}

/// The provider of single sign-on (OpenID Connect).
#[derive(Clone, Debug)]
pub struct OidcConfig {
    /// Its address, exactly as it names itself.
    pub issuer: String,
    /// Who we are there.
    pub client_id: String,
    /// Our secret there.
    pub client_secret: Secret,
    /// What it is asked for.
    pub scopes: Vec<String>,
    /// Which of its claims is what.
    pub rules: ClaimRules,
}

impl SocketConfig {
    pub(super) fn read(values: &mut Values<'_>) -> SocketConfig {
        SocketConfig {
            ping_interval_ms: values.number(&SOCKET_PING_INTERVAL_MS),
            ping_timeout_ms: values.number(&SOCKET_PING_TIMEOUT_MS),
            max_payload: values.number(&SOCKET_MAX_PAYLOAD),
        }
    }
}

impl LimitsConfig {
    pub(super) fn read(values: &mut Values<'_>) -> LimitsConfig {
        LimitsConfig {
            sockets: values.number(&LIMIT_SOCKETS),
            sockets_per_account: values.number(&LIMIT_SOCKETS_PER_ACCOUNT),
            sockets_per_address: values.number(&LIMIT_SOCKETS_PER_ADDRESS),
            commands_per_minute: values.number(&LIMIT_COMMANDS_PER_MINUTE),
            messages_per_minute: values.number(&LIMIT_MESSAGES_PER_MINUTE),
            failed_sign_ins_per_minute: values.number(&LIMIT_FAILED_SIGN_INS_PER_MINUTE),
        }
    }
}

impl RetentionConfig {
    pub(super) fn read(values: &mut Values<'_>) -> RetentionConfig {
        RetentionConfig {
            audit_days: values.optional_number(&RETENTION_AUDIT_DAYS),
            access_days: values.number(&RETENTION_ACCESS_DAYS),
            relay_days: values.number(&RETENTION_RELAY_DAYS),
        }
    }
}

impl TlsConfig {
    pub(super) fn read(values: &mut Values<'_>) -> Option<TlsConfig> {
        let cert = values.optional(&TLS_CERT, parse::path);
        let key = values.optional(&TLS_KEY, parse::path);
        values.together(&[&TLS_CERT, &TLS_KEY]);
        Some(TlsConfig { cert: cert?, key: key? })
    }
}

impl OidcConfig {
    pub(super) fn read(values: &mut Values<'_>) -> Option<OidcConfig> {
        let issuer = values.optional(&OIDC_ISSUER, parse::safe_url);
        let client_id = values.optional(&OIDC_CLIENT_ID, parse::text);
        let client_secret = values.secret(&OIDC_CLIENT_SECRET);
        values.together(&[&OIDC_ISSUER, &OIDC_CLIENT_ID, &OIDC_CLIENT_SECRET]);
        let user_claim = values.optional(&OIDC_USER_CLAIM, parse::text);
        let scopes = values.required(&OIDC_SCOPES, |text| parse::list(text, parse::text));
        let rules = ClaimRules {
            user_claim,
            role_claim: values.optional(&OIDC_ROLE_CLAIM, parse::text),
            auditor_values: values.list(&OIDC_AUDITOR_VALUES, parse::text),
            admin_values: values.list(&OIDC_ADMIN_VALUES, parse::text),
            creates_accounts: values.choice(&OIDC_CREATE_ACCOUNTS, CreateAccounts::ALL) == CreateAccounts::Yes,
        };
        for given in [&OIDC_AUDITOR_VALUES, &OIDC_ADMIN_VALUES] {
            if values.may_be_set(given) && !values.may_be_set(&OIDC_ROLE_CLAIM) {
                values.error(given, Problem::Incomplete(OIDC_ROLE_CLAIM.name()));
            }
        }
        Some(OidcConfig { issuer: issuer?, client_id: client_id?, client_secret: client_secret?, scopes, rules })
    }
}
