//! What Prometheus reads: text exposition format 0.0.4, names by its conventions.

use std::fmt::Write;

use app::findings::Finding;
use axum::{
    extract::{FromRequestParts, State},
    http::{header, request::Parts as Head},
    response::IntoResponse,
};
use wire::service::Problem as ProblemShape;

use crate::{
    Parts, Shared,
    caller::{Caller, header_token},
    doors,
    peer::PeerAddress,
    problem::Problem,
};

/// The content type of the format.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Whoever may read the metrics: by a token with the scope `metrics`, an admin,
/// and without any from this machine itself.
pub(crate) struct MetricsReader;

impl FromRequestParts<Shared> for MetricsReader {
    type Rejection = Problem;
    async fn from_request_parts(head: &mut Head, parts: &Shared) -> Result<MetricsReader, Problem> {
        if header_token(&head.headers).is_some() {
            let caller = Caller::from_request_parts(head, parts).await?;
            let may = caller.rights.reads_metrics() || caller.rights.administers();
            return if may { Ok(MetricsReader) } else { Err(Problem::no_scope("metrics")) };
        }
        let is_here = PeerAddress::of(&head.extensions).0.is_loopback() && doors::is_loopback(&head.headers);
        if is_here { Ok(MetricsReader) } else { Err(Problem::unauthorized()) }
    }
}

/// What the server measures, for Prometheus; by an API token with the scope `metrics`, or from this machine.
#[utoipa::path(get, path = "/metrics", tag = "health", responses(
    (status = 200, description = "text exposition format", body = String),
    (status = 401, body = ProblemShape),
    (status = 403, body = ProblemShape),
))]
pub(crate) async fn metrics(State(parts): State<Shared>, _: MetricsReader) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, EXPOSITION)], exposition(&parts))
}

fn exposition(parts: &Parts) -> String {
    let findings = parts.findings.current();
    let lines = parts.board.snapshot().lines;
    let mut text = String::new();
    let version = env!("CARGO_PKG_VERSION");
    gauge(&mut text, "vpn_sessions_build_info", "The version that runs.", [(format!("{{version=\"{version}\"}}"), 1)]);
    let ready = !findings.iter().any(|finding| finding.stops_changes);
    gauge(&mut text, "vpn_sessions_ready", "Whether changes are taken.", [(String::new(), i64::from(ready))]);
    let begun = findings.iter().map(|finding| (labels(finding), finding.since.as_second()));
    let about = "Since when something is wrong, in seconds since the epoch; none where nothing is.";
    gauge(&mut text, "vpn_sessions_finding_begun_timestamp_seconds", about, begun);
    let count = |number: usize| [(String::new(), i64::try_from(number).unwrap_or(i64::MAX))];
    gauge(&mut text, "vpn_sessions_connections", "Lines of the list.", count(lines.len()));
    let sessions = lines.iter().map(|line| line.sessions.len()).sum();
    gauge(&mut text, "vpn_sessions_sessions", "Sessions that run.", count(sessions));
    text
}

fn labels(finding: &Finding) -> String {
    format!("{{part=\"{}\",code=\"{}\"}}", finding.part, finding.code)
}

fn gauge(text: &mut String, name: &str, about: &str, values: impl IntoIterator<Item = (String, i64)>) {
    let mut line = |line: String| writeln!(text, "{line}").expect("a string takes everything");
    line(format!("# HELP {name} {about}"));
    line(format!("# TYPE {name} gauge"));
    values.into_iter().for_each(|(labels, value)| line(format!("{name}{labels} {value}")));
}
