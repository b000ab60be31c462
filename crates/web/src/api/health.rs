//! Whether the server is alive, and does its work.

use app::findings::Findings;
use axum::{Json, extract::State, http::StatusCode};
use wire::service::{Health, Readiness};

use crate::{Shared, shapes};

/// The process is alive.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, body = Health)))]
pub(crate) async fn alive() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether the server does its work, and what is wrong.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, description = "changes are taken", body = Readiness),
    (status = 503, description = "changes cannot be taken", body = Readiness),
))]
pub(crate) async fn ready(State(parts): State<Shared>) -> (StatusCode, Json<Readiness>) {
    readiness(&parts.findings)
}

/// What those findings come to.
pub(crate) fn readiness(findings: &Findings) -> (StatusCode, Json<Readiness>) {
    let findings = findings.current();
    let (code, status) = if findings.iter().any(|finding| finding.stops_changes) {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    } else if findings.is_empty() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::OK, "degraded")
    };
    (code, Json(Readiness { status, findings: findings.iter().map(shapes::finding).collect() }))
}
