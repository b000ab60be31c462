//! Takes each setting from its highest layer, once, and keeps what was found.

use std::{io, path::Path};

use super::{
    bounds::MAX_VALUE_BYTES,
    finding::Finding,
    layers::Layers,
    origin::Origin,
    parse,
    problem::Problem,
    secret::Secret,
    setting::{Effect, Kind, Setting},
    toml_file::TomlFile,
};

/// What is in force for a setting.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The setting.
    pub setting: &'static Setting,
    /// Its value as it may be shown; nothing where it is unset.
    pub shown: Option<String>,
    /// Where the value comes from.
    pub origin: Origin,
}

/// The values of all layers, from which each setting is read once.
pub(super) struct Values<'a> {
    layers: &'a Layers,
    read_file: &'a dyn Fn(&Path) -> io::Result<String>,
    path: String,
    file: TomlFile,
    /// What has been read.
    pub in_force: Vec<InForce>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// A value as somebody wrote it.
struct Given {
    text: String,
    origin: Origin,
}

impl<'a> Values<'a> {
    pub(super) fn of(layers: &'a Layers, read_file: &'a dyn Fn(&Path) -> io::Result<String>) -> Values<'a> {
        let path = layers.file().display().to_string();
        let mut file = layers.toml_text.as_deref().map_or_else(TomlFile::default, |text| TomlFile::read(&path, text));
        let mut findings = layers.findings.clone();
        findings.append(&mut file.findings);
        Values { layers, read_file, path, file, in_force: Vec::new(), findings }
    }

    /// Reads a setting that has a default. A bad value is a finding, and the default is taken to go on with.
    pub(super) fn required<T>(&mut self, setting: &'static Setting, read: impl Fn(&str) -> Result<T, Problem>) -> T {
        let value = self.optional(setting, &read);
        value.unwrap_or_else(|| read(setting.default.text()).expect("a test reads every default"))
    }

    /// Reads a setting. A bad value is a finding, and counts as unset to go on with.
    pub(super) fn optional<T>(
        &mut self,
        setting: &'static Setting,
        read: impl Fn(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        let Given { text, origin } = self.take(setting)?;
        match allowed(setting, &text).and_then(|()| read(&text)) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.findings.push(Finding::error(setting, origin, problem));
                None
            }
        }
    }

    /// Reads a secret; there is no wrong one.
    pub(super) fn secret(&mut self, setting: &'static Setting) -> Option<Secret> {
        self.optional(setting, |text| Ok(Secret::new(text)))
    }

    /// Reads a list; unset, it is empty.
    pub(super) fn list<T>(&mut self, setting: &'static Setting, item: fn(&str) -> Result<T, Problem>) -> Vec<T> {
        self.optional(setting, |text| parse::list(text, item)).unwrap_or_default()
    }

    /// Reads a number that has a default.
    pub(super) fn number<T: TryFrom<u64>>(&mut self, setting: &'static Setting) -> T {
        self.required(setting, |text| number(setting, text))
    }

    /// Reads a number that may be unset.
    pub(super) fn optional_number<T: TryFrom<u64>>(&mut self, setting: &'static Setting) -> Option<T> {
        self.optional(setting, |text| number(setting, text))
    }

    /// Reads one word of a few that has a default; `all` holds what the words mean, in their order.
    pub(super) fn choice<T: Copy>(&mut self, setting: &'static Setting, all: &[T]) -> T {
        self.required(setting, |text| choice(setting, all, text))
    }

    /// Reads one word of a few that may be unset.
    pub(super) fn optional_choice<T: Copy>(&mut self, setting: &'static Setting, all: &[T]) -> Option<T> {
        self.optional(setting, |text| choice(setting, all, text))
    }

    /// Settles a setting by another one, instead of reading it.
    pub(super) fn settle(&mut self, setting: &'static Setting, by: &'static Setting, shown: String) {
        self.in_force.push(InForce { setting, shown: Some(shown), origin: Origin::Setting(by) });
    }

    /// Whether the command line or the environment says something of a setting.
    pub(super) fn is_above_file(&self, setting: &Setting) -> bool {
        self.layers.above_file(setting).is_some()
    }

    /// Whether any layer sets a setting, right or wrong; a file that is broken may set everything.
    pub(super) fn may_be_set(&self, setting: &Setting) -> bool {
        let in_file =
            setting.toml.is_some_and(|path| self.file.entries.contains_key(path) || self.is_wrong_in_file(path));
        let above = self.is_above_file(setting) || self.layers.secret_file(setting).is_some();
        above || in_file || self.file.broken || self.is_file_unreadable()
    }

    /// Adds an error in a setting that has been read, at the place where it was set.
    pub(super) fn error(&mut self, setting: &'static Setting, problem: Problem) {
        let origin = self.origin(setting);
        self.findings.push(Finding::error(setting, origin, problem));
    }

    /// Adds a warning about a setting that has been read, at the place where it was set.
    pub(super) fn warning(&mut self, setting: &'static Setting, problem: Problem) {
        let origin = self.origin(setting);
        self.findings.push(Finding::warning(setting, origin, problem));
    }

    /// Refuses a group of settings of which only some are set.
    pub(super) fn together(&mut self, group: &[&'static Setting]) {
        let Some(present) = group.iter().find(|setting| self.may_be_set(setting)) else { return };
        for absent in group {
            if !self.may_be_set(absent) {
                self.error(present, Problem::Incomplete(absent.name()));
            }
        }
    }

    fn is_wrong_in_file(&self, path: &str) -> bool {
        self.findings.iter().any(|finding| matches!(finding.origin, Origin::File { .. }) && finding.name == path)
    }

    fn is_file_unreadable(&self) -> bool {
        self.findings.iter().any(|finding| matches!(finding.origin, Origin::WholeFile { .. }))
    }

    fn origin(&self, setting: &Setting) -> Origin {
        let read = self.in_force.iter().find(|read| read.setting.name() == setting.name());
        read.map_or(Origin::Default, |read| read.origin.clone())
    }

    /// Takes a setting from its highest layer, and keeps where it was found.
    fn take(&mut self, setting: &'static Setting) -> Option<Given> {
        let given = self.above_file(setting).or_else(|| self.in_file(setting));
        if given.is_some() && setting.effect == Effect::NotInForceYet {
            let origin = given.as_ref().map_or(Origin::Default, |given| given.origin.clone());
            self.findings.push(Finding::warning(setting, origin, Problem::NoEffect));
        }
        let default = Some(setting.default.text()).filter(|text| !text.is_empty());
        let given = given.or_else(|| default.map(|text| Given { text: text.to_owned(), origin: Origin::Default }));
        let origin = given.as_ref().map_or(Origin::Default, |given| given.origin.clone());
        let shown = given.as_ref().map(|given| if setting.secret { Secret::SHOWN } else { &given.text }.to_owned());
        self.in_force.push(InForce { setting, shown, origin });
        given
    }

    fn in_file(&self, setting: &Setting) -> Option<Given> {
        let entry = self.file.entries.get(setting.toml?)?;
        let origin = Origin::File { path: self.path.clone(), line: entry.line };
        Some(Given { text: trimmed(setting, &entry.text), origin })
    }

    fn above_file(&mut self, setting: &'static Setting) -> Option<Given> {
        let given = self.layers.above_file(setting);
        let given = given.map(|(text, origin)| Given { text: trimmed(setting, text), origin });
        let Some((variable, path)) = self.layers.secret_file(setting) else { return given };
        if let Some(given) = given {
            self.findings.push(Finding::error(setting, given.origin.clone(), Problem::BothGiven(variable)));
            return Some(given);
        }
        let origin = Origin::SecretFile { variable, path: path.to_owned() };
        match self.secret_in_file(path) {
            Ok(text) => Some(Given { text, origin }),
            Err(problem) => {
                self.findings.push(Finding::error(setting, origin, problem));
                None
            }
        }
    }

    fn secret_in_file(&self, path: &str) -> Result<String, Problem> {
        let unreadable =
            |cause: io::Error| Problem::UnreadableSecret { path: path.to_owned(), cause: cause.to_string() };
        let text = (self.read_file)(Path::new(path)).map_err(unreadable)?;
        let line = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        if line.trim().is_empty() { Err(Problem::EmptySecret(path.to_owned())) } else { Ok(line.to_owned()) }
    }
}

/// The value without white space around it, which belongs to a secret only.
fn trimmed(setting: &Setting, text: &str) -> String {
    if setting.secret { text.to_owned() } else { text.trim().to_owned() }
}

/// Refuses what no setting of this kind may be.
fn allowed(setting: &Setting, text: &str) -> Result<(), Problem> {
    let control = text.chars().find(|c| c.is_control()).filter(|_| !setting.secret);
    match control {
        _ if text.len() > MAX_VALUE_BYTES => Err(Problem::TooLong(text.len())),
        Some(character) => Err(Problem::ControlCharacter(character)),
        None => Ok(()),
    }
}

/// What a word of the setting means.
fn choice<T: Copy>(setting: &Setting, all: &[T], text: &str) -> Result<T, Problem> {
    let choices = match setting.kind {
        Kind::Choice(choices) => choices,
        Kind::Text | Kind::List | Kind::Number { .. } => &[],
    };
    let meant = choices.iter().zip(all).find(|(name, _)| **name == text).map(|(_, meaning)| *meaning);
    meant.ok_or_else(|| Problem::Choice { given: text.to_owned(), choices })
}

/// A number within the bounds of its setting.
fn number<T: TryFrom<u64>>(setting: &Setting, text: &str) -> Result<T, Problem> {
    let (lowest, highest) = match setting.kind {
        Kind::Number { lowest, highest } => (lowest, highest),
        Kind::Text | Kind::List | Kind::Choice(_) => (0, u64::MAX),
    };
    let within = text.parse().ok().filter(|number| (lowest..=highest).contains(number));
    let number = within.and_then(|number: u64| T::try_from(number).ok());
    number.ok_or_else(|| Problem::Number { given: text.to_owned(), lowest, highest })
}
