//! Weekly reports: the server decides on every byte who may.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use domain::{report::read_rows, week::Week};
use serde::Deserialize;
use wire::{
    audit::{Report, ReportTable, Reports},
    service::Problem as ProblemShape,
};

use crate::{
    Shared,
    api::records::keep_reading,
    caller::AuditReader,
    given::{Asked, Named},
    problem::Problem,
    shapes,
};

/// How a report is to come.
#[derive(Deserialize, utoipa::IntoParams)]
pub(crate) struct Format {
    /// `csv` (the file itself, also without this) or `json` (a table).
    #[serde(default)]
    format: Option<String>,
}

/// All weekly reports, latest first; for auditors and admins.
#[utoipa::path(get, path = "/api/v1/audit/reports", tag = "audit", responses(
    (status = 200, body = Reports),
    (status = 401, body = ProblemShape),
    (status = 403, body = ProblemShape),
    (status = 503, body = ProblemShape),
))]
pub(crate) async fn list(
    State(parts): State<Shared>,
    AuditReader { by, role: _ }: AuditReader,
) -> Result<Json<Reports>, Problem> {
    let reports = parts.reports.list().await?;
    keep_reading(&parts, by, "/api/v1/audit/reports", String::new(), Some(reports.len())).await?;
    let shape = |report: &app::reports::Report| {
        let (from, to) = report.week.days();
        Report {
            name: report.week.file_name(),
            week: report.week.to_string(),
            from: from.to_string(),
            to: to.to_string(),
            rows: report.rows,
            bytes: report.bytes,
            modified: report.modified.map(shapes::time),
        }
    };
    Ok(Json(Reports { reports: reports.iter().map(shape).collect() }))
}

/// A weekly report, as the file or as a table; for auditors and admins.
#[utoipa::path(get, path = "/api/v1/audit/reports/{name}", tag = "audit",
    params(("name" = String, Path, description = "the file's name, audit-2026-W48.csv for example"), Format),
    responses(
        (status = 200, description = "the file, or with format=json a table", body = ReportTable),
        (status = 400, body = ProblemShape),
        (status = 401, body = ProblemShape),
        (status = 403, body = ProblemShape),
        (status = 404, description = "not_found", body = ProblemShape),
        (status = 503, body = ProblemShape),
    ))]
pub(crate) async fn download(
    State(parts): State<Shared>,
    AuditReader { by, role: _ }: AuditReader,
    Named(name): Named,
    Asked(Format { format }): Asked<Format>,
) -> Result<Response, Problem> {
    let missing =
        || Problem::not_found("not_found", format!("there is no report {name}; the list is at /api/v1/audit/reports"));
    let as_table = match format.as_deref() {
        None | Some("csv") => false,
        Some("json") => true,
        Some(other) => return Err(Problem::bad_request(format!("format={other} is not known; use csv or json"))),
    };
    let week = Week::of_file_name(&name).ok_or_else(missing)?;
    let content = parts.reports.read(week).await?.ok_or_else(missing)?;
    let rows = read_rows(&content);
    keep_reading(&parts, by, &name, String::new(), Some(rows.len().saturating_sub(1))).await?;
    Ok(if as_table { table(name, rows) } else { file(&name, content) })
}

fn file(name: &str, content: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    (
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, disposition)],
        content,
    )
        .into_response()
}

fn table(name: String, mut rows: Vec<Vec<String>>) -> Response {
    let columns = if rows.is_empty() { Vec::new() } else { rows.remove(0) };
    Json(ReportTable { name, columns, rows }).into_response()
}
