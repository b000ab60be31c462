//! Sessions: check, uncheck, and the note.

use axum::{Json, extract::State, http::StatusCode};
use domain::{
    board::{BoardCommand, BoardOutcome, Check, TakeOver, Target},
    session::SessionId,
};
use wire::{
    board::{CheckRequest, NoteRequest, Session},
    service::Problem as ProblemShape,
};

use crate::{
    Shared,
    api::Body,
    caller::BoardUser,
    given::{self, Named},
    problem::Problem,
    shapes,
};

/// Start a session.
#[utoipa::path(post, path = "/api/v1/sessions", tag = "board", request_body = CheckRequest, responses(
    (status = 201, description = "it is on disk", body = Session),
    (status = 400, body = ProblemShape),
    (status = 401, body = ProblemShape),
    (status = 403, body = ProblemShape),
    (status = 404, description = "unknown_connection", body = ProblemShape),
    (status = 409, description = "taken, with the holders", body = ProblemShape),
    (status = 429, description = "rate_limited", body = ProblemShape),
    (status = 503, description = "unavailable; it may have happened all the same", body = ProblemShape),
))]
pub(crate) async fn check(
    State(parts): State<Shared>,
    BoardUser(caller): BoardUser,
    Body(request): Body<CheckRequest>,
) -> Result<(StatusCode, Json<Session>), Problem> {
    let take_over = match (request.take_over, request.session) {
        (true, Some(session)) => TakeOver::Session(SessionId::named(&session)),
        (true, None) => TakeOver::OnlyHolder,
        (false, _) => TakeOver::No,
    };
    let connection = given::connection_id(&request.connection)?;
    let note = given::note(request.note.as_deref())?;
    let command = BoardCommand::Check(Check { connection, note, source: caller.source, take_over });
    let outcome = parts.board.execute(caller.actor, command).await?;
    Ok((StatusCode::CREATED, Json(answer(&outcome)?)))
}

/// End a session; by its holder or an admin. A second time gives the same answer.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "board",
    params(("id" = String, Path, description = "the session's id")),
    responses(
        (status = 200, body = Session),
        (status = 401, body = ProblemShape),
        (status = 403, body = ProblemShape),
        (status = 404, description = "unknown_session", body = ProblemShape),
        (status = 429, description = "rate_limited", body = ProblemShape),
        (status = 503, body = ProblemShape),
    ))]
pub(crate) async fn uncheck(
    State(parts): State<Shared>,
    BoardUser(caller): BoardUser,
    Named(id): Named,
) -> Result<Json<Session>, Problem> {
    let command = BoardCommand::Uncheck { target: Target::Session(SessionId::named(&id)) };
    let outcome = parts.board.execute(caller.actor, command).await?;
    answer(&outcome).map(Json)
}

/// Change the note; by its holder.
#[utoipa::path(patch, path = "/api/v1/sessions/{id}", tag = "board", request_body = NoteRequest,
    params(("id" = String, Path, description = "the session's id")),
    responses(
        (status = 200, body = Session),
        (status = 400, body = ProblemShape),
        (status = 401, body = ProblemShape),
        (status = 403, body = ProblemShape),
        (status = 404, description = "unknown_session", body = ProblemShape),
        (status = 429, description = "rate_limited", body = ProblemShape),
        (status = 503, body = ProblemShape),
    ))]
pub(crate) async fn change_note(
    State(parts): State<Shared>,
    BoardUser(caller): BoardUser,
    Named(id): Named,
    Body(request): Body<NoteRequest>,
) -> Result<Json<Session>, Problem> {
    let note = given::note(Some(&request.note))?;
    let command = BoardCommand::ChangeNote { target: Target::Session(SessionId::named(&id)), note };
    let outcome = parts.board.execute(caller.actor, command).await?;
    answer(&outcome).map(Json)
}

fn answer(outcome: &BoardOutcome) -> Result<Session, Problem> {
    shapes::outcome(outcome).ok_or_else(|| Problem::unavailable("the board gave no session"))
}
