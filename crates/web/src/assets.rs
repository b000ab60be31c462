//! The browser's scripts, styles and pictures, embedded when the program is
//! built. Their path bears a digest of them all, so that they may be kept for
//! good and are never a mixture of versions.

use axum::{
    Router,
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::Embed;

use crate::problem::Problem;

/// The path prefix of this build's assets.
pub(crate) const PREFIX: &str = concat!("/assets/", env!("UI_DIGEST"));

#[derive(Embed)]
#[folder = "$OUT_DIR/ui/dist"]
struct Bundle;

pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route(&format!("{PREFIX}/{{name}}"), get(asset))
        .route("/favicon.ico", get(|| async { served("favicon.svg", "public, max-age=86400") }))
}

async fn asset(Path(name): Path<String>) -> Response {
    served(&name, "public, max-age=31536000, immutable")
}

fn served(name: &str, cache: &'static str) -> Response {
    let kind = match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    match Bundle::get(name) {
        Some(file) => ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)], file.data).into_response(),
        None => Problem::not_found("not_found", "there is no such file; reload the page").into_response(),
    }
}
