//! The HTTP API: one file for each thing that it is about.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Request},
    http::{StatusCode, header},
    routing::{get, post, put},
};
use serde::de::DeserializeOwned;
use utoipa::OpenApi;

use crate::{Shared, problem::Problem};

mod accounts;
mod connections;
pub(crate) mod health;
mod messages;
mod programs;
mod reports;
mod sessions;

/// Longest body of a request, in bytes: a message of 64 KiB with its escapes.
pub(crate) const MAX_BODY_BYTES: usize = 128 * 1024;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/api/openapi.json", get(description))
        .route("/api/loginUser", post(programs::login_user))
        .route("/api/test", get(programs::test))
        .route("/api/placeMessage", post(messages::place))
        .route("/api/v1/me", get(accounts::me))
        .route("/api/v1/accounts/{name}/password", put(accounts::set_password))
        .route("/api/v1/connections", get(connections::list))
        .route("/api/v1/sessions", post(sessions::check))
        .route("/api/v1/sessions/{id}", axum::routing::delete(sessions::uncheck).patch(sessions::change_note))
        .route("/api/v1/audit/reports", get(reports::list))
        .route("/api/v1/audit/reports/{name}", get(reports::download))
        .route("/api/v1/messages", get(messages::list).post(messages::accept))
        .route("/api/v1/messages/{id}", get(messages::show))
        .route("/api/v1/messages/{id}/retry", post(messages::retry))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

#[derive(OpenApi)]
#[openapi(
    info(title = "vpn-sessions", description = "A shared, live list of who is connected to which client VPN."),
    paths(
        health::alive,
        health::ready,
        programs::login_user,
        programs::test,
        accounts::me,
        accounts::set_password,
        connections::list,
        sessions::check,
        sessions::uncheck,
        sessions::change_note,
        reports::list,
        reports::download,
        messages::place,
        messages::accept,
        messages::list,
        messages::show,
        messages::retry,
    ),
    components(schemas(wire::service::Problem))
)]
struct Description;

async fn description() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}

/// A JSON body that was read, or a problem that says why not.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Body<T>, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if kind != "application/json" && !(kind.starts_with("application/") && kind.ends_with("+json")) {
            let detail = "send the body as JSON, with the header Content-Type: application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                let detail = format!("the body has more than {MAX_BODY_BYTES} bytes; send less");
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
            }
            _ => Problem::bad_request(format!("the body did not arrive whole: {rejection}")),
        })?;
        let value = serde_json::from_slice(&bytes);
        value
            .map(Body)
            .map_err(|error| Problem::bad_request(format!("the body is not the JSON that is expected: {error}")))
    }
}
