//! Snapshots: the state that a stream's records made, written down in between,
//! so that a start need not read all of them again.
//!
//! A snapshot is a row of records of the kind [`SNAPSHOT`], each a [`Part`] of
//! it: a line has an end, a state of 100,000 sessions fits none. It is whole
//! when its last part is there. What the items mean is their state's affair.

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

/// The kind of the records that are a snapshot's parts; no view folds over them.
pub const SNAPSHOT: &str = "snapshot";

/// A part is ended before its items have more bytes of JSON than this: half of
/// the longest line. One item that is longer is a part of its own.
pub const PART_BYTES: usize = 256 * 1024;

/// A part of a snapshot, as it is read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Part {
    /// Its number, from 1.
    pub part: u32,
    /// Whether the snapshot ends with it.
    pub last: bool,
    /// What the state is made of, in the order in which it is made.
    pub items: Vec<Value>,
}

/// A part of a snapshot, as it is written.
#[derive(Debug, Serialize)]
pub struct NewPart {
    part: u32,
    last: bool,
    items: Vec<Box<RawValue>>,
}

/// Puts items together to parts. The last part is known when there is no
/// further item, so each comes when the next one begins.
#[derive(Debug)]
pub struct Parts {
    part_bytes: usize,
    ended: u32,
    items: Vec<Box<RawValue>>,
    bytes: usize,
}

impl Parts {
    /// Parts of at most so many bytes, and never of more than [`PART_BYTES`].
    pub fn of(part_bytes: usize) -> Parts {
        Parts { part_bytes: part_bytes.min(PART_BYTES), ended: 0, items: Vec::new(), bytes: 0 }
    }

    /// Takes one more item; gives a part that is full.
    pub fn add(&mut self, item: Box<RawValue>) -> Option<NewPart> {
        let bytes = item.get().len() + 1;
        let full = !self.items.is_empty() && self.bytes + bytes > self.part_bytes;
        let ended = full.then(|| self.end(false));
        self.bytes += bytes;
        self.items.push(item);
        ended
    }

    /// The last part, which may have no items.
    pub fn finish(mut self) -> NewPart {
        self.end(true)
    }

    fn end(&mut self, last: bool) -> NewPart {
        self.ended += 1;
        self.bytes = 0;
        NewPart { part: self.ended, last, items: std::mem::take(&mut self.items) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Draft, Head, MAX_LINE_BYTES, Record, Stream, seal_raw};

    fn parts(items: impl IntoIterator<Item = String>) -> Vec<NewPart> {
        let mut parts = Parts::of(usize::MAX);
        let raw = items.into_iter().map(|item| serde_json::value::to_raw_value(&item).unwrap());
        let mut ended: Vec<NewPart> = raw.filter_map(|item| parts.add(item)).collect();
        ended.push(parts.finish());
        ended
    }

    #[test]
    fn a_snapshot_of_nothing_has_one_part() {
        let parts = parts([]);
        assert_eq!(serde_json::to_string(&parts).unwrap(), r#"[{"part":1,"last":true,"items":[]}]"#);
    }

    #[test]
    fn parts_fit_a_line_and_keep_the_order() {
        let longest = "\n".repeat(PART_BYTES / 2 + 10);
        let items: Vec<String> = (0..10_000).map(|number| format!("item {number} {}", "x".repeat(100))).collect();
        let all: Vec<String> = items.iter().cloned().chain([longest]).chain(items.iter().cloned()).collect();
        let mut read = Vec::new();
        let parts = parts(all.iter().cloned());
        let count = parts.len();
        for (place, part) in parts.iter().enumerate() {
            let body = serde_json::to_string(part).unwrap();
            let at = "2026-11-24T09:12:00Z".parse().unwrap();
            let (_, line) = seal_raw(at, SNAPSHOT, &body, Head::genesis(Stream::Audit));
            assert!(line.len() < MAX_LINE_BYTES, "part {place} has {} bytes", line.len());
            let part: Part = serde_json::from_value(Record::parse(&line).unwrap().body).unwrap();
            assert_eq!((part.part as usize, part.last), (place + 1, place + 1 == count));
            read.extend(part.items);
        }
        assert!(count > 5, "{count} parts are too few to mean anything");
        assert_eq!(read, all.into_iter().map(Value::from).collect::<Vec<_>>());
    }

    #[test]
    fn a_raw_record_is_the_line_of_its_draft() {
        let draft = Draft { at: "2026-11-24T09:12:00Z".parse().unwrap(), kind: "x".into(), body: Value::Null };
        let (head, line) = seal_raw(draft.at, "x", "null", Head::genesis(Stream::Audit));
        let (record, expected) = draft.seal(Head::genesis(Stream::Audit));
        assert_eq!((head, line), (record.head(), expected));
    }
}
