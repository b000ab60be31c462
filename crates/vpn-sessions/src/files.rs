//! The two list files and the certificate, read into what they say.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use domain::{
    account::ListedUser,
    connection::ConnectionList,
    list_file::{ListFinding, read_connections, read_users},
};

use web::tls::{Certificate, CertificateError};

use crate::config::{Config, TlsConfig};

/// What to do about a file that is not there.
const MEND: &str = "make it, one entry a line, or set CONFIG_DIR to the folder where it is";

/// Where the connections stand.
pub(crate) fn connections_path(config: &Config) -> PathBuf {
    config.config_dir.join("sessions.csv")
}

/// Where the people stand.
pub(crate) fn users_path(config: &Config) -> PathBuf {
    config.config_dir.join("users.txt")
}

/// The list of connections, as it is when the server starts.
pub(crate) fn connections(config: &Config) -> anyhow::Result<ConnectionList> {
    let path = connections_path(config);
    parsed(&path, read_connections(&content(&path)?))
}

/// The people, as they are when the server starts.
pub(crate) fn users(config: &Config) -> anyhow::Result<Vec<ListedUser>> {
    let path = users_path(config);
    parsed(&path, read_users(&content(&path)?))
}

/// The server's own certificate, as it is when the server starts.
pub(crate) fn certificate(config: &Config) -> anyhow::Result<Option<Certificate>> {
    let Some(files) = &config.tls else { return Ok(None) };
    read_certificate(files).map(Some).map_err(|(path, problem)| anyhow::anyhow!("{}: {problem}", path.display()))
}

fn read_certificate(TlsConfig { cert, key }: &TlsConfig) -> Result<Certificate, (PathBuf, String)> {
    let read = |path: &PathBuf, mend: &str| {
        std::fs::read(path).map_err(|error| (path.clone(), format!("cannot be read ({error}); {mend}")))
    };
    let chain = read(cert, "set TLS_CERT to the PEM file of the chain, and let the server read it")?;
    let secret = read(key, "set TLS_KEY to the PEM file of its key, and let the server read it")?;
    Certificate::from_pem(&chain, &secret).map_err(|error| {
        let at = if matches!(error, CertificateError::NoKey(_)) { key } else { cert };
        (at.clone(), error.to_string())
    })
}

/// What is wrong with the files, each with its path; a server does not start with it.
pub(crate) fn problems(config: &Config) -> Vec<(PathBuf, String)> {
    let listed = |findings: Vec<ListFinding>| findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let (connections, users) = (connections_path(config), users_path(config));
    let read = |path: &Path| std::fs::read(path).map_err(|error| format!("cannot be read ({error}); {MEND}"));
    let connections_problem = read(&connections).and_then(|bytes| read_connections(&bytes).map(drop).map_err(listed));
    let users_problem = read(&users).and_then(|bytes| read_users(&bytes).map(drop).map_err(listed));
    let both = [(connections, connections_problem.err()), (users, users_problem.err())];
    let lists = both.into_iter().filter_map(|(path, problem)| Some((path, problem?)));
    lists.chain(config.tls.as_ref().and_then(|files| read_certificate(files).err())).collect()
}

/// All findings of a file in one sentence each.
pub(crate) fn described(path: &Path, findings: &[ListFinding]) -> String {
    let lines: Vec<String> = findings.iter().map(|finding| format!("{}: {finding}", path.display())).collect();
    lines.join("; ")
}

fn content(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{} cannot be read; {MEND}", path.display()))
}

fn parsed<T>(path: &Path, read: Result<T, Vec<ListFinding>>) -> anyhow::Result<T> {
    match read {
        Ok(list) => Ok(list),
        Err(findings) => bail!("{}", described(path, &findings)),
    }
}
