//! The sample configuration: it starts as it is, and shows every setting.

use std::{fs, path::Path};

use super::{
    super::{BoardAccess, settings::SETTINGS, toml_file::TomlFile},
    file,
};

fn sample(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config").join(name);
    fs::read_to_string(&path).unwrap()
}

/// The sample with every example in force.
fn uncommented() -> String {
    let is_key = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let is_example = |text: &&str| text.starts_with('[') || text.split_once(" = ").is_some_and(|(key, _)| is_key(key));
    let text = sample("vpn-sessions.toml");
    let lines = text.lines().map(|line| line.strip_prefix("# ").filter(is_example).unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_sample_starts_on_loopback_with_warnings_only() {
    let written = file(&sample("vpn-sessions.toml"));
    let config = written.accepted();
    assert_eq!((config.listen.to_string().as_str(), config.hc_user.as_str()), ("127.0.0.1:5000", "promon"));
    assert_eq!((config.hc_pw.unwrap().expose(), config.secret_key.unwrap().expose()), ("12345", "secret"));
    assert_eq!(config.board_access, BoardAccess::Open);
    let findings = written.findings();
    assert!(findings.len() == 3 && findings.iter().all(|finding| finding.starts_with("warning: ")), "{findings:?}");
    assert_eq!(written.with(&[("PORT", "5000")]).errors().len(), 3);
}

#[test]
fn every_example_of_the_sample_is_right() {
    let written = file(&uncommented());
    assert_eq!(written.errors(), [""; 0]);
}

#[test]
fn the_sample_shows_every_setting_in_the_order_of_the_table() {
    let entries = TomlFile::read("config/vpn-sessions.toml", &uncommented()).entries;
    let lines = SETTINGS.iter().filter_map(|setting| setting.toml).map(|path| {
        let entry = entries.get(path).unwrap_or_else(|| panic!("{path} is not in the sample"));
        entry.line
    });
    assert!(lines.collect::<Vec<_>>().is_sorted());
}

#[test]
fn the_sample_lists_are_what_the_guide_promises() {
    let lines = |name: &str| -> Vec<String> {
        sample(name).lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    let connections = lines("sessions.csv");
    assert_eq!(connections[..3], ["vpn main 1;vpn sub 1", "vpn main 1;vpn sub 2", "vpn main 1;vpn sub 3"]);
    assert_eq!((connections.len(), connections.iter().filter(|line| line.ends_with(";2")).count()), (12, 1));
    assert_eq!(lines("users.txt"), ["alice", "bob", "carol;auditor", "dave;admin"]);
}
