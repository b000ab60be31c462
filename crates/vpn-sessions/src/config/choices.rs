//! Settings that are one word of a few.

/// How people get onto the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoardAccess {
    /// With a password, an invitation or single sign-on.
    Password,
    /// By picking a name; on loopback only.
    Open,
    /// By picking a name, on any address.
    OpenToNetwork,
}

/// How the way to the mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// By STARTTLS, without falling back (RFC 3207).
    StartTls,
    /// From the first byte (RFC 8314).
    Implicit,
    /// Not at all; to this machine only.
    None,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs, one object a line.
    Json,
}

/// Whether single sign-on adds accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateAccounts {
    /// Only who has an account comes in.
    No,
    /// Whoever has none gets one.
    Yes,
}

impl CreateAccounts {
    /// The words, as [`CreateAccounts::ALL`] has the meanings.
    pub(super) const NAMES: &[&str] = &["no", "yes"];
    /// What the words mean.
    pub(super) const ALL: &[CreateAccounts] = &[CreateAccounts::No, CreateAccounts::Yes];
}

impl BoardAccess {
    /// The words, as [`BoardAccess::ALL`] has the meanings.
    pub(super) const NAMES: &[&str] = &["password", "open", "open-to-network"];
    /// What the words mean.
    pub(super) const ALL: &[BoardAccess] = &[BoardAccess::Password, BoardAccess::Open, BoardAccess::OpenToNetwork];
}

impl MailTls {
    /// The words, as [`MailTls::ALL`] has the meanings.
    pub(super) const NAMES: &[&str] = &["starttls", "implicit", "none"];
    /// What the words mean.
    pub(super) const ALL: &[MailTls] = &[MailTls::StartTls, MailTls::Implicit, MailTls::None];
}

impl LogFormat {
    /// The words, as [`LogFormat::ALL`] has the meanings.
    pub(super) const NAMES: &[&str] = &["text", "json"];
    /// What the words mean.
    pub(super) const ALL: &[LogFormat] = &[LogFormat::Text, LogFormat::Json];
}
