//! What retention and compaction drop, stopped at each call.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use app::ports::{Ledger, LedgerError, Snapshot};
use domain::record::{Draft, Record, Stream};
use serde_json::json;

use super::memory_disk::{MemoryDisk, append, draft, nothing, numbers, open, segment};
use crate::{
    FileLedger, Proof,
    stream::{SEGMENT_BYTES, StreamFiles},
    verify::proofs,
};

const LATER: &str = "2026-12-24T10:00:00Z";

/// A state of one item.
struct Holds(&'static str);

impl Snapshot for Holds {
    fn each_item(&self, take: &mut dyn FnMut(Box<serde_json::value::RawValue>)) {
        take(serde_json::value::to_raw_value(self.0).unwrap());
    }
}

/// Four segments, of which record 10 and all behind it are needed.
async fn four_segments() -> MemoryDisk {
    let disk = MemoryDisk::default();
    for start in 0..4 {
        let (ledger, _) = open(&disk).unwrap();
        append(&ledger, start * 10..start * 10 + 3).await.unwrap();
    }
    disk.after(false, 0)
}

/// Drops what has no number from `first` on; whether there was anything.
async fn drop_below(ledger: &FileLedger, first: u64) -> Result<bool, LedgerError> {
    let is_needed = Arc::new(move |record: &Record| record.body["number"].as_u64().unwrap() >= first);
    let Some(up_to) = ledger.oldest_unneeded(Stream::Audit, is_needed).await? else { return Ok(false) };
    ledger.drop_up_to(Stream::Audit, up_to, LATER.parse().unwrap(), nothing()).await?;
    Ok(true)
}

fn proof(disk: &MemoryDisk) -> Result<Proof, LedgerError> {
    let mut proofs = proofs(disk, Path::new("data"));
    proofs.remove(0).1
}

fn segments(disk: &MemoryDisk) -> Vec<PathBuf> {
    disk.paths().into_iter().filter(|path| path.starts_with("data/ledger/audit")).collect()
}

#[tokio::test]
async fn old_segments_go_oldest_first_and_the_chain_says_so() {
    let disk = four_segments().await;
    let (ledger, _) = open(&disk).unwrap();
    for (first, goes) in [(2, false), (10, true), (11, false), (12, false), (13, true), (20, false)] {
        assert_eq!(drop_below(&ledger, first).await.unwrap(), goes, "records below {first}");
    }
    assert_eq!(segments(&disk), [segment(3), segment(4), segment(5)]);
    assert_eq!(numbers(&ledger).await, [20, 21, 22, 30, 31, 32]);
    append(&ledger, 40..41).await.unwrap();
    let left = disk.after(true, 0);
    let proof = proof(&left).unwrap();
    let said: Vec<_> = proof.dropped.iter().map(|dropped| (dropped.from_seq, dropped.to_seq)).collect();
    assert_eq!(said, [(1, 5), (6, 10)]);
    let (again, _) = open(&left).unwrap();
    assert_eq!(numbers(&again).await, [20, 21, 22, 30, 31, 32, 40]);
    assert_eq!(again.dropped(Stream::Audit).await.unwrap().unwrap().to_seq, 10);
}

#[tokio::test]
async fn what_a_start_needs_goes_only_for_a_new_snapshot() {
    let disk = four_segments().await;
    let (ledger, _) = open(&disk).unwrap();
    assert!(drop_below(&ledger, 32).await.unwrap());
    assert_eq!(segments(&disk), [segment(4), segment(5)], "the newest has one record that is needed");
    assert!(drop_below(&ledger, 1_000).await.unwrap());
    assert_eq!(segments(&disk), [segment(6)]);
    assert!(!drop_below(&ledger, 1_000).await.unwrap(), "there is nothing in it");
    append(&ledger, 40..41).await.unwrap();
    let left = disk.after(true, 0);
    assert!(proof(&left).is_ok());
    assert_eq!(numbers(&open(&left).unwrap().0).await, [40]);
}

#[test]
fn what_comes_between_the_look_and_the_dropping_leaves_the_only_snapshot() {
    let disk = MemoryDisk::default();
    let files = || StreamFiles::open(Arc::new(disk.clone()), "data/ledger/audit".into(), Stream::Audit, SEGMENT_BYTES);
    let append = |files: &mut StreamFiles, number: usize| {
        let written = files.write(vec![draft(number)], &Holds("what stands")).unwrap().unwrap();
        files.commit(written);
    };
    for number in 0..2 {
        append(&mut files().unwrap().0, number);
    }
    // Whoever was before did not let go.
    let (mut successor, _) = files().unwrap();
    successor.take_over(draft(2).at).unwrap();
    append(&mut successor, 2);
    let reader = Arc::clone(successor.reader());
    let up_to = reader.standing().unwrap().unneeded(reader.disk(), &|_| false).unwrap().unwrap();
    append(&mut successor, 3);
    successor.drop_up_to(up_to, LATER.parse().unwrap(), &Holds("what stands")).unwrap();
    assert!(!disk.paths().contains(&segment(1)) && disk.paths().contains(&segment(2)), "{:?}", disk.paths());
    let (again, _) = files().expect("it starts");
    assert!(again.reader().snapshot().is_some());
    let kept = again.reader().read(0, 9).unwrap();
    assert_eq!(kept.iter().map(|record| record.body["number"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
}

#[tokio::test]
async fn a_segment_that_is_missing_without_a_word_is_damage() {
    let disk = four_segments().await;
    let (ledger, _) = open(&disk).unwrap();
    drop_below(&ledger, 10).await.unwrap();
    assert!(proof(&disk.after(true, 0)).is_ok());
    for missing in [2, 3] {
        let left = disk.after(true, 0);
        left.0.lock().unwrap().files.remove(&segment(missing));
        let (ledger, _) = open(&left).expect("a start does not need it");
        let Err(LedgerError::Corrupt(problem)) = proof(&left) else { panic!("{missing}: not found") };
        let mut proved = Ok(true);
        while proved == Ok(true) {
            proved = ledger.prove_older(Stream::Audit).await;
        }
        assert_eq!(proved, Err(LedgerError::Corrupt(problem.clone())), "it shows while the server runs");
        assert!(problem.contains("missing") || problem.contains("follows"), "{problem}");
    }
}

#[tokio::test]
async fn a_changed_word_on_what_was_dropped_is_found() {
    let disk = four_segments().await;
    let (ledger, _) = open(&disk).unwrap();
    drop_below(&ledger, 20).await.unwrap();
    let left = disk.after(true, 0);
    left.change(&segment(5), |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        *bytes = text.replace(r#""to_seq":10"#, r#""to_seq":11"#).into_bytes();
    });
    assert!(matches!(proof(&left), Err(LedgerError::Corrupt(_))));
}

#[tokio::test]
async fn every_crash_point_of_dropping_is_harmless_and_ended_later() {
    let used = four_segments().await;
    let whole = used.after(false, 0);
    drop_below(&open(&whole).unwrap().0, 30).await.unwrap();
    let calls = whole.0.lock().unwrap().calls;
    assert!(calls > 8, "{calls} calls are too few to mean anything");
    for stop in 1..=calls {
        for (power_cut, luck) in [(false, 0), (true, 0), (true, 60)] {
            let case = format!("stopped at call {stop}, power cut {power_cut}, luck {luck}");
            let disk = used.after(false, 0);
            disk.0.lock().unwrap().stops_at = Some(stop);
            if let Ok((ledger, _)) = open(&disk) {
                assert!(drop_below(&ledger, 30).await.is_err() || stop == calls, "{case}");
            }
            let left = disk.after(power_cut, luck);
            let said = proof(&left).unwrap_or_else(|error| panic!("{case}: {error}")).dropped.len();
            let (ledger, _) = open(&left).unwrap_or_else(|error| panic!("{case}: {error}"));
            let expected = if said > 0 { vec![30, 31, 32] } else { all_numbers() };
            assert_eq!(numbers(&ledger).await, expected, "{case}");
            assert_eq!(left.paths().contains(&segment(1)), said == 0, "{case}: {:?}", left.paths());
            drop_below(&ledger, 30).await.unwrap();
            append(&ledger, 40..41).await.unwrap();
            let end = left.after(true, 0);
            assert!(proof(&end).is_ok(), "{case}");
            let (again, _) = open(&end).unwrap();
            assert_eq!(numbers(&again).await, [30, 31, 32, 40], "{case}");
            while again.prove_older(Stream::Audit).await.unwrap_or_else(|error| panic!("{case}: {error}")) {}
        }
    }
}

fn all_numbers() -> Vec<usize> {
    (0..4).flat_map(|start| start * 10..start * 10 + 3).collect()
}

fn stands_on(disk: &MemoryDisk, word: &str) -> bool {
    let content = disk.content();
    content.values().any(|bytes| String::from_utf8_lossy(bytes).contains(word))
}

#[tokio::test]
async fn every_crash_point_of_compacting_leaves_the_old_or_the_new() {
    let used = MemoryDisk::default();
    let secret = |hash: &str| Draft { kind: "password_set".into(), body: json!({ "hash": hash }), ..draft(0) };
    for hash in ["the old hash", "the hash in force"] {
        let (ledger, _) = open(&used).unwrap();
        ledger.append(Stream::Keys, vec![secret(hash)], Arc::new(Holds(hash))).await.unwrap();
    }
    let used = used.after(false, 0);
    let compacted = |disk: MemoryDisk| async move {
        let Ok((ledger, _)) = open(&disk) else { return Err(LedgerError::Unavailable(String::new())) };
        ledger.compact(Stream::Keys, LATER.parse().unwrap(), Arc::new(Holds("the hash in force"))).await
    };
    let whole = used.after(false, 0);
    compacted(whole.clone()).await.unwrap();
    assert!(!stands_on(&whole, "the old hash") && stands_on(&whole, "the hash in force"));
    let calls = whole.0.lock().unwrap().calls;
    for stop in 1..=calls {
        for (power_cut, luck) in [(false, 0), (true, 0), (true, 60)] {
            let case = format!("stopped at call {stop}, power cut {power_cut}, luck {luck}");
            let disk = used.after(false, 0);
            disk.0.lock().unwrap().stops_at = Some(stop);
            assert!(compacted(disk.clone()).await.is_err(), "{case}");
            let left = disk.after(power_cut, luck);
            assert!(stands_on(&left, "the hash in force"), "{case}");
            let (ledger, _) = open(&left).unwrap_or_else(|error| panic!("{case}: {error}"));
            let as_before = ledger.read(Stream::Keys, 0, 9).await.unwrap().len() == 2;
            assert_eq!(stands_on(&left, "the old hash"), as_before, "{case}: nothing is half gone");
            compacted(left.clone()).await.unwrap();
            assert!(!stands_on(&left, "the old hash"), "{case}");
            assert!(proofs(&left.after(true, 0), Path::new("data")).iter().all(|(_, proof)| proof.is_ok()), "{case}");
        }
    }
}
