//! Backups and the way back, stopped at each call.

use std::{path::Path, sync::Arc};

use app::ports::{Ledger, LedgerError};

use super::memory_disk::{MemoryDisk, append, numbers, open, segment};
use crate::copy::{Beginning, Copied, Copying, back_up_on, bring_back, prepare};
use crate::{FileLedger, disk::Disk, stream::SEGMENT_BYTES};

const FILES: [&str; 2] = ["secret_key", "not_there"];

fn shared(disk: &MemoryDisk) -> Arc<dyn Disk> {
    Arc::new(disk.clone())
}

/// A data directory with three segments and a key.
async fn used() -> MemoryDisk {
    let disk = MemoryDisk::default();
    for start in 0..3 {
        let (ledger, _) = open(&disk).unwrap();
        append(&ledger, start * 10..start * 10 + 3).await.unwrap();
    }
    disk.create_new(Path::new("data/secret_key")).unwrap().append(b"a key").unwrap();
    disk.after(false, 0)
}

fn backed_up(disk: &MemoryDisk) -> Result<Copied, LedgerError> {
    let copying = &mut Copying { files: &FILES, progress: &mut |_| {} };
    back_up_on(&shared(disk), Path::new("data"), Path::new("backup"), copying)
}

fn restored(disk: &MemoryDisk) -> Result<Copied, LedgerError> {
    let copying = &mut Copying { files: &FILES, progress: &mut |_| {} };
    let (backup, data) = (Path::new("backup"), Path::new("restored"));
    let beginning = Beginning { epoch: "after", at: "2026-11-24T10:00:00Z".parse().unwrap() };
    prepare(&shared(disk), backup, data, copying)?;
    bring_back(&shared(disk), backup, data, beginning, copying)
}

fn open_restored(disk: &MemoryDisk) -> Result<FileLedger, LedgerError> {
    let opened = FileLedger::open_on(shared(disk), Path::new("restored"), "fresh".into(), SEGMENT_BYTES);
    opened.map(|(ledger, _)| ledger)
}

fn with_backup(disk: &MemoryDisk) -> MemoryDisk {
    backed_up(disk).unwrap();
    disk.after(true, 0)
}

#[tokio::test]
async fn what_is_backed_up_comes_back_under_another_epoch() {
    let disk = with_backup(&used().await);
    let copied = restored(&disk).unwrap();
    assert_eq!(copied.segments, 3);
    let disk = disk.after(true, 0);
    assert_eq!(disk.content()[Path::new("restored/secret_key")], b"a key");
    let ledger = open_restored(&disk).unwrap();
    assert_eq!(numbers(&ledger).await, [0, 1, 2, 10, 11, 12, 20, 21, 22]);
    assert_eq!(ledger.epoch(), "after");
    append(&ledger, 30..31).await.unwrap();
}

#[test]
fn what_repairs_set_aside_is_backed_up_and_comes_back() {
    let disk = MemoryDisk::default();
    let aside = "ledger/damaged/audit-000003-line-57.jsonl";
    let mut file = disk.create_new(&Path::new("data").join(aside)).unwrap();
    file.append(b"a changed line\nand half of").and_then(|()| file.sync()).unwrap();
    let disk = with_backup(&disk);
    restored(&disk).unwrap();
    let disk = disk.after(true, 0);
    assert_eq!(disk.content()[&Path::new("restored").join(aside)], b"a changed line\nand half of");
}

#[tokio::test]
async fn a_restore_stopped_at_any_call_leaves_nothing_that_starts_half() {
    let backup = with_backup(&used().await);
    let whole = backup.after(false, 0);
    restored(&whole).unwrap();
    let calls = whole.0.lock().unwrap().calls;
    assert!(calls > 20, "{calls} calls are too few to mean anything");
    for stop in 1..=calls {
        for (power_cut, luck) in [(false, 0), (true, 0), (true, 33)] {
            let case = format!("stopped at call {stop}, power cut {power_cut}, luck {luck}");
            let disk = backup.after(false, 0);
            disk.0.lock().unwrap().stops_at = Some(stop);
            assert!(restored(&disk).is_err(), "{case}");
            let left = disk.after(power_cut, luck);
            match open_restored(&left) {
                Err(LedgerError::Unavailable(problem)) => {
                    assert!(
                        problem.contains("did not end") && problem.contains("empty the folder"),
                        "{case}: {problem}"
                    );
                    assert!(restored(&left).is_err(), "{case}: it is not filled up either");
                }
                Err(other) => panic!("{case}: {other}"),
                Ok(ledger) => {
                    let nothing =
                        !left.paths().iter().any(|path| path.ends_with("secret_key") && path.starts_with("restored"));
                    let kept = numbers(&ledger).await;
                    assert!((nothing && kept.is_empty()) || kept.len() == 9, "{case}: {kept:?}");
                    assert!(kept.is_empty() || ledger.epoch() == "after", "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_backup_stopped_at_any_call_is_not_taken_for_a_whole_one() {
    let used = used().await;
    let whole = used.after(false, 0);
    backed_up(&whole).unwrap();
    let calls = whole.0.lock().unwrap().calls;
    for stop in 1..=calls {
        for (power_cut, luck) in [(false, 0), (true, 0), (true, 33)] {
            let case = format!("stopped at call {stop}, power cut {power_cut}, luck {luck}");
            let disk = used.after(false, 0);
            disk.0.lock().unwrap().stops_at = Some(stop);
            assert!(backed_up(&disk).is_err(), "{case}");
            let left = disk.after(power_cut, luck);
            if restored(&left).is_ok() {
                let ledger = open_restored(&left).unwrap();
                let kept = numbers(&ledger).await;
                assert!(
                    kept.len() == 9 || left.paths().iter().all(|path| !path.starts_with("backup")),
                    "{case}: {kept:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn of_a_segment_that_is_written_only_whole_lines_are_copied() {
    let disk = used().await;
    disk.change(&segment(3), |bytes| bytes.extend_from_slice(br#"{"seq":13,"at":"#));
    backed_up(&disk).unwrap();
    assert!(disk.content()[Path::new("backup/ledger/audit/000003.jsonl")].ends_with(b"\n"));
}

#[tokio::test]
async fn nothing_is_copied_over_something() {
    let disk = with_backup(&used().await);
    for result in [backed_up(&disk), restored(&disk).and_then(|_| restored(&disk))] {
        let Err(LedgerError::Unavailable(problem)) = result else { panic!("{result:?}") };
        assert!(problem.contains("not empty"), "{problem}");
    }
}
