//! The ledger's own records, and the state of its chains.

use axum::{Json, extract::State};
use domain::{
    access::{AccessFact, Visitor},
    account::Role,
    record::Stream,
};
use serde::Deserialize;
use wire::{
    audit::{Chains, Records},
    service::Problem as ProblemShape,
};

use crate::{
    Shared,
    api::history::{MAX_PAGE, page_limit},
    caller::AuditReader,
    given::Asked,
    problem::Problem,
    shapes,
};

/// Which records.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// `audit` (also without this), or for admins `access`.
    stream: Option<String>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// How many a page has, 1 to 500; 500 without it.
    limit: Option<String>,
}

/// Every record, oldest first; for auditors and admins.
#[utoipa::path(get, path = "/api/v1/audit/records", tag = "audit", params(Wanted), responses(
    (status = 200, body = Records),
    (status = 400, body = ProblemShape),
    (status = 401, body = ProblemShape),
    (status = 403, body = ProblemShape),
    (status = 503, description = "two searches are under way, or the reading cannot be recorded", body = ProblemShape),
))]
pub(crate) async fn list(
    State(parts): State<Shared>,
    AuditReader { by, role }: AuditReader,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Records>, Problem> {
    let stream = readable(wanted.stream.as_deref(), role)?;
    let limit = page_limit(wanted.limit.as_deref(), MAX_PAGE)?;
    let after = match wanted.cursor.as_deref() {
        None => 0,
        Some(text) => {
            text.parse().map_err(|_| Problem::bad_request("cursor: give the one that the page before had"))?
        }
    };
    let mut found = parts.history.records(stream, after, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let filter = format!("stream={} behind {after}", stream.name());
    keep_reading(&parts, by, "/api/v1/audit/records", filter, Some(found.len())).await?;
    let cursor = found.last().map_or(after, |last| last.seq);
    let records = found.iter().map(shapes::record).collect();
    Ok(Json(Records { stream: stream.name().into(), records, cursor, more }))
}

/// The state of the ledger's chains, proved just now; for auditors and admins.
#[utoipa::path(get, path = "/api/v1/audit/verify", tag = "audit", responses(
    (status = 200, body = Chains),
    (status = 401, body = ProblemShape),
    (status = 403, body = ProblemShape),
    (status = 503, description = "two searches are under way, or the reading cannot be recorded", body = ProblemShape),
))]
pub(crate) async fn verify(
    State(parts): State<Shared>,
    AuditReader { by, role: _ }: AuditReader,
) -> Result<Json<Chains>, Problem> {
    let states = parts.history.chains().await?;
    keep_reading(&parts, by, "/api/v1/audit/verify", String::new(), None).await?;
    let is_whole = states.iter().all(|state| state.proved.is_ok());
    Ok(Json(Chains { is_whole, streams: states.iter().map(shapes::chain).collect() }))
}

/// Records that somebody reads the audit; nothing may be given before.
pub(crate) async fn keep_reading(
    parts: &Shared,
    by: Visitor,
    what: &str,
    filter: String,
    rows: Option<usize>,
) -> Result<(), Problem> {
    let rows = rows.map(|rows| rows as u64);
    let read = AccessFact::AuditRead { by, what: what.to_owned(), filter, rows };
    parts.access.keep(read).await.map_err(Problem::unavailable)
}

fn readable(stream: Option<&str>, role: Role) -> Result<Stream, Problem> {
    match (stream, role) {
        (None | Some("audit"), _) => Ok(Stream::Audit),
        (Some("access"), Role::Admin) => Ok(Stream::Access),
        (Some("access"), Role::Member | Role::Auditor) => {
            Err(Problem::forbidden("the stream access is for admins; it tells who came from where"))
        }
        (Some(other), _) => Err(Problem::bad_request(format!("stream={other} is not known; use audit or access"))),
    }
}
