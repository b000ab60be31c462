//! The ledger on a disk that fails, forgets, and is tampered with.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use app::ports::{Ledger, LedgerError, Snapshot};
use domain::record::{Draft, Head, Record, Stream};
use serde_json::json;

use crate::{
    FileLedger, WriterMark,
    disk::{Appending, Disk},
    stream::SEGMENT_BYTES,
};

mod copy;
mod dropping;
mod repair;

/// A disk in memory, that can stop at any call and forgets what was not synced.
#[derive(Clone, Default)]
struct MemoryDisk(Arc<Mutex<Memory>>);

#[derive(Default)]
struct Memory {
    files: BTreeMap<PathBuf, Content>,
    calls: usize,
    syncs: usize,
    fails: BTreeSet<usize>,
    stops_at: Option<usize>,
    unreadable: BTreeSet<PathBuf>,
}

#[derive(Clone, Default)]
struct Content {
    bytes: Vec<u8>,
    synced: usize,
    named: bool,
}

impl MemoryDisk {
    fn call(&self) -> io::Result<std::sync::MutexGuard<'_, Memory>> {
        let mut memory = self.0.lock().unwrap();
        memory.calls += 1;
        let stopped = memory.stops_at.is_some_and(|at| memory.calls >= at);
        if stopped || memory.fails.contains(&memory.calls) {
            return Err(io::Error::from_raw_os_error(5));
        }
        Ok(memory)
    }

    /// What is left after the process was killed, or the power cut: then only
    /// what was synced, and some of the rest.
    fn after(&self, power_cut: bool, luck: usize) -> MemoryDisk {
        let memory = self.0.lock().unwrap();
        let files = memory.files.iter().filter(|(_, content)| content.named || !power_cut).map(|(path, content)| {
            let unsynced = content.bytes.len().saturating_sub(content.synced);
            let kept =
                if power_cut { content.bytes.len() - unsynced + luck % (unsynced + 1) } else { content.bytes.len() };
            (path.clone(), Content { bytes: content.bytes[..kept].to_vec(), synced: kept, named: true })
        });
        MemoryDisk(Arc::new(Mutex::new(Memory { files: files.collect(), ..Memory::default() })))
    }

    fn paths(&self) -> Vec<PathBuf> {
        self.0.lock().unwrap().files.keys().cloned().collect()
    }

    fn change(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        change(&mut self.0.lock().unwrap().files.get_mut(path).unwrap().bytes);
    }

    fn content(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        self.0.lock().unwrap().files.iter().map(|(path, content)| (path.clone(), content.bytes.clone())).collect()
    }
}

impl Disk for MemoryDisk {
    fn make_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let memory = self.0.lock().unwrap();
        let inside = memory.files.keys().filter_map(|path| path.strip_prefix(folder).ok()?.components().next());
        let names: BTreeSet<_> = inside.map(|name| name.as_os_str().to_string_lossy().into_owned()).collect();
        Ok(names.into_iter().collect())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let memory = self.0.lock().unwrap();
        if memory.unreadable.contains(path) {
            return Err(io::Error::from_raw_os_error(5));
        }
        memory.files.get(path).map(|content| content.bytes.clone()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn length(&self, path: &Path) -> io::Result<u64> {
        Ok(self.read(path)?.len() as u64)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut memory = self.call()?;
        assert!(!memory.files.contains_key(to), "{to:?} was there already");
        let content = memory.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        memory.files.insert(to.to_owned(), content);
        Ok(())
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn Appending>> {
        let mut memory = self.call()?;
        assert!(memory.files.insert(path.to_owned(), Content::default()).is_none(), "{path:?} was there already");
        Ok(Box::new(MemoryFile { disk: self.clone(), path: path.to_owned() }))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call()?.files.remove(path);
        Ok(())
    }

    fn rewrite(&self, path: &Path, _: u64, _: &[u8]) -> io::Result<()> {
        let mut memory = self.call()?;
        let content = memory.files.get_mut(path).unwrap();
        content.synced = content.bytes.len();
        Ok(())
    }

    fn read_at(&self, path: &Path, offset: u64, bytes: usize) -> io::Result<Vec<u8>> {
        let content = self.read(path)?;
        let from = content.len().min(offset as usize);
        Ok(content[from..content.len().min(from + bytes)].to_vec())
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        let mut memory = self.call()?;
        memory.files.values_mut().for_each(|content| content.named = true);
        Ok(())
    }

    fn cut(&self, path: &Path, bytes: u64) -> io::Result<()> {
        let mut memory = self.call()?;
        let content = memory.files.get_mut(path).unwrap();
        content.bytes.truncate(bytes as usize);
        content.synced = content.bytes.len();
        Ok(())
    }
}

struct MemoryFile {
    disk: MemoryDisk,
    path: PathBuf,
}

impl Appending for MemoryFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let half = bytes.len() / 2;
        let result = self.disk.call().map(drop);
        let written = if result.is_ok() { bytes } else { &bytes[..half] };
        self.disk.change(&self.path, |content| content.extend_from_slice(written));
        result
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut memory = self.disk.call()?;
        memory.syncs += 1;
        let content = memory.files.get_mut(&self.path).unwrap();
        content.synced = content.bytes.len();
        Ok(())
    }
}

fn open(disk: &MemoryDisk) -> Result<(FileLedger, Vec<String>), LedgerError> {
    open_with(disk, SEGMENT_BYTES)
}

fn open_with(disk: &MemoryDisk, segment_bytes: usize) -> Result<(FileLedger, Vec<String>), LedgerError> {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let (ledger, notes) = FileLedger::open_on(disk, Path::new("data"), "first".into(), segment_bytes)?;
    Ok((ledger, notes.iter().map(ToString::to_string).collect()))
}

/// A state of which nothing is written down.
struct Nothing;

impl Snapshot for Nothing {
    fn each_item(&self, _: &mut dyn FnMut(Box<serde_json::value::RawValue>)) {}
}

fn nothing() -> Arc<dyn Snapshot> {
    Arc::new(Nothing)
}

fn draft(number: usize) -> Draft {
    draft_at(number, "2026-11-24T09:00:00Z")
}

fn draft_at(number: usize, at: &str) -> Draft {
    Draft { at: at.parse().unwrap(), kind: "tried".into(), body: json!({ "number": number, "text": "äöü\n\"" }) }
}

async fn append(ledger: &FileLedger, numbers: std::ops::Range<usize>) -> Result<Vec<Record>, LedgerError> {
    ledger.append(Stream::Audit, numbers.map(draft).collect(), nothing()).await
}

async fn numbers(ledger: &FileLedger) -> Vec<usize> {
    let records = ledger.read(Stream::Audit, 0, usize::MAX).await.unwrap();
    records.iter().map(|record| record.body["number"].as_u64().unwrap() as usize).collect()
}

fn segment(number: u32) -> PathBuf {
    PathBuf::from(format!("data/ledger/audit/{number:06}.jsonl"))
}

/// A fixed run: five batches, over two starts. Returns what was acknowledged.
async fn fixed_run(disk: &MemoryDisk) -> Vec<usize> {
    let mut acknowledged = Vec::new();
    for start in 0..2 {
        // A start that fails is tried again, as a person would.
        let Some((ledger, _)) = (0..3).find_map(|_| open_with(disk, 600).ok()) else { continue };
        for batch in 0..5 {
            let first = start * 100 + batch * 10;
            if append(&ledger, first..first + 3).await.is_ok() {
                acknowledged.extend(first..first + 3);
            }
        }
    }
    acknowledged
}

fn assert_kept(acknowledged: &[usize], kept: &[usize], case: &str) {
    let missing: Vec<_> = acknowledged.iter().filter(|number| !kept.contains(number)).collect();
    assert!(missing.is_empty(), "{case}: acknowledged and lost: {missing:?}");
    let once: BTreeSet<_> = kept.iter().collect();
    assert_eq!(once.len(), kept.len(), "{case}: something is there twice: {kept:?}");
}

#[tokio::test]
async fn every_crash_point_keeps_what_was_acknowledged() {
    let whole = MemoryDisk::default();
    fixed_run(&whole).await;
    let calls = whole.0.lock().unwrap().calls;
    assert!(calls > 25, "{calls} calls are too few to mean anything");
    for stop in 1..=calls + 1 {
        for (power_cut, luck) in [(false, 0), (true, 0), (true, 40), (true, 77), (true, 1_000)] {
            let disk = MemoryDisk::default();
            disk.0.lock().unwrap().stops_at = Some(stop);
            let acknowledged = fixed_run(&disk).await;
            let left = disk.after(power_cut, luck);
            let case = format!("stopped at call {stop}, power cut {power_cut}, luck {luck}");
            let (ledger, _) = open(&left).unwrap_or_else(|error| panic!("{case}: {error}"));
            assert_kept(&acknowledged, &numbers(&ledger).await, &case);
            append(&ledger, 900..901).await.unwrap();
            let (again, notes) = open(&left.after(true, 0)).unwrap();
            assert_kept(&[&acknowledged[..], &[900]].concat(), &numbers(&again).await, &case);
            assert!(notes.iter().all(|note| !note.contains("torn")), "{case}: {notes:?}");
        }
    }
}

#[tokio::test]
async fn every_failing_call_refuses_its_batch_and_heals() {
    for fails in 1..=30 {
        for second in [0, 1, 2] {
            let disk = MemoryDisk::default();
            disk.0.lock().unwrap().fails = BTreeSet::from([fails, fails + second]);
            let acknowledged = fixed_run(&disk).await;
            assert!(acknowledged.len() >= 18, "call {fails}: it does not heal: {acknowledged:?}");
            for (power_cut, luck) in [(false, 0), (true, 0), (true, 99)] {
                let case = format!("call {fails} and {second} later failed, power cut {power_cut}");
                let (ledger, _) = open(&disk.after(power_cut, luck)).unwrap_or_else(|error| panic!("{case}: {error}"));
                assert_kept(&acknowledged, &numbers(&ledger).await, &case);
            }
        }
    }
}

#[tokio::test]
async fn all_that_wait_share_one_sync() {
    let disk = MemoryDisk::default();
    let (ledger, _) = open(&disk).unwrap();
    append(&ledger, 0..1).await.unwrap();
    let before = disk.0.lock().unwrap().syncs;
    append(&ledger, 1..1_001).await.unwrap();
    assert_eq!(disk.0.lock().unwrap().syncs, before + 1);
}

#[tokio::test]
async fn a_tail_torn_at_any_byte_is_cut_off_and_said() {
    let disk = MemoryDisk::default();
    let (ledger, _) = open(&disk).unwrap();
    append(&ledger, 0..3).await.unwrap();
    let whole = disk.content()[&segment(1)].clone();
    let last_line = whole[..whole.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    for cut in last_line + 1..whole.len() {
        for tail in [&b""[..], &[0; 64][..]] {
            let torn = disk.after(false, 0);
            torn.change(&segment(1), |bytes| {
                bytes.truncate(cut);
                bytes.extend_from_slice(tail);
            });
            let (ledger, notes) = open(&torn).unwrap();
            assert_eq!(numbers(&ledger).await, [0, 1], "cut at {cut}");
            assert!(notes[0].contains("000001.jsonl line 5") && notes[0].contains("torn"), "{notes:?}");
            assert_eq!(torn.content()[&segment(1)].len(), last_line);
        }
    }
}

#[tokio::test]
async fn damage_is_refused_with_file_and_line_and_changes_nothing() {
    let disk = MemoryDisk::default();
    let (ledger, _) = open(&disk).unwrap();
    append(&ledger, 0..5).await.unwrap();
    let whole = disk.content()[&segment(1)].clone();
    for at in (0..whole.len() - 1).step_by(7) {
        for bit in [0, 5] {
            let damaged = disk.after(false, 0);
            damaged.change(&segment(1), |bytes| bytes[at] ^= 1 << bit);
            let before = damaged.content();
            let line = whole[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
            let Err(LedgerError::Corrupt(problem)) = open(&damaged).map(drop) else { panic!("byte {at}: not found") };
            let near = [line, line + 1].map(|line| format!("000001.jsonl line {line}:"));
            assert!(near.iter().any(|place| problem.contains(place)), "byte {at}, line {line}: {problem}");
            assert_eq!(damaged.content(), before, "nothing is changed");
        }
    }
}

#[tokio::test]
async fn lines_removed_swapped_or_put_in_are_found() {
    let disk = MemoryDisk::default();
    let (ledger, _) = open(&disk).unwrap();
    append(&ledger, 0..5).await.unwrap();
    let text = String::from_utf8(disk.content()[&segment(1)].clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let removed = [&lines[..2], &lines[3..]].concat();
    let swapped = [lines[0], lines[2], lines[1], lines[3], lines[4], lines[5]].to_vec();
    let doubled = [&lines[..3], &lines[2..]].concat();
    for tampered in [removed, swapped, doubled] {
        let other = disk.after(false, 0);
        other.change(&segment(1), |bytes| *bytes = (tampered.join("\n") + "\n").into_bytes());
        assert!(matches!(open(&other).map(drop), Err(LedgerError::Corrupt(_))));
    }
}

#[tokio::test]
async fn a_missing_segment_is_found() {
    let disk = MemoryDisk::default();
    for number in 0..3 {
        let (ledger, _) = open(&disk).unwrap();
        append(&ledger, number..number + 1).await.unwrap();
    }
    let left = disk.after(false, 0);
    left.0.lock().unwrap().files.remove(&segment(2));
    let (ledger, _) = open(&left).expect("a start does not need it");
    assert!(matches!(ledger.prove_older(Stream::Audit).await, Err(LedgerError::Corrupt(_))));
    let beheaded = disk.after(false, 0);
    beheaded.0.lock().unwrap().files.remove(&segment(1));
    let (ledger, _) = open(&beheaded).expect("the snapshot stands in for what was dropped");
    assert_eq!(numbers(&ledger).await, [1, 2]);
}

#[tokio::test]
async fn what_is_compacted_is_gone_and_the_rest_goes_on() {
    let disk = MemoryDisk::default();
    let (ledger, _) = open(&disk).unwrap();
    append(&ledger, 0..3).await.unwrap();
    ledger.compact(Stream::Audit, "2026-11-24T10:00:00Z".parse().unwrap(), nothing()).await.unwrap();
    assert_eq!(disk.paths(), [segment(2)]);
    assert_eq!(numbers(&ledger).await, [0; 0]);
    append(&ledger, 3..5).await.unwrap();
    let left = disk.after(true, 0);
    let (again, notes) = open(&left).unwrap();
    assert_eq!((numbers(&again).await, notes), (vec![3, 4], Vec::new()));
    assert_eq!(again.snapshot(Stream::Audit).map(|place| place.parts), Some(1));
    assert_eq!(again.snapshot_part(Stream::Audit, 1).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_newer_format_is_refused_and_untouched() {
    let disk = MemoryDisk::default();
    let (ledger, _) = open(&disk).unwrap();
    append(&ledger, 0..1).await.unwrap();
    let body = json!({ "format": 3, "stream": "audit", "segment": 1, "epoch": "e" });
    let newer = Draft { at: "2026-11-24T09:00:00Z".parse().unwrap(), kind: "segment_opened".into(), body };
    let (_, line) = newer.seal(Head::genesis(Stream::Audit));
    disk.change(&segment(1), |bytes| *bytes = (line + "\n").into_bytes());
    let before = disk.content();
    let Err(LedgerError::Corrupt(problem)) = open(&disk).map(drop) else { panic!("it was opened") };
    assert!(problem.contains("newer version"), "{problem}");
    assert_eq!(disk.content(), before);
}

#[tokio::test]
async fn segments_turn_with_the_week_and_the_size_and_each_start() {
    let disk = MemoryDisk::default();
    let (ledger, _) = open_with(&disk, 2_000).unwrap();
    for (number, at) in ["2026-11-22T23:59:59Z", "2026-11-23T00:00:00Z", "2026-11-23T00:00:01Z"].iter().enumerate() {
        ledger.append(Stream::Audit, vec![draft_at(number, at)], nothing()).await.unwrap();
    }
    assert_eq!(disk.paths().len(), 2, "a week turned");
    append(&ledger, 3..13).await.unwrap();
    append(&ledger, 13..14).await.unwrap();
    assert_eq!(disk.paths().len(), 3, "a segment was full");
    let (ledger, notes) = open_with(&disk, 2_000).unwrap();
    assert!(notes.is_empty(), "{notes:?}");
    assert_eq!(ledger.epoch(), "first");
    append(&ledger, 14..15).await.unwrap();
    assert_eq!(disk.paths().len(), 4, "each start begins its own");
    assert_eq!(numbers(&ledger).await, (0..15).collect::<Vec<_>>());
}

#[tokio::test]
async fn reading_goes_on_from_any_place() {
    let disk = MemoryDisk::default();
    let (ledger, _) = open_with(&disk, 100_000).unwrap();
    for batch in 0..100 {
        append(&ledger, batch * 100..batch * 100 + 100).await.unwrap();
    }
    let all = ledger.read(Stream::Audit, 0, usize::MAX).await.unwrap();
    assert_eq!(all.len(), 10_000);
    for at in [0, 1, 255, 256, 257, 3_000, 5_903, 5_904, 9_000, 9_999] {
        let after = all[at].seq;
        let read = ledger.read(Stream::Audit, after, 300).await.unwrap();
        let expected = &all[at + 1..(at + 301).min(all.len())];
        assert_eq!(read, expected, "behind record {after}");
    }
    let (again, _) = open_with(&disk, 100_000).unwrap();
    assert_eq!(again.read(Stream::Audit, 0, usize::MAX).await.unwrap(), all);
    assert!(again.read(Stream::Relay, 0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn one_process_holds_a_folder_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let mark = WriterMark::take(folder.path()).unwrap();
    let Err(LedgerError::Conflict(problem)) = WriterMark::take(folder.path()) else { panic!("two hold it") };
    assert!(problem.contains(&std::process::id().to_string()), "{problem}");
    assert!(crate::holder(folder.path()).is_some());
    drop(mark);
    assert_eq!(crate::holder(folder.path()), None);
    let own = serde_json::to_value(held_by_this_process(folder.path())).unwrap();
    let mut dead = own.clone();
    dead["started"] = json!(1);
    std::fs::write(folder.path().join("writer.json"), dead.to_string()).unwrap();
    let taken = WriterMark::take(folder.path()).expect("the dead hold nothing");
    std::fs::write(folder.path().join("writer.json"), "another's").unwrap();
    drop(taken);
    assert!(folder.path().join("writer.json").exists(), "a mark of another is not removed");
}

fn held_by_this_process(folder: &Path) -> crate::Holder {
    let _mark = WriterMark::take(folder).unwrap();
    crate::holder(folder).unwrap()
}

#[test]
fn a_mark_of_another_boot_or_container_is_dead_when_it_stands_still() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("writer.json");
    let mut elsewhere = serde_json::to_value(held_by_this_process(folder.path())).unwrap();
    elsewhere["namespace"] = json!("another container's");
    let watched_for = Duration::from_millis(600);
    for mark in [elsewhere.to_string(), String::new(), "torn {".into()] {
        std::fs::write(&path, &mark).unwrap();
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let growing = path.clone();
        let writer = std::thread::spawn(move || {
            while stopped.recv_timeout(Duration::from_millis(50)).is_err() {
                let content = std::fs::read(&growing).unwrap();
                std::fs::write(&growing, [content.as_slice(), b"."].concat()).unwrap();
            }
        });
        let refused = WriterMark::take_from(folder.path(), watched_for);
        stop.send(()).unwrap();
        writer.join().unwrap();
        assert!(matches!(refused, Err(LedgerError::Conflict(_))), "{mark:?} grows, so somebody lives");
        assert!(WriterMark::take_from(folder.path(), watched_for).is_ok(), "{mark:?} stands still");
    }
}

#[test]
fn of_many_that_start_at_once_one_holds_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut dead = serde_json::to_value(held_by_this_process(folder.path())).unwrap();
    dead["started"] = json!(1);
    for round in 0..10 {
        std::fs::write(folder.path().join("writer.json"), dead.to_string()).unwrap();
        let starts: Vec<_> = (0..8)
            .map(|_| {
                let folder = folder.path().to_owned();
                std::thread::spawn(move || WriterMark::take(&folder))
            })
            .collect();
        let taken: Vec<_> = starts.into_iter().filter_map(|start| start.join().unwrap().ok()).collect();
        assert!(taken.len() <= 1, "round {round}: {} hold it", taken.len());
    }
}

#[test]
fn a_file_in_the_folders_place_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    std::fs::write(&path, "").unwrap();
    let Err(LedgerError::Unavailable(problem)) = WriterMark::take(&path) else { panic!("taken") };
    assert!(problem.contains("DATA_DIR"), "{problem}");
}

#[tokio::test]
async fn what_is_on_a_real_disk_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let mark = WriterMark::take(folder.path()).unwrap();
    for number in 0..3 {
        let (ledger, notes) = FileLedger::open(&mark, "e".into()).unwrap();
        assert!(notes.is_empty(), "{notes:?}");
        append(&ledger, number..number + 1).await.unwrap();
        ledger.probe().await.unwrap();
        assert!(!folder.path().join("ledger/probe").exists());
        assert_eq!(numbers(&ledger).await, (0..=number).collect::<Vec<_>>());
    }
}
