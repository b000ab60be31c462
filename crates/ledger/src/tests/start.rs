//! How a start finds the state: by the newest whole snapshot, or without one.

use std::{path::Path, sync::Arc, time::Duration};

use app::ports::{Ledger, Snapshot};
use domain::record::{Draft, Hash, Head, Record, Stream};
use jiff::Timestamp;
use serde_json::{json, value::RawValue};

use super::{
    simulated_disk::SimulatedDisk,
    tally::{SMALL, Tally, draft, in_week},
};
use crate::{FileLedger, Term, stream::SEGMENT_BYTES};

#[tokio::test]
async fn segments_turn_with_the_week_and_the_size_and_each_start() {
    let disk = SimulatedDisk::default();
    let tally = Tally::open_with(&disk, 2_000).await.unwrap();
    for (number, at) in ["2026-11-22T23:59:59Z", "2026-11-23T00:00:00Z", "2026-11-23T00:00:01Z"].iter().enumerate() {
        tally.append(number..number + 1, at.parse().unwrap()).await.unwrap();
    }
    assert_eq!(disk.paths().len(), 2, "a week turned");
    tally.append(3..13, in_week(0)).await.unwrap();
    tally.append(13..14, in_week(0)).await.unwrap();
    assert_eq!(disk.paths().len(), 3, "a segment was full");
    let tally = Tally::open_with(&disk, 2_000).await.unwrap();
    assert_eq!(tally.notes, [""; 0]);
    assert_eq!(tally.ledger.epoch(), "first");
    tally.append(14..15, in_week(0)).await.unwrap();
    assert_eq!(disk.paths().len(), 4, "each start begins its own");
    assert_eq!(tally.numbers(), (0..15).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_large_snapshot_does_not_fill_its_segment() {
    let disk = SimulatedDisk::default();
    let tally = Tally::open_with(&disk, 2_000).await.unwrap();
    tally.append(0..100, in_week(0)).await.unwrap();
    tally.append(100..101, in_week(0)).await.unwrap();
    tally.append(101..102, in_week(0)).await.unwrap();
    assert_eq!(disk.paths().len(), 2, "the second one begins with a snapshot of many times its size");
    let again = Tally::open_with(&disk, 2_000).await.unwrap();
    assert!(again.ledger.snapshot(Stream::Audit).unwrap().parts > 2);
    assert_eq!(again.numbers(), (0..102).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_snapshot_that_is_not_whole_is_not_taken() {
    let disk = SimulatedDisk::default();
    let tally = Tally::open(&disk).await.unwrap();
    for number in 0..70 {
        tally.append(number..number + 1, in_week(0)).await.unwrap();
    }
    let before = disk.copy();
    tally.append(70..71, in_week(1)).await.unwrap();
    let newest = disk.paths().pop().unwrap();
    let whole = disk.content()[&newest].clone();
    assert!(whole.iter().filter(|&&byte| byte == b'\n').count() > 4, "the snapshot has several parts");
    for end in (0..whole.len()).step_by(whole.len() / 40) {
        let cut = before.copy();
        cut.change(&newest, |bytes| *bytes = whole[..end].to_vec());
        for start in 0..2 {
            let tally = Tally::open(&cut).await.unwrap_or_else(|error| panic!("cut at {end}, start {start}: {error}"));
            assert!(tally.numbers().starts_with(&(0..70).collect::<Vec<_>>()), "cut at {end}: {:?}", tally.numbers());
            tally.append(100 + start..101 + start, in_week(1)).await.unwrap();
            tally.is_one_chain(&format!("cut at {end}")).await;
        }
    }
}

#[tokio::test]
async fn segments_of_the_first_format_are_read_and_gone_on_from() {
    let disk = SimulatedDisk::default();
    let mut head = Head::genesis(Stream::Audit);
    for segment in 1..=3_u32 {
        let body = json!({ "format": 1, "stream": "audit", "segment": segment, "epoch": "of old" });
        let opened = Draft { at: in_week(0), kind: "segment_opened".into(), body };
        let numbers = (segment - 1) as usize * 5..segment as usize * 5;
        let mut lines = String::new();
        for draft in [opened].into_iter().chain(numbers.map(|number| draft(number, in_week(0)))) {
            let (record, line): (Record, String) = draft.seal(head);
            head = record.head();
            lines += &(line + "\n");
        }
        disk.change(Path::new(&format!("data/ledger/audit/{segment:06}.jsonl")), |bytes| *bytes = lines.into_bytes());
    }
    for start in 0..3 {
        let tally = Tally::open(&disk).await.unwrap();
        assert_eq!(tally.ledger.epoch(), "of old");
        assert_eq!(tally.numbers(), (0..15 + start).collect::<Vec<_>>());
        tally.append(15 + start..16 + start, in_week(0)).await.unwrap();
        tally.is_one_chain("of old").await;
        assert_eq!(tally.ledger.read(Stream::Audit, 0, 100).await.unwrap().len(), 16 + start);
    }
    assert_ne!(head.hash, Hash::genesis(Stream::Audit));
}

#[tokio::test]
async fn a_start_reads_no_more_than_it_needs() {
    let disk = SimulatedDisk::default();
    let tally = Tally::open_with(&disk, SMALL).await.unwrap();
    for number in 0..200 {
        tally.append(number..number + 1, in_week(0)).await.unwrap();
    }
    let newest = disk.content().pop_last().unwrap().1.len();
    let before = disk.bytes_read();
    let again = Tally::open_with(&disk, SMALL).await.unwrap();
    let read = disk.bytes_read() - before;
    assert_eq!(again.numbers().len(), 200);
    assert!(read <= 4 * newest + 1_000_000, "{read} bytes were read, of which {newest} are needed");
}

/// A state that is written down as sessions would be.
struct Sessions(usize);

impl Snapshot for Sessions {
    fn each_item(&self, take: &mut dyn FnMut(Box<RawValue>)) {
        for number in 0..self.0 {
            let session = json!({ "id": format!("{number:032x}"), "connection": format!("main {number};sub"), "user": "alice",
                "since": "2026-11-24T09:00:00Z", "note": "", "source": "page" });
            take(serde_json::value::to_raw_value(&session).unwrap());
        }
    }
}

#[tokio::test]
async fn a_snapshot_of_a_hundred_thousand_sessions_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let mark = WriterMark::take(folder.path()).unwrap();
    let (ledger, _) = FileLedger::open(&mark, "e".into()).unwrap();
    ledger.append(Stream::Audit, vec![draft(0, in_week(0))], Arc::new(Sessions(100_000))).await.unwrap();
    let (ledger, notes) = FileLedger::open(&mark, "e".into()).unwrap();
    assert_eq!(notes, []);
    let place = ledger.snapshot(Stream::Audit).unwrap();
    let mut count = 0;
    for part in 1..=place.parts {
        let items = ledger.snapshot_part(Stream::Audit, part).await.unwrap();
        assert_eq!(items[0]["id"], format!("{count:032x}"), "part {part}");
        count += items.len();
    }
    assert_eq!((count, place.seq), (100_000, 0));
    assert!(ledger.snapshot_part(Stream::Audit, place.parts + 1).await.is_err());
    assert_eq!(ledger.read(Stream::Audit, 0, 10).await.unwrap().len(), 1);
}

/// Prints how long a start behind a million records takes: the figure of a
/// release build is the one that counts.
#[tokio::test]
#[ignore = "long: prints a figure and asserts no time"]
#[allow(clippy::disallowed_methods, reason = "a figure for a person, which decides nothing")]
async fn ready_behind_a_million_records() {
    let folder = tempfile::tempdir().unwrap();
    let term = Term::take(folder.path()).unwrap();
    let (ledger, _) = FileLedger::open(&term, "e".into(), Timestamp::UNIX_EPOCH).unwrap();
    for batch in 0..1_000 {
        let drafts = (batch * 1_000..batch * 1_000 + 1_000).map(|number| draft(number, in_week(0))).collect();
        ledger.append(Stream::Audit, drafts, Arc::new(Sessions(1_000))).await.unwrap();
    }
    drop(ledger);
    let begun = std::time::Instant::now();
    let (ledger, _) = FileLedger::open(&term, "e".into(), Timestamp::UNIX_EPOCH).unwrap();
    let opened = begun.elapsed();
    let mut after = ledger.snapshot(Stream::Audit).unwrap().seq;
    let mut replayed = 0;
    while let Some(last) = ledger.read(Stream::Audit, after, 4_096).await.unwrap().last() {
        replayed += (last.seq - after) as usize;
        after = last.seq;
    }
    let (ready, segment): (Duration, usize) = (begun.elapsed(), SEGMENT_BYTES);
    println!(
        "opened after {opened:?}, ready after {ready:?}: {replayed} records replayed, segments of {segment} bytes"
    );
    let begun = std::time::Instant::now();
    assert_eq!(ledger.read(Stream::Audit, 0, usize::MAX).await.unwrap().len(), 1_000_000);
    println!("a million records read after {:?}", begun.elapsed());
}
