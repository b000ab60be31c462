//! What runs beside the server: the reports, the mails, the list files, and
//! the proof of what the start did not read.

use std::{future::Future, path::PathBuf, sync::Arc, time::Duration};

use app::{
    findings::Findings,
    ports::Ledger,
    proof,
    retention::{self, Days, Kept},
};
use domain::list_file::{ListFinding, read_connections, read_users};
use outbound::WatchedFile;
use tokio::{sync::Notify, task::JoinSet};
use web::{
    Parts,
    tls::{Certificate, Tls},
};

use crate::{
    config::{Config, RetentionConfig, TlsConfig},
    files,
};

/// The pause before a list that could not be kept is taken up again.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// All of them; each goes on until it is stopped.
pub(super) struct Followers {
    tasks: JoinSet<()>,
    ended: Arc<Notify>,
}

/// Tells when a follower is no more, whatever ended it.
struct TellsEnd(Arc<Notify>);

impl Drop for TellsEnd {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Followers {
    /// Starts them.
    pub(super) fn start(config: &Config, parts: &Arc<Parts>, ledger: &Arc<dyn Ledger>) -> anyhow::Result<Followers> {
        let mut followers = Followers { tasks: JoinSet::new(), ended: Arc::default() };
        followers.spawn(prove_ledger(Arc::clone(ledger), Arc::clone(&parts.findings)));
        followers.spawn(follow_reports(Arc::clone(parts)));
        followers.spawn(follow_history(Arc::clone(parts)));
        followers.spawn(follow_accounts(Arc::clone(parts)));
        if let Some(mailer) = super::mailer(config)? {
            let parts = Arc::clone(parts);
            followers.spawn(async move {
                parts.relay.deliver(mailer.as_ref(), &parts.findings).await;
                // It ends when the server stops, and has nothing to do until then.
                std::future::pending().await
            });
        }
        if parts.sign_on.is_some() {
            followers.spawn(look_for_provider(Arc::clone(parts)));
        }
        followers.spawn(keep_to_retention(days(config), Arc::clone(parts)));
        followers.spawn(keep_keys_compact(Arc::clone(parts)));
        followers.spawn(watch_connections(files::connections_path(config), Arc::clone(parts)));
        followers.spawn(watch_users(files::users_path(config), Arc::clone(parts)));
        if let (Some(files), Some(tls)) = (&config.tls, &parts.tls) {
            followers.spawn(watch_certificate(files.clone(), tls.clone(), Arc::clone(parts)));
        }
        Ok(followers)
    }

    /// Ends when one of them does.
    pub(super) fn one_ended(&self) -> impl Future<Output = ()> + Send + 'static {
        let ended = Arc::clone(&self.ended);
        async move { ended.notified().await }
    }

    /// Stops them; whether all were still there.
    pub(super) async fn stop(&mut self) -> bool {
        self.tasks.abort_all();
        let mut all_there = true;
        while let Some(end) = self.tasks.join_next().await {
            all_there &= end.is_err_and(|error| error.is_cancelled());
        }
        all_there
    }

    fn spawn(&mut self, follower: impl Future<Output = ()> + Send + 'static) {
        let tells = TellsEnd(Arc::clone(&self.ended));
        self.tasks.spawn(async move {
            let _tells = tells;
            follower.await;
        });
    }
}

async fn prove_ledger(ledger: Arc<dyn Ledger>, findings: Arc<Findings>) {
    proof::prove_older(ledger.as_ref(), &findings).await;
    // All is proved; the other followers go on.
    std::future::pending().await
}

async fn follow_reports(parts: Arc<Parts>) {
    parts.reports.follow(parts.board.committed()).await;
}

async fn follow_history(parts: Arc<Parts>) {
    parts.history.follow(parts.board.committed()).await;
}

async fn keep_to_retention(days: Days, parts: Arc<Parts>) {
    let Parts { board, reports, access, relay, findings, .. } = parts.as_ref();
    retention::keep_to(days, Arc::clone(&parts.clock), Kept { board, reports, access, relay, findings }).await;
}

async fn look_for_provider(parts: Arc<Parts>) {
    if let Some(sign_on) = &parts.sign_on {
        sign_on.look_for_provider().await;
    }
}

async fn keep_keys_compact(parts: Arc<Parts>) {
    parts.accounts.keep_compact().await;
}

fn days(config: &Config) -> Days {
    let RetentionConfig { audit_days, access_days, relay_days } = config.retention;
    Days { audit: audit_days, access: access_days, relay: relay_days }
}

async fn follow_accounts(parts: Arc<Parts>) {
    parts.access.follow(parts.accounts.committed()).await;
}

async fn watch_connections(path: PathBuf, parts: Arc<Parts>) {
    let mut file = WatchedFile::new(path.clone());
    loop {
        let read = file.changed().await.map_err(|error| error.to_string());
        let list =
            read.and_then(|bytes| read_connections(&bytes).map_err(|findings| files::described(&path, &findings)));
        match list {
            Ok(list) => {
                let list = Arc::new(list);
                // That changes cannot be kept is a finding of its own.
                while parts.board.take_up(Arc::clone(&list)).await.is_err() {
                    tokio::time::sleep(TRY_AGAIN_AFTER).await;
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

/// Takes up a certificate that was renewed. Its two files are written one after
/// the other, so that they may not fit for a moment.
async fn watch_certificate(files: TlsConfig, tls: Tls, parts: Arc<Parts>) {
    let (mut chain, mut key) = (WatchedFile::new(files.cert.clone()), WatchedFile::new(files.key.clone()));
    let (mut chain_seen, mut key_seen) = (chain.changed().await, key.changed().await);
    loop {
        let pair = chain_seen.as_ref().and_then(|chain| key_seen.as_ref().map(|key| (chain, key)));
        let read = pair.map_err(ToString::to_string);
        match read.and_then(|(chain, key)| Certificate::from_pem(chain, key).map_err(|error| error.to_string())) {
            Ok(certificate) => {
                tls.renew(certificate);
                parts.findings.ends("tls", "certificate");
            }
            Err(problem) => {
                let problem = format!("the last good certificate stays in force: {problem}");
                parts.findings.begins("tls", "certificate", problem, false);
            }
        }
        tokio::select! {
            seen = chain.changed() => chain_seen = seen,
            seen = key.changed() => key_seen = seen,
        }
    }
}

fn broken(findings: &Findings, code: &'static str, problem: &str) {
    findings.begins("config", code, format!("the last good list stays in force: {problem}"), false);
}
