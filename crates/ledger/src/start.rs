//! What a start reads of a stream: the newest segment with a whole snapshot
//! and what stands behind it. Looking comes first and changes nothing, so that
//! all streams can be judged before any of them is touched.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use app::ports::{LedgerError, SnapshotPlace};
use domain::record::{Head, Record, Stream};

use crate::{
    disk::{Disk, segment_number, segment_path},
    note::OpeningNote,
    own::{Break, Declared},
    place::{Places, Segment},
    reader::{TAIL, Tail},
    segment::{self, End, Line, is_of_the_ledger},
    snapshot,
    stream::unusable,
};

/// So much of a segment's end is written once more at a start, in bytes: no
/// more than this was ever written before it was synced.
pub(crate) const REWRITTEN_BYTES: usize = 8 * 1024 * 1024;

/// What the files of a stream say.
pub(crate) struct Found {
    pub(crate) stream: Stream,
    pub(crate) folder: PathBuf,
    /// The number of the newest file.
    pub(crate) newest_number: u32,
    /// The numbers of segments that need not be read.
    pub(crate) older: Vec<u32>,
    /// The record that opens the oldest segment that was read.
    pub(crate) first: Option<Record>,
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) epoch: Option<String>,
    pub(crate) head: Head,
    pub(crate) snapshot: Option<(SnapshotPlace, Arc<Segment>)>,
    pub(crate) tail: Tail,
    /// What the segments that were read say of the chain.
    pub(crate) declared: Declared,
    pub(crate) notes: Vec<OpeningNote>,
    cut: Option<u64>,
    /// The end of the newest segment and where it stands.
    end: (u64, Vec<u8>),
}

/// A segment that has to be read.
struct Needed {
    number: u32,
    path: PathBuf,
    bytes: Vec<u8>,
    first: Record,
}

/// Reads and proves what a start needs of a stream; changes nothing.
pub(crate) fn look(disk: &dyn Disk, folder: PathBuf, stream: Stream) -> Result<Found, LedgerError> {
    let mut older = numbers(disk, &folder).map_err(|error| unusable(&folder, &error))?;
    let newest_number = older.last().copied().unwrap_or_default();
    let (needed, notes) = needed(disk, &folder, &mut older)?;
    let mut found = Found {
        stream,
        folder,
        newest_number,
        older,
        first: needed.first().map(|oldest| oldest.first.clone()),
        segments: Vec::new(),
        epoch: None,
        head: Head::genesis(stream),
        snapshot: None,
        tail: Tail::default(),
        declared: Declared::default(),
        notes,
        cut: None,
        end: (0, Vec::new()),
    };
    if let Some(first) = found.first.as_ref().filter(|first| first.seq > 1) {
        found.head = first.head_before();
        found.tail = Tail::behind(found.head.seq);
    }
    for segment in &needed {
        found.declared.take_up(&segment.bytes, &segment.first);
    }
    for (at, segment) in needed.iter().enumerate() {
        found.take(segment, needed.get(at + 1).map(|next| &next.first))?;
    }
    found.has_its_beginning(needed.first())?;
    Ok(found)
}

/// The numbers of a stream's segments, oldest first.
pub(crate) fn numbers(disk: &dyn Disk, folder: &Path) -> io::Result<Vec<u32>> {
    let names = match disk.names(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        other => other?,
    };
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| segment_number(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Takes from `older` what has to be read: back to a whole snapshot, or all.
fn needed(
    disk: &dyn Disk,
    folder: &Path,
    older: &mut Vec<u32>,
) -> Result<(Vec<Needed>, Vec<OpeningNote>), LedgerError> {
    let mut needed: Vec<Needed> = Vec::new();
    let mut notes = Vec::new();
    while let Some(number) = older.pop() {
        let path = segment_path(folder, number);
        let bytes = disk.read(&path).map_err(|error| unusable(&path, &error))?;
        let Some(first) = segment::first_of(&bytes, &path)? else {
            notes.push(OpeningNote::unfinished(&path));
            continue;
        };
        let end = needed.last().map(|next| next.first.seq);
        let is_enough = snapshot::whole(&bytes, &first, end).is_some();
        needed.push(Needed { number, path, bytes, first });
        if is_enough {
            break;
        }
    }
    needed.reverse();
    Ok((needed, notes))
}

impl Found {
    fn take(&mut self, needed: &Needed, next: Option<&Record>) -> Result<(), LedgerError> {
        let Needed { number, path, bytes, first } = needed;
        let mut places = Places::from(first.seq);
        let mut latest: VecDeque<(u64, Range<usize>)> = VecDeque::new();
        let mut forgotten = None;
        let (head, end) = segment::prove(path, bytes, first.head_before(), next, |link, line| {
            places.note(link.seq, line.offset as u64);
            if !is_of_the_ledger(&link.kind) {
                latest.push_back((link.seq, line.offset..line.offset + line.bytes.len()));
            }
            if latest.len() > TAIL {
                forgotten = latest.pop_front();
            }
        })?;
        if let Some((seq, _)) = forgotten {
            self.tail = Tail::behind(seq);
        }
        for (_, place) in latest {
            let line = Line { number: 0, offset: place.start, bytes: &bytes[place], ended: true };
            let record = segment::record(&line).map_err(|error| segment::damage(path, 0, &error.to_string()))?;
            self.tail.remember(record, line.bytes.len());
        }
        let parts = snapshot::whole(bytes, first, next.map(|next| next.seq));
        self.head = head;
        self.epoch = Some(segment::opened(first, path)?.epoch);
        let segment = Segment::new(path.clone(), *number, first.seq, Some(places));
        self.snapshot = parts.map(|place| (place, Arc::clone(&segment))).or(self.snapshot.take());
        self.segments.push(segment);
        let mut whole = bytes.len();
        match end {
            End::Whole => {}
            End::Breaks(line) => {
                let next = next.map_or(head, Record::head_before);
                segment::must_cover(&self.declared, Break { after: head, next }, path, line)?;
            }
            End::NoPartFrom(line) => self.notes.push(OpeningNote::no_part(path, line)),
            End::Torn { line, offset } => {
                self.notes.push(OpeningNote::torn(path, line, bytes.len() - offset));
                self.cut = Some(offset as u64);
                whole = offset;
            }
        }
        let from = whole.saturating_sub(REWRITTEN_BYTES);
        self.end = (from as u64, bytes[from..whole].to_vec());
        Ok(())
    }

    /// Without the stream's first record a snapshot must stand in for what is
    /// missing, or a repair have said that it is lost.
    fn has_its_beginning(&mut self, oldest: Option<&Needed>) -> Result<(), LedgerError> {
        let Some(oldest) = oldest.filter(|oldest| oldest.first.seq > 1 && self.older.is_empty()) else { return Ok(()) };
        let end = self.segments.get(1).map(|next| next.first_seq);
        if snapshot::whole(&oldest.bytes, &oldest.first, end).is_some() {
            return Ok(());
        }
        let place = Break { after: Head::genesis(self.stream), next: oldest.first.head_before() };
        if self.declared.has_gap(place) {
            self.notes.push(OpeningNote::begins_empty(&oldest.path));
            return Ok(());
        }
        let problem = "the records before it are missing, and it has no snapshot that stands in for them";
        Err(segment::damage(&oldest.path, 1, problem))
    }

    /// Cuts a torn end off, and makes what was read survive a loss of power: a
    /// process that was killed may have written it and not synced, or failed
    /// to, and what comes next rests on it.
    pub(crate) fn settle(&self, disk: &dyn Disk) -> Result<(), LedgerError> {
        disk.make_folder(&self.folder).map_err(|error| unusable(&self.folder, &error))?;
        if let Some(newest) = self.segments.last() {
            let (from, end) = &self.end;
            let cut = self.cut.map_or(Ok(()), |bytes| disk.cut(&newest.path, bytes));
            let settled = cut.and_then(|()| disk.rewrite(&newest.path, *from, end));
            settled.map_err(|error| unusable(&newest.path, &error))?;
        }
        disk.sync_folder(&self.folder).map_err(|error| unusable(&self.folder, &error))
    }
}
