//! The relay's messages.

use app::relay::NewMessage;
use axum::{Json, extract::State, http::StatusCode};
use domain::outbox::{MessageId, Status};
use serde::Deserialize;
use wire::{
    relay::{Accepted, Message, Messages, PlaceMessage, Recipients},
    service::Problem as ProblemShape,
};

use crate::{
    Parts, Shared,
    api::Body,
    caller::{Admin, Sender},
    given::{Asked, Named},
    problem::Problem,
    shapes,
};

/// How many messages a page has where the caller does not say.
const PAGE: usize = 100;

/// How many it has at most.
const MAX_PAGE: usize = 500;

/// Which messages are wanted.
#[derive(Deserialize, utoipa::IntoParams)]
pub(crate) struct Wanted {
    /// Only those: `held`, `queued`, `sent` or `failed`.
    #[serde(default)]
    status: Option<String>,
    /// Where the page begins, as the page before says.
    #[serde(default)]
    cursor: Option<u64>,
    /// How many; at most 500.
    #[serde(default)]
    limit: Option<usize>,
}

/// Hand in a message; the answer comes when it is on disk.
#[utoipa::path(post, path = "/api/placeMessage", tag = "relay", request_body = PlaceMessage, responses(
    (status = 200, body = Accepted),
    (status = 400, body = ProblemShape),
    (status = 401, body = ProblemShape),
    (status = 403, body = ProblemShape),
    (status = 413, body = ProblemShape),
    (status = 415, body = ProblemShape),
    (status = 429, description = "rate_limited", body = ProblemShape),
    (status = 503, body = ProblemShape),
))]
pub(crate) async fn place(
    State(parts): State<Shared>,
    Sender(sender): Sender,
    Body(message): Body<PlaceMessage>,
) -> Result<Json<Accepted>, Problem> {
    keep(&parts, sender, message).await.map(Json)
}

/// Hand in a message; the answer comes when it is on disk.
#[utoipa::path(post, path = "/api/v1/messages", tag = "relay", request_body = PlaceMessage, responses(
    (status = 202, body = Accepted),
    (status = 400, body = ProblemShape),
    (status = 401, body = ProblemShape),
    (status = 403, body = ProblemShape),
    (status = 413, body = ProblemShape),
    (status = 415, body = ProblemShape),
    (status = 429, description = "rate_limited", body = ProblemShape),
    (status = 503, body = ProblemShape),
))]
pub(crate) async fn accept(
    State(parts): State<Shared>,
    Sender(sender): Sender,
    Body(message): Body<PlaceMessage>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(keep(&parts, sender, message).await?)))
}

/// Messages, latest first; for admins.
#[utoipa::path(get, path = "/api/v1/messages", tag = "relay", params(Wanted), responses(
    (status = 200, body = Messages),
    (status = 400, body = ProblemShape),
    (status = 401, body = ProblemShape),
    (status = 403, body = ProblemShape),
))]
pub(crate) async fn list(
    State(parts): State<Shared>,
    _: Admin,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Messages>, Problem> {
    let status = match wanted.status.as_deref() {
        None => None,
        Some(text) => Some(Status::parse(text).ok_or_else(|| {
            Problem::bad_request(format!("status={text} is not known; use held, queued, sent or failed"))
        })?),
    };
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, MAX_PAGE);
    let mut found = parts.relay.latest(wanted.cursor.unwrap_or(u64::MAX), status, limit + 1);
    let more = found.len() > limit;
    found.truncate(limit);
    let cursor = found.last().filter(|_| more).map(|last| last.place);
    Ok(Json(Messages { messages: found.iter().map(shapes::message).collect(), cursor }))
}

/// A message and what became of it; for admins.
#[utoipa::path(get, path = "/api/v1/messages/{id}", tag = "relay",
    params(("id" = String, Path, description = "the message's id")),
    responses(
        (status = 200, body = Message),
        (status = 401, body = ProblemShape),
        (status = 403, body = ProblemShape),
        (status = 404, description = "unknown_message", body = ProblemShape),
    ))]
pub(crate) async fn show(State(parts): State<Shared>, _: Admin, Named(id): Named) -> Result<Json<Message>, Problem> {
    found(&parts, &MessageId::named(&id)).map(Json)
}

/// Try a message again at once that is held, waits or failed; for admins.
#[utoipa::path(post, path = "/api/v1/messages/{id}/retry", tag = "relay",
    params(("id" = String, Path, description = "the message's id")),
    responses(
        (status = 200, body = Message),
        (status = 401, body = ProblemShape),
        (status = 403, body = ProblemShape),
        (status = 404, description = "unknown_message", body = ProblemShape),
        (status = 409, description = "already_sent, no_mail_server", body = ProblemShape),
        (status = 429, description = "rate_limited", body = ProblemShape),
        (status = 503, body = ProblemShape),
    ))]
pub(crate) async fn retry(State(parts): State<Shared>, _: Admin, Named(id): Named) -> Result<Json<Message>, Problem> {
    let id = MessageId::named(&id);
    parts.relay.retry(id.clone()).await?;
    found(&parts, &id).map(Json)
}

async fn keep(parts: &Parts, sender: domain::account::Actor, message: PlaceMessage) -> Result<Accepted, Problem> {
    let to = match message.to {
        Recipients::Usual => Vec::new(),
        Recipients::One(address) => vec![address],
        Recipients::Several(addresses) => addresses,
    };
    let new = NewMessage {
        text: message.message,
        subject: message.subject,
        priority: message.priority,
        dedupe_key: message.dedupe_key,
        to,
    };
    let (id, status) = parts.relay.accept(sender.user, new).await?;
    Ok(Accepted { id: id.to_string(), status: status.name().into() })
}

fn found(parts: &Parts, id: &MessageId) -> Result<Message, Problem> {
    let tracked = parts.relay.find(id);
    let missing = || Problem::not_found("unknown_message", format!("there is no message {id}"));
    tracked.as_ref().map(shapes::message).ok_or_else(missing)
}
