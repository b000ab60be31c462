//! The two list files, read into what they say.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use domain::{
    account::ListedUser,
    connection::ConnectionList,
    list_file::{ListFinding, read_connections, read_users},
};

use crate::config::Config;

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

/// All findings of a file in one sentence each.
pub(crate) fn described(path: &Path, findings: &[ListFinding]) -> String {
    let lines: Vec<String> = findings.iter().map(|finding| format!("{}: {finding}", path.display())).collect();
    lines.join("; ")
}

fn content(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mend = "make it, one entry a line, or set CONFIG_DIR to the folder where it is";
    std::fs::read(path).with_context(|| format!("{} cannot be read; {mend}", path.display()))
}

fn parsed<T>(path: &Path, read: Result<T, Vec<ListFinding>>) -> anyhow::Result<T> {
    match read {
        Ok(list) => Ok(list),
        Err(findings) => bail!("{}", described(path, &findings)),
    }
}
