//! What is read of a stream, beside the one that writes it: nobody who reads
//! from the disk keeps a commit waiting.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use app::ports::{LedgerError, SnapshotPlace};
use domain::{
    record::{Head, Record, Stream},
    snapshot::Part,
};
use serde_json::Value;

use crate::{
    disk::{Disk, segment_path},
    dropping::Standing,
    own::{Break, Declared, Gap},
    place::{Segment, Wanted},
    segment::{self, End},
    snapshot::seq_of_part,
    start::Found,
    stream::unusable,
};

/// How many records are kept in memory for those who follow closely.
pub(crate) const TAIL: usize = 4_096;

/// How many bytes of lines they have at most; the last one is always kept.
const TAIL_BYTES: usize = 16 * 1024 * 1024;

/// A stream as its readers see it.
pub(crate) struct Reader {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    stream: Stream,
    snapshot: Option<(SnapshotPlace, Arc<Segment>)>,
    table: Mutex<Table>,
    unproved: Mutex<Unproved>,
    /// Segments of a lower number were removed on purpose.
    kept_from: AtomicU32,
}

/// What can be read, as far as it is committed.
struct Table {
    /// The numbers of segments before all others, nothing known of them yet.
    older: Vec<u32>,
    segments: Vec<Arc<Segment>>,
    head: Head,
    tail: Tail,
    gaps: Vec<Gap>,
}

/// The segments that are left to be proved, and what stands behind them.
struct Unproved {
    older: Vec<u32>,
    next: Option<Record>,
    /// What the segments behind say of the chain.
    declared: Declared,
    /// Whether it was seen that nothing is missing before the oldest.
    is_judged: bool,
}

/// The latest records, without those that are the ledger's own.
#[derive(Default)]
pub(crate) struct Tail {
    records: VecDeque<(Record, usize)>,
    bytes: usize,
    /// All behind this one are there.
    behind: u64,
}

/// Records that are durable, and what readers have to know to see them.
pub(crate) struct Committed {
    /// Each with the length of its line.
    pub(crate) records: Vec<(Record, usize)>,
    /// Where the records stand.
    pub(crate) places: Vec<(u64, u64)>,
    /// The segment that was begun for them.
    pub(crate) begun: Option<Arc<Segment>>,
    pub(crate) head: Head,
}

/// Where the next records come from.
enum Step {
    Tail(Vec<Record>),
    /// It has those before `end`; the next segment begins behind `then`.
    Segment {
        segment: Arc<Segment>,
        end: u64,
        then: u64,
    },
    Behind(u64),
    FindOlder,
}

impl Reader {
    pub(crate) fn of(found: Found, disk: Arc<dyn Disk>) -> Reader {
        let gaps = found.declared.gaps.clone();
        let unproved =
            Unproved { older: found.older.clone(), next: found.first, declared: found.declared, is_judged: false };
        let table = Table { older: found.older, segments: found.segments, head: found.head, tail: found.tail, gaps };
        Reader {
            disk,
            folder: found.folder,
            stream: found.stream,
            snapshot: found.snapshot,
            table: Mutex::new(table),
            unproved: Mutex::new(unproved),
            kept_from: AtomicU32::new(0),
        }
    }

    /// The segments as they stand.
    pub(crate) fn standing(&self) -> Result<Standing, LedgerError> {
        let head = self.head();
        Standing::of(self.disk.as_ref(), &self.folder, head)
    }

    /// Where they stand.
    pub(crate) fn disk(&self) -> &dyn Disk {
        self.disk.as_ref()
    }

    /// The end of the chain.
    pub(crate) fn head(&self) -> Head {
        self.table().head
    }

    /// The records behind `after`, at most `limit`, without the ledger's own.
    pub(crate) fn read(&self, mut after: u64, limit: usize) -> Result<Vec<Record>, LedgerError> {
        let mut records = Vec::new();
        while records.len() < limit {
            let step = self.table().step(after, limit - records.len());
            match step {
                Step::Tail(found) => {
                    records.extend(found);
                    break;
                }
                Step::Behind(seq) => after = seq,
                Step::FindOlder => self.find_older()?,
                Step::Segment { segment, end, then } => {
                    let wanted = Wanted { after, end, limit, own: false };
                    segment.read(self.disk.as_ref(), wanted, &mut records)?;
                    after = then;
                }
            }
        }
        Ok(records)
    }

    /// The newest whole snapshot that the start found.
    pub(crate) fn snapshot(&self) -> Option<SnapshotPlace> {
        self.snapshot.as_ref().map(|(place, _)| *place)
    }

    /// The items of a part of that snapshot.
    pub(crate) fn snapshot_part(&self, part: u32) -> Result<Vec<Value>, LedgerError> {
        let found = self.snapshot.as_ref().filter(|(place, _)| (1..=place.parts).contains(&part));
        let Some((place, segment)) = found else {
            return Err(LedgerError::Unavailable(format!("there is no part {part} of a snapshot")));
        };
        let seq = seq_of_part(*place, part);
        let wanted = Wanted { after: seq - 1, end: seq + 1, limit: 1, own: true };
        let mut records = Vec::new();
        segment.read(self.disk.as_ref(), wanted, &mut records)?;
        let read = records.pop().and_then(|record| serde_json::from_value::<Part>(record.body).ok());
        let read = read.map(|part| part.items);
        read.ok_or_else(|| segment::damage(&segment.path, 1 + part as usize, "it is no part of a snapshot"))
    }

    /// Shows what was written.
    pub(crate) fn commit(&self, committed: Committed) -> Vec<Record> {
        let mut table = self.table();
        table.segments.extend(committed.begun);
        if let Some(newest) = table.segments.last() {
            newest.note(&committed.places);
        }
        table.head = committed.head;
        let lines = committed.records;
        lines.iter().for_each(|(record, bytes)| table.tail.remember(record.clone(), *bytes));
        lines.into_iter().map(|(record, _)| record).collect()
    }

    /// Shows nothing more of segments before that number, which are to be removed.
    pub(crate) fn forget_before(&self, number: u32) {
        self.kept_from.fetch_max(number, Ordering::AcqRel);
        let mut table = self.table();
        table.older.retain(|older| *older >= number);
        let removed = table.segments.iter().filter(|segment| segment.number < number);
        removed.for_each(|segment| segment.is_removed());
        table.segments.retain(|segment| segment.number >= number);
        let first_seq = table.segments.first().map_or(0, |first| first.first_seq);
        table.tail.forget_before(first_seq);
    }

    /// Proves one more of the segments that the start did not read, newest
    /// first; whether there are more.
    pub(crate) fn prove_older(&self) -> Result<bool, LedgerError> {
        let mut unproved = self.unproved.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(&number) = unproved.older.last() else {
            return if std::mem::replace(&mut unproved.is_judged, true) {
                Ok(false)
            } else {
                self.judge_beginning(&unproved).map(|()| false)
            };
        };
        let proved = self.prove_one(number, &mut unproved);
        if !matches!(proved, Err(LedgerError::Unavailable(_))) {
            unproved.older.pop();
        }
        proved.map(|()| !unproved.older.is_empty() || !unproved.is_judged)
    }

    /// What is missing before the oldest segment must have been dropped.
    fn judge_beginning(&self, unproved: &Unproved) -> Result<(), LedgerError> {
        let Some(first) = &unproved.next else { return Ok(()) };
        let place = Break { after: Head::genesis(self.stream), next: first.head_before() };
        let is_removed = self.kept_from.load(Ordering::Acquire) > 0;
        if place.after == place.next || is_removed {
            return Ok(());
        }
        let number = segment::opened(first, &self.folder)?.segment;
        segment::must_cover(&unproved.declared, place, &segment_path(&self.folder, number), 1)
    }

    /// Proves that a segment leads to the record that opens the next one, and
    /// makes its own the next one.
    fn prove_one(&self, number: u32, unproved: &mut Unproved) -> Result<(), LedgerError> {
        let Unproved { next, declared, .. } = unproved;
        let path = segment_path(&self.folder, number);
        let bytes = match self.disk.read(&path) {
            Ok(bytes) => bytes,
            Err(_) if number < self.kept_from.load(Ordering::Acquire) => return Ok(()),
            Err(error) => return Err(unusable(&path, &error)),
        };
        let behind = next.take();
        let Some(first) = segment::first_of(&bytes, &path)? else {
            *next = behind;
            return Ok(());
        };
        let is_no_part = behind.as_ref().is_some_and(|next| next.follows(first.head_before()));
        let head = if first.seq == 1 { Head::genesis(self.stream) } else { first.head_before() };
        if is_no_part {
            *next = behind;
            return Ok(());
        }
        declared.take_up(&bytes, &first);
        *next = Some(first);
        match (segment::prove(&path, &bytes, head, behind.as_ref(), |_, _| {})?, behind) {
            ((after, End::Breaks(line)), Some(behind)) => {
                segment::must_cover(declared, Break { after, next: behind.head_before() }, &path, line)
            }
            _ => Ok(()),
        }
    }

    /// Finds out where the older segments begin.
    fn find_older(&self) -> Result<(), LedgerError> {
        let numbers = self.table().older.clone();
        let mut found = Vec::new();
        for &number in &numbers {
            let path = segment_path(&self.folder, number);
            match segment::first_record(self.disk.as_ref(), &path) {
                Ok(Some(first)) => found.push(Segment::new(path, number, first.seq, None)),
                // Nothing in it counts, or the one before it is seen to end too early.
                Ok(None) | Err(LedgerError::Corrupt(_)) => {}
                Err(_) if number < self.kept_from.load(Ordering::Acquire) => {}
                Err(error) => return Err(error),
            }
        }
        let mut table = self.table();
        if table.older == numbers {
            table.older.clear();
            table.segments.splice(0..0, found);
        }
        Ok(())
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn step(&self, after: u64, limit: usize) -> Step {
        if after >= self.tail.behind {
            return Step::Tail(self.tail.read(after, limit));
        }
        let behind = self.segments.partition_point(|segment| segment.first_seq <= after + 1);
        let end = self.segments.get(behind).map_or(self.head.seq + 1, |next| next.first_seq);
        match behind.checked_sub(1).and_then(|at| self.segments.get(at)) {
            Some(segment) => {
                let gap = self.gaps.iter().find(|gap| gap.next_seq == end);
                let ends = gap.map_or(end, |gap| gap.after_seq + 1);
                Step::Segment { segment: Arc::clone(segment), end: ends, then: end - 1 }
            }
            None if self.older.is_empty() => Step::Behind(end - 1),
            None => Step::FindOlder,
        }
    }
}

impl Tail {
    /// Nothing yet, behind that record.
    pub(crate) fn behind(seq: u64) -> Tail {
        Tail { behind: seq, ..Tail::default() }
    }

    pub(crate) fn remember(&mut self, record: Record, bytes: usize) {
        self.bytes += bytes;
        self.records.push_back((record, bytes));
        while self.records.len() > TAIL || (self.bytes > TAIL_BYTES && self.records.len() > 1) {
            self.forget_first();
        }
    }

    fn read(&self, after: u64, limit: usize) -> Vec<Record> {
        let from = self.records.partition_point(|(record, _)| record.seq <= after);
        self.records.iter().skip(from).take(limit).map(|(record, _)| record.clone()).collect()
    }

    fn forget_before(&mut self, seq: u64) {
        while self.records.front().is_some_and(|(record, _)| record.seq < seq) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((record, bytes)) = self.records.pop_front() {
            self.bytes -= bytes;
            self.behind = record.seq;
        }
    }
}
