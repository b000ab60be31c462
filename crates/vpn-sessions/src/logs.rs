//! Logs: sentences for a person on a terminal, JSON for machines otherwise.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{Config, LogFormat};

/// What is logged where `RUST_LOG` does not say.
const USUAL_FILTER: &str = "info";

/// Libraries that would write what goes over the wire, secrets included, into
/// their finest lines; they say no more than this.
const DISCREET: [&str; 8] = [
    "engineioxide=info",
    "h2=info",
    "hyper=info",
    "hyper_util=info",
    "lettre=info",
    "reqwest=info",
    "tokio_tungstenite=info",
    "tungstenite=info",
];

/// Starts logging to standard error.
pub(crate) fn start(config: &Config) {
    let wanted = config.log_filter.as_deref().unwrap_or(USUAL_FILTER);
    let filter = EnvFilter::try_new(wanted).unwrap_or_else(|_| EnvFilter::new(USUAL_FILTER));
    let filter = DISCREET.iter().filter_map(|line| line.parse().ok()).fold(filter, EnvFilter::add_directive);
    let on_terminal = stderr().is_terminal();
    let as_text = match config.log_format {
        Some(LogFormat::Text) => true,
        Some(LogFormat::Json) => false,
        None => on_terminal,
    };
    // A log that cannot be written must not take the server along.
    let builder = fmt().log_internal_errors(false).with_env_filter(filter).with_writer(stderr).with_target(false);
    // A second start in one process changes nothing.
    let _ =
        if as_text { builder.with_ansi(on_terminal).try_init() } else { builder.json().flatten_event(true).try_init() };
}
