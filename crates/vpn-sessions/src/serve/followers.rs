//! What runs beside the server: the reports, the mails, and the list files.

use std::{path::PathBuf, sync::Arc};

use app::findings::Findings;
use domain::list_file::{ListFinding, read_connections, read_users};
use outbound::WatchedFile;
use tokio::task::JoinSet;
use web::Parts;

use crate::{config::Config, files};

/// Starts all of them.
pub(super) fn start(config: &Config, parts: &Arc<Parts>) -> anyhow::Result<JoinSet<()>> {
    let mut followers = JoinSet::new();
    followers.spawn(follow_reports(Arc::clone(parts)));
    if let Some(mailer) = super::mailer(config)? {
        let parts = Arc::clone(parts);
        followers.spawn(async move { parts.relay.deliver(mailer.as_ref(), &parts.findings).await });
    }
    followers.spawn(watch_connections(files::connections_path(config), Arc::clone(parts)));
    followers.spawn(watch_users(files::users_path(config), Arc::clone(parts)));
    Ok(followers)
}

async fn follow_reports(parts: Arc<Parts>) {
    parts.reports.follow(parts.board.committed()).await;
}

async fn watch_connections(path: PathBuf, parts: Arc<Parts>) {
    let mut file = WatchedFile::new(path.clone());
    loop {
        let read = file.changed().await.map_err(|error| error.to_string());
        let list =
            read.and_then(|bytes| read_connections(&bytes).map_err(|findings| files::described(&path, &findings)));
        match list {
            Ok(list) => {
                if let Err(failure) = parts.board.take_up(Arc::new(list)).await {
                    tracing::error!(?failure, "A changed list of connections could not be taken up");
                }
                parts.findings.ends("config", "sessions_file");
            }
            Err(problem) => broken(&parts.findings, "sessions_file", &problem),
        }
    }
}

async fn watch_users(path: PathBuf, parts: Arc<Parts>) {
    let mut file = WatchedFile::new(path.clone());
    loop {
        let read = file.changed().await.map_err(|error| error.to_string());
        let described = |findings: Vec<ListFinding>| files::described(&path, &findings);
        match read.and_then(|bytes| read_users(&bytes).map_err(described)) {
            Ok(users) => {
                parts.accounts.take_up(users).await;
                parts.findings.ends("config", "users_file");
            }
            Err(problem) => broken(&parts.findings, "users_file", &problem),
        }
    }
}

fn broken(findings: &Findings, code: &'static str, problem: &str) {
    findings.begins("config", code, format!("the last good list stays in force: {problem}"), false);
}
