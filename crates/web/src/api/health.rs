//! Whether the server is alive, and does its work.

use app::findings::{Finding, Findings};
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
    (code, Json(Readiness { status, findings: findings.iter().map(outside).collect() }))
}

/// A finding as anybody may read it.
fn outside(finding: &Finding) -> wire::service::Finding {
    wire::service::Finding { detail: detail_outside(finding), ..shapes::finding(finding) }
}

/// What is wrong, without words of the lists and folders of this machine: they
/// are for the log and for admins.
pub(crate) fn detail_outside(finding: &Finding) -> String {
    let file = match finding.code {
        "sessions_file" => "sessions.csv",
        "users_file" => "users.txt",
        _ => return finding.detail.split(' ').map(without_folder).collect::<Vec<_>>().join(" "),
    };
    let place = format!("{file}: line ");
    let line = finding.detail.split_once(&place).map(|(_, rest)| rest.split(' ').next().unwrap_or_default());
    match line.and_then(|line| line.parse::<usize>().ok()) {
        Some(line) => format!("the last good list stays in force: {place}{line} {SEE_INSIDE}"),
        None => format!("the last good list stays in force: {file} {SEE_INSIDE}"),
    }
}

/// A word; of a path, its last name.
fn without_folder(word: &str) -> String {
    let Some(begins) = word.find('/').filter(|at| !word[..*at].contains(char::is_alphanumeric)) else {
        return word.to_owned();
    };
    let name = word[begins..].trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if name.is_empty() { word.to_owned() } else { format!("{}{name}", &word[..begins]) }
}

/// Where the rest is told.
const SEE_INSIDE: &str = "has to be mended; the log, and the board of admins, say how";

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn nobody_outside_reads_words_of_lists_or_folders() {
        for (code, detail, expected) in [
            (
                "sessions_file",
                "the last good list stays in force: /srv/c/sessions.csv: line 2 says \"secret client;site 1\" again",
                "the last good list stays in force: sessions.csv: line 2 has to be mended; the log, and the board of \
                 admins, say how",
            ),
            (
                "users_file",
                "the last good list stays in force: /srv/c/users.txt cannot be read (it is missing)",
                "the last good list stays in force: users.txt has to be mended; the log, and the board of admins, say how",
            ),
            (
                "x",
                "AUDIT_DIR is away: /mnt/a/b (\"/srv/x/1.log\"); and / or",
                "AUDIT_DIR is away: b (\"1.log\"); and / or",
            ),
        ] {
            let detail = detail.to_owned();
            let finding = Finding { part: "config", code, detail, since: Timestamp::UNIX_EPOCH, stops_changes: false };
            assert_eq!(detail_outside(&finding), expected);
        }
    }
}
