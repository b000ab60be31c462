//! A torn end is cut off; anything else that is not as it was written is told.

use std::path::{Path, PathBuf};

use app::ports::{Ledger, LedgerError};
use domain::record::{Draft, Head, Stream};
use serde_json::json;

use super::{
    simulated_disk::SimulatedDisk,
    tally::{Tally, in_week},
};
use crate::stream::SEGMENT_BYTES;

fn segment(number: u32) -> PathBuf {
    PathBuf::from(format!("data/ledger/audit/{number:06}.jsonl"))
}

/// A disk with one segment of five records, and that segment's content.
async fn five_records() -> (SimulatedDisk, Vec<u8>) {
    let disk = SimulatedDisk::default();
    open(&disk).await.unwrap().append(0..5, in_week(0)).await.unwrap();
    let whole = disk.content()[&segment(1)].clone();
    (disk, whole)
}

async fn open(disk: &SimulatedDisk) -> Result<Tally, LedgerError> {
    Tally::open_with(disk, SEGMENT_BYTES).await
}

async fn refused(disk: &SimulatedDisk) -> String {
    match open(disk).await {
        Err(LedgerError::Corrupt(problem)) => problem,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was opened"),
    }
}

#[tokio::test]
async fn a_tail_torn_at_any_byte_is_cut_off_and_said() {
    let (disk, whole) = five_records().await;
    let last_line = whole[..whole.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    for cut in last_line + 1..whole.len() {
        for tail in [&b""[..], &[0; 64][..]] {
            let torn = disk.copy();
            torn.change(&segment(1), |bytes| {
                bytes.truncate(cut);
                bytes.extend_from_slice(tail);
            });
            let tally = open(&torn).await.unwrap();
            assert_eq!(tally.numbers(), [0, 1, 2, 3], "cut at {cut}");
            let note = &tally.notes[0];
            assert!(note.contains("000001.jsonl line 7") && note.contains("torn"), "{note}");
            assert_eq!(torn.content()[&segment(1)].len(), last_line);
        }
    }
}

#[tokio::test]
async fn damage_is_refused_with_file_and_line_and_changes_nothing() {
    let (disk, whole) = five_records().await;
    for at in (0..whole.len() - 1).step_by(7) {
        for bit in [0, 5] {
            let damaged = disk.copy();
            damaged.change(&segment(1), |bytes| bytes[at] ^= 1 << bit);
            let before = damaged.content();
            let line = whole[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
            let problem = refused(&damaged).await;
            let near = [line, line + 1].map(|line| format!("000001.jsonl line {line}:"));
            assert!(near.iter().any(|place| problem.contains(place)), "byte {at}, line {line}: {problem}");
            assert!(problem.contains("vpn-sessions ledger repair") || problem.contains("newer version"), "{problem}");
            assert_eq!(damaged.content(), before, "nothing is changed");
        }
    }
}

#[tokio::test]
async fn lines_removed_swapped_or_put_in_are_found() {
    let (disk, whole) = five_records().await;
    let text = String::from_utf8(whole).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let removed = [&lines[..3], &lines[4..]].concat();
    let mut swapped = lines.clone();
    swapped.swap(3, 4);
    let doubled = [&lines[..4], &lines[3..]].concat();
    for tampered in [removed, swapped, doubled] {
        let other = disk.copy();
        other.change(&segment(1), |bytes| *bytes = (tampered.join("\n") + "\n").into_bytes());
        refused(&other).await;
    }
}

/// What is found when all that the start did not read is proved.
async fn found_later(disk: &SimulatedDisk) -> Vec<String> {
    let tally = open(disk).await.expect("the start does not need what is damaged");
    let mut found = Vec::new();
    loop {
        match tally.ledger.prove_older(Stream::Audit).await {
            Ok(true) => {}
            Ok(false) => return found,
            Err(error) => found.push(error.to_string()),
        }
    }
}

async fn over_four_starts() -> SimulatedDisk {
    let disk = SimulatedDisk::default();
    for number in 0..4 {
        open(&disk).await.unwrap().append(number * 5..number * 5 + 5, in_week(0)).await.unwrap();
    }
    assert_eq!(disk.paths().len(), 4);
    disk
}

#[tokio::test]
async fn damage_in_older_segments_is_found_later_and_stops_nothing() {
    let disk = over_four_starts().await;
    assert_eq!(found_later(&disk).await, [""; 0]);
    for (number, line) in [(1, 2), (2, 4), (3, 7)] {
        let damaged = disk.copy();
        damaged.change(&segment(number), |bytes| {
            let begin: usize = bytes.split_inclusive(|&byte| byte == b'\n').take(line - 1).map(<[u8]>::len).sum();
            bytes[begin + 20] ^= 1;
        });
        let found = found_later(&damaged).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(&format!("{number:06}.jsonl line {line}:")), "{found:?}");
        let tally = open(&damaged).await.unwrap();
        assert_eq!(tally.numbers(), (0..20).collect::<Vec<_>>());
        tally.append(20..21, in_week(0)).await.unwrap();
        let last = tally.ledger.head(Stream::Audit).seq;
        assert_eq!(tally.ledger.read(Stream::Audit, last - 1, 10).await.unwrap().len(), 1);
        // Who reads facts does not meet what is wrong in a snapshot.
        let read = tally.ledger.read(Stream::Audit, 0, 100).await;
        assert_eq!(matches!(read, Err(LedgerError::Corrupt(_))), line > 2, "{read:?}");
    }
}

#[tokio::test]
async fn an_older_segment_that_is_missing_or_cut_is_found_later() {
    let disk = over_four_starts().await;
    let missing = disk.copy();
    missing.lose(&segment(2));
    let found = found_later(&missing).await;
    assert!(found.len() == 1 && found[0].contains("000001.jsonl"), "{found:?}");
    let tally = open(&missing).await.unwrap();
    assert!(matches!(tally.ledger.read(Stream::Audit, 0, 100).await, Err(LedgerError::Corrupt(_))));
    let cut = disk.copy();
    cut.change(&segment(2), |bytes| {
        let end = bytes.iter().rposition(|&byte| byte == b'{').unwrap();
        bytes.truncate(end);
    });
    let found = found_later(&cut).await;
    assert!(found.len() == 1 && found[0].contains("000002.jsonl"), "{found:?}");
}

#[tokio::test]
async fn a_beginning_that_was_dropped_is_stood_in_for_by_a_snapshot() {
    let disk = over_four_starts().await;
    disk.lose(&segment(1));
    disk.lose(&segment(2));
    let tally = open(&disk).await.unwrap();
    assert_eq!(tally.numbers(), (0..20).collect::<Vec<_>>());
    let found = found_later(&disk).await;
    assert!(
        found.iter().any(|problem| problem.contains("000003.jsonl line 1") && problem.contains("missing")),
        "{found:?}"
    );
    disk.lose(&segment(3));
    disk.change(&segment(4), |bytes| {
        let lines: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
        *bytes = lines[..1].concat();
    });
    let problem = refused(&disk).await;
    assert!(problem.contains("000004.jsonl line 1") && problem.contains("missing"), "{problem}");
}

#[tokio::test]
async fn a_newer_format_in_any_stream_is_refused_and_nothing_is_touched() {
    for stream in Stream::ALL {
        let (disk, _) = five_records().await;
        for torn in Stream::ALL.map(|other| format!("data/ledger/{}/000001.jsonl", other.name())) {
            disk.change(Path::new(&torn), |bytes| bytes.extend_from_slice(b"{\"seq\":"));
        }
        let body = json!({ "format": 3, "stream": stream.name(), "segment": 9, "epoch": "e" });
        let newer = Draft { at: in_week(0), kind: "segment_opened".into(), body };
        let (_, line) = newer.seal(Head::genesis(stream));
        let other_lines = line.replace("\"prev\"", "\"before\"");
        for line in [line, other_lines] {
            let path = format!("data/ledger/{}/000009.jsonl", stream.name());
            disk.change(Path::new(&path), |bytes| *bytes = (line + "\n").into_bytes());
            let before = disk.content();
            let problem = refused(&disk).await;
            assert!(problem.contains("newer version") && problem.contains(&path), "{problem}");
            assert_eq!(disk.content(), before);
        }
    }
}
