//! The house is kept tidy: sizes, names, and who may use whom.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Longest file, in lines; a longer one is two things.
const MAX_LINES: usize = 600;

/// Nine in ten files are no longer than this, in lines.
const USUAL_LINES: usize = 400;

/// Folders that people write in.
const SOURCES: [&str; 7] = ["crates", "ui/src", "ui/tests", "tests", "e2e", "bench", "fuzz"];

/// Names that say nothing.
const EMPTY_NAMES: [&str; 9] = ["util", "utils", "helper", "helpers", "common", "manager", "misc", "data", "info"];

/// Whom each crate may use, of ours.
const EDGES: [(&str, &[&str]); 8] = [
    ("domain", &[]),
    ("wire", &[]),
    ("app", &["domain"]),
    ("ledger", &["app", "domain"]),
    ("outbound", &["app", "domain"]),
    ("web", &["app", "domain", "wire"]),
    ("vpn-sessions", &["app", "domain", "ledger", "outbound", "web", "wire"]),
    ("testkit", &["app", "domain", "ledger", "outbound", "web", "wire"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files that people wrote, with the paths that they have in the project.
fn sources() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    SOURCES.iter().for_each(|folder| gather(&root().join(folder), &mut found));
    found
}

fn gather(folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        if path.is_dir() && !["node_modules", "pictures", "target"].contains(&name.as_str()) && !name.starts_with('.') {
            gather(&path, found);
        } else if [".rs", ".ts", ".tsx", ".css", ".py", ".mjs"].iter().any(|ending| name.ends_with(ending)) {
            let path = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            found.insert(path.clone(), fs::read_to_string(root().join(&path)).unwrap());
        }
    }
}

#[test]
fn files_are_one_thing_each() {
    let sources = sources();
    assert!(sources.len() > 100, "the sources are where they are looked for");
    let long: Vec<_> =
        sources.iter().filter(|(_, text)| text.lines().count() > MAX_LINES).map(|(path, _)| path).collect();
    assert!(long.is_empty(), "over {MAX_LINES} lines: {long:?}");
    let unusual = sources.values().filter(|text| text.lines().count() > USUAL_LINES).count();
    assert!(unusual * 10 <= sources.len(), "{unusual} of {} files have over {USUAL_LINES} lines", sources.len());
}

#[test]
fn names_say_what_things_are() {
    let sources = sources();
    let stem = |path: &str| Path::new(path).file_stem().unwrap().to_str().unwrap().to_owned();
    let empty: Vec<_> = sources.keys().filter(|path| EMPTY_NAMES.contains(&stem(path).as_str())).collect();
    assert!(empty.is_empty(), "names that say nothing: {empty:?}");
    let rust = sources.iter().filter(|(path, _)| path.ends_with(".rs") && !path.contains("/tidy/"));
    let vague = rust.filter(|(_, text)| ["fn get_", "fn new_", "Impl {"].iter().any(|name| text.contains(name)));
    assert_eq!(vague.map(|(path, _)| path).collect::<Vec<_>>(), Vec::<&String>::new(), "get_…, new_… or …Impl");
    assert!(!sources.keys().any(|path| path.ends_with("/mod.rs")), "a module is foo.rs beside foo/");
}

#[test]
fn crates_use_only_whom_they_may() {
    for (name, allowed) in EDGES {
        let manifest = fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        let used: BTreeSet<&str> = dependencies.lines().filter_map(|line| line.split(['.', ' ', '=']).next()).collect();
        let ours: BTreeSet<&str> = EDGES.iter().map(|(name, _)| *name).filter(|ours| used.contains(ours)).collect();
        assert!(ours.iter().all(|used| allowed.contains(used)), "{name} uses {ours:?}, and may use {allowed:?}");
    }
}

#[test]
fn rules_know_nothing_of_the_world() {
    let rules = sources().into_iter().filter(|(path, _)| path.starts_with("crates/domain/src"));
    for (path, text) in rules {
        for world in ["async fn", "std::fs", "std::net", "SystemTime", "Timestamp::now", "getrandom", "tokio"] {
            assert!(!text.contains(world), "{path} knows {world}");
        }
    }
}

#[test]
fn tests_that_the_security_page_names_exist() {
    let page = fs::read_to_string(root().join("docs/explanation/security.md")).unwrap();
    let items = page.lines().filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit());
    let items: Vec<&str> = items.collect();
    assert!(items.len() > 250, "{} items of the standard", items.len());
    let sources = sources();
    let missing = items.iter().flat_map(|item| item.rsplit('|').nth(1).unwrap().split('`').skip(1).step_by(2));
    let missing: BTreeSet<&str> = missing
        .filter(|name| {
            let (rust, python) = (format!("fn {name}("), format!("def {name}("));
            !sources.values().any(|text| text.contains(&rust) || text.contains(&python))
        })
        .collect();
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}

#[test]
fn modules_say_what_they_are_for() {
    let rust = sources().into_iter().filter(|(path, _)| path.ends_with(".rs"));
    let silent: Vec<_> = rust.filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path).collect();
    assert!(silent.is_empty(), "without a word at their beginning: {silent:?}");
}
