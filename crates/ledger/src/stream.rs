//! One stream: its chain, the segment that is written, and what is read again.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

use app::ports::{LedgerError, Snapshot, SnapshotPlace};
use domain::{
    record::{Draft, FORMAT, Head, Record, SEGMENT_OPENED, Stream, seal_raw},
    snapshot::{NewPart, Part, Parts, SNAPSHOT},
    week::Week,
};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use crate::{
    disk::{Appending, Disk, segment_number, segment_path},
    note::OpeningNote,
    own::{Break, Declared},
    segment::{self, Opened, Segment},
};

mod dropping;

/// A segment that is longer than this, in bytes, is followed by another:
/// small enough to be read at a start, large enough that a week is one file.
pub(crate) const SEGMENT_BYTES: usize = 64 * 1024 * 1024;

/// How many records are kept in memory for those who follow closely.
const TAIL: usize = 4_096;

/// How many bytes of lines they have at most; the last one is always kept.
const TAIL_BYTES: usize = 16 * 1024 * 1024;

/// A stream on disk.
pub(crate) struct StreamFiles {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    stream: Stream,
    epoch: String,
    segment_bytes: usize,
    segments: Vec<Segment>,
    next_number: u32,
    writing: Option<Writing>,
    head: Head,
    tail: VecDeque<Remembered>,
    tail_bytes: usize,
    declared: Declared,
    /// What is wrong with the chain that no start needs to know.
    unexplained: Option<LedgerError>,
    /// Everything behind this record is in the tail.
    tail_behind: u64,
    snapshot: Option<SnapshotPlace>,
}

/// A record that is kept in memory, and how long its line is.
struct Remembered {
    record: Record,
    bytes: usize,
}

/// The segment that is written.
struct Writing {
    file: Box<dyn Appending>,
    /// How many bytes come before what was appended: they fill no segment.
    opening: usize,
    bytes: usize,
    week: Week,
}

impl StreamFiles {
    /// Reads and proves a stream. A torn tail is cut off and noted; damage is
    /// an error, and nothing is changed.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        folder: PathBuf,
        stream: Stream,
        segment_bytes: usize,
    ) -> Result<(StreamFiles, Vec<OpeningNote>), LedgerError> {
        disk.make_folder(&folder).map_err(|error| unusable(&folder, &error))?;
        let mut numbers: Vec<u32> = disk
            .names(&folder)
            .map_err(|error| unusable(&folder, &error))?
            .iter()
            .filter_map(|name| segment_number(name))
            .collect();
        numbers.sort_unstable();
        let mut files = StreamFiles {
            disk,
            folder,
            stream,
            epoch: String::new(),
            segment_bytes,
            segments: Vec::new(),
            next_number: numbers.last().map_or(1, |last| last + 1),
            writing: None,
            head: Head::genesis(stream),
            tail: VecDeque::new(),
            tail_bytes: 0,
            declared: Declared::default(),
            unexplained: None,
            tail_behind: 0,
            snapshot: None,
        };
        let notes = files.read_all(&numbers)?;
        files.settle().map_err(|error| unusable(&files.folder, &error))?;
        Ok((files, notes))
    }

    /// Makes what was read survive a loss of power: a process that was killed
    /// may have written it and not synced, and what comes next rests on it.
    fn settle(&self) -> io::Result<()> {
        if let Some(newest) = self.segments.last() {
            self.disk.sync_file(&newest.path)?;
        }
        self.disk.sync_folder(&self.folder)
    }

    /// The epoch that the newest segment names, if there is one.
    pub(crate) fn epoch(&self) -> Option<&str> {
        (!self.segments.is_empty()).then_some(self.epoch.as_str())
    }

    /// What segments name from here on.
    pub(crate) fn set_epoch(&mut self, epoch: &str) {
        self.epoch = epoch.to_owned();
    }

    /// In how many segments it is kept.
    pub(crate) fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// What the chain says of itself.
    pub(crate) fn declared(&self) -> &Declared {
        &self.declared
    }

    /// What is missing without a word in the chain, though a start can do
    /// without it.
    pub(crate) fn unexplained(&self) -> Option<&LedgerError> {
        self.unexplained.as_ref()
    }

    /// The end of the chain.
    pub(crate) fn head(&self) -> Head {
        self.head
    }

    /// Appends records, all or none; they survive a loss of power when this
    /// returns. A segment whose write or sync failed is never written again.
    pub(crate) fn append(&mut self, drafts: Vec<Draft>, snapshot: &dyn Snapshot) -> Result<Vec<Record>, LedgerError> {
        let Some(at) = drafts.first().map(|first| first.at) else { return Ok(Vec::new()) };
        let week = Week::of(at, &TimeZone::UTC);
        let full =
            self.writing.as_ref().is_none_or(|writing| writing.bytes >= self.segment_bytes || writing.week != week);
        let opening = if full { self.opening(at, Some(snapshot)) } else { Opening::none(self.head) };
        let mut sealed = Vec::with_capacity(drafts.len());
        let mut head = opening.head;
        for draft in drafts {
            let (record, line) = draft.seal(head);
            head = record.head();
            sealed.push((record, line));
        }
        let bytes: String = sealed.iter().flat_map(|(_, line)| [line.as_str(), "\n"]).collect();
        let begin = if full { self.begin(&opening, &bytes, week) } else { self.extend(&bytes) };
        let begin = begin.map_err(|error| {
            self.writing = None;
            unusable(&self.folder, &error)
        })?;
        Ok(self.keep(sealed, begin, head))
    }

    /// The lines that begin a segment.
    fn opening(&self, at: Timestamp, snapshot: Option<&dyn Snapshot>) -> Opening {
        let (record, line) = Draft::of(at, &OpeningFact::of(self)).seal(self.head);
        let mut opening = Opening { lines: line + "\n", head: record.head(), has_snapshot: snapshot.is_some() };
        let Some(snapshot) = snapshot else { return opening };
        let mut parts = Parts::default();
        snapshot.each_item(&mut |item| {
            if let Some(part) = parts.add(item) {
                opening.add(at, &part);
            }
        });
        opening.add(at, &parts.finish());
        opening
    }

    /// Begins a segment that names another epoch, and nothing else.
    pub(crate) fn begin_epoch(&mut self, epoch: &str, at: Timestamp) -> Result<(), LedgerError> {
        self.set_epoch(epoch);
        let opening = self.opening(at, None);
        let week = Week::of(at, &TimeZone::UTC);
        self.begin(&opening, "", week).map_err(|error| unusable(&self.folder, &error))?;
        self.keep(Vec::new(), 0, opening.head);
        Ok(())
    }

    /// The records behind `after`, at most `limit`, without those that open segments.
    pub(crate) fn read(&self, after: u64, limit: usize) -> Result<Vec<Record>, LedgerError> {
        if after >= self.tail_behind {
            let records = self.tail.iter().map(|remembered| &remembered.record);
            let behind = records.filter(|record| record.seq > after);
            return Ok(behind.take(limit).cloned().collect());
        }
        let mut records = Vec::new();
        for (at, segment) in self.segments.iter().enumerate() {
            let end = self.segments.get(at + 1).map_or(self.head.seq + 1, |next| next.before.seq + 1);
            if end > after + 1 {
                self.read_segment(segment, after, end, limit, &mut records)?;
            }
            if records.len() >= limit {
                break;
            }
        }
        Ok(records)
    }

    fn read_segment(
        &self,
        segment: &Segment,
        after: u64,
        end: u64,
        limit: usize,
        records: &mut Vec<Record>,
    ) -> Result<(), LedgerError> {
        let bytes = self.disk.read(&segment.path).map_err(|error| unusable(&segment.path, &error))?;
        for line in segment::lines(&bytes, segment.offset_behind(after)) {
            if records.len() >= limit || records.last().is_some_and(|last| last.seq + 1 >= end) {
                break;
            }
            let record = segment::record(&line).map_err(|error| {
                LedgerError::Corrupt(format!("{} at byte {}: {error}", segment.path.display(), line.offset))
            })?;
            if record.seq >= end {
                break;
            }
            if record.seq > after && !record.is_of_the_ledger() {
                records.push(record);
            }
        }
        Ok(())
    }

    /// The newest whole snapshot that was found at the opening.
    pub(crate) fn snapshot(&self) -> Option<SnapshotPlace> {
        self.snapshot
    }

    /// The items of a part of that snapshot.
    pub(crate) fn snapshot_part(&self, part: u32) -> Result<Vec<Value>, LedgerError> {
        let place = self.snapshot.filter(|place| (1..=place.parts).contains(&part));
        let found = place.and_then(|place| {
            let segment = self.segments.iter().find(|segment| segment.before.seq == place.seq)?;
            Some((segment, place.seq + 1 + u64::from(part)))
        });
        let Some((segment, seq)) = found else {
            return Err(LedgerError::Unavailable(format!("there is no part {part} of a snapshot")));
        };
        let bytes = self.disk.read(&segment.path).map_err(|error| unusable(&segment.path, &error))?;
        let mut lines = segment::lines(&bytes, segment.offset_behind(seq - 1));
        let record = lines.find_map(|line| segment::record(&line).ok().filter(|record| record.seq == seq));
        let items = record.and_then(|record| serde_json::from_value::<Part>(record.body).ok()).map(|part| part.items);
        items.ok_or_else(|| segment::damage(&segment.path, 1 + part as usize, "it is no part of a snapshot"))
    }

    fn begin(&mut self, opening: &Opening, bytes: &str, week: Week) -> io::Result<usize> {
        let number = self.next_number;
        self.next_number += 1;
        let path = segment_path(&self.folder, number);
        let mut file = self.disk.create_new(&path)?;
        let begun = file.append(opening.lines.as_bytes()).and_then(|()| file.append(bytes.as_bytes()));
        let begun = begun.and_then(|()| file.sync());
        if let Err(error) = begun.and_then(|()| self.disk.sync_folder(&self.folder)) {
            drop(file);
            // Nothing in it was acknowledged; one that stays is passed over.
            let _ = self.disk.remove(&path);
            return Err(error);
        }
        let mut segment = Segment::new(path, self.head);
        segment.has_snapshot = opening.has_snapshot;
        self.segments.push(segment);
        self.writing = Some(Writing { file, opening: opening.lines.len(), bytes: bytes.len(), week });
        Ok(opening.lines.len())
    }

    fn extend(&mut self, bytes: &str) -> io::Result<usize> {
        let Some(writing) = &mut self.writing else { return Err(ErrorKind::NotFound.into()) };
        writing.file.append(bytes.as_bytes())?;
        writing.file.sync()?;
        let offset = writing.opening + writing.bytes;
        writing.bytes += bytes.len();
        Ok(offset)
    }

    fn keep(&mut self, sealed: Vec<(Record, String)>, mut offset: usize, head: Head) -> Vec<Record> {
        let mut records = Vec::with_capacity(sealed.len());
        for (record, line) in sealed {
            if let Some(segment) = self.segments.last_mut() {
                segment.place(record.seq, offset);
            }
            offset += line.len() + 1;
            self.remember(record.clone(), line.len());
            records.push(record);
        }
        self.head = head;
        records
    }

    fn remember(&mut self, record: Record, bytes: usize) {
        self.tail_bytes += bytes;
        self.tail.push_back(Remembered { record, bytes });
        while self.tail.len() > TAIL || (self.tail_bytes > TAIL_BYTES && self.tail.len() > 1) {
            let Some(forgotten) = self.tail.pop_front() else { return };
            self.tail_bytes -= forgotten.bytes;
            self.tail_behind = forgotten.record.seq;
        }
    }

    fn read_all(&mut self, numbers: &[u32]) -> Result<Vec<OpeningNote>, LedgerError> {
        let mut notes = Vec::new();
        let mut contents = Vec::new();
        for &number in numbers {
            let path = segment_path(&self.folder, number);
            let bytes = self.disk.read(&path).map_err(|error| unusable(&path, &error))?;
            let first = segment::lines(&bytes, 0).next().filter(|line| line.ended);
            match first.map(|line| segment::record(&line)) {
                // Nothing in it was ever acknowledged: its first write did not end.
                None => notes.push(OpeningNote::unfinished(&path)),
                Some(Err(_)) if is_blank(&bytes) => notes.push(OpeningNote::unfinished(&path)),
                Some(Err(error)) => return Err(segment::damage(&path, 1, &error.to_string())),
                Some(Ok(first)) => contents.push((path, bytes, first)),
            }
        }
        let mut breaks = Vec::new();
        for at in 0..contents.len() {
            let (path, bytes, first) = &contents[at];
            if !first.follows(self.head) {
                let last = self.segments.last().map_or(path, |segment| &segment.path);
                breaks.push((last.clone(), Break { after: self.head, next: first.head_before() }));
                self.head = first.head_before();
            }
            let next = contents.get(at + 1).map(|(_, _, next)| next);
            notes.extend(self.read_one(path, bytes, first, next)?);
        }
        self.judge(&breaks)?;
        Ok(notes)
    }

    /// Where a segment does not follow the one before, the chain must say why.
    /// A start can do without the begin of a stream, where a snapshot stands in.
    fn judge(&mut self, breaks: &[(PathBuf, Break)]) -> Result<(), LedgerError> {
        for (path, place) in breaks.iter().filter(|(_, place)| !self.declared.covers(*place)) {
            let problem = match place.after.seq {
                0 => format!("it begins behind record {}: what came before is missing", place.next.seq),
                last => format!("its last record is {last}, yet the next segment follows record {}", place.next.seq),
            };
            let damage = segment::damage(path, 1, &problem);
            if place.after.seq > 0 || self.snapshot.is_none() {
                return Err(damage);
            }
            self.unexplained = Some(damage);
        }
        Ok(())
    }

    /// Reads a segment up to where the next one follows, or to its end.
    fn read_one(
        &mut self,
        path: &Path,
        bytes: &[u8],
        first: &Record,
        next: Option<&Record>,
    ) -> Result<Option<OpeningNote>, LedgerError> {
        self.epoch = segment::opened(first, path)?.epoch;
        let mut segment = Segment::new(path.to_owned(), first.head_before());
        let mut parts = PartsFound::behind(first);
        let mut note = None;
        for line in segment::lines(bytes, 0) {
            if next.is_some_and(|next| next.follows(self.head)) {
                note = Some(OpeningNote::no_part(path, line.number));
                break;
            }
            if next.is_none() && (!line.ended || is_blank(&bytes[line.offset..])) {
                note = Some(self.cut_off(path, &line, bytes.len())?);
                break;
            }
            let record = segment::record_behind(&line, self.head, path)?;
            let noted = self.declared.note(&record);
            noted.map_err(|error| segment::damage(path, line.number, &error.to_string()))?;
            segment.place(record.seq, line.offset);
            self.head = record.head();
            parts.note(&record);
            if !record.is_of_the_ledger() {
                self.remember(record, line.bytes.len());
            }
        }
        segment.has_snapshot = parts.place().is_some();
        self.segments.push(segment);
        self.snapshot = parts.place().or(self.snapshot);
        Ok(note)
    }

    fn cut_off(&self, path: &Path, line: &segment::Line<'_>, bytes: usize) -> Result<OpeningNote, LedgerError> {
        self.disk.cut(path, line.offset as u64).map_err(|error| unusable(path, &error))?;
        Ok(OpeningNote::torn(path, line.number, bytes - line.offset))
    }
}

/// The lines that begin a segment, and the head behind them.
struct Opening {
    lines: String,
    head: Head,
    has_snapshot: bool,
}

impl Opening {
    fn none(head: Head) -> Opening {
        Opening { lines: String::new(), head, has_snapshot: false }
    }

    fn add(&mut self, at: Timestamp, part: &NewPart) {
        let body = serde_json::to_string(part).expect("parts are plain values with string keys");
        let (head, line) = seal_raw(at, SNAPSHOT, &body, self.head);
        self.head = head;
        self.lines.push_str(&line);
        self.lines.push('\n');
    }
}

/// What is found of the snapshot that a segment begins with.
struct PartsFound {
    place: SnapshotPlace,
    whole: bool,
}

impl PartsFound {
    fn behind(opened: &Record) -> PartsFound {
        PartsFound { place: SnapshotPlace { seq: opened.head_before().seq, parts: 0 }, whole: false }
    }

    fn note(&mut self, record: &Record) {
        let next = self.place.seq + 2 + u64::from(self.place.parts);
        if self.whole || record.kind != SNAPSHOT || record.seq != next {
            return;
        }
        self.place.parts += 1;
        self.whole = record.body.get("last").and_then(Value::as_bool).unwrap_or(false);
    }

    fn place(&self) -> Option<SnapshotPlace> {
        self.whole.then_some(self.place)
    }
}

/// The fact that opens a segment.
#[derive(serde::Serialize)]
struct OpeningFact {
    kind: &'static str,
    body: Opened,
}

impl OpeningFact {
    fn of(files: &StreamFiles) -> OpeningFact {
        let body =
            Opened { format: FORMAT, stream: files.stream, segment: files.next_number, epoch: files.epoch.clone() };
        OpeningFact { kind: SEGMENT_OPENED, body }
    }
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

/// What a file system says no to, with the mend.
pub(crate) fn unusable(path: &Path, error: &io::Error) -> LedgerError {
    let mend = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room there",
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
            "give the server's user write access, or set DATA_DIR to another folder"
        }
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => "there must be a folder; set DATA_DIR to one",
        _ => "see that DATA_DIR is a folder that can be written",
    };
    LedgerError::Unavailable(format!("{} cannot be used ({error}); {mend}", path.display()))
}
