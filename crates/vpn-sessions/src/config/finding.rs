//! What is wrong with a configuration: where, how bad, and what would mend it.

use std::fmt;

use super::{origin::Origin, problem::Problem, setting::Setting};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The server does not start with it.
    Error,
    /// The server starts, and says it.
    Warning,
}

/// Something wrong; shown as one sentence that names the place and the mend.
#[derive(Clone, Debug)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Where it was written.
    pub origin: Origin,
    /// The name that was used there; empty if the place is a line or file as such.
    pub name: String,
    /// What is wrong, and the mend.
    pub problem: Problem,
}

impl Severity {
    /// The word that people see.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

impl Finding {
    /// An error in the value of a setting.
    pub fn error(setting: &Setting, origin: Origin, problem: Problem) -> Finding {
        Finding { severity: Severity::Error, name: setting.name_at(&origin), origin, problem }
    }

    /// A warning about the value of a setting.
    pub fn warning(setting: &Setting, origin: Origin, problem: Problem) -> Finding {
        Finding { severity: Severity::Warning, ..Finding::error(setting, origin, problem) }
    }

    /// An error in the configuration file that belongs to no setting.
    pub fn in_file(origin: Origin, name: &str, problem: Problem) -> Finding {
        Finding { severity: Severity::Error, origin, name: name.to_owned(), problem }
    }

    /// The place, as a person would look for it: file, line and key, or the name of a variable or argument.
    pub fn place(&self) -> String {
        match &self.origin {
            Origin::File { .. } if self.name.is_empty() => self.origin.to_string(),
            Origin::File { .. } => format!("{}: {}", self.origin, self.name),
            Origin::WholeFile { path } => path.clone(),
            Origin::Default
            | Origin::Setting(_)
            | Origin::Environment
            | Origin::SecretFile { .. }
            | Origin::CommandLine => self.name.clone(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.place(), self.problem)
    }
}
