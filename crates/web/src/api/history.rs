//! Sessions of the past: who was on what, and when.

use std::sync::Arc;

use app::history::{Rendering, Whole};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use domain::{
    access::Visitor,
    history::{
        Cursor, Entry, Filter,
        times::{Day, read_time},
    },
    names::{LineName, NameError, UserName},
    report,
};
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use wire::{audit::Sessions, service::Problem as ProblemShape};

use crate::{Shared, api::records::keep_reading, caller::AuditReader, given::Asked, problem::Problem, shapes};

/// How many sessions a page has where nobody says.
const PAGE: usize = 100;

/// How many it has at most: what a screen shows and an answer holds.
pub(crate) const MAX_PAGE: usize = 500;

/// What is looked for.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Sessions that had not ended before: a time (RFC 3339, or without offset in `TIMEZONE`), or a day from its beginning.
    from: Option<String>,
    /// Sessions that had begun by then: a time, or a day to its end.
    to: Option<String>,
    /// Sessions that were on at that time; instead of `from` and `to`.
    at: Option<String>,
    /// Who, whatever the case.
    user: Option<String>,
    /// The connection's main name, whatever the case.
    main: Option<String>,
    /// The connection's sub name, whatever the case.
    sub: Option<String>,
    /// Where the page before ended; with the same filter.
    cursor: Option<String>,
    /// How many a page has, 1 to 500; 100 without it.
    limit: Option<String>,
    /// `json` (pages, also without this), or all at once as `csv` or `ndjson`.
    format: Option<String>,
}

/// Sessions that ran in a time, running ones too; for auditors and admins.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "audit", params(Wanted), responses(
    (status = 200, description = "a page, or with format=csv or ndjson all of them", body = Sessions),
    (status = 400, body = ProblemShape),
    (status = 401, body = ProblemShape),
    (status = 403, body = ProblemShape),
    (status = 503, description = "two searches are under way, or the reading cannot be recorded", body = ProblemShape),
))]
pub(crate) async fn search(
    State(parts): State<Shared>,
    AuditReader { by, role: _ }: AuditReader,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let zone = parts.board.zone().rules.clone();
    let filter = wanted.filter(&zone)?;
    match wanted.format.as_deref() {
        None | Some("json") => page(&parts, by, &wanted, filter).await,
        Some("csv") => {
            let render: Rendering =
                Arc::new(move |entries| entries.iter().flat_map(|entry| entry.row(&zone)).collect());
            let all = whole(&parts, by, &wanted, filter, render).await?;
            Ok(streamed("text/csv; charset=utf-8", "sessions.csv", report::opening(), all))
        }
        Some("ndjson") => {
            let render: Rendering = Arc::new(|entries| lines(entries).into_bytes());
            let all = whole(&parts, by, &wanted, filter, render).await?;
            Ok(streamed("application/x-ndjson", "sessions.ndjson", Vec::new(), all))
        }
        Some(other) => Err(Problem::bad_request(format!("format={other} is not known; use json, csv or ndjson"))),
    }
}

async fn page(parts: &Shared, by: Visitor, wanted: &Wanted, filter: Filter) -> Result<Response, Problem> {
    let limit = wanted.limit()?;
    let cursor = wanted.cursor.as_deref().map(Cursor::parse).transpose();
    let cursor = cursor.map_err(|error| Problem::bad_request(format!("cursor: {error}")))?;
    let page = parts.history.page(filter, cursor, limit, parts.board.running()).await?;
    keep_reading(parts, by, "/api/v1/sessions", wanted.in_words(), Some(page.entries.len())).await?;
    let sessions = page.entries.iter().map(shapes::entry).collect();
    Ok(Json(Sessions { sessions, cursor: page.cursor.map(|cursor| cursor.to_string()) }).into_response())
}

async fn whole(
    parts: &Shared,
    by: Visitor,
    wanted: &Wanted,
    filter: Filter,
    render: Rendering,
) -> Result<Whole, Problem> {
    if wanted.cursor.is_some() || wanted.limit.is_some() {
        let detail = "csv and ndjson hold all sessions; leave cursor and limit out, or ask for format=json";
        return Err(Problem::bad_request(detail));
    }
    let all = parts.history.whole(filter, parts.board.running(), render).await?;
    keep_reading(parts, by, "/api/v1/sessions", wanted.in_words(), None).await?;
    Ok(all)
}

/// A body that is fed as it is taken, and breaks off where it is not whole.
fn streamed(kind: &'static str, name: &str, opening: Vec<u8>, all: Whole) -> Response {
    let pieces = futures_util::stream::unfold((opening, all), |(opening, mut all)| async move {
        if !opening.is_empty() {
            return Some((Ok(Bytes::from(opening)), (Vec::new(), all)));
        }
        all.next().await.transpose().map(|piece| (piece.map(Bytes::from), (Vec::new(), all)))
    });
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)], Body::from_stream(pieces))
        .into_response()
}

fn lines(entries: &[Entry]) -> String {
    entries.iter().map(|entry| shapes::entry_json(entry) + "\n").collect()
}

impl Wanted {
    fn filter(&self, zone: &TimeZone) -> Result<Filter, Problem> {
        let bad = |name: &str, error: &dyn std::fmt::Display| Problem::bad_request(format!("{name}: {error}"));
        let time = |name, text: &Option<String>, day| -> Result<Option<Timestamp>, Problem> {
            text.as_deref().map(|text| read_time(text, zone, day).map_err(|error| bad(name, &error))).transpose()
        };
        let (from, to) = (time("from", &self.from, Day::Beginning)?, time("to", &self.to, Day::End)?);
        let at = time("at", &self.at, Day::Refused)?;
        if at.is_some() && (from.is_some() || to.is_some()) {
            return Err(Problem::bad_request("at is one moment; leave it out, or from and to"));
        }
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            return Err(Problem::bad_request("from is later than to; exchange them"));
        }
        let name = |name, text: &Option<String>, read: fn(&str) -> Result<(), NameError>| {
            let Some(text) = text.as_deref().map(str::trim) else { return Ok(None) };
            read(text).map_err(|error| bad(name, &error)).map(|()| Some(text.to_owned()))
        };
        Ok(Filter {
            from: from.or(at),
            to: to.or(at),
            user: name("user", &self.user, |text| UserName::parse(text).map(drop))?,
            main: name("main", &self.main, |text| LineName::parse("the main name", text).map(drop))?,
            sub: name("sub", &self.sub, |text| LineName::parse("the sub name", text).map(drop))?,
        })
    }

    fn limit(&self) -> Result<usize, Problem> {
        page_limit(self.limit.as_deref(), PAGE)
    }

    /// What was asked, as the record says it.
    fn in_words(&self) -> String {
        let given = [
            ("from", &self.from),
            ("to", &self.to),
            ("at", &self.at),
            ("user", &self.user),
            ("main", &self.main),
            ("sub", &self.sub),
            ("format", &self.format),
        ];
        let each = given.iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
        each.collect::<Vec<_>>().join(" ")
    }
}

/// How many a page is to have.
pub(crate) fn page_limit(text: Option<&str>, usual: usize) -> Result<usize, Problem> {
    let Some(text) = text else { return Ok(usual) };
    let limit = text.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
    limit.ok_or_else(|| Problem::bad_request(format!("limit={text} is no number from 1 to {MAX_PAGE}")))
}
