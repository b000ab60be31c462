//! The snapshot that a segment begins with: how it is found.

use app::ports::SnapshotPlace;
use domain::{record::Record, snapshot::SNAPSHOT};
use serde_json::Value;

use crate::segment;

/// What is found of a segment's snapshot, record by record.
struct FoundParts {
    place: SnapshotPlace,
    whole: bool,
}

impl FoundParts {
    /// Nothing yet, behind the record that opens the segment.
    fn behind(opened: &Record) -> FoundParts {
        FoundParts { place: SnapshotPlace { seq: opened.head_before().seq, parts: 0 }, whole: false }
    }

    /// Looks at the segment's next record.
    fn note(&mut self, record: &Record) {
        if !self.whole && record.kind == SNAPSHOT && record.seq == seq_of_part(self.place, self.place.parts + 1) {
            self.place.parts += 1;
            self.whole = record.body.get("last").and_then(Value::as_bool).unwrap_or(false);
        }
    }

    /// Where the snapshot is, if it is whole.
    fn place(&self) -> Option<SnapshotPlace> {
        self.whole.then_some(self.place)
    }
}

/// The number of the record that is a part of a snapshot: before the first one
/// stands the record that opens the segment.
pub(crate) fn seq_of_part(place: SnapshotPlace, part: u32) -> u64 {
    place.seq + 1 + u64::from(part)
}

/// The snapshot that a segment begins with, if it is whole before `end`, where
/// the next segment begins.
pub(crate) fn whole(bytes: &[u8], opened: &Record, end: Option<u64>) -> Option<SnapshotPlace> {
    let mut parts = FoundParts::behind(opened);
    let records = segment::lines(bytes).skip(1).map_while(|line| segment::record(&line).ok());
    records.take_while(|record| record.kind == SNAPSHOT).for_each(|record| parts.note(&record));
    parts.place().filter(|place| end.is_none_or(|end| seq_of_part(*place, place.parts) < end))
}
