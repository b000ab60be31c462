//! The ledger on a disk that fails, forgets, and is tampered with.

use std::{path::Path, sync::Arc, time::Duration};

use app::ports::{Ledger, LedgerError, Snapshot};
use domain::record::{Record, Stream};
use serde_json::{json, value::RawValue};

use crate::{FileLedger, WriterMark};

mod copy;
mod damage;
mod dropping;
mod durable;
mod memory_disk;
mod reading;
mod repair;
mod simulated_disk;
mod start;
mod tally;

/// A state of which nothing is written down.
struct Nothing;

impl Snapshot for Nothing {
    fn each_item(&self, _: &mut dyn FnMut(Box<RawValue>)) {}
}

async fn append(ledger: &FileLedger, numbers: std::ops::Range<usize>) -> Result<Vec<Record>, LedgerError> {
    let drafts = numbers.map(|number| tally::draft(number, tally::in_week(0))).collect();
    ledger.append(Stream::Audit, drafts, Arc::new(Nothing)).await
}

async fn numbers(ledger: &FileLedger) -> Vec<usize> {
    let records = ledger.read(Stream::Audit, 0, usize::MAX).await.unwrap();
    records.iter().map(|record| record.body["number"].as_u64().unwrap() as usize).collect()
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
