//! The server: wires the parts, starts what follows the ledger, and stops
//! without losing anything.

use std::{
    collections::BTreeMap,
    future::Future,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use app::{
    access::AccessLog,
    accounts::{AccountSettings, Accounts},
    board::Board,
    findings::Findings,
    history::History,
    passwords::Passwords,
    ports::{Clock, Entropy, Ledger, Mailer},
    relay::{MailRoute, Relay},
    reports::Reports,
    store::World,
};
use domain::{
    access::Changer,
    account::{ListedUser, People},
    board::ReportZone,
    connection::ConnectionList,
    names::UserName,
};
use ledger::{FileLedger, FolderChains, Term};
use outbound::{FolderShare, SmtpMailer, SystemClock, SystemEntropy};
use tokio::runtime::Runtime;
use web::{
    Parts, WebSettings,
    access_token::AccessTokens,
    limits::{LimitSettings, Limits},
    tls::Tls,
};

use crate::{
    config::{BoardAccess, Config, LimitsConfig, Severity},
    files, secret,
};

use self::{followers::Followers, standby::Front, stop::Stop};

mod followers;
mod sign_on;
mod standby;
mod stop;

/// How long followers may take to end what they do when the server stops.
const LAST_WORK: Duration = Duration::from_millis(1_200);

/// How long calls under way may take when all is done. One to a share that
/// hangs is not waited for longer: the process has to end.
const LAST_CALLS: Duration = Duration::from_millis(200);

/// How long the start waits for a share that may hang.
const SHARE_ANSWERS_WITHIN: Duration = Duration::from_millis(500);

/// Runs the server until it is told to stop.
pub(crate) fn run(config: &Config, runtime: Runtime) -> anyhow::Result<()> {
    judge(config)?;
    let served = runtime.block_on(serve(config));
    runtime.shutdown_timeout(LAST_CALLS);
    served
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let lists = (Arc::new(files::connections(config)?), files::users(config)?);
    let listener = listen(config)?;
    let address = listener.local_addr()?;
    let findings = Arc::new(Findings::new(Arc::new(SystemClock)));
    let tls = files::certificate(config)?.map(Tls::new);
    let stop = Stop::listens();
    let ready = async {
        let (term, front) = Front::Listener(listener).until_held(&config.data_dir, &findings, tls.as_ref()).await?;
        let term = Arc::new(term);
        // They may have changed while this server stood by.
        let connections = files::connections(config).map_or(lists.0, Arc::new);
        let users = files::users(config).unwrap_or(lists.1);
        let world = open_world(&term, findings).await?;
        let parts = Arc::new(parts(config, &world, (connections, users), tls).await?);
        anyhow::Ok((term, parts, front, world.ledger))
    };
    let (term, parts, front, ledger) = tokio::select! {
        ready = ready => ready?,
        () = stop.clone().asked() => {
            tracing::info!("Stopped before anything was done");
            return Ok(());
        }
    };
    welcome(config, &parts, address);
    hold(config, &term, parts, ledger, (front, stop)).await
}

/// Serves while the term lasts.
async fn hold(
    config: &Config,
    term: &Term,
    parts: Arc<Parts>,
    ledger: Arc<dyn Ledger>,
    (front, stop): (Front, Stop),
) -> anyhow::Result<()> {
    let mut followers = Followers::start(config, &parts, &ledger)?;
    let stopped = until_stopped(Arc::clone(&parts), stop, followers.one_ended());
    tokio::select! {
        served = front.serve(Arc::clone(&parts), stopped) => served.context("the server ended")?,
        reason = term.lost() => {
            followers.stop().await;
            tracing::error!("{reason}; nothing more is acknowledged, and this server ends");
            anyhow::bail!("{reason}; this server ended, so that two never write. Start it again, and it stands by");
        }
    }
    if tokio::time::timeout(LAST_WORK, settle(&parts)).await.is_err() {
        tracing::warn!("Not all was done in time; what is in the ledger goes on at the next start");
    }
    let all_there = followers.stop().await;
    term.let_go();
    anyhow::ensure!(all_there, "a part of the server ended by itself; see the log");
    tracing::info!("Stopped; everything acknowledged is kept");
    Ok(())
}

/// Opens what the server works on, for a command that changes it directly
/// while it holds the term.
pub(crate) async fn accounts_alone(config: &Config, term: &Arc<Term>) -> anyhow::Result<(Accounts, Arc<AccessLog>)> {
    let users = files::users(config)?;
    let world = open_world_alone(term).await?;
    let access = Arc::new(AccessLog::open(world.clone()).await?);
    Ok((accounts(config, &world, users, Arc::clone(&access)).await?, access))
}

/// Opens the ledger for a command that works on it while it holds the term.
pub(crate) async fn open_world_alone(term: &Arc<Term>) -> anyhow::Result<World> {
    open_world(term, Arc::new(Findings::new(Arc::new(SystemClock)))).await
}

fn judge(config: &Config) -> anyhow::Result<()> {
    let findings = config.problems();
    for finding in findings.iter().filter(|finding| finding.severity == Severity::Warning) {
        tracing::warn!("{finding}");
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    let errors: Vec<String> = errors.map(ToString::to_string).collect();
    anyhow::ensure!(errors.is_empty(), "{}", errors.join("\n"));
    Ok(())
}

/// Opens the ledger of the data directory that the term holds, and what goes with it.
async fn open_world(term: &Arc<Term>, findings: Arc<Findings>) -> anyhow::Result<World> {
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (epoch, now) = (secret::fresh_password(entropy.as_ref()), clock.now());
    let opened = Arc::clone(term);
    let (ledger, notes) = tokio::task::spawn_blocking(move || FileLedger::open(&opened, epoch, now)).await??;
    for note in notes {
        tracing::warn!("{note}");
    }
    Ok(World { ledger: Arc::new(ledger), clock, entropy, findings })
}

async fn parts(
    config: &Config,
    world: &World,
    (connections, users): (Arc<ConnectionList>, Vec<ListedUser>),
    tls: Option<Tls>,
) -> anyhow::Result<Parts> {
    let findings = Arc::clone(&world.findings);
    let zone = ReportZone { name: config.timezone_name.clone(), rules: config.timezone.clone() };
    let board = Board::open(world.clone(), Arc::clone(&connections), zone).await?;
    if let Err(failure) = board.take_up(connections).await {
        anyhow::bail!("the list of connections could not be recorded: {failure:?}");
    }
    let share = FolderShare::new(config.audit_dir.clone());
    match tokio::time::timeout(SHARE_ANSWERS_WITHIN, share.prepare()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!("Weekly reports wait in the ledger for now: {error}"),
        Err(_) => tracing::warn!("Weekly reports wait in the ledger for now: AUDIT_DIR does not answer"),
    }
    let signing = secret::kept_checkpoint_key(&config.data_dir, world.entropy.as_ref())?;
    let reports = Reports::new(Arc::clone(&world.ledger), Arc::new(share), Arc::clone(&findings), signing);
    let chains = Arc::new(FolderChains::new(config.data_dir.clone()));
    let history = History::new(Arc::clone(&world.ledger), chains, Arc::clone(&world.clock));
    let key = match &config.secret_key {
        Some(key) => key.expose().as_bytes().to_vec(),
        None => secret::kept_key(&config.data_dir, world.entropy.as_ref())?,
    };
    let access = Arc::new(AccessLog::open(world.clone()).await?);
    access.settings(settings_in_force(config)).await.map_err(anyhow::Error::msg)?;
    let accounts = accounts(config, world, users, Arc::clone(&access)).await?;
    accounts.take_service_password().await?;
    accounts.end_stale(Vec::new()).await;
    let settings = web_settings(config);
    Ok(Parts {
        accounts,
        access,
        sign_on: sign_on::provider(config, world)?,
        relay: Relay::open(world.clone(), mail_route(config)).await?,
        board,
        reports: Arc::new(reports),
        history: Arc::new(history),
        findings,
        access_tokens: AccessTokens::new(&key),
        limits: Limits::new(&settings.limits, Arc::clone(&world.clock)),
        tls,
        clock: Arc::clone(&world.clock),
        entropy: Arc::clone(&world.entropy),
        settings,
    })
}

async fn accounts(
    config: &Config,
    world: &World,
    users: Vec<ListedUser>,
    access: Arc<AccessLog>,
) -> anyhow::Result<Accounts> {
    let service_user = UserName::parse(&config.hc_user).context("HC_USER")?;
    let people = People::new(users, service_user.clone(), config.hc_pw.is_some());
    let settings = AccountSettings {
        board_is_open: config.board_access != BoardAccess::Password,
        service_password: config.hc_pw.as_ref().map(|password| password.expose().to_owned()),
    };
    let accounts = Accounts::open(world.clone(), people, settings, Passwords::new()?, access).await?;
    if !accounts.has_password(&service_user) {
        let password = secret::fresh_password(world.entropy.as_ref());
        accounts.set_password(&service_user, &password, Changer::Configuration).await?;
        eprintln!(
            "The password of {service_user} is {password}; it is shown this once. Set HC_PW for one of your own."
        );
    }
    Ok(accounts)
}

/// What is in force, as it may be shown: what the record of access holds of it.
fn settings_in_force(config: &Config) -> BTreeMap<String, String> {
    let each = config.report().in_force.into_iter();
    each.map(|read| (read.setting.name().to_owned(), read.shown.unwrap_or_default())).collect()
}

fn mail_route(config: &Config) -> Option<MailRoute> {
    config.mail.server.as_ref()?;
    let from = config.mail.from.as_deref().unwrap_or_default();
    let domain = from.rsplit_once('@').map_or("localhost", |(_, domain)| domain.trim_end_matches('>'));
    Some(MailRoute { to: config.mail.to.clone(), message_id_domain: domain.to_owned() })
}

fn web_settings(config: &Config) -> WebSettings {
    WebSettings {
        access_token_minutes: config.jwt_minutes,
        public_origin: public_origin(config),
        trusted_proxies: config.trusted_proxies.clone(),
        only_loopback: config.is_for_trying_out(),
        ping_interval: Duration::from_millis(config.socket.ping_interval_ms.into()),
        ping_timeout: Duration::from_millis(config.socket.ping_timeout_ms.into()),
        max_payload: config.socket.max_payload as usize,
        limits: limit_settings(&config.limits),
    }
}

fn limit_settings(limits: &LimitsConfig) -> LimitSettings {
    LimitSettings {
        sockets: limits.sockets as usize,
        sockets_per_account: limits.sockets_per_account as usize,
        sockets_per_address: limits.sockets_per_address as usize,
        commands_per_minute: limits.commands_per_minute,
        messages_per_minute: limits.messages_per_minute,
        failed_sign_ins_per_minute: limits.failed_sign_ins_per_minute,
    }
}

/// The origin that is set as ours; links name it, whoever makes them.
pub(crate) fn public_origin(config: &Config) -> Option<String> {
    config.public_url.as_deref().map(origin)
}

/// Scheme, host and port of a URL (RFC 6454).
fn origin(url: &str) -> String {
    let authority = url.find("://").map_or(0, |at| at + 3);
    let end = url[authority..].find('/').map_or(url.len(), |at| authority + at);
    url[..end].to_ascii_lowercase()
}

fn listen(config: &Config) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(config.listen).with_context(|| {
        format!("{} cannot be listened on; end what holds it, or set LISTEN to another address", config.listen)
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn welcome(config: &Config, parts: &Parts, address: SocketAddr) {
    let connections = parts.board.snapshot().lines.len();
    let users = parts.accounts.people().listed().len();
    let mail = if config.mail.server.is_some() { "mailed" } else { "held, as no mail server is configured" };
    tracing::info!(connections, users, "Messages are {mail}");
    let scheme = if parts.tls.is_some() { "https" } else { "http" };
    tracing::info!("Listening on {scheme}://{address}");
}

/// Ends when the process is asked to stop, or when a part that should go on
/// for ever has ended; sends no further mail from then on.
async fn until_stopped(parts: Arc<Parts>, stop: Stop, one_ended: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.asked() => tracing::info!("Stopping"),
        () = one_ended => tracing::error!("A part of the server ended by itself; the server stops"),
    }
    parts.relay.stop();
}

/// Lets everything that was begun come to its end.
async fn settle(parts: &Parts) {
    parts.board.settle().await;
    parts.accounts.settle().await;
    parts.access.catch_up().await;
    parts.accounts.compact().await;
    tokio::join!(parts.relay.finish(), parts.reports.catch_up());
}

fn mailer(config: &Config) -> anyhow::Result<Option<Box<dyn Mailer>>> {
    let Some(server) = &config.mail.server else { return Ok(None) };
    let settings = outbound::SmtpSettings {
        server: server.clone(),
        port: config.mail.port,
        tls: match config.mail.tls {
            crate::config::MailTls::StartTls => outbound::SmtpTls::StartTls,
            crate::config::MailTls::Implicit => outbound::SmtpTls::Implicit,
            crate::config::MailTls::None => outbound::SmtpTls::None,
        },
        credentials: config.mail.user.clone().zip(config.mail.pw.as_ref().map(|pw| pw.expose().to_owned())),
        from: config.mail.from.clone().unwrap_or_default(),
    };
    Ok(Some(Box::new(SmtpMailer::new(settings).context("the mail settings cannot be used")?)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (url, expected) in [
            ("https://Board.example.com", "https://board.example.com"),
            ("https://host/vpn", "https://host"),
            ("http://host:5000/", "http://host:5000"),
        ] {
            assert_eq!(super::origin(url), expected);
        }
    }
}
