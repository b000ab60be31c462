//! The world outside, behind the ports of `app`: the clock and randomness, the
//! mail server ([`mailer`]), the provider of single sign-on ([`provider`]), the
//! share with the weekly reports ([`share`]), and
//! the files that people edit ([`watched_file`]).

mod clock;
mod mail;
mod mailer;
mod provider;
mod share;
mod watched_file;

pub use clock::{SystemClock, SystemEntropy};
pub use mailer::{SettingsError, SmtpMailer, SmtpSettings, SmtpTls};
pub use provider::{OidcProvider, OidcSettings, OidcSettingsError};
pub use share::FolderShare;
pub use watched_file::{FileError, WatchedFile};
