//! The configuration as its users meet it: what they write, and what they are told.

mod everything;
mod mail;
mod sample;
mod start;

use std::{collections::BTreeMap, io, path::Path};

use super::{Config, Layers, Report, Severity};

/// What somebody wrote.
#[derive(Default)]
struct Written {
    layers: Layers,
    files: BTreeMap<String, String>,
}

/// Variables as somebody set them.
fn environment(variables: &[(&str, &str)]) -> Written {
    Written::default().with(variables)
}

/// A file as somebody wrote it.
fn file(text: &str) -> Written {
    Written { layers: Layers { toml_text: Some(text.to_owned()), ..Layers::default() }, files: BTreeMap::new() }
}

impl Written {
    fn with(mut self, variables: &[(&str, &str)]) -> Written {
        self.layers.environment.extend(owned(variables));
        self
    }

    fn typed(mut self, arguments: &[(&str, &str)]) -> Written {
        self.layers.arguments.extend(owned(arguments));
        self
    }

    fn holding(mut self, files: &[(&str, &str)]) -> Written {
        self.files.extend(owned(files));
        self
    }

    fn read(&self) -> Result<Config, super::Refused> {
        Config::from_layers(&self.layers, &|path: &Path| {
            let text = self.files.get(path.to_str().unwrap());
            text.cloned().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such file"))
        })
    }

    fn accepted(&self) -> Config {
        self.read().unwrap_or_else(|refused| panic!("refused: {refused}"))
    }

    fn report(&self) -> Report {
        self.read().map_or_else(|refused| refused.report, |config| config.report())
    }

    /// All findings, as `error: …` and `warning: …`.
    fn findings(&self) -> Vec<String> {
        self.report().findings.iter().map(|finding| format!("{}: {finding}", finding.severity.name())).collect()
    }

    fn errors(&self) -> Vec<String> {
        let report = self.report();
        let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
        errors.map(ToString::to_string).collect()
    }

    /// What is in force for a setting, and where from.
    fn in_force(&self, name: &str) -> (String, String) {
        let report = self.report();
        let read = report.in_force.iter().find(|read| read.setting.name() == name).unwrap();
        (read.shown.clone().unwrap_or_default(), read.origin.to_string())
    }
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
