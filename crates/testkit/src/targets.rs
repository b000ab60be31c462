//! What reads bytes of others, each as a function that must not panic whatever
//! the bytes are. `fuzz/` gives them to libFuzzer; `tests/fuzz` gives them its
//! own changes of the corpus, on any toolchain.

use std::fs;

use app::accounts::Credential;
use domain::{
    list_file::{read_connections, read_users},
    record::{Head, Record, Stream},
};
use jiff::Timestamp;
use web::access_token::AccessTokens;

/// A target and the folder of its corpus.
pub type Target = (&'static str, fn(&[u8]));

/// All targets, by the names of their corpora.
pub const TARGETS: [Target; 5] = [
    ("list_files", list_files),
    ("access_tokens", access_tokens),
    ("ledger", ledger),
    ("packets", packets),
    ("messages", messages),
];

/// `sessions.csv` and `users.txt`, as people save them: each finding names a line.
///
/// # Panics
/// Where the reader does.
pub fn list_files(bytes: &[u8]) {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    if let Ok(list) = read_connections(bytes) {
        assert!(list.iter().count() <= lines, "a line is one connection at most");
    }
    if let Ok(users) = read_users(bytes) {
        assert!(users.len() <= lines, "a line is one user at most");
    }
}

/// A token, as anybody may send one: nothing but what was signed proves anybody.
///
/// # Panics
/// Where a forged one is taken.
pub fn access_tokens(bytes: &[u8]) {
    let now = Timestamp::UNIX_EPOCH;
    let tokens = AccessTokens::new(b"a key that no corpus was signed with");
    let text = String::from_utf8_lossy(bytes);
    let proved: Option<Credential> = tokens.credential(&text, now);
    assert_eq!(proved, None, "a forged token");
}

/// The lines of a segment, and the segment in its place.
///
/// # Panics
/// Where the reader does, or takes what is no chain.
pub fn ledger(bytes: &[u8]) {
    let mut head = Head::genesis(Stream::Audit);
    for line in String::from_utf8_lossy(bytes).lines() {
        match Record::parse(line) {
            Ok(record) if record.follows(head) => head = record.head(),
            Ok(_) | Err(_) => break,
        }
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    let stream = folder.path().join("ledger").join(Stream::Audit.name());
    fs::create_dir_all(&stream).expect("a folder can be made");
    fs::write(stream.join("000001.jsonl"), bytes).expect("a file can be written");
    let _ = ledger::verify(folder.path());
}

/// A packet of a socket that has signed in.
///
/// # Panics
/// Where the reader does.
pub fn packets(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        web::read_packet(text);
    }
}

/// The body of a message.
///
/// # Panics
/// Where the reader does.
pub fn messages(bytes: &[u8]) {
    drop(serde_json::from_slice::<wire::relay::PlaceMessage>(bytes));
}
