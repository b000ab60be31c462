//! What a setting is.

use std::{collections::BTreeMap, sync::LazyLock};

use super::{origin::Origin, settings::SETTINGS};

/// One setting: its names, its default and what it is for.
#[derive(Debug)]
pub struct Setting {
    /// Its environment variable; without one, it is set in the file only.
    pub environment: Option<&'static str>,
    /// Its path in `vpn-sessions.toml`, dots between; without one, it is not set there.
    pub toml: Option<&'static str>,
    /// What its value looks like.
    pub kind: Kind,
    /// What holds where it is not set.
    pub default: Fallback,
    /// Whether its value is never shown, and may be read from the file that `NAME_FILE` names.
    pub secret: bool,
    /// Who acts on it.
    pub effect: Effect,
    /// What it is for, in a sentence.
    pub help: &'static str,
}

/// What a value looks like.
#[derive(Debug)]
pub enum Kind {
    /// Any text.
    Text,
    /// Texts, commas between; in the file an array as well.
    List,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number, both ends allowed.
    Number {
        /// The lowest.
        lowest: u64,
        /// The highest.
        highest: u64,
    },
}

/// What holds where a setting is not set.
#[derive(Debug)]
pub enum Fallback {
    /// This value, as if somebody had written it.
    Value(&'static str),
    /// No value; the text says what that means.
    Unset(&'static str),
}

impl Fallback {
    /// The value as text; empty where there is none.
    pub fn text(&self) -> &'static str {
        match self {
            Fallback::Value(text) => text,
            Fallback::Unset(_) => "",
        }
    }
}

/// Who acts on a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The server.
    InForce,
    /// Nobody in this version: setting it is a warning.
    NotInForceYet,
    /// A library, which reads the environment by itself.
    Library,
}

impl Setting {
    /// The name that people know it by: its environment variable, else its path in the file.
    pub fn name(&self) -> &'static str {
        self.environment.or(self.toml).expect("a test sees that every setting has a name")
    }

    /// Its argument on the command line, without the dashes; secrets have none, others could read them there.
    pub fn argument(&self) -> Option<&'static str> {
        let allowed = !self.secret && self.effect != Effect::Library;
        let environment = self.environment.filter(|_| allowed)?;
        ARGUMENT_NAMES.get(environment).map(String::as_str)
    }

    /// The variable that names a file with its value.
    pub fn file_variable(&self) -> Option<String> {
        self.environment.filter(|_| self.secret).map(|name| format!("{name}_FILE"))
    }

    /// The name by which it was set there.
    pub fn name_at(&self, origin: &Origin) -> String {
        let name = match origin {
            Origin::File { .. } => self.toml.map(str::to_owned),
            Origin::SecretFile { variable, .. } => Some(variable.clone()),
            Origin::CommandLine => self.argument().map(|argument| format!("--{argument}")),
            Origin::Default | Origin::Setting(_) | Origin::Environment | Origin::WholeFile { .. } => None,
        };
        name.unwrap_or_else(|| self.name().to_owned())
    }

    pub(super) const fn default(mut self, value: &'static str) -> Setting {
        self.default = Fallback::Value(value);
        self
    }

    pub(super) const fn unset(mut self, meaning: &'static str) -> Setting {
        self.default = Fallback::Unset(meaning);
        self
    }

    pub(super) const fn kind(mut self, kind: Kind) -> Setting {
        self.kind = kind;
        self
    }

    pub(super) const fn number(self, lowest: u64, highest: u64) -> Setting {
        self.kind(Kind::Number { lowest, highest })
    }

    pub(super) const fn secret(mut self) -> Setting {
        self.secret = true;
        self
    }

    pub(super) const fn effect(mut self, effect: Effect) -> Setting {
        self.effect = effect;
        self
    }

    pub(super) const fn not_in_force_yet(self) -> Setting {
        self.effect(Effect::NotInForceYet)
    }
}

const fn setting(environment: Option<&'static str>, toml: Option<&'static str>, help: &'static str) -> Setting {
    let (kind, default, effect) = (Kind::Text, Fallback::Unset("unset"), Effect::InForce);
    Setting { environment, toml, kind, default, secret: false, effect, help }
}

pub(super) const fn both(environment: &'static str, toml: &'static str, help: &'static str) -> Setting {
    setting(Some(environment), Some(toml), help)
}

pub(super) const fn variable(environment: &'static str, help: &'static str) -> Setting {
    setting(Some(environment), None, help)
}

pub(super) const fn file_only(toml: &'static str, help: &'static str) -> Setting {
    setting(None, Some(toml), help)
}

static ARGUMENT_NAMES: LazyLock<BTreeMap<&'static str, String>> = LazyLock::new(|| {
    let names = SETTINGS.iter().filter_map(|setting| setting.environment);
    names.map(|name| (name, name.to_lowercase().replace('_', "-"))).collect()
});
