//! One stream: its chain, the segment that is written, and what is read again.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

use app::ports::LedgerError;
use domain::{
    record::{Draft, FORMAT, Head, Record, SEGMENT_OPENED, Stream},
    week::Week,
};
use jiff::{Timestamp, tz::TimeZone};

use crate::{
    disk::{Appending, Disk, segment_number, segment_path},
    note::OpeningNote,
    own::{Break, Declared},
    segment::{self, Opened, Segment},
};

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
}

/// A record that is kept in memory, and how long its line is.
struct Remembered {
    record: Record,
    bytes: usize,
}

/// The segment that is written.
struct Writing {
    file: Box<dyn Appending>,
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

    /// The end of the chain.
    pub(crate) fn head(&self) -> Head {
        self.head
    }

    /// Appends records, all or none; they survive a loss of power when this
    /// returns. A segment whose write or sync failed is never written again.
    pub(crate) fn append(&mut self, drafts: Vec<Draft>) -> Result<Vec<Record>, LedgerError> {
        let Some(first) = drafts.first() else { return Ok(Vec::new()) };
        let week = Week::of(first.at, &TimeZone::UTC);
        let at = first.at;
        let full =
            self.writing.as_ref().is_none_or(|writing| writing.bytes >= self.segment_bytes || writing.week != week);
        let mut sealed = Vec::with_capacity(drafts.len() + 1);
        let mut head = self.head;
        let opening = full.then(|| Draft::of(at, &OpeningFact::of(self)));
        for draft in opening.into_iter().chain(drafts) {
            let (record, line) = draft.seal(head);
            head = record.head();
            sealed.push((record, line));
        }
        let bytes: String = sealed.iter().flat_map(|(_, line)| [line.as_str(), "\n"]).collect();
        let begin = if full { self.begin(&bytes, week) } else { self.extend(&bytes) };
        let begin = begin.map_err(|error| {
            self.writing = None;
            unusable(&self.folder, &error)
        })?;
        Ok(self.keep(sealed, full, begin, head))
    }

    /// Begins a segment that names another epoch, and nothing else.
    pub(crate) fn begin_epoch(&mut self, epoch: &str, at: Timestamp) -> Result<(), LedgerError> {
        self.set_epoch(epoch);
        let (record, line) = Draft::of(at, &OpeningFact::of(self)).seal(self.head);
        let week = Week::of(at, &TimeZone::UTC);
        let begin = self.begin(&format!("{line}\n"), week).map_err(|error| unusable(&self.folder, &error))?;
        let head = record.head();
        self.keep(vec![(record, line)], true, begin, head);
        Ok(())
    }

    /// The records behind `after`, at most `limit`, without those that open segments.
    pub(crate) fn read(&self, after: u64, limit: usize) -> Result<Vec<Record>, LedgerError> {
        if self.tail.front().is_some_and(|first| first.record.seq <= after + 1) {
            let records = self.tail.iter().map(|remembered| &remembered.record);
            let behind = records.filter(|record| record.seq > after && !record.is_of_the_ledger());
            return Ok(behind.take(limit).cloned().collect());
        }
        let mut records = Vec::new();
        for (at, segment) in self.segments.iter().enumerate() {
            let end = self.segments.get(at + 1).map_or(self.head.seq + 1, |next| next.first_seq);
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

    fn begin(&mut self, bytes: &str, week: Week) -> io::Result<usize> {
        let number = self.next_number;
        self.next_number += 1;
        let path = segment_path(&self.folder, number);
        let mut file = self.disk.create_new(&path)?;
        let begun = file.append(bytes.as_bytes()).and_then(|()| file.sync());
        if let Err(error) = begun.and_then(|()| self.disk.sync_folder(&self.folder)) {
            drop(file);
            // Nothing in it was acknowledged; one that stays is passed over.
            let _ = self.disk.remove(&path);
            return Err(error);
        }
        self.segments.push(Segment::new(path, self.head.seq + 1));
        self.writing = Some(Writing { file, bytes: bytes.len(), week });
        Ok(0)
    }

    fn extend(&mut self, bytes: &str) -> io::Result<usize> {
        let Some(writing) = &mut self.writing else { return Err(ErrorKind::NotFound.into()) };
        writing.file.append(bytes.as_bytes())?;
        writing.file.sync()?;
        let offset = writing.bytes;
        writing.bytes += bytes.len();
        Ok(offset)
    }

    fn keep(&mut self, sealed: Vec<(Record, String)>, opened: bool, mut offset: usize, head: Head) -> Vec<Record> {
        let mut records = Vec::with_capacity(sealed.len());
        for (at, (record, line)) in sealed.into_iter().enumerate() {
            if let Some(segment) = self.segments.last_mut() {
                segment.place(record.seq, offset);
            }
            offset += line.len() + 1;
            self.remember(record.clone(), line.len());
            if !(opened && at == 0) {
                records.push(record);
            }
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
        self.made_good(&breaks)?;
        Ok(notes)
    }

    /// Where a segment does not follow the one before, the chain must say why.
    fn made_good(&self, breaks: &[(PathBuf, Break)]) -> Result<(), LedgerError> {
        let Some((path, place)) = breaks.iter().find(|(_, place)| !self.declared.covers(*place)) else { return Ok(()) };
        let problem = match place.after.seq {
            0 => format!("record {} is the first, and the records before it are missing", place.next.seq + 1),
            last => format!("its last record is {last}, yet the next segment follows record {}", place.next.seq),
        };
        Err(segment::damage(path, 1, &problem))
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
        let mut segment = Segment::new(path.to_owned(), first.seq);
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
            self.remember(record, line.bytes.len());
        }
        self.segments.push(segment);
        Ok(note)
    }

    fn cut_off(&self, path: &Path, line: &segment::Line<'_>, bytes: usize) -> Result<OpeningNote, LedgerError> {
        self.disk.cut(path, line.offset as u64).map_err(|error| unusable(path, &error))?;
        Ok(OpeningNote::torn(path, line.number, bytes - line.offset))
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
