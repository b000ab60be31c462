//! Proving a ledger without touching it, beside a server that writes or without.

use std::{fs, io, path::Path, sync::Arc};

use app::ports::LedgerError;
use domain::record::{Head, Stream};

use crate::{
    Dropped, FileLedger, Gap, OpeningNote,
    disk::{Appending, Disk, RealDisk},
    own::Declared,
    stream::{SEGMENT_BYTES, StreamFiles},
};

/// A stream whose chain holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// How many records and with what hash it ends.
    pub head: Head,
    /// In how many segments it is kept.
    pub segments: usize,
    /// What is no part of the chain, though it stands in the files.
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
    let proved = |stream: Stream| {
        let path = folder.join("ledger").join(stream.name());
        let (files, mut notes) = StreamFiles::open(Arc::new(ReadOnlyDisk), path, stream, SEGMENT_BYTES)?;
        // An unfinished last line may be one that is being written.
        notes.retain(|note| !note.is_torn_line());
        let Declared { gaps, dropped } = files.declared().clone();
        Ok(Proof { head: files.head(), segments: files.segment_count(), notes, gaps, dropped })
    };
    Stream::ALL.into_iter().map(|stream| (stream, proved(stream))).collect()
}

/// A ledger that is only read.
///
/// # Errors
/// As [`verify`], of the first stream that has one.
pub fn open_to_read(folder: &Path) -> Result<FileLedger, LedgerError> {
    FileLedger::open_on(Arc::new(ReadOnlyDisk), folder, String::new(), SEGMENT_BYTES).map(|(ledger, _)| ledger)
}

/// The machine's own disk, on which nothing is changed.
pub(crate) struct ReadOnlyDisk;

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

    fn open(&self, path: &Path) -> io::Result<(Box<dyn io::Read + Send>, u64)> {
        RealDisk.open(path)
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

    fn sync_file(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn cut(&self, _: &Path, _: u64) -> io::Result<()> {
        Ok(())
    }
}
