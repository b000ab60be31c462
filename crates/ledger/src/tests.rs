//! The ledger on a disk that fails, forgets, and is tampered with.

use std::sync::Arc;

use app::ports::{Ledger, LedgerError, Snapshot};
use domain::record::{Record, Stream};
use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::{FileLedger, Term};

mod damage;
mod durable;
mod reading;
mod simulated_disk;
mod start;
mod tally;

/// A state of which nothing is written down.
struct Nothing;

impl Snapshot for Nothing {
    fn each_item(&self, _: &mut dyn FnMut(Box<RawValue>)) {}
}

/// That state, to be asked for a snapshot.
pub(crate) fn nothing() -> Arc<dyn Snapshot> {
    Arc::new(Nothing)
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
async fn what_is_on_a_real_disk_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let term = Term::take(folder.path()).unwrap();
    for number in 0..3 {
        let (ledger, notes) = FileLedger::open(&term, "e".into(), Timestamp::UNIX_EPOCH).unwrap();
        assert!(notes.is_empty(), "{notes:?}");
        append(&ledger, number..number + 1).await.unwrap();
        ledger.probe().await.unwrap();
        assert!(!folder.path().join("ledger/probe").exists());
        assert_eq!(numbers(&ledger).await, (0..=number).collect::<Vec<_>>());
    }
}
