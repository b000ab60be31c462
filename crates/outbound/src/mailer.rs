//! The mail server, by SMTP (RFC 5321) with STARTTLS (RFC 3207) or implicit
//! TLS (RFC 8314). One connection a mail; each step of it may fail in its own
//! way, and only the mail's own steps can refuse a mail for good.

use std::time::Duration;

use app::ports::{Mail, MailError, Mailer};
use async_trait::async_trait;
use lettre::{
    message::Mailbox,
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, TlsParameters},
        extension::ClientId,
    },
};

use crate::mail::written;

/// How long a connection may take to come about.
const CONNECT_WITHIN: Duration = Duration::from_secs(20);

/// How long sending one mail may take in all; a server that says nothing is
/// given up then.
const SEND_WITHIN: Duration = Duration::from_secs(60);

/// How the connection is kept private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// Plain at first, TLS before anything is said; never plain instead.
    StartTls,
    /// TLS from the first byte.
    Implicit,
    /// Not at all: for servers on this machine.
    None,
}

/// Where and as whom mails are handed in.
#[derive(Clone)]
pub struct SmtpSettings {
    /// Name of the mail server; its certificate has to bear it.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept private.
    pub tls: SmtpTls,
    /// User and password, where it asks for them.
    pub credentials: Option<(String, String)>,
    /// Who the mails are from.
    pub from: String,
}

/// Settings that no mail can be sent with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The sender is no address.
    #[error("MAIL_FROM is not an address: {0}")]
    From(String),
    /// The machine's certificates cannot be used.
    #[error("TLS cannot be set up; see SSL_CERT_FILE: {0}")]
    Tls(String),
}

/// Hands mails to an SMTP server.
pub struct SmtpMailer {
    settings: SmtpSettings,
    from: Mailbox,
    tls: TlsParameters,
    send_within: Duration,
}

impl SmtpMailer {
    /// A mailer of those settings; trusts the system's certificates, or those
    /// that `SSL_CERT_FILE` names.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn new(settings: SmtpSettings) -> Result<SmtpMailer, SettingsError> {
        let from = settings.from.parse().map_err(|error| SettingsError::From(format!("{error}")))?;
        let tls = TlsParameters::new_rustls(settings.server.clone());
        let tls = tls.map_err(|error| SettingsError::Tls(words(&error)))?;
        Ok(SmtpMailer { settings, from, tls, send_within: SEND_WITHIN })
    }

    /// The same with another deadline for each mail.
    pub fn with_deadline(self, send_within: Duration) -> SmtpMailer {
        SmtpMailer { send_within, ..self }
    }

    async fn connected(&self) -> Result<AsyncSmtpConnection, lettre::transport::smtp::Error> {
        let hello = ClientId::default();
        let implicit = (self.settings.tls == SmtpTls::Implicit).then(|| self.tls.clone());
        let server = (self.settings.server.as_str(), self.settings.port);
        let connect = AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT_WITHIN), &hello, implicit, None);
        let mut connection = connect.await?;
        if self.settings.tls == SmtpTls::StartTls {
            connection.starttls(self.tls.clone(), &hello).await?;
        }
        if let Some((user, password)) = &self.settings.credentials {
            let credentials = Credentials::new(user.clone(), password.clone());
            connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await?;
        }
        Ok(connection)
    }

    async fn sent(&self, mail: &Mail) -> Result<String, MailError> {
        let message = written(mail, &self.from).map_err(|error| MailError::Permanent(error.to_string()))?;
        // Whatever fails up to here is not the mail's fault, a 5yz reply included.
        let mut connection = self.connected().await.map_err(|error| MailError::Transient(words(&error)))?;
        let sent = connection.send(message.envelope(), &message.formatted()).await;
        match sent {
            Ok(reply) => {
                let said = format!("{} {}", reply.code(), reply.message().collect::<Vec<_>>().join(" "));
                connection.abort().await;
                Ok(said.trim().to_owned())
            }
            Err(error) if error.is_permanent() => Err(MailError::Permanent(words(&error))),
            Err(error) => Err(MailError::Transient(words(&error))),
        }
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &Mail) -> Result<String, MailError> {
        let sent = tokio::time::timeout(self.send_within, self.sent(mail)).await;
        sent.unwrap_or_else(|_| {
            let seconds = self.send_within.as_secs_f32();
            Err(MailError::Transient(format!("the mail server did not answer within {seconds} s")))
        })
    }
}

/// The server's own words, or what went wrong, on one line.
fn words(error: &lettre::transport::smtp::Error) -> String {
    let said = std::error::Error::source(error);
    if let (Some(code), Some(said)) = (error.status(), said) {
        return one_line(&format!("{code} {said}"));
    }
    let mut words = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_words = cause.to_string();
        if !words.contains(&cause_words) {
            words = format!("{words}: {cause_words}");
        }
        source = cause.source();
    }
    one_line(&words)
}

fn one_line(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
