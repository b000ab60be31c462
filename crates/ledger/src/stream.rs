//! One stream as it is written: its chain, and the segment that grows.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

use app::ports::{LedgerError, Snapshot};
use domain::{
    record::{Draft, FORMAT, Head, MAX_LINE_BYTES, Record, SEGMENT_OPENED, Stream, seal_raw},
    snapshot::{NewPart, Parts, SNAPSHOT},
    week::Week,
};
use jiff::{Timestamp, tz::TimeZone};

use crate::{
    disk::{Appending, Disk, segment_path},
    held_disk::word_of_term,
    note::OpeningNote,
    place::{Places, Segment},
    reader::{Committed, Reader},
    segment::Opened,
    start::{self, Found, REWRITTEN_BYTES},
};

/// A segment that is longer than this, in bytes, is followed by another:
/// small enough to be read at a start, large enough that a week is one file.
/// The snapshot that it begins with does not count.
pub(crate) const SEGMENT_BYTES: usize = 64 * 1024 * 1024;

/// No more than this is written before it is synced, in bytes, and one line: a
/// start writes more of a segment's end once more, should a sync have failed.
const UNSYNCED_BYTES: usize = 4 * 1024 * 1024;

const _: () = assert!(UNSYNCED_BYTES + 2 * MAX_LINE_BYTES <= REWRITTEN_BYTES);

/// A stream on disk.
pub(crate) struct StreamFiles {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    stream: Stream,
    epoch: String,
    segment_bytes: usize,
    next_number: u32,
    writing: Option<Writing>,
    head: Head,
    reader: Arc<Reader>,
}

/// The segment that is written.
struct Writing {
    file: Box<dyn Appending>,
    number: u32,
    /// How long the file is, in bytes.
    length: u64,
    /// How many of them were appended behind the snapshot.
    bytes: usize,
    week: Week,
}

/// Records that are durable, and shown to nobody yet.
pub(crate) struct Written {
    writing: Writing,
    committed: Committed,
}

/// Why a segment did not take records, and what it did not take.
struct Failed {
    drafts: Vec<Draft>,
    path: PathBuf,
    error: io::Error,
}

impl StreamFiles {
    /// Opens a stream and mends its end; what was found and dealt with is noted.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        folder: PathBuf,
        stream: Stream,
        segment_bytes: usize,
    ) -> Result<(StreamFiles, Vec<OpeningNote>), LedgerError> {
        let found = start::look(disk.as_ref(), folder, stream)?;
        found.settle(disk.as_ref())?;
        Ok(StreamFiles::of(found, disk, segment_bytes))
    }

    /// Goes on behind what was found, and was settled.
    pub(crate) fn of(mut found: Found, disk: Arc<dyn Disk>, segment_bytes: usize) -> (StreamFiles, Vec<OpeningNote>) {
        let notes = std::mem::take(&mut found.notes);
        let files = StreamFiles {
            folder: found.folder.clone(),
            stream: found.stream,
            epoch: found.epoch.clone().unwrap_or_default(),
            segment_bytes,
            next_number: found.newest_number + 1,
            writing: None,
            head: found.head,
            reader: Arc::new(Reader::of(found, Arc::clone(&disk))),
            disk,
        };
        (files, notes)
    }

    /// What segments name from here on.
    pub(crate) fn set_epoch(&mut self, epoch: &str) {
        self.epoch = epoch.to_owned();
    }

    /// What reads the stream.
    pub(crate) fn reader(&self) -> &Arc<Reader> {
        &self.reader
    }

    /// Writes records, all or none; they survive a loss of power when this
    /// returns, and count once they are committed. A segment whose write or
    /// sync failed is never written again: what it did not take is written to
    /// another one.
    pub(crate) fn write(
        &mut self,
        drafts: Vec<Draft>,
        snapshot: &dyn Snapshot,
    ) -> Result<Option<Written>, LedgerError> {
        let Some(at) = drafts.first().map(|first| first.at) else { return Ok(None) };
        let week = Week::of(at, &TimeZone::UTC);
        let has_room = |writing: &Writing| writing.bytes < self.segment_bytes && writing.week == week;
        let written = match self.writing.take().filter(has_room) {
            Some(writing) => self.extend(writing, drafts),
            None => self.begin(at, drafts, Some(snapshot)),
        };
        let failed = match written {
            Ok(written) => return Ok(Some(written)),
            Err(failed) => failed,
        };
        let written = self.begin(at, failed.drafts, Some(snapshot)).map_err(Failed::into_error)?;
        let (path, error) = (failed.path.display(), failed.error);
        tracing::warn!("{path} could not be written ({error}); what it did not take is kept in the next segment");
        Ok(Some(written))
    }

    /// Makes what was written part of the chain, for those who read too.
    pub(crate) fn commit(&mut self, Written { writing, committed }: Written) -> Vec<Record> {
        self.head = committed.head;
        self.writing = Some(writing);
        self.reader.commit(committed)
    }

    /// Begins a segment with a snapshot, and nothing behind it.
    pub(crate) fn turn(&mut self, at: Timestamp, snapshot: &dyn Snapshot) -> Result<Written, LedgerError> {
        self.writing = None;
        self.begin(at, Vec::new(), Some(snapshot)).map_err(Failed::into_error)
    }

    /// Removes all segments before the one that is written, oldest first, so
    /// that what is left is one chain whenever that stops.
    pub(crate) fn remove_older(&mut self) -> Result<(), LedgerError> {
        let Some(number) = self.writing.as_ref().map(|writing| writing.number) else { return Ok(()) };
        self.reader.forget_before(number);
        let numbers =
            start::numbers(self.disk.as_ref(), &self.folder).map_err(|error| unusable(&self.folder, &error))?;
        for older in numbers.into_iter().filter(|older| *older < number) {
            let path = segment_path(&self.folder, older);
            let removed = self.disk.remove(&path).and_then(|()| self.disk.sync_folder(&self.folder));
            removed.map_err(|error| unusable(&path, &error))?;
        }
        Ok(())
    }

    /// Begins a segment that names another epoch, and nothing else.
    pub(crate) fn begin_epoch(&mut self, epoch: &str, at: Timestamp) -> Result<(), LedgerError> {
        self.set_epoch(epoch);
        let written = self.begin(at, Vec::new(), None).map_err(Failed::into_error)?;
        self.commit(written);
        Ok(())
    }

    /// Begins a segment at once, as another process may yet write to the one
    /// before: what comes late there is no part of the chain. One number is
    /// left out, in which that process may yet begin one of its own.
    pub(crate) fn take_over(&mut self, at: Timestamp) -> Result<(), LedgerError> {
        self.next_number += 1;
        self.begin_epoch(&self.epoch.clone(), at)
    }

    fn extend(&self, writing: Writing, drafts: Vec<Draft>) -> Result<Written, Failed> {
        let path = segment_path(&self.folder, writing.number);
        let sealed = sealed(drafts, self.head);
        let mut growing = Growing::at_the_end_of(writing);
        match sealed.iter().try_for_each(|(record, line)| growing.add(record.seq, line)).and_then(|()| growing.end()) {
            Ok(()) => Ok(growing.written(sealed, self.head, None)),
            Err(error) => Err(Failed::of(sealed, path, error)),
        }
    }

    fn begin(&mut self, at: Timestamp, drafts: Vec<Draft>, snapshot: Option<&dyn Snapshot>) -> Result<Written, Failed> {
        let number = self.next_number;
        let path = segment_path(&self.folder, number);
        let file = match self.disk.create_new(&path) {
            Ok(file) => file,
            Err(error) => {
                self.next_number += u32::from(error.kind() == ErrorKind::AlreadyExists);
                return Err(Failed { drafts, path, error });
            }
        };
        self.next_number += 1;
        let week = Week::of(at, &TimeZone::UTC);
        let mut growing = Growing::at_the_end_of(Writing { file, number, length: 0, bytes: 0, week });
        let opened = self.open_segment(&mut growing, at, snapshot);
        let sealed = sealed(drafts, *opened.as_ref().unwrap_or(&self.head));
        let begun = opened.and_then(|head| {
            growing.begins_to_count();
            sealed.iter().try_for_each(|(record, line)| growing.add(record.seq, line))?;
            growing.end()?;
            self.disk.sync_folder(&self.folder)?;
            Ok(head)
        });
        match begun {
            Ok(head) => {
                let segment = Segment::new(path, number, self.head.seq + 1, Some(Places::from(self.head.seq + 1)));
                Ok(growing.written(sealed, head, Some(segment)))
            }
            Err(error) => {
                drop(growing);
                // Nothing in it was acknowledged; one that stays is passed over.
                let _ = self.disk.remove(&path);
                Err(Failed::of(sealed, path, error))
            }
        }
    }

    /// Writes the lines that a segment begins with; returns the head behind them.
    fn open_segment(&self, growing: &mut Growing, at: Timestamp, snapshot: Option<&dyn Snapshot>) -> io::Result<Head> {
        let (record, line) = Draft::of(at, &self.opening_fact(growing.writing.number)).seal(self.head);
        growing.add(record.seq, &line)?;
        let mut head = record.head();
        let Some(snapshot) = snapshot else { return Ok(head) };
        let mut write = |part: NewPart| {
            let body = serde_json::to_string(&part).expect("parts are plain values with string keys");
            let (behind, line) = seal_raw(at, SNAPSHOT, &body, head);
            head = behind;
            growing.add(head.seq, &line)
        };
        let mut parts = Parts::of(self.segment_bytes);
        let mut result = Ok(());
        snapshot.each_item(&mut |item| {
            if let (Some(part), Ok(())) = (parts.add(item), &result) {
                result = write(part);
            }
        });
        result?;
        write(parts.finish())?;
        Ok(head)
    }

    fn opening_fact(&self, number: u32) -> OpeningFact {
        let body = Opened { format: FORMAT, stream: self.stream, segment: number, epoch: self.epoch.clone() };
        OpeningFact { kind: SEGMENT_OPENED, body }
    }
}

impl Failed {
    fn of(sealed: Vec<(Record, String)>, path: PathBuf, error: io::Error) -> Failed {
        Failed { drafts: sealed.into_iter().map(|(record, _)| record.into_draft()).collect(), path, error }
    }

    fn into_error(self) -> LedgerError {
        unusable(&self.path, &self.error)
    }
}

/// A segment while lines are added, some of which are not in the file yet.
struct Growing {
    writing: Writing,
    lines: String,
    /// How many bytes of these lines fill no segment.
    uncounted: usize,
    places: Vec<(u64, u64)>,
}

impl Growing {
    fn at_the_end_of(writing: Writing) -> Growing {
        Growing { writing, lines: String::new(), uncounted: 0, places: Vec::new() }
    }

    fn add(&mut self, seq: u64, line: &str) -> io::Result<()> {
        if line.len() > MAX_LINE_BYTES {
            let problem = format!("a record has {} bytes; at most {MAX_LINE_BYTES} are read again", line.len());
            return Err(io::Error::new(ErrorKind::InvalidInput, problem));
        }
        self.places.push((seq, self.writing.length + self.lines.len() as u64));
        self.lines.push_str(line);
        self.lines.push('\n');
        if self.lines.len() > UNSYNCED_BYTES { self.end() } else { Ok(()) }
    }

    /// Writes and syncs what is not in the file yet.
    fn end(&mut self) -> io::Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        self.writing.file.append(self.lines.as_bytes())?;
        self.writing.file.sync()?;
        self.writing.length += self.lines.len() as u64;
        self.writing.bytes += self.lines.len() - std::mem::take(&mut self.uncounted);
        self.lines.clear();
        Ok(())
    }

    /// What was added so far fills no segment.
    fn begins_to_count(&mut self) {
        self.writing.bytes = 0;
        self.uncounted = self.lines.len();
    }

    fn written(self, sealed: Vec<(Record, String)>, before: Head, begun: Option<Arc<Segment>>) -> Written {
        let head = sealed.last().map_or(before, |(record, _)| record.head());
        let records = sealed.into_iter().map(|(record, line)| (record, line.len())).collect();
        Written { writing: self.writing, committed: Committed { records, places: self.places, begun, head } }
    }
}

/// The fact that opens a segment.
#[derive(serde::Serialize)]
struct OpeningFact {
    kind: &'static str,
    body: Opened,
}

/// Drafts with their places behind `head`, and their lines.
fn sealed(drafts: Vec<Draft>, mut head: Head) -> Vec<(Record, String)> {
    let seal = |draft: Draft| {
        let (record, line) = draft.seal(head);
        head = record.head();
        (record, line)
    };
    drafts.into_iter().map(seal).collect()
}

/// What a file system says no to, with the mend.
pub(crate) fn unusable(path: &Path, error: &io::Error) -> LedgerError {
    if let Some(word) = word_of_term(error) {
        return word;
    }
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
