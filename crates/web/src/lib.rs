//! HTTP, Socket.IO and the pages: translates requests into use cases and
//! their answers back. It decides nothing and emits in one place only.
//!
//! Read [`Parts`] for what it works with and [`router`] for what it serves;
//! [`doors`] stands before everything, [`caller`] says who asks, [`api`] and
//! [`pages`] answer, and [`socket`] is the seam to the live board.
//! [`Standby`] answers while another server has the ledger.
//!
//! Deliberately absent: rules, files, mail and records.

use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use app::{
    access::AccessLog,
    accounts::Accounts,
    board::Board,
    findings::Findings,
    history::History,
    ports::{Clock, Entropy},
    relay::Relay,
    reports::Reports,
    sign_on::SingleSignOn,
};
use axum::{Router, middleware};
use axum_server::{Handle, accept::NoDelayAcceptor};
use domain::address::Network;
use engineioxide::layer::EngineIoLayer;

use crate::{
    access_token::AccessTokens,
    limits::{LimitSettings, Limits},
    socket::Sockets,
    tls::Tls,
};

pub mod access_token;
mod api;
mod arrival;
mod assets;
mod caller;
mod doors;
mod given;
mod invitation;
pub mod limits;
mod pages;
mod peer;
mod problem;
mod seats;
mod shapes;
mod single_sign_on;
mod socket;
mod standby;
pub mod tls;

pub use standby::Standby;

pub use shapes::entry_json;

/// A client that has not sent its request head after this long is cut off.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Most headers of a request: twice what browsers and a chain of proxies send.
const MAX_HEADERS: usize = 64;

/// Longest head of a request, in bytes: a path, a cookie and room for proxies.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// How long requests under way may take when the server stops; sockets are
/// told at once. Within App Service's five seconds, and ours of three.
const GRACE: Duration = Duration::from_millis(1_200);

/// How the outside is set up.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// How long a program's access token lasts.
    pub access_token_minutes: u32,
    /// The origin under which browsers see the server, where that is set.
    pub public_origin: Option<String>,
    /// The proxies that are believed about whom they speak for.
    pub trusted_proxies: Vec<Network>,
    /// Settings that are good for trying out only: serve loopback and nobody else.
    pub only_loopback: bool,
    /// Engine.IO's ping interval.
    pub ping_interval: Duration,
    /// Engine.IO's ping timeout.
    pub ping_timeout: Duration,
    /// Longest Socket.IO packet from a client, in bytes.
    pub max_payload: usize,
    /// How much there may be of what costs something.
    pub limits: LimitSettings,
}

/// What the web works with.
pub struct Parts {
    /// The board.
    pub board: Board,
    /// The doors' people.
    pub accounts: Accounts,
    /// Single sign-on, where there is a provider.
    pub sign_on: Option<SingleSignOn>,
    /// The relay.
    pub relay: Relay,
    /// The record of who came in and who read the audit.
    pub access: Arc<AccessLog>,
    /// The weekly reports.
    pub reports: Arc<Reports>,
    /// Sessions and records of the past.
    pub history: Arc<History>,
    /// What is wrong just now.
    pub findings: Arc<Findings>,
    /// Signs and proves access tokens.
    pub access_tokens: AccessTokens,
    /// What is used up of the limits.
    pub limits: Limits,
    /// The server's own TLS; without it, it speaks plain HTTP.
    pub tls: Option<Tls>,
    /// What tells the time.
    pub clock: Arc<dyn Clock>,
    /// What gives fresh ids.
    pub entropy: Arc<dyn Entropy>,
    /// How the outside is set up.
    pub settings: WebSettings,
}

type Shared = Arc<Parts>;

/// Serves until `stop` ends, then tells the sockets and lets requests under
/// way end.
///
/// # Errors
/// What the listener says.
pub async fn serve(
    listener: TcpListener,
    parts: Arc<Parts>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let sockets = Sockets::start(Arc::clone(&parts));
    let handle = Handle::new();
    let tls = parts.tls.clone();
    let router = router(parts, &sockets);
    tokio::spawn(stop_with(stop, handle.clone(), Arc::clone(&sockets)));
    answer(listener, handle, tls, router).await
}

/// Answers by that router, until the handle is told to stop.
async fn answer(listener: TcpListener, handle: Handle<SocketAddr>, tls: Option<Tls>, router: Router) -> io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    // Restricted to HTTP/1, axum-server upgrades no connection to a WebSocket.
    let mut server = axum_server::from_tcp(listener)?.handle(handle).first_request_timeout(HEAD_TIMEOUT);
    let builder = server.http_builder();
    builder.http1().header_read_timeout(HEAD_TIMEOUT).max_headers(MAX_HEADERS).max_buf_size(MAX_HEAD_BYTES);
    // So nobody gets to ask anything by HTTP/2.
    builder.http2().max_concurrent_streams(0);
    match tls {
        Some(tls) => server.acceptor(tls).serve(service).await,
        None => server.acceptor(NoDelayAcceptor::new()).serve(service).await,
    }
}

async fn stop_with(stop: impl Future<Output = ()>, handle: Handle<SocketAddr>, sockets: Arc<Sockets>) {
    stop.await;
    sockets.stop().await;
    handle.graceful_shutdown(Some(GRACE));
}

/// Reads a packet of a socket as far as it can be read without a board; whether
/// it is one. Fuzzing needs it.
pub fn read_packet(text: &str) -> bool {
    socket::reads(text)
}

/// Everything that is served, behind its doors.
fn router(parts: Shared, sockets: &Arc<Sockets>) -> Router {
    let routes = Router::new().merge(pages::routes()).merge(assets::routes()).merge(api::routes());
    let routes = routes.fallback(pages::nothing_there).method_not_allowed_fallback(problem::no_such_method);
    routes
        .with_state(Arc::clone(&parts))
        .layer(EngineIoLayer::from_config(Arc::clone(sockets), socket::engine_config(&parts.settings)))
        .layer(middleware::from_fn_with_state(Arc::clone(sockets), socket::admit))
        .layer(middleware::from_fn(doors::socket_problems))
        .layer(middleware::from_fn_with_state(Arc::clone(&parts), doors::same_origin))
        .layer(middleware::from_fn_with_state(Arc::clone(&parts), doors::only_loopback))
        .layer(middleware::from_fn(doors::one_host))
        .layer(middleware::from_fn_with_state(Arc::clone(&parts), doors::whole_body))
        .layer(middleware::from_fn_with_state(Arc::clone(&parts), limits::not_too_often))
        .layer(middleware::from_fn(doors::security_headers))
        .layer(middleware::from_fn_with_state(parts, peer::settle))
}
