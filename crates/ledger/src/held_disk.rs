//! The machine's disk, as long as this process is the one that writes.
//!
//! What was synced counts only when the term was still held behind that sync.
//! Before anything is made, written, cut or removed it is looked at as well: of
//! one that was paused in the middle, at most what was under way comes late.

use std::{io, path::Path, sync::Arc};

use app::ports::LedgerError;

use crate::{
    disk::{Appending, Disk, RealDisk},
    term::Held,
};

/// A disk that is written by the holder of a term.
pub(crate) struct HeldDisk(pub(crate) Arc<Held>);

impl HeldDisk {
    fn confirm(&self) -> io::Result<()> {
        self.0.confirm().map_err(io::Error::other)
    }
}

impl Disk for HeldDisk {
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        RealDisk.make_folder(path)
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        RealDisk.names(folder)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        RealDisk.read(path)
    }

    fn length(&self, path: &Path) -> io::Result<u64> {
        RealDisk.length(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.confirm()?;
        RealDisk.rename(from, to)
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn Appending>> {
        self.confirm()?;
        Ok(Box::new(HeldFile { file: RealDisk.create_new(path)?, held: Arc::clone(&self.0) }))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.confirm()?;
        RealDisk.remove(path)
    }

    fn read_at(&self, path: &Path, offset: u64, bytes: usize) -> io::Result<Vec<u8>> {
        RealDisk.read_at(path, offset, bytes)
    }

    fn rewrite(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.look().map_err(io::Error::other)?;
        RealDisk.rewrite(path, offset, bytes)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_folder(path)
    }

    fn cut(&self, path: &Path, bytes: u64) -> io::Result<()> {
        // What looks torn may be what a successor is writing just now.
        self.0.look().map_err(io::Error::other)?;
        RealDisk.cut(path, bytes)
    }
}

struct HeldFile {
    file: Box<dyn Appending>,
    held: Arc<Held>,
}

impl HeldFile {
    /// What failed may have hung for long: a successor may have read these
    /// bytes meanwhile, and count them. Then they are not this process's to cut.
    fn takes_back(&mut self, error: io::Error) -> io::Error {
        if self.held.look().is_ok() {
            self.file.take_back();
        }
        error
    }
}

impl Appending for HeldFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.held.confirm().map_err(io::Error::other)?;
        self.file.append(bytes).map_err(|error| self.takes_back(error))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync().map_err(|error| self.takes_back(error))?;
        self.held.confirm().map_err(io::Error::other)
    }
}

/// What a holder does with a file, on any disk.
#[cfg(test)]
pub(crate) fn held_file(file: Box<dyn Appending>, held: Arc<Held>) -> Box<dyn Appending> {
    Box::new(HeldFile { file, held })
}

/// The ledger's own word in an error of the disk, if that is what it is.
pub(crate) fn word_of_term(error: &io::Error) -> Option<LedgerError> {
    error.get_ref()?.downcast_ref::<LedgerError>().cloned()
}
