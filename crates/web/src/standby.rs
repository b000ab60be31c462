//! What a server answers while another one writes the ledger: that it is alive
//! and not ready, and to everything else to come again in a second.

use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, OnceLock},
};

use app::findings::Findings;
use askama::Template;
use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use axum_server::Handle;
use tokio::task::JoinHandle;
use tower::ServiceExt;
use wire::service::Readiness;

use crate::{
    Parts,
    api::{MAX_BODY_BYTES, health},
    assets, doors, pages,
    problem::Problem,
    socket::{self, Sockets},
    tls::Tls,
};

/// After how many seconds whoever was refused should come again.
const COME_AGAIN: HeaderValue = HeaderValue::from_static("1");

#[derive(Template)]
#[template(path = "standby.html")]
struct StandbyPage<'a> {
    assets: &'a str,
}

/// A server that stands by, and becomes the one that serves.
pub struct Standby {
    handle: Handle<SocketAddr>,
    ready: Arc<OnceLock<Router>>,
    answering: JoinHandle<io::Result<()>>,
}

impl Standby {
    /// Answers on that listener from here on, with those findings as the reason.
    pub fn answers(listener: TcpListener, findings: Arc<Findings>, tls: Option<Tls>) -> Standby {
        let handle = Handle::new();
        let ready = Arc::new(OnceLock::new());
        let front = front(Arc::clone(&ready), router(findings));
        let answering = tokio::spawn(crate::answer(listener, handle.clone(), tls, front));
        Standby { handle, ready, answering }
    }

    /// Serves as [`crate::serve`] does; nobody who comes in between is turned away.
    ///
    /// # Errors
    /// What the listener says.
    pub async fn serve(self, parts: Arc<Parts>, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let sockets = Sockets::start(Arc::clone(&parts));
        self.ready.get_or_init(|| crate::router(parts, &sockets));
        tokio::spawn(crate::stop_with(stop, self.handle, sockets));
        self.answering.await.map_err(io::Error::other)?
    }
}

/// What is served as soon as that is ready, and the standby's answers before.
fn front(ready: Arc<OnceLock<Router>>, standby: Router) -> Router {
    Router::new().fallback(move |request: Request| {
        let router = ready.get().unwrap_or(&standby).clone();
        async move { router.oneshot(request).await }
    })
}

fn router(findings: Arc<Findings>) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(readiness))
        .merge(assets::routes())
        .fallback(come_again)
        .with_state(findings)
        .layer(middleware::from_fn(not_kept))
        .layer(middleware::from_fn(doors::security_headers))
}

async fn readiness(State(findings): State<Arc<Findings>>) -> (StatusCode, Json<Readiness>) {
    health::readiness(&findings)
}

async fn come_again(State(findings): State<Arc<Findings>>, request: Request) -> Response {
    let is_program = ["/api/", socket::PATH].iter().any(|path| request.uri().path().starts_with(path));
    let accepted = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let wants_page = request.method() == Method::GET && !is_program && accepted.contains("text/html");
    // One that stays on the wire would break the connection before the answer is read.
    let _ = axum::body::to_bytes(request.into_body(), MAX_BODY_BYTES).await;
    let mut response = if wants_page {
        pages::rendered(StatusCode::SERVICE_UNAVAILABLE, StandbyPage { assets: assets::PREFIX }.render())
    } else {
        let reason = findings.current().into_iter().next().map(|finding| health::detail_outside(&finding));
        Problem::unavailable(reason.unwrap_or_else(|| "the server starts just now".into())).into_response()
    };
    response.headers_mut().insert(header::RETRY_AFTER, COME_AGAIN);
    response
}

/// Whoever comes again has to be able to get to the server that took over.
async fn not_kept(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
