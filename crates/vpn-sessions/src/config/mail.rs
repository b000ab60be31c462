//! How messages are mailed.

use super::{
    choices::MailTls,
    parse,
    problem::Problem,
    secret::Secret,
    settings::{
        MAIL_ALLOW_TO, MAIL_CONNECTIONS, MAIL_FROM, MAIL_OAUTH_CLIENT_ID, MAIL_OAUTH_CLIENT_SECRET, MAIL_OAUTH_SCOPE,
        MAIL_OAUTH_TOKEN_URL, MAIL_PORT, MAIL_PW, MAIL_RATE_PER_MINUTE, MAIL_SERVER, MAIL_TLS, MAIL_TO, MAIL_USER,
    },
    values::Values,
};

/// How messages are mailed. Where `server` is set, `to` and `from` are too.
#[derive(Clone, Debug)]
pub struct MailConfig {
    /// Who gets the messages.
    pub to: Vec<String>,
    /// The sender; the user, where that is an address.
    pub from: Option<String>,
    /// The account at the mail server.
    pub user: Option<String>,
    /// Its password.
    pub pw: Option<Secret>,
    /// The mail server, a host name or an IP address without brackets; unset, messages are kept.
    pub server: Option<String>,
    /// Its port.
    pub port: u16,
    /// How the way to it is encrypted; `None` only if it is on this machine.
    pub tls: MailTls,
    /// Most mails a minute.
    #[allow(dead_code, reason = "not in force yet")]
    pub rate_per_minute: u32,
    /// Most connections to it at once.
    #[allow(dead_code, reason = "not in force yet")]
    pub connections: u32,
    /// Whom a message may name besides `to`.
    #[allow(dead_code, reason = "not in force yet")]
    pub allow_to: Vec<String>,
    /// How to get a token for it, instead of a password.
    pub oauth: Option<MailOauth>,
}

/// How to get a token for the mail server (client credentials, RFC 6749, 4.4).
#[derive(Clone, Debug)]
#[allow(dead_code, reason = "not in force yet")]
pub struct MailOauth {
    /// Where to ask: https, or http on this machine.
    pub token_url: String,
    /// Who asks.
    pub client_id: String,
    /// The secret of who asks.
    pub client_secret: Secret,
    /// What the token is for.
    pub scope: Option<String>,
}

impl MailConfig {
    pub(super) fn read(values: &mut Values<'_>) -> MailConfig {
        let user = values.optional(&MAIL_USER, parse::text);
        let mail = MailConfig {
            to: values.list(&MAIL_TO, parse::mail_address),
            from: sender(values, user.as_deref()),
            user,
            pw: values.secret(&MAIL_PW),
            server: values.optional(&MAIL_SERVER, parse::host),
            port: values.number(&MAIL_PORT),
            tls: values.choice(&MAIL_TLS, MailTls::ALL),
            rate_per_minute: values.number(&MAIL_RATE_PER_MINUTE),
            connections: values.number(&MAIL_CONNECTIONS),
            allow_to: values.list(&MAIL_ALLOW_TO, parse::mail_address),
            oauth: MailOauth::read(values),
        };
        mail.complain(values);
        mail
    }

    /// Says what does not fit together.
    fn complain(&self, values: &mut Values<'_>) {
        let Some(server) = &self.server else { return };
        if !values.may_be_set(&MAIL_TO) {
            let meaning = "the addresses that get the messages";
            values.error(&MAIL_SERVER, Problem::MailWithout { missing: MAIL_TO.name(), meaning });
        }
        if self.from.is_none() && !values.may_be_set(&MAIL_FROM) {
            let meaning = "the address that mails come from";
            values.error(&MAIL_SERVER, Problem::MailWithout { missing: MAIL_FROM.name(), meaning });
        }
        if self.tls == MailTls::None && !parse::is_loopback(server) {
            values.error(&MAIL_TLS, Problem::PlainMail(server.clone()));
        }
        if self.oauth.is_none() {
            self.complain_about_login(values);
        }
    }

    fn complain_about_login(&self, values: &mut Values<'_>) {
        let (user, pw) = (values.may_be_set(&MAIL_USER), values.may_be_set(&MAIL_PW));
        if user && !pw {
            values.warning(&MAIL_USER, Problem::HalfMailLogin(MAIL_PW.name()));
        }
        if pw && !user {
            values.warning(&MAIL_PW, Problem::HalfMailLogin(MAIL_USER.name()));
        }
    }
}

impl MailOauth {
    fn read(values: &mut Values<'_>) -> Option<MailOauth> {
        let token_url = values.optional(&MAIL_OAUTH_TOKEN_URL, parse::safe_url);
        let client_id = values.optional(&MAIL_OAUTH_CLIENT_ID, parse::text);
        let client_secret = values.secret(&MAIL_OAUTH_CLIENT_SECRET);
        let scope = values.optional(&MAIL_OAUTH_SCOPE, parse::text);
        values.together(&[&MAIL_OAUTH_TOKEN_URL, &MAIL_OAUTH_CLIENT_ID, &MAIL_OAUTH_CLIENT_SECRET]);
        Some(MailOauth { token_url: token_url?, client_id: client_id?, client_secret: client_secret?, scope })
    }
}

/// The sender: as it is set, else the user, where that is an address.
fn sender(values: &mut Values<'_>, user: Option<&str>) -> Option<String> {
    let address = user.and_then(|user| parse::mail_address(user).ok());
    match address.filter(|_| !values.may_be_set(&MAIL_FROM)) {
        Some(address) => {
            values.settle(&MAIL_FROM, &MAIL_USER, address.clone());
            Some(address)
        }
        None => values.optional(&MAIL_FROM, parse::mail_address),
    }
}
