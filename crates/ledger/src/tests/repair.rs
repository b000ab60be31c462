//! What a repair does to each kind of damage.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use app::ports::{Ledger, LedgerError};
use domain::record::{Draft, GAP_RECORDED, Record, Stream};

use super::memory_disk::{MemoryDisk, append, draft, nothing, numbers, open, segment};
use crate::{
    Dropped, Mended, OpeningNote, Repairer,
    own::OwnFact,
    repair::repair_on,
    segment,
    stream::{SEGMENT_BYTES, StreamFiles},
    verify::proofs,
};

/// A ledger of six segments with about three records each.
async fn six_segments() -> MemoryDisk {
    let disk = MemoryDisk::default();
    for start in 0..6 {
        let (ledger, _) = open(&disk).unwrap();
        append(&ledger, start * 10..start * 10 + 3).await.unwrap();
    }
    disk.after(false, 0)
}

fn repaired(disk: &MemoryDisk) -> Result<Mended, LedgerError> {
    let at = "2026-11-24T10:00:00Z".parse().unwrap();
    let repairer = Repairer { by: "dave".into(), at, epoch: "second".into() };
    let mended = repair_on(disk, Path::new("data"), &repairer)?;
    Ok(mended.into_iter().find(|mended| mended.stream == Stream::Audit).unwrap())
}

fn is_damaged(disk: &MemoryDisk) -> bool {
    proofs(disk, Path::new("data")).iter().any(|(_, proof)| proof.is_err())
}

fn lines(disk: &MemoryDisk) -> BTreeSet<Vec<u8>> {
    let mut content = disk.content();
    // A copy that was not whole yet is made again.
    content.retain(|path, _| path.extension().is_some_and(|extension| extension == "jsonl"));
    content.values().flat_map(|bytes| bytes.split(|&byte| byte == b'\n')).map(<[u8]>::to_vec).collect()
}

/// Repairs, and asserts what always holds then; the numbers that are kept.
async fn mends(disk: &MemoryDisk, case: &str) -> (Mended, Vec<usize>) {
    let before = lines(disk);
    let highest = highest_seq(disk);
    let mended = repaired(disk).unwrap_or_else(|error| panic!("{case}: {error}"));
    assert!(before.is_subset(&lines(disk)), "{case}: something is no more");
    assert!(repaired(&disk.after(false, 0)).unwrap().is_sound(), "{case}: it is mended at one go");
    let (ledger, _) = open(disk).unwrap_or_else(|error| panic!("{case}: {error}"));
    let kept = numbers(&ledger).await;
    assert!(kept.is_sorted() && kept.iter().collect::<BTreeSet<_>>().len() == kept.len(), "{case}: {kept:?}");
    let written = append(&ledger, 900..901).await.unwrap();
    assert!(written[0].seq > highest, "{case}: a number comes twice");
    let (again, _) = open(&disk.after(true, 0)).unwrap_or_else(|error| panic!("{case}: {error}"));
    assert_eq!(numbers(&again).await, [&kept[..], &[900]].concat(), "{case}");
    assert!(repaired(disk).unwrap().is_sound(), "{case}: it is mended once");
    assert!(!is_damaged(disk), "{case}");
    while again.prove_older(Stream::Audit).await.unwrap_or_else(|error| panic!("{case}: {error}")) {}
    (mended, kept)
}

fn highest_seq(disk: &MemoryDisk) -> u64 {
    let seqs = lines(disk).into_iter().filter_map(|line| {
        let record = Record::parse(std::str::from_utf8(&line).ok()?).ok()?;
        Some(record.seq)
    });
    seqs.max().unwrap_or(0)
}

fn all_but(gone: &[usize]) -> Vec<usize> {
    let all = (0..6).flat_map(|start| start * 10..start * 10 + 3);
    all.filter(|number| !gone.contains(number)).collect()
}

#[tokio::test]
async fn a_ledger_without_damage_is_not_touched() {
    for disk in [MemoryDisk::default(), six_segments().await] {
        let before = disk.content();
        assert!(repaired(&disk).unwrap().is_sound());
        assert_eq!(disk.content(), before);
        assert_eq!(disk.0.lock().unwrap().calls, 0, "nothing is asked of it but to be read");
    }
}

#[tokio::test]
async fn each_kind_of_damage_is_set_aside_and_named() {
    let fourth_line = |bytes: &[u8]| bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(2).unwrap().0 + 1;
    type Damage = (&'static str, u32, fn(&mut Vec<u8>, usize), Vec<usize>, Vec<&'static str>);
    let cases: Vec<Damage> = vec![
        (
            "a changed record",
            3,
            |bytes, fourth| bytes[fourth + 60] ^= 1,
            vec![21, 22],
            vec!["audit-000003-line-4.jsonl"],
        ),
        ("a changed first record", 3, |bytes, _| bytes[60] ^= 1, vec![20, 21, 22], vec!["audit-000003.jsonl"]),
        ("the very first record", 1, |bytes, _| bytes[60] ^= 1, vec![0, 1, 2], vec!["audit-000001.jsonl"]),
        ("a cut tail", 3, |bytes, fourth| bytes.truncate(fourth), vec![21, 22], vec![]),
        (
            "a changed record of the newest",
            6,
            |bytes, fourth| bytes[fourth] ^= 1,
            vec![51, 52],
            vec!["audit-000006-line-4.jsonl"],
        ),
        ("a changed begin of the newest", 6, |bytes, _| bytes[3] ^= 1, vec![50, 51, 52], vec!["audit-000006.jsonl"]),
        (
            "zeros in the middle",
            2,
            |bytes, fourth| bytes[fourth..].fill(0),
            vec![11, 12],
            vec!["audit-000002-line-4.jsonl"],
        ),
    ];
    for (case, number, damage, gone, aside) in cases {
        let disk = six_segments().await;
        disk.change(&segment(number), |bytes| {
            let fourth = fourth_line(bytes);
            damage(bytes, fourth);
        });
        assert!(is_damaged(&disk), "{case}");
        let (mended, kept) = mends(&disk, case).await;
        assert_eq!(kept, all_but(&gone), "{case}");
        assert_eq!(mended.gaps.len(), 1, "{case}: {:?}", mended.gaps);
        assert_eq!(mended.gaps[0].set_aside, aside, "{case}");
        for name in aside {
            assert!(disk.paths().contains(&Path::new("data/ledger/damaged").join(name)), "{case}: {name}");
        }
    }
}

#[tokio::test]
async fn missing_segments_leave_gaps_at_either_side() {
    let disk = six_segments().await;
    for number in [1, 3, 4] {
        disk.0.lock().unwrap().files.remove(&segment(number));
    }
    let (mended, kept) = mends(&disk, "three are missing").await;
    assert_eq!(kept, all_but(&[0, 1, 2, 20, 21, 22, 30, 31, 32]));
    let places: Vec<_> = mended.gaps.iter().map(|gap| (gap.after_seq, gap.next_seq)).collect();
    assert_eq!(places, [(0, 6), (10, 21)]);
}

#[tokio::test]
async fn a_segment_that_cannot_be_read_is_set_aside_and_its_numbers_stay_free() {
    for number in [2, 6] {
        let disk = six_segments().await;
        disk.0.lock().unwrap().unreadable.insert(segment(number));
        let first = (number as usize - 1) * 10;
        let mended = repaired(&disk).unwrap();
        assert_eq!(mended.gaps[0].set_aside, [format!("audit-{number:06}.jsonl")]);
        let (ledger, _) = open(&disk).unwrap();
        assert_eq!(numbers(&ledger).await, all_but(&[first, first + 1, first + 2]));
        assert!(append(&ledger, 900..901).await.unwrap()[0].seq > 30);
    }
}

#[tokio::test]
async fn a_segment_written_anew_contradicts_what_follows_and_is_set_aside() {
    let disk = six_segments().await;
    let other = MemoryDisk::default();
    for start in 0..3 {
        let (ledger, _) = open(&other).unwrap();
        append(&ledger, 100 + start * 10..103 + start * 10).await.unwrap();
    }
    for foreign in [2, 3] {
        let disk = disk.after(false, 0);
        let content = other.content()[&segment(foreign)].clone();
        disk.change(&segment(foreign), |bytes| *bytes = content);
        assert!(is_damaged(&disk));
        let (mended, kept) = mends(&disk, "a foreign segment").await;
        assert!(kept.iter().all(|number| *number < 100), "{kept:?}");
        assert!(mended.gaps[0].set_aside.contains(&format!("audit-{foreign:06}.jsonl")), "{mended:?}");
    }
}

#[tokio::test]
async fn a_gap_is_named_for_ever_after_and_belongs_to_no_view() {
    let disk = six_segments().await;
    disk.change(&segment(3), |bytes| bytes[60] ^= 1);
    mends(&disk, "a changed record").await;
    let text = disk.content()[&segment(7)].clone();
    assert!(String::from_utf8(text).unwrap().contains(GAP_RECORDED));
    let left = disk.after(false, 0);
    let (ledger, _) = open(&left).unwrap();
    assert_eq!(ledger.epoch(), "second");
    let records = ledger.read(Stream::Audit, 0, usize::MAX).await.unwrap();
    assert!(records.iter().all(|record| record.kind == "tried"));
    // Without the record the gap is damage again.
    left.change(&segment(7), |bytes| bytes.clear());
    assert!(is_damaged(&left));
}

#[tokio::test]
async fn every_crash_point_of_a_repair_is_ended_by_the_next() {
    let damaged = six_segments().await;
    damaged.change(&segment(2), |bytes| bytes[700] ^= 1);
    damaged.change(&segment(4), |bytes| bytes[60] ^= 1);
    damaged.change(&segment(6), |bytes| bytes[700] ^= 1);
    let whole = damaged.after(false, 0);
    let (mended, expected) = mends(&whole, "at one go").await;
    assert_eq!(mended.gaps.len(), 3);
    let dry = damaged.after(false, 0);
    repaired(&dry).unwrap();
    let calls = dry.0.lock().unwrap().calls;
    assert!(calls > 15, "{calls} calls are too few to mean anything");
    for stop in 1..=calls {
        for (power_cut, luck) in [(false, 0), (true, 0), (true, 50), (true, 500)] {
            let case = format!("stopped at call {stop}, power cut {power_cut}, luck {luck}");
            let disk = damaged.after(false, 0);
            disk.0.lock().unwrap().stops_at = Some(stop);
            assert!(repaired(&disk).is_err(), "{case}");
            let left = disk.after(power_cut, luck);
            let (_, kept) = mends(&left, &case).await;
            assert_eq!(kept, expected, "{case}");
            let aside = left.paths().iter().filter(|path| path.starts_with("data/ledger/damaged")).count();
            assert_eq!(aside, 3, "{case}: {:?}", left.paths());
        }
    }
}

/// One whose beginning was replaced by a snapshot.
async fn compacted() -> MemoryDisk {
    let disk = six_segments().await;
    let (ledger, _) = open(&disk).unwrap();
    ledger.compact(Stream::Audit, "2026-11-24T09:00:00Z".parse().unwrap(), nothing()).await.unwrap();
    append(&ledger, 60..63).await.unwrap();
    disk.after(false, 0)
}

/// One whose oldest segments were dropped, and that servers then took over
/// from such as did not let go: the segments of these begin without a snapshot.
async fn dropped(up_to: u64) -> MemoryDisk {
    let disk = six_segments().await;
    let (ledger, _) = open(&disk).unwrap();
    ledger.drop_up_to(Stream::Audit, up_to, "2026-11-24T09:00:00Z".parse().unwrap(), nothing()).await.unwrap();
    for number in 70..72 {
        let (mut files, _) = stream_files(&disk);
        files.take_over(draft(number).at).unwrap();
        let written = files.write(vec![draft(number)], nothing().as_ref()).unwrap().unwrap();
        files.commit(written);
    }
    disk.after(false, 0)
}

fn stream_files(disk: &MemoryDisk) -> (StreamFiles, Vec<OpeningNote>) {
    StreamFiles::open(Arc::new(disk.clone()), "data/ledger/audit".into(), Stream::Audit, SEGMENT_BYTES).unwrap()
}

fn of_audit(disk: &MemoryDisk) -> Vec<PathBuf> {
    disk.paths().into_iter().filter(|path| path.starts_with("data/ledger/audit")).collect()
}

#[tokio::test]
async fn a_lost_snapshot_is_named_and_the_state_begins_empty() {
    for (case, place) in [("its snapshot", 1), ("its opening", 0)] {
        let disk = compacted().await;
        let [only] = &of_audit(&disk)[..] else { panic!("{:?}", disk.paths()) };
        disk.change(only, |bytes| {
            let begin = segment::lines(bytes).nth(place).unwrap().offset;
            bytes[begin + 60] ^= 1;
        });
        assert!(open(&disk).is_err(), "{case}");
        repaired(&disk).unwrap();
        let (ledger, notes) = open(&disk.after(true, 0)).unwrap_or_else(|error| panic!("{case}: {error}"));
        assert!(notes.iter().any(|note| note.contains("what came before it is lost")), "{case}: {notes:?}");
        assert_eq!(ledger.snapshot(Stream::Audit), None);
        assert_eq!(numbers(&ledger).await, [0; 0], "{case}");
        mends(&disk, case).await;
        let (_, notes) = open(&disk).unwrap();
        assert_eq!(notes, [""; 0], "the next snapshot stands in for it");
    }
}

#[tokio::test]
async fn where_what_was_dropped_left_no_snapshot_that_is_damage() {
    let disk = six_segments().await;
    let (mut files, _) = stream_files(&disk);
    let end = files.reader().head();
    let at = draft(70).at;
    files.take_over(at).unwrap();
    let fact = OwnFact::SegmentsDropped(Dropped {
        segments: (1..=6).collect(),
        from_seq: 1,
        to_seq: end.seq,
        last_hash: end.hash.to_string(),
        latest: at,
        at,
    });
    let written = files.write(vec![draft(70), Draft::of(at, &fact)], nothing().as_ref()).unwrap().unwrap();
    files.commit(written);
    files.remove_before(8).unwrap();
    let disk = disk.after(false, 0);
    assert_eq!((is_damaged(&disk), open(&disk).is_err()), (false, true), "its chain is whole, and it does not start");
    let (mended, kept) = mends(&disk, "no snapshot").await;
    assert_eq!((mended.gaps.len(), mended.gaps[0].after_seq, mended.set_aside.len()), (1, 0, 0), "{mended:?}");
    assert_eq!(kept, [70]);
}

#[tokio::test]
async fn whatever_was_changed_a_repair_leaves_a_ledger_that_starts() {
    let mut seed: u64 = 20_261_129;
    let mut random = move |below: usize| {
        // Numerical Recipes' generator; any will do.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let ledgers = [six_segments().await, compacted().await, dropped(25).await, dropped(30).await];
    for round in 0..400 {
        let disk = ledgers[round % ledgers.len()].after(false, 0);
        let paths = of_audit(&disk);
        for _ in 0..1 + random(3) {
            let path = paths[random(paths.len())].clone();
            if !disk.paths().contains(&path) {
                continue;
            }
            let (kind, at, length) = (random(5), random(900), 1 + random(300));
            match kind {
                0 => drop(disk.0.lock().unwrap().files.remove(&path)),
                1 => disk.change(&path, |bytes| bytes.truncate(at)),
                2 => disk.change(&path, |bytes| bytes.iter_mut().skip(at).take(length).for_each(|byte| *byte = 0)),
                3 => disk
                    .change(&path, |bytes| drop(bytes.splice(at.min(bytes.len())..(at + length).min(bytes.len()), []))),
                _ => disk.change(&path, |bytes| bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 4)),
            }
        }
        mends(&disk, &format!("round {round}")).await;
    }
}
