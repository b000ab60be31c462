//! The configuration: what the server was told, by whom, and whether it may start so.
//!
//! Read in this order: `settings` names every setting, `layers` gathers what
//! was said of them, `values` takes each from its highest layer, and this file
//! says what they mean. `start_rules` says what a server must not start with.
//! Nothing here acts on a setting, and nothing but this module knows where one
//! comes from.

mod bounds;
mod choices;
mod finding;
mod layers;
mod mail;
mod nearest;
mod origin;
mod parse;
mod problem;
#[cfg(test)]
mod reference;
mod report;
mod secret;
mod sections;
mod setting;
mod settings;
mod start_rules;
#[cfg(test)]
mod tests;
mod toml_file;
mod values;

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use clap::ArgMatches;
use domain::address::Network;
use jiff::tz::TimeZone;

pub use self::{
    choices::{BoardAccess, CreateAccounts, LogFormat, MailTls},
    finding::{Finding, Severity},
    layers::{Layers, arguments},
    mail::MailConfig,
    report::Report,
    secret::Secret,
    sections::{LimitsConfig, RetentionConfig, TlsConfig},
};
use self::{
    layers::read_file,
    origin::Origin,
    problem::Problem,
    sections::{OidcConfig, SocketConfig},
    settings::{
        AUDIT_DIR, BOARD_ACCESS, BOARD_END_UNCONFIRMED_AFTER_MINUTES, CONFIG_DIR, DATA_DIR, DATABASE_URL, HC_PW,
        HC_USER, JWT_MINUTES, LISTEN, LOG_FORMAT, PORT, PUBLIC_URL, RUST_LOG, SECRET_KEY, SSL_CERT_FILE, TIMEZONE,
        TRUSTED_PROXIES,
    },
    values::{InForce, Values},
};

/// The configuration in force. Every value is right by itself; [`Config::problems`] says what a server must
/// not start with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where `sessions.csv` and `users.txt` are.
    pub config_dir: PathBuf,
    /// Where the server keeps everything.
    pub data_dir: PathBuf,
    /// Where the weekly reports go.
    pub audit_dir: PathBuf,
    /// Where the server listens.
    pub listen: SocketAddr,
    /// The key of the access tokens; unset, one is made and kept.
    pub secret_key: Option<Secret>,
    /// The name of the service user.
    pub hc_user: String,
    /// Its only password; unset, one is made and shown once.
    pub hc_pw: Option<Secret>,
    /// How people get onto the board.
    pub board_access: BoardAccess,
    /// The time zone of weeks and reports.
    pub timezone: TimeZone,
    /// Its IANA name.
    pub timezone_name: String,
    /// How messages are mailed.
    pub mail: MailConfig,
    /// Life of an access token, in minutes.
    pub jwt_minutes: u32,
    /// The address that browsers use: scheme, host, port if it is not the usual one, path without slash at the end.
    pub public_url: Option<String>,
    /// Whose word on whom they speak for is believed.
    pub trusted_proxies: Vec<Network>,
    /// How sockets are kept.
    pub socket: SocketConfig,
    /// How much there may be of what costs something.
    pub limits: LimitsConfig,
    /// How many days things are kept.
    pub retention: RetentionConfig,
    /// The server's own certificate.
    pub tls: Option<TlsConfig>,
    /// The provider of single sign-on.
    pub oidc: Option<OidcConfig>,
    /// The database, `postgres://…`.
    #[allow(dead_code, reason = "not in force yet")]
    pub database_url: Option<Secret>,
    /// When an unconfirmed session ends by itself, in minutes.
    #[allow(dead_code, reason = "not in force yet")]
    pub end_unconfirmed_after_minutes: Option<u32>,
    /// How log lines look; unset, it depends on the terminal.
    pub log_format: Option<LogFormat>,
    /// Which log lines are written, as in `RUST_LOG`.
    pub log_filter: Option<String>,
    in_force: Vec<InForce>,
    warnings: Vec<Finding>,
}

/// Why there is no configuration: shown as its errors, one a line.
#[derive(Clone, Debug)]
pub struct Refused {
    /// What could be read all the same, and every finding.
    pub report: Report,
}

impl Config {
    /// Reads the configuration of this process: its command line, its environment and its files.
    ///
    /// # Errors
    /// [`Refused`] with everything that is wrong.
    pub fn load(matches: &ArgMatches) -> Result<Config, Refused> {
        Config::from_layers(&Layers::of_this_process(matches), &read_file)
    }

    /// Reads a configuration from its layers; `read_file` reads the files that `NAME_FILE` names.
    ///
    /// # Errors
    /// [`Refused`] with everything that is wrong.
    pub fn from_layers(layers: &Layers, read_file: &dyn Fn(&Path) -> io::Result<String>) -> Result<Config, Refused> {
        let mut values = Values::of(layers, read_file);
        let config = Config::read(&mut values);
        let report = Report::of(values.in_force, values.findings);
        if report.has_errors() {
            return Err(Refused { report });
        }
        Ok(Config { in_force: report.in_force, warnings: report.findings, ..config })
    }

    /// What speaks against starting a server with this, errors first; with an error it must not start.
    pub fn problems(&self) -> Vec<Finding> {
        self.report().findings
    }

    /// Whether a setting is in force that is for trying out on loopback only.
    pub fn is_for_trying_out(&self) -> bool {
        !start_rules::trial_settings(self).is_empty()
    }

    /// What is in force, where it comes from, and what is wrong.
    pub fn report(&self) -> Report {
        let findings = self.warnings.iter().cloned().chain(start_rules::findings(self)).collect();
        Report::of(self.in_force.clone(), findings)
    }

    fn read(values: &mut Values<'_>) -> Config {
        let timezone = values.required(&TIMEZONE, parse::timezone);
        values.optional(&SSL_CERT_FILE, parse::text);
        Config {
            config_dir: values.required(&CONFIG_DIR, parse::path),
            data_dir: values.required(&DATA_DIR, parse::path),
            audit_dir: values.required(&AUDIT_DIR, parse::path),
            listen: listen(values),
            secret_key: values.secret(&SECRET_KEY),
            hc_user: values.required(&HC_USER, parse::user),
            hc_pw: values.secret(&HC_PW),
            board_access: values.choice(&BOARD_ACCESS, BoardAccess::ALL),
            timezone_name: timezone.iana_name().unwrap_or(TIMEZONE.default.text()).to_owned(),
            timezone,
            mail: MailConfig::read(values),
            jwt_minutes: values.number(&JWT_MINUTES),
            public_url: values.optional(&PUBLIC_URL, parse::public_url),
            trusted_proxies: values.list(&TRUSTED_PROXIES, parse::network),
            socket: SocketConfig::read(values),
            limits: LimitsConfig::read(values),
            retention: RetentionConfig::read(values),
            tls: TlsConfig::read(values),
            oidc: OidcConfig::read(values),
            database_url: values.optional(&DATABASE_URL, parse::database_url),
            end_unconfirmed_after_minutes: values.optional_number(&BOARD_END_UNCONFIRMED_AFTER_MINUTES),
            log_format: values.optional_choice(&LOG_FORMAT, LogFormat::ALL),
            log_filter: values.optional(&RUST_LOG, parse::log_filter),
            in_force: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

impl Refused {
    /// What the process ends with: 2 (wrong usage) if only the command line is wrong, else 1.
    pub fn exit_code(&self) -> u8 {
        let mut errors = self.report.findings.iter().filter(|finding| finding.severity == Severity::Error);
        if errors.all(|finding| matches!(finding.origin, Origin::CommandLine)) { 2 } else { 1 }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = self.report.findings.iter().filter(|finding| finding.severity == Severity::Error);
        let lines: Vec<String> = errors.map(Finding::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Refused {}

/// The address to listen on. `PORT` alone beats the file, because it is how hosting platforms say it.
fn listen(values: &mut Values<'_>) -> SocketAddr {
    let port: Option<u16> = values.optional_number(&PORT);
    if let Some(port) = port.filter(|_| !values.is_above_file(&LISTEN)) {
        let listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        values.settle(&LISTEN, &PORT, listen.to_string());
        return listen;
    }
    let told = values.findings.len();
    let listen: SocketAddr = values.required(&LISTEN, parse::listen);
    let is_right = values.findings.len() == told;
    if is_right && port.is_some_and(|port| port != listen.port()) {
        values.warning(&PORT, Problem::PortIgnored(listen));
    }
    listen
}
