//! What a server must not be started with.
//!
//! Weak settings are good for trying out on loopback, and refused elsewhere.

use super::{
    BoardAccess, Config,
    bounds::{MIN_KEY_BYTES, MIN_PASSWORD_CHARS},
    finding::{Finding, Severity},
    origin::Origin,
    problem::Problem,
    setting::Setting,
    settings::{BOARD_ACCESS, HC_PW, OIDC_ISSUER, SECRET_KEY, TRUSTED_PROXIES},
};

/// Everything that speaks against starting with a configuration.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let everyone = config.trusted_proxies.iter().find(|network| network.is_everything());
    let open_to_network = config.board_access == BoardAccess::OpenToNetwork;
    let no_way_back = config.oidc.is_some() && config.public_url.is_none() && !is_local(config);
    let no_way_back =
        no_way_back.then(|| Finding { severity: Severity::Error, ..warning(config, &OIDC_ISSUER, Problem::NoWayBack) });
    let warnings = [
        open_to_network.then(|| warning(config, &BOARD_ACCESS, Problem::OpenToNetwork)),
        everyone.map(|network| warning(config, &TRUSTED_PROXIES, Problem::EveryProxy(network.to_string()))),
    ];
    trial_settings(config).into_iter().chain(no_way_back).chain(warnings.into_iter().flatten()).collect()
}

/// The settings in force that are for trying out only: warnings on loopback, errors elsewhere.
pub(super) fn trial_settings(config: &Config) -> Vec<Finding> {
    let short = config.hc_pw.as_ref().is_some_and(|pw| pw.expose().chars().count() < MIN_PASSWORD_CHARS);
    let weak = config.secret_key.as_ref().is_some_and(|key| key.expose().len() < MIN_KEY_BYTES);
    let open = config.board_access == BoardAccess::Open;
    let severity = if is_local(config) { Severity::Warning } else { Severity::Error };
    let finding = |setting, problem| Finding { severity, ..warning(config, setting, problem) };
    let found = [
        weak.then(|| finding(&SECRET_KEY, Problem::WeakKey(config.listen))),
        short.then(|| finding(&HC_PW, Problem::WeakPassword(config.listen))),
        open.then(|| finding(&BOARD_ACCESS, Problem::OpenBoard(config.listen))),
    ];
    found.into_iter().flatten().collect()
}

fn is_local(config: &Config) -> bool {
    config.listen.ip().to_canonical().is_loopback()
}

fn warning(config: &Config, setting: &'static Setting, problem: Problem) -> Finding {
    let read = config.in_force.iter().find(|read| read.setting.name() == setting.name());
    let origin = read.map_or(Origin::Default, |read| read.origin.clone());
    Finding::warning(setting, origin, problem)
}
