//! The board, read.

use axum::{Json, extract::State};
use wire::{board::Connections, service::Problem as ProblemShape};

use crate::{Shared, caller::BoardUser, shapes};

/// Every connection and who is on it.
#[utoipa::path(get, path = "/api/v1/connections", tag = "board", responses(
    (status = 200, body = Connections),
    (status = 401, body = ProblemShape),
    (status = 403, body = ProblemShape),
))]
pub(crate) async fn list(State(parts): State<Shared>, _: BoardUser) -> Json<Connections> {
    let snapshot = parts.board.snapshot();
    Json(Connections {
        epoch: parts.board.epoch().into(),
        seq: snapshot.seq,
        connections: snapshot.lines.iter().map(shapes::connection).collect(),
    })
}
