//! How a segment is read: line by line, each proved, up to where it stops
//! being a chain.

use std::path::Path;

use app::ports::LedgerError;
use domain::{
    record::{FORMAT, Head, LineError, MAX_LINE_BYTES, Record, SEGMENT_OPENED, Stream},
    snapshot::SNAPSHOT,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{disk::Disk, stream::unusable};

/// As much of a segment as holds the record that opens it, nearly always.
const FIRST_BYTES: usize = 4 * 1024;

/// The fact that opens a segment.
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

/// A line of a segment and its place.
pub(crate) struct Line<'a> {
    pub(crate) number: usize,
    pub(crate) offset: usize,
    pub(crate) bytes: &'a [u8],
    /// Whether its line end is there: without one it is torn.
    pub(crate) ended: bool,
}

/// How a segment's part of the chain ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With the file.
    Whole,
    /// Before this line: from there on it was refused when it was written.
    NoPartFrom(usize),
    /// Before this line, the rest of the newest segment, which is torn.
    Torn { line: usize, offset: usize },
}

/// The lines of some bytes of a segment.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut at = 0;
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

/// The record that opens a segment; `None` where the segment was not begun:
/// its first write did not end, so nothing in it was ever acknowledged.
pub(crate) fn first_record(disk: &dyn Disk, path: &Path) -> Result<Option<Record>, LedgerError> {
    let read = |bytes| disk.read_at(path, 0, bytes).map_err(|error| unusable(path, &error));
    let mut begin = read(FIRST_BYTES)?;
    if !begin.contains(&b'\n') && begin.len() == FIRST_BYTES {
        begin = read(MAX_LINE_BYTES + 1)?;
    }
    first_of(&begin, path)
}

/// The record that opens the segment which begins with these bytes.
pub(crate) fn first_of(bytes: &[u8], path: &Path) -> Result<Option<Record>, LedgerError> {
    let Some(line) = lines(bytes).next().filter(|line| line.ended) else { return Ok(None) };
    match record(&line) {
        Ok(first) => opened(&first, path).map(|_| Some(first)),
        Err(_) if is_blank(bytes) => Ok(None),
        Err(error) => {
            // Another version may write other lines; its first one names its format.
            let raw = serde_json::from_slice::<Value>(line.bytes).unwrap_or_default();
            known_format(raw.get("body").unwrap_or(&Value::Null), path)?;
            Err(damage(path, 1, &error.to_string()))
        }
    }
}

/// Proves a segment whose first record follows `head`, up to where `next`, the
/// one that opens the next segment, follows, or to its end. Gives the head
/// behind it.
pub(crate) fn prove(
    path: &Path,
    bytes: &[u8],
    mut head: Head,
    next: Option<&Record>,
    mut each: impl FnMut(Record, &Line<'_>),
) -> Result<(Head, End), LedgerError> {
    let mut count = 0;
    for line in lines(bytes) {
        if next.is_some_and(|next| next.follows(head)) {
            return Ok((head, End::NoPartFrom(line.number)));
        }
        if next.is_none() && (!line.ended || is_blank(&bytes[line.offset..])) {
            return Ok((head, End::Torn { line: line.number, offset: line.offset }));
        }
        let record = record_behind(&line, head, path)?;
        head = record.head();
        count = line.number;
        each(record, &line);
    }
    match next {
        Some(next) if !next.follows(head) => {
            let problem =
                format!("its last record is {}, yet the next segment follows record {}", head.seq, next.seq - 1);
            Err(damage(path, count, &problem))
        }
        Some(_) | None => Ok((head, End::Whole)),
    }
}

/// A line as the record that stands behind `head`.
pub(crate) fn record_behind(line: &Line<'_>, head: Head, path: &Path) -> Result<Record, LedgerError> {
    if !line.ended {
        return Err(damage(path, line.number, "its line end is missing"));
    }
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
    known_format(&record.body, path)?;
    if record.kind != SEGMENT_OPENED {
        return Err(damage(path, 1, "the segment does not begin with the record that opens it"));
    }
    serde_json::from_value(record.body.clone()).map_err(|error| damage(path, 1, &error.to_string()))
}

fn known_format(body: &Value, path: &Path) -> Result<(), LedgerError> {
    let format = body.get("format").and_then(Value::as_u64).unwrap_or_default();
    if format <= u64::from(FORMAT) {
        return Ok(());
    }
    Err(LedgerError::Corrupt(format!(
        "{} was written by a newer version (format {format}, this one knows {FORMAT}); start that version. Nothing was changed",
        path.display()
    )))
}

/// Whether no view folds over a record.
pub(crate) fn is_of_the_ledger(record: &Record) -> bool {
    record.kind == SEGMENT_OPENED || record.kind == SNAPSHOT
}

pub(crate) fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

/// Damage, with where it is and what to do.
pub(crate) fn damage(path: &Path, line: usize, problem: &str) -> LedgerError {
    let mend = "nothing was changed; put the file back from a backup, or let `vpn-sessions ledger repair` set aside what is damaged";
    LedgerError::Corrupt(format!("{} line {line}: {problem}; {mend}", path.display()))
}
