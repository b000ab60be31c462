//! How a segment is read: line by line, each proved, up to where it stops
//! being a chain.

use std::path::{Path, PathBuf};

use app::ports::LedgerError;
use domain::record::{FORMAT, Head, LineError, Record, SEGMENT_OPENED, Stream};
use serde::{Deserialize, Serialize};

/// Every so many records their place in the file is remembered.
const INDEX_EVERY: u64 = 256;

/// What the first record of a segment says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Opened {
    /// The format of its records.
    pub(crate) format: u32,
    /// Which stream it belongs to.
    pub(crate) stream: Stream,
    /// Its number among the stream's segments.
    pub(crate) segment: u32,
    /// Another one whenever a number could come twice.
    pub(crate) epoch: String,
}

/// A segment and where its records stand.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    /// What its first record follows, the one that opens it.
    pub(crate) before: Head,
    /// Whether it begins with a whole snapshot.
    pub(crate) has_snapshot: bool,
    index: Vec<(u64, usize)>,
}

impl Segment {
    pub(crate) fn new(path: PathBuf, before: Head) -> Segment {
        Segment { path, before, has_snapshot: false, index: vec![(before.seq + 1, 0)] }
    }

    /// Remembers where a record stands, now and then.
    pub(crate) fn place(&mut self, seq: u64, offset: usize) {
        if self.index.last().is_none_or(|(last, _)| seq >= last + INDEX_EVERY) {
            self.index.push((seq, offset));
        }
    }

    /// Where to begin reading for the records behind `after`.
    pub(crate) fn offset_behind(&self, after: u64) -> usize {
        let behind = self.index.partition_point(|(seq, _)| *seq <= after + 1);
        self.index.get(behind.saturating_sub(1)).map_or(0, |(_, offset)| *offset)
    }
}

/// A line of a segment and its place.
pub(crate) struct Line<'a> {
    pub(crate) number: usize,
    pub(crate) offset: usize,
    pub(crate) bytes: &'a [u8],
    /// Whether its line end is there: without one it is torn.
    pub(crate) ended: bool,
}

/// The lines of a segment from an offset on; numbers count from there.
pub(crate) fn lines(bytes: &[u8], offset: usize) -> impl Iterator<Item = Line<'_>> {
    let mut at = offset;
    let mut number = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(|&byte| byte == b'\n');
        let line = &rest[..length.unwrap_or(rest.len())];
        number += 1;
        let found = Line { number, offset: at, bytes: line, ended: length.is_some() };
        at += line.len() + usize::from(found.ended);
        Some(found)
    })
}

/// A line as the record that stands behind `head`.
pub(crate) fn record_behind(line: &Line<'_>, head: Head, path: &Path) -> Result<Record, LedgerError> {
    let record = record(line).map_err(|error| damage(path, line.number, &error.to_string()))?;
    if !record.follows(head) {
        let problem =
            format!("record {} does not follow record {}: a record is missing, or was put in", record.seq, head.seq);
        return Err(damage(path, line.number, &problem));
    }
    Ok(record)
}

/// A line as a record, wherever it stands.
pub(crate) fn record(line: &Line<'_>) -> Result<Record, LineError> {
    let text = std::str::from_utf8(line.bytes).map_err(|_| LineError::NotARecord("not UTF-8".into()))?;
    Record::parse(text)
}

/// What a segment's first record says of it.
pub(crate) fn opened(record: &Record, path: &Path) -> Result<Opened, LedgerError> {
    let format = format_of(record);
    if is_newer(record) {
        let problem = format!(
            "{} was written by a newer version (format {format}, this one knows {FORMAT}); start that version. Nothing was changed",
            path.display()
        );
        return Err(LedgerError::Corrupt(problem));
    }
    if record.kind != SEGMENT_OPENED {
        return Err(damage(path, 1, "the segment does not begin with the record that opens it"));
    }
    serde_json::from_value(record.body.clone()).map_err(|error| damage(path, 1, &error.to_string()))
}

/// Whether a newer version began the segment of that first record.
pub(crate) fn is_newer(record: &Record) -> bool {
    format_of(record) > u64::from(FORMAT)
}

fn format_of(record: &Record) -> u64 {
    record.body.get("format").and_then(serde_json::Value::as_u64).unwrap_or_default()
}

/// Damage, with where it is and what to do.
pub(crate) fn damage(path: &Path, line: usize, problem: &str) -> LedgerError {
    let mend = "nothing was changed; put the file back from a backup, or set the damage aside with `vpn-sessions ledger repair`";
    LedgerError::Corrupt(format!("{} line {line}: {problem}; {mend}", path.display()))
}
