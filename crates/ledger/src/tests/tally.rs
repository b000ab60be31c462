//! A state that is too simple to be wrong, kept in the ledger as the program's
//! own are: the numbers that were appended, in their order.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex},
};

use app::ports::{Ledger, LedgerError, Snapshot};
use domain::record::{Draft, Stream};
use jiff::Timestamp;
use serde_json::{json, value::RawValue};

use super::simulated_disk::SimulatedDisk;
use crate::{FileLedger, OpeningNote, disk::Disk};

/// How much a segment of the tests holds, in bytes.
pub const SMALL: usize = 600;

/// A ledger and the state that its stream `audit` makes.
pub struct Tally {
    pub ledger: FileLedger,
    pub notes: Vec<String>,
    numbers: Arc<Mutex<Vec<usize>>>,
}

struct Numbers(Arc<Mutex<Vec<usize>>>);

impl Snapshot for Numbers {
    fn each_item(&self, take: &mut dyn FnMut(Box<RawValue>)) {
        for number in self.0.lock().unwrap().iter() {
            // Long enough for a snapshot of several parts.
            let item = json!([number, "x".repeat(40)]);
            take(serde_json::value::to_raw_value(&item).unwrap());
        }
    }
}

/// A time in a week that is counted from one that is as good as any.
pub fn in_week(week: i64) -> Timestamp {
    "2026-11-24T09:00:00Z".parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_hours(7 * 24 * week)
}

pub fn draft(number: usize, at: Timestamp) -> Draft {
    Draft { at, kind: "tried".into(), body: json!({ "number": number, "text": "äöü\n\"" }) }
}

impl Tally {
    /// Opens the ledger as a server does: the snapshot, and what stands behind it.
    pub async fn open(disk: &SimulatedDisk) -> Result<Tally, LedgerError> {
        Tally::open_with(disk, SMALL).await
    }

    pub async fn open_with(disk: &SimulatedDisk, segment_bytes: usize) -> Result<Tally, LedgerError> {
        let disk: Arc<dyn Disk> = Arc::new(disk.clone());
        let (ledger, notes) = FileLedger::open_on(disk, Path::new("data"), "first".into(), segment_bytes)?;
        let mut numbers = Vec::new();
        let place = ledger.snapshot(Stream::Audit);
        for part in 1..=place.map_or(0, |place| place.parts) {
            let items = ledger.snapshot_part(Stream::Audit, part).await?;
            numbers.extend(items.iter().map(|item| item[0].as_u64().unwrap() as usize));
        }
        let mut after = place.map_or(0, |place| place.seq);
        loop {
            let records = ledger.read(Stream::Audit, after, 7).await?;
            let Some(last) = records.last() else { break };
            after = last.seq;
            numbers.extend(records.iter().map(|record| record.body["number"].as_u64().unwrap() as usize));
        }
        let notes = notes.iter().map(OpeningNote::to_string).collect();
        Ok(Tally { ledger, notes, numbers: Arc::new(Mutex::new(numbers)) })
    }

    /// The state: every number that was kept.
    pub fn numbers(&self) -> Vec<usize> {
        self.numbers.lock().unwrap().clone()
    }

    pub async fn append(&self, numbers: std::ops::Range<usize>, at: Timestamp) -> Result<(), LedgerError> {
        let drafts = numbers.clone().map(|number| draft(number, at)).collect();
        let kept = self.ledger.append(Stream::Audit, drafts, self.snapshot()).await?;
        assert_eq!(kept.len(), numbers.len());
        self.numbers.lock().unwrap().extend(numbers);
        Ok(())
    }

    pub async fn compact(&self, at: Timestamp) -> Result<(), LedgerError> {
        self.ledger.compact(Stream::Audit, at, self.snapshot()).await
    }

    pub fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::new(Numbers(Arc::clone(&self.numbers)))
    }

    /// Everything that can be read is one chain, and says what the state says
    /// of the time that it covers.
    pub async fn is_one_chain(&self, case: &str) {
        loop {
            match self.ledger.prove_older(Stream::Audit).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => panic!("{case}: {error}"),
            }
        }
        let records = self.ledger.read(Stream::Audit, 0, usize::MAX).await;
        let records = records.unwrap_or_else(|error| panic!("{case}: {error}"));
        let read: Vec<usize> = records.iter().map(|record| record.body["number"].as_u64().unwrap() as usize).collect();
        assert!(self.numbers().ends_with(&read), "{case}: {read:?} are records, {:?} is the state", self.numbers());
        assert!(records.is_sorted_by(|one, other| one.seq < other.seq), "{case}");
    }
}

/// Asserts that what was acknowledged is there, each once, in its order, and
/// nothing that was never asked for.
pub fn assert_kept(acknowledged: &[usize], asked: &[usize], kept: &[usize], case: &str) {
    let there: BTreeSet<_> = kept.iter().collect();
    assert_eq!(there.len(), kept.len(), "{case}: something is there twice: {kept:?}");
    let known: BTreeSet<_> = acknowledged.iter().collect();
    let in_order: Vec<_> = kept.iter().filter(|number| known.contains(number)).copied().collect();
    assert_eq!(in_order, acknowledged, "{case}: acknowledged, and lost or moved");
    assert!(kept.iter().all(|number| asked.contains(number)), "{case}: {kept:?} was never asked for");
}
