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
    ports::{Clock, Entropy},
    relay::Relay,
    reports::Reports,
};
use axum::{Router, middleware};
use axum_server::{Handle, accept::NoDelayAcceptor};
use engineioxide::layer::EngineIoLayer;

use crate::{access_token::AccessTokens, socket::Sockets};

pub mod access_token;
mod api;
mod assets;
mod caller;
mod doors;
mod given;
mod pages;
mod problem;
mod shapes;
mod socket;
mod standby;

pub use standby::Standby;

/// A client that has not sent its request head after this long is cut off.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

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
    /// Settings that are good for trying out only: serve loopback and nobody else.
    pub only_loopback: bool,
    /// Engine.IO's ping interval.
    pub ping_interval: Duration,
    /// Engine.IO's ping timeout.
    pub ping_timeout: Duration,
    /// Longest Socket.IO packet from a client, in bytes.
    pub max_payload: usize,
    /// Most sockets at once.
    pub max_sockets: usize,
}

/// What the web works with.
pub struct Parts {
    /// The board.
    pub board: Board,
    /// The doors' people.
    pub accounts: Accounts,
    /// The relay.
    pub relay: Relay,
    /// The record of who came in and who read the audit.
    pub access: AccessLog,
    /// The weekly reports.
    pub reports: Arc<Reports>,
    /// What is wrong just now.
    pub findings: Arc<Findings>,
    /// Signs and proves access tokens.
    pub access_tokens: AccessTokens,
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
    let service = router(parts, &sockets).into_make_service();
    tokio::spawn(stop_with(stop, handle.clone(), Arc::clone(&sockets)));
    server(listener, handle)?.serve(service).await
}

fn server(
    listener: TcpListener,
    handle: Handle<SocketAddr>,
) -> io::Result<axum_server::Server<SocketAddr, NoDelayAcceptor>> {
    // Restricted to HTTP/1, axum-server upgrades no connection to a WebSocket.
    let mut server = axum_server::from_tcp(listener)?.handle(handle).first_request_timeout(HEAD_TIMEOUT);
    server.http_builder().http1().header_read_timeout(HEAD_TIMEOUT);
    Ok(server.acceptor(NoDelayAcceptor::new()))
}

async fn stop_with(stop: impl Future<Output = ()>, handle: Handle<SocketAddr>, sockets: Arc<Sockets>) {
    stop.await;
    sockets.stop().await;
    handle.graceful_shutdown(Some(GRACE));
}

/// Everything that is served, behind its doors.
fn router(parts: Shared, sockets: &Arc<Sockets>) -> Router {
    let routes = Router::new().merge(pages::routes()).merge(assets::routes()).merge(api::routes());
    let routes = routes.fallback(pages::nothing_there).method_not_allowed_fallback(problem::no_such_method);
    routes
        .with_state(Arc::clone(&parts))
        .layer(EngineIoLayer::from_config(Arc::clone(sockets), socket::engine_config(&parts.settings)))
        .layer(middleware::from_fn(doors::socket_problems))
        .layer(middleware::from_fn_with_state(Arc::clone(&parts), doors::same_origin))
        .layer(middleware::from_fn_with_state(parts, doors::only_loopback))
        .layer(middleware::from_fn(doors::whole_body))
        .layer(middleware::from_fn(doors::security_headers))
}
