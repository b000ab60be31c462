//! The layers of a configuration: what was said, and where.

use std::{
    collections::BTreeMap,
    env,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::{Arg, ArgMatches};

use super::{
    bounds::MAX_FILE_BYTES,
    finding::Finding,
    origin::Origin,
    problem::Problem,
    setting::{Kind, Setting},
    settings::{CONFIG_DIR, SETTINGS},
};

/// What was said, from the lowest layer to the highest; the default lies below them.
#[derive(Default)]
pub struct Layers {
    /// The text of `vpn-sessions.toml`, if there is one.
    pub toml_text: Option<String>,
    /// The environment, by variable.
    pub environment: BTreeMap<String, String>,
    /// The command line, by argument without its dashes.
    pub arguments: BTreeMap<String, String>,
    /// What could not be read of them.
    pub findings: Vec<Finding>,
}

/// Every setting that has an argument, for the command line; before or after a command.
pub fn arguments() -> Vec<Arg> {
    let named = SETTINGS.iter().filter_map(|setting| setting.argument().map(|name| (setting, name)));
    named
        .map(|(setting, name)| {
            let value_name = match setting.kind {
                Kind::Text | Kind::Choice(_) => "VALUE",
                Kind::List => "LIST",
                Kind::Number { .. } => "NUMBER",
            };
            let help = match setting.kind {
                Kind::Choice(choices) => format!("{} [{}]", setting.help, choices.join(", ")),
                Kind::Text | Kind::List | Kind::Number { .. } => setting.help.to_owned(),
            };
            let argument = Arg::new(name).long(name).value_name(value_name).help(help);
            argument.global(true).hide_short_help(true).help_heading("Settings")
        })
        .collect()
}

/// Reads a file of settings or a secret.
///
/// # Errors
/// What the system says, or that the file is too large or not UTF-8.
pub fn read_file(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        let cause = format!("it has more than {MAX_FILE_BYTES} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, cause));
    }
    Ok(text)
}

impl Layers {
    /// The layers of this process: its command line, its environment, and the file that these name.
    pub(super) fn of_this_process(matches: &ArgMatches) -> Layers {
        let mut layers = Layers { arguments: given_arguments(matches), ..Layers::default() };
        for setting in SETTINGS {
            for variable in setting.environment.map(str::to_owned).into_iter().chain(setting.file_variable()) {
                layers.take_variable(setting, variable);
            }
        }
        layers.take_file();
        layers
    }

    /// The configuration file.
    pub(super) fn file(&self) -> PathBuf {
        let given = self.above_file(&CONFIG_DIR).map(|(text, _)| text.trim());
        Path::new(given.unwrap_or(CONFIG_DIR.default.text())).join("vpn-sessions.toml")
    }

    /// What the command line or the environment says of a setting.
    pub(super) fn above_file(&self, setting: &Setting) -> Option<(&str, Origin)> {
        let argument = setting.argument().and_then(|name| set(&self.arguments, name));
        let variable = setting.environment.and_then(|name| set(&self.environment, name));
        let argument = argument.map(|text| (text, Origin::CommandLine));
        argument.or_else(|| variable.map(|text| (text, Origin::Environment)))
    }

    /// The variable that names the file of a secret, and that file.
    pub(super) fn secret_file(&self, setting: &Setting) -> Option<(String, &str)> {
        let variable = setting.file_variable()?;
        let path = set(&self.environment, &variable)?.trim();
        Some((variable, path))
    }

    fn take_variable(&mut self, setting: &'static Setting, variable: String) {
        match env::var(&variable) {
            Ok(text) => {
                self.environment.insert(variable, text);
            }
            Err(env::VarError::NotPresent) => {}
            Err(env::VarError::NotUnicode(_)) => {
                let finding = Finding::error(setting, Origin::Environment, Problem::NotUnicode);
                self.findings.push(Finding { name: variable, ..finding });
            }
        }
    }

    fn take_file(&mut self) {
        let path = self.file();
        match read_file(&path) {
            Ok(text) => self.toml_text = Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let origin = Origin::WholeFile { path: path.display().to_string() };
                self.findings.push(Finding::in_file(origin, "", Problem::Unreadable(error.to_string())));
            }
        }
    }
}

/// The arguments that were given; those of the innermost command hold.
fn given_arguments(matches: &ArgMatches) -> BTreeMap<String, String> {
    let mut innermost = matches;
    while let Some((_, inner)) = innermost.subcommand() {
        innermost = inner;
    }
    let names = SETTINGS.iter().filter_map(|setting| setting.argument());
    let given = names.filter_map(|name| {
        let value = innermost.try_get_one::<String>(name).ok().flatten()?;
        Some((name.to_owned(), value.clone()))
    });
    given.collect()
}

/// The value, unless it is missing or empty.
fn set<'a>(values: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    values.get(name).map(String::as_str).filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::*;

    fn given(line: &str) -> BTreeMap<String, String> {
        let check = Command::new("config").subcommand(Command::new("check"));
        let program = Command::new("vpn-sessions").args(arguments()).subcommand(check);
        given_arguments(&program.try_get_matches_from(line.split(' ')).unwrap())
    }

    #[test]
    fn arguments_stand_before_or_after_the_command() {
        for line in [
            "vpn-sessions --mail-server smtp.example.com",
            "vpn-sessions --mail-server smtp.example.com config check",
            "vpn-sessions config --mail-server smtp.example.com check",
            "vpn-sessions config check --mail-server=smtp.example.com",
        ] {
            let expected = BTreeMap::from([("mail-server".to_owned(), "smtp.example.com".to_owned())]);
            assert_eq!(given(line), expected, "{line}");
        }
        assert!(given("vpn-sessions config check").is_empty());
    }

    #[test]
    fn secrets_have_no_argument() {
        let names: Vec<String> = arguments().iter().filter_map(|arg| arg.get_long().map(str::to_owned)).collect();
        for secret in ["hc-pw", "secret-key", "mail-pw", "database-url", "ssl-cert-file"] {
            assert!(!names.contains(&secret.to_owned()), "{secret}");
        }
        for open in ["listen", "config-dir", "port", "rust-log", "mail-oauth-scope"] {
            assert!(names.contains(&open.to_owned()), "{open}");
        }
    }

    #[test]
    fn files_are_read_up_to_the_limit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        for (bytes, readable) in [(MAX_FILE_BYTES, true), (MAX_FILE_BYTES + 1, false)] {
            std::fs::write(&path, vec![b'x'; usize::try_from(bytes).unwrap()]).unwrap();
            assert_eq!(read_file(&path).is_ok(), readable, "{bytes}");
        }
        std::fs::write(&path, b"\xff").unwrap();
        assert!(read_file(&path).is_err());
    }
}
