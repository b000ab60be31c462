//! What `config check` shows: what is in force, where from, and what is wrong.

use std::fmt;

use serde_json::json;

use super::{
    finding::{Finding, Severity},
    origin::Origin,
    problem::Problem,
    setting::Fallback,
    settings::SETTINGS,
    values::InForce,
};

/// Widest value that others are lined up with, in characters: a longer one would leave the screen.
const MAX_COLUMN_CHARS: usize = 40;

/// The settings in force, in the order of the table, and the findings, errors first.
#[derive(Clone, Debug)]
pub struct Report {
    /// What is in force for each setting.
    pub in_force: Vec<InForce>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl Report {
    pub(super) fn of(mut in_force: Vec<InForce>, mut findings: Vec<Finding>) -> Report {
        in_force.sort_by_key(|read| SETTINGS.iter().position(|setting| setting.name() == read.setting.name()));
        findings.sort_by_key(|finding| finding.severity);
        Report { in_force, findings }
    }

    /// Whether a server must not start with it.
    pub fn has_errors(&self) -> bool {
        self.errors() > 0
    }

    /// Adds what is wrong with a list file.
    pub fn add_list_problem(&mut self, path: &str, problem: String) {
        let origin = Origin::WholeFile { path: path.to_owned() };
        self.findings.insert(0, Finding::in_file(origin, "", Problem::ListFile(problem)));
    }

    /// For people: a line for each setting, then one for each finding.
    pub fn text(&self) -> String {
        self.to_string()
    }

    /// For programs: `{"settings": [{"name", "toml", "value", "origin"}], "findings": [{"severity", "place", "detail"}]}`.
    pub fn json(&self) -> String {
        let settings = self.in_force.iter().map(|read| {
            let InForce { setting, shown, origin } = read;
            json!({"name": setting.name(), "toml": setting.toml, "value": shown, "origin": origin.to_string()})
        });
        let findings = self.findings.iter().map(|finding| {
            let Finding { severity, problem, .. } = finding;
            json!({"severity": severity.name(), "place": finding.place(), "detail": problem.to_string()})
        });
        let report = json!({"settings": settings.collect::<Vec<_>>(), "findings": findings.collect::<Vec<_>>()});
        format!("{report:#}")
    }

    fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<(&str, String, &InForce)> =
            self.in_force.iter().map(|read| (read.setting.name(), value(read), read)).collect();
        let names = rows.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
        let values = rows.iter().map(|(_, value, _)| value.chars().count()).max().unwrap_or(0).min(MAX_COLUMN_CHARS);
        for (name, value, read) in &rows {
            writeln!(f, "{name:names$}  {value:values$}  {}", read.origin)?;
        }
        writeln!(f)?;
        for finding in &self.findings {
            writeln!(f, "{}: {finding}", finding.severity.name())?;
        }
        let errors = self.errors();
        write!(f, "errors: {errors}, warnings: {}", self.findings.len() - errors)
    }
}

/// The value, or in brackets what it means that there is none.
fn value(read: &InForce) -> String {
    match (&read.shown, &read.setting.default) {
        (Some(shown), _) => shown.clone(),
        (None, Fallback::Unset(meaning)) => format!("({meaning})"),
        (None, Fallback::Value(value)) => (*value).to_owned(),
    }
}
