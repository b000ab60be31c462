//! Where the records of a segment stand, so that a page of them is read
//! without reading all before it.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use app::ports::LedgerError;
use domain::record::Record;

use crate::{disk::Disk, segment, stream::unusable};

/// Every so many records their place in the file is remembered.
const PLACE_EVERY_RECORDS: u64 = 256;

/// Where records are long, places are no farther apart than this, in bytes.
const PLACE_EVERY_BYTES: u64 = 128 * 1024;

/// How much is read from a file at once, in bytes.
const CHUNK_BYTES: usize = 512 * 1024;

/// A segment and where its records stand.
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) number: u32,
    /// The number of its first record, the one that opens it.
    pub(crate) first_seq: u64,
    /// Known from the opening or the writing on; otherwise found when asked.
    places: Mutex<Option<Places>>,
    removed: AtomicBool,
}

/// Some of a segment's records and where they begin; others stand between.
#[derive(Clone, Debug)]
pub(crate) struct Places(Vec<(u64, u64)>);

impl Places {
    /// Of a segment that begins with this record.
    pub(crate) fn from(first_seq: u64) -> Places {
        Places(vec![(first_seq, 0)])
    }

    /// Remembers where a record stands, now and then.
    pub(crate) fn note(&mut self, seq: u64, offset: u64) {
        let far = |(last, place): &(u64, u64)| {
            seq >= last + PLACE_EVERY_RECORDS || offset >= place + PLACE_EVERY_BYTES && seq > *last
        };
        if self.0.last().is_none_or(far) {
            self.0.push((seq, offset));
        }
    }

    /// The nearest known place before a record: its number and its offset.
    fn before(&self, seq: u64) -> (u64, u64) {
        let behind = self.0.partition_point(|(known, _)| *known <= seq);
        self.0.get(behind.saturating_sub(1)).copied().unwrap_or((0, 0))
    }
}

/// Which records are wanted of a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Those behind this one,
    pub(crate) after: u64,
    /// before this one,
    pub(crate) end: u64,
    /// and at most so many.
    pub(crate) limit: usize,
    /// With those that are the ledger's own.
    pub(crate) own: bool,
}

impl Segment {
    pub(crate) fn new(path: PathBuf, number: u32, first_seq: u64, places: Option<Places>) -> Arc<Segment> {
        Arc::new(Segment { path, number, first_seq, places: Mutex::new(places), removed: AtomicBool::new(false) })
    }

    /// Remembers where records stand that were written to it.
    pub(crate) fn note(&self, written: &[(u64, u64)]) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = places.as_mut() {
            written.iter().for_each(|(seq, offset)| places.note(*seq, *offset));
        }
    }

    /// From here on it may be missing.
    pub(crate) fn is_removed(&self) {
        self.removed.store(true, Ordering::Release);
    }

    /// Reads records, as many as are wanted; those of a segment that was
    /// removed meanwhile are gone.
    pub(crate) fn read(&self, disk: &dyn Disk, wanted: Wanted, records: &mut Vec<Record>) -> Result<(), LedgerError> {
        match self.read_there(disk, wanted, records) {
            Err(_) if self.removed.load(Ordering::Acquire) => Ok(()),
            other => other,
        }
    }

    fn read_there(&self, disk: &dyn Disk, wanted: Wanted, records: &mut Vec<Record>) -> Result<(), LedgerError> {
        let (mut seq, offset) =
            self.place_before(disk, wanted.after + 1).map_err(|error| unusable(&self.path, &error))?;
        let mut lines = FileLines::from(disk, &self.path, offset);
        while seq < wanted.end && records.len() < wanted.limit {
            let place = lines.offset;
            let Some(line) = lines.next().map_err(|error| unusable(&self.path, &error))? else {
                let problem = format!("it ends before record {seq}; nothing was changed");
                return Err(LedgerError::Corrupt(format!("{}: {problem}", self.path.display())));
            };
            let skipped = seq <= wanted.after || (!wanted.own && says_own_kind(line));
            if !skipped {
                let line = segment::Line { number: 0, offset: 0, bytes: line, ended: true };
                let problem = |what: String| {
                    LedgerError::Corrupt(format!(
                        "{} at byte {place}: {what}; nothing was changed",
                        self.path.display()
                    ))
                };
                let record = segment::record(&line).map_err(|error| problem(error.to_string()))?;
                if record.seq != seq {
                    return Err(problem(format!("record {} is where record {seq} belongs", record.seq)));
                }
                if wanted.own || !record.is_of_the_ledger() {
                    records.push(record);
                }
            }
            seq += 1;
        }
        Ok(())
    }

    fn place_before(&self, disk: &dyn Disk, seq: u64) -> io::Result<(u64, u64)> {
        if let Some(places) = self.places.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            return Ok(places.before(seq));
        }
        let mut found = Places::from(self.first_seq);
        let mut lines = FileLines::from(disk, &self.path, 0);
        let mut number = self.first_seq;
        let mut place = 0;
        while lines.next()?.is_some() {
            found.note(number, place);
            (number, place) = (number + 1, lines.offset);
        }
        let before = found.before(seq);
        *self.places.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        Ok(before)
    }
}

/// Whether a line's first bytes say that it is the ledger's own; its body need
/// not be read then.
fn says_own_kind(line: &[u8]) -> bool {
    let Some(at) = line.iter().take(128).position(|&byte| byte == b'k') else { return false };
    OWN_KINDS.iter().any(|kind| line[at..].starts_with(kind))
}

/// How the lines say it.
const OWN_KINDS: [&[u8]; 4] =
    [b"kind\":\"segment_opened\"", b"kind\":\"snapshot\"", b"kind\":\"gap_recorded\"", b"kind\":\"segments_dropped\""];

/// The lines of a file from a place on, of which only some is in memory.
struct FileLines<'a> {
    disk: &'a dyn Disk,
    path: &'a Path,
    /// Where the next line begins.
    offset: u64,
    read_to: u64,
    buffer: Vec<u8>,
    at: usize,
}

impl<'a> FileLines<'a> {
    fn from(disk: &'a dyn Disk, path: &'a Path, offset: u64) -> FileLines<'a> {
        FileLines { disk, path, offset, read_to: offset, buffer: Vec::new(), at: 0 }
    }

    /// The next line that has its end, without it.
    fn next(&mut self) -> io::Result<Option<&[u8]>> {
        let mut searched = self.at;
        let end = loop {
            if let Some(found) = self.buffer[searched..].iter().position(|&byte| byte == b'\n') {
                break searched + found;
            }
            self.buffer.drain(..self.at);
            searched = self.buffer.len();
            self.at = 0;
            let more = self.disk.read_at(self.path, self.read_to, CHUNK_BYTES)?;
            if more.is_empty() {
                return Ok(None);
            }
            self.read_to += more.len() as u64;
            self.buffer.extend_from_slice(&more);
        };
        let line = self.at..end;
        self.at = end + 1;
        self.offset += (line.len() + 1) as u64;
        Ok(Some(&self.buffer[line]))
    }
}
