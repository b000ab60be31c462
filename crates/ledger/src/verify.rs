//! Proving a ledger without touching it, beside a server that writes or without.

use std::{fs, io, path::Path, sync::Arc};

use app::ports::LedgerError;
use domain::record::{Head, Record, Stream};

use crate::{
    Dropped, FileLedger, Gap, OpeningNote,
    copy::must_be_whole,
    disk::{Appending, Disk, RealDisk, segment_path},
    files::LEDGER,
    own::{Break, Declared},
    segment::{self, End},
    start,
    stream::{SEGMENT_BYTES, unusable},
};

/// A stream whose chain holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// How many records and with what hash it ends.
    pub head: Head,
    /// In how many segments it is kept.
    pub segments: usize,
    /// What is no part of the chain, though it stands in the files; beside a
    /// server, an unfinished last line may be one that is being written.
    pub notes: Vec<OpeningNote>,
    /// The gaps that repairs left.
    pub gaps: Vec<Gap>,
    /// What retention dropped.
    pub dropped: Vec<Dropped>,
}

/// Proves each stream of a data directory from its first record to its last.
///
/// # Errors
/// For each stream [`LedgerError::Corrupt`] with file and line, or
/// [`LedgerError::Unavailable`].
pub fn verify(folder: &Path) -> Vec<(Stream, Result<Proof, LedgerError>)> {
    let ledger = folder.join(LEDGER);
    let is_there = RealDisk.names(&ledger).map_err(|error| unusable(&ledger, &error));
    match is_there.and_then(|_| must_be_whole(&RealDisk, folder)) {
        Ok(()) => proofs(&RealDisk, folder),
        Err(error) => Stream::ALL.into_iter().map(|stream| (stream, Err(error.clone()))).collect(),
    }
}

/// Proves each stream on any disk.
pub(crate) fn proofs(disk: &dyn Disk, folder: &Path) -> Vec<(Stream, Result<Proof, LedgerError>)> {
    let proved = |stream: Stream| proved(disk, &folder.join(LEDGER).join(stream.name()), stream);
    Stream::ALL.into_iter().map(|stream| (stream, proved(stream))).collect()
}

fn proved(disk: &dyn Disk, folder: &Path, stream: Stream) -> Result<Proof, LedgerError> {
    let numbers = start::numbers(disk, folder).map_err(|error| unusable(folder, &error))?;
    let mut proof =
        Proof { head: Head::genesis(stream), segments: 0, notes: Vec::new(), gaps: Vec::new(), dropped: Vec::new() };
    let (mut declared, mut breaks) = (Declared::default(), Vec::new());
    let mut begun = Vec::new();
    for number in numbers {
        let path = segment_path(folder, number);
        match segment::first_record(disk, &path)? {
            Some(first) => begun.push((path, first)),
            None => proof.notes.push(OpeningNote::unfinished(&path)),
        }
    }
    for (at, (path, first)) in begun.iter().enumerate() {
        let next = begun.get(at + 1).map(|(_, next)| next);
        let bytes = disk.read(path).map_err(|error| unusable(path, &error))?;
        if at == 0 && !first.follows(proof.head) {
            breaks.push((path, 1, Break { after: proof.head, next: first.head_before() }));
        }
        declared.take_up(&bytes, first);
        let (head, end) = segment::prove(path, &bytes, first.head_before(), next, |_, _| {})?;
        match end {
            End::Whole => {}
            End::Torn { line, offset } => proof.notes.push(OpeningNote::torn(path, line, bytes.len() - offset)),
            End::Breaks(line) => {
                let next = next.map_or(head, Record::head_before);
                breaks.push((path, line, Break { after: head, next }));
            }
            End::NoPartFrom(line) => proof.notes.push(OpeningNote::no_part(path, line)),
        }
        proof = Proof { head, segments: at + 1, ..proof };
    }
    for (path, line, place) in breaks {
        segment::must_cover(&declared, place, path, line)?;
    }
    let Declared { gaps, dropped, .. } = declared;
    Ok(Proof { gaps, dropped, ..proof })
}

/// A ledger that is only read.
///
/// # Errors
/// As [`verify`], of the first stream that has one.
pub fn open_to_read(folder: &Path) -> Result<FileLedger, LedgerError> {
    FileLedger::open_on(Arc::new(ReadOnlyDisk), folder, String::new(), SEGMENT_BYTES).map(|(ledger, _)| ledger)
}

/// The machine's own disk, on which nothing is changed.
struct ReadOnlyDisk;

impl Disk for ReadOnlyDisk {
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        fs::metadata(path).map(drop)
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let entries: Vec<_> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
        Ok(entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn read_at(&self, path: &Path, offset: u64, bytes: usize) -> io::Result<Vec<u8>> {
        RealDisk.read_at(path, offset, bytes)
    }

    fn length(&self, path: &Path) -> io::Result<u64> {
        RealDisk.length(path)
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn create_new(&self, _: &Path) -> io::Result<Box<dyn Appending>> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn rewrite(&self, _: &Path, _: u64, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn cut(&self, _: &Path, _: u64) -> io::Result<()> {
        Ok(())
    }
}
