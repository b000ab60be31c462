//! Pages of records, from any place, at a cost that is that of the page.

use std::{
    path::Path,
    sync::{Arc, mpsc},
};

use app::ports::{Ledger, Snapshot};
use domain::record::Stream;
use serde_json::value::RawValue;

use super::{
    simulated_disk::SimulatedDisk,
    tally::{SMALL, Tally, draft, in_week},
};
use crate::{FileLedger, disk::Disk};

/// 10,000 records in several segments.
async fn ten_thousand(disk: &SimulatedDisk) -> FileLedger {
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let (ledger, _) = FileLedger::open_on(shared, Path::new("data"), "first".into(), 400_000).unwrap();
    for batch in 0..100 {
        let drafts = (batch * 100..batch * 100 + 100).map(|number| draft(number, in_week(0))).collect();
        ledger.append(Stream::Audit, drafts, Arc::new(Nothing)).await.unwrap();
    }
    ledger
}

struct Nothing;

impl Snapshot for Nothing {
    fn each_item(&self, _: &mut dyn FnMut(Box<RawValue>)) {}
}

#[tokio::test]
async fn reading_goes_on_from_any_place() {
    let disk = SimulatedDisk::default();
    let ledger = ten_thousand(&disk).await;
    let all = ledger.read(Stream::Audit, 0, usize::MAX).await.unwrap();
    assert_eq!(all.len(), 10_000);
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let (again, _) = FileLedger::open_on(shared, Path::new("data"), "first".into(), 400_000).unwrap();
    for ledger in [&ledger, &again] {
        for at in [9_999, 9_000, 0, 1, 255, 256, 257, 3_000, 5_903, 5_904] {
            let after = all[at].seq;
            let read = ledger.read(Stream::Audit, after, 300).await.unwrap();
            assert_eq!(read, &all[at + 1..(at + 301).min(all.len())], "behind record {after}");
        }
    }
    assert_eq!(again.read(Stream::Audit, 0, usize::MAX).await.unwrap(), all);
    assert!(again.read(Stream::Relay, 0, 10).await.unwrap().is_empty());
    assert!(again.read(Stream::Audit, 0, 0).await.unwrap().is_empty());
}

#[tokio::test]
async fn pages_read_each_segment_twice_at_most() {
    let disk = SimulatedDisk::default();
    drop(ten_thousand(&disk).await);
    let total: usize = disk.content().values().map(Vec::len).sum();
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let (ledger, _) = FileLedger::open_on(shared, Path::new("data"), "first".into(), 400_000).unwrap();
    let before = disk.bytes_read();
    let (mut after, mut count) = (0, 0);
    loop {
        let page = ledger.read(Stream::Audit, after, 1_000).await.unwrap();
        let Some(last) = page.last() else { break };
        (after, count) = (last.seq, count + page.len());
    }
    assert_eq!(count, 10_000);
    // Once for the places of its records, once for the records, and what a
    // page's last chunk holds beyond its end.
    let read = disk.bytes_read() - before;
    assert!(read < 2 * total + 11 * 512 * 1024, "{read} bytes were read of {total}");
}

/// A state that is written down only when the test lets it.
struct Waits {
    begun: mpsc::SyncSender<()>,
    go: std::sync::Mutex<mpsc::Receiver<()>>,
}

impl Snapshot for Waits {
    fn each_item(&self, _: &mut dyn FnMut(Box<RawValue>)) {
        self.begun.send(()).unwrap();
        self.go.lock().unwrap().recv().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_what_is_committed_while_something_is_written() {
    let disk = SimulatedDisk::default();
    let ledger = Arc::new(ten_thousand(&disk).await);
    let head = ledger.head(Stream::Audit);
    let (begun, has_begun) = mpsc::sync_channel(1);
    let (lets_go, go) = mpsc::sync_channel(1);
    let writes = tokio::spawn({
        let ledger = Arc::clone(&ledger);
        let snapshot = Arc::new(Waits { begun, go: go.into() });
        async move { ledger.append(Stream::Audit, vec![draft(10_000, in_week(1))], snapshot).await }
    });
    tokio::task::spawn_blocking(move || has_begun.recv().unwrap()).await.unwrap();
    assert_eq!(ledger.read(Stream::Audit, 0, usize::MAX).await.unwrap().len(), 10_000);
    assert_eq!(ledger.head(Stream::Audit), head);
    lets_go.send(()).unwrap();
    writes.await.unwrap().unwrap();
    assert_eq!(ledger.read(Stream::Audit, 0, usize::MAX).await.unwrap().len(), 10_001);
}

#[tokio::test]
async fn what_is_compacted_is_gone_and_reading_goes_on() {
    let disk = SimulatedDisk::default();
    let tally = Tally::open_with(&disk, SMALL).await.unwrap();
    for number in 0..20 {
        tally.append(number..number + 1, in_week(0)).await.unwrap();
    }
    let kept = disk.paths().len();
    tally.compact(in_week(0)).await.unwrap();
    assert!(kept > 3 && disk.paths().len() == 1, "{kept} segments became {:?}", disk.paths());
    tally.append(20..22, in_week(0)).await.unwrap();
    assert_eq!(tally.ledger.read(Stream::Audit, 0, 100).await.unwrap().len(), 2);
    let tally = Tally::open_with(&disk, SMALL).await.unwrap();
    assert_eq!(tally.numbers(), (0..22).collect::<Vec<_>>());
    tally.is_one_chain("compacted").await;
}
