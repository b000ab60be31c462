//! Proving a ledger without touching it, beside a server that writes or without.

use std::{io, path::Path, sync::Arc};

use app::ports::LedgerError;
use domain::record::{Head, Stream};

use crate::{
    Dropped, FileLedger, Gap, OpeningNote,
    copy::must_be_whole,
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
    match must_be_whole(&RealDisk, folder) {
        Ok(()) => proofs(&(Arc::new(RealDisk) as Arc<dyn Disk>), folder),
        Err(error) => Stream::ALL.into_iter().map(|stream| (stream, Err(error.clone()))).collect(),
    }
}

/// Proves each stream on any disk.
pub(crate) fn proofs(disk: &Arc<dyn Disk>, folder: &Path) -> Vec<(Stream, Result<Proof, LedgerError>)> {
    let proved = |stream: Stream| {
        let path = folder.join("ledger").join(stream.name());
        let disk = Arc::new(ReadOnlyDisk(Arc::clone(disk)));
        let (files, mut notes) = StreamFiles::open(disk, path, stream, SEGMENT_BYTES)?;
        // An unfinished last line may be one that is being written.
        notes.retain(|note| !note.is_torn_line());
        if let Some(error) = files.unexplained() {
            return Err(error.clone());
        }
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
    FileLedger::open_on(Arc::new(ReadOnlyDisk(Arc::new(RealDisk))), folder, String::new(), SEGMENT_BYTES)
        .map(|(ledger, _)| ledger)
}

/// A disk on which nothing is changed.
struct ReadOnlyDisk(Arc<dyn Disk>);

impl Disk for ReadOnlyDisk {
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.0.names(path).map(drop)
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.0.names(folder)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.0.read(path)
    }

    fn open(&self, path: &Path) -> io::Result<(Box<dyn io::Read + Send>, u64)> {
        self.0.open(path)
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
