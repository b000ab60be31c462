//! Where a value comes from.

use std::fmt;

use super::setting::Setting;

/// Where a value comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// It follows from another setting.
    Setting(&'static Setting),
    /// A line of the configuration file.
    File {
        /// The file, as it was opened.
        path: String,
        /// Number of the line, from 1.
        line: usize,
    },
    /// The configuration file as a whole.
    WholeFile {
        /// The file, as it was opened.
        path: String,
    },
    /// Its environment variable.
    Environment,
    /// The file that an environment variable names.
    SecretFile {
        /// The variable, such as `HC_PW_FILE`.
        variable: String,
        /// The file that it names.
        path: String,
    },
    /// Its argument on the command line.
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Setting(setting) => f.write_str(setting.name()),
            Origin::File { path, line } => write!(f, "{path}:{line}"),
            Origin::WholeFile { path } => f.write_str(path),
            Origin::Environment => f.write_str("environment"),
            Origin::SecretFile { variable, path } => write!(f, "environment {variable}={path}"),
            Origin::CommandLine => f.write_str("command line"),
        }
    }
}
