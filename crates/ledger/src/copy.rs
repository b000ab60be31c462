//! Backups: a consistent copy of a ledger, beside a server that writes, and
//! the way back.

use std::{fs, io, path::Path, sync::Arc};

use app::ports::LedgerError;
use domain::record::Stream;
use jiff::Timestamp;

use crate::{
    Term,
    disk::{Appending, Disk, RealDisk, segment_number, segment_path},
    files::LEDGER,
    stream::{SEGMENT_BYTES, StreamFiles, unusable},
    verify::verify,
};

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// How many segments.
    pub segments: usize,
    /// How many bytes they have.
    pub bytes: u64,
}

/// Copies a ledger into a folder that is empty or not there. The newest segment
/// of each stream goes first: what is written meanwhile stands behind it, and
/// the copy is how the ledger was at one moment.
///
/// # Errors
/// [`LedgerError::Unavailable`] where a folder cannot be used or is not empty,
/// [`LedgerError::Corrupt`] where the copy does not hold.
pub fn back_up(data: &Path, target: &Path) -> Result<Copied, LedgerError> {
    must_be_empty(target)?;
    let copied = copy_streams(data, target)?;
    must_hold(target)?;
    Ok(copied)
}

/// Copies a backup into a data directory that is empty, and names its ledger
/// anew, as its numbers can come twice.
///
/// # Errors
/// [`LedgerError::Corrupt`] where the backup does not hold,
/// [`LedgerError::Conflict`] where a server has the directory, and
/// [`LedgerError::Unavailable`] where a folder cannot be used or is not empty.
pub fn restore(backup: &Path, data: &Path, epoch: &str, at: Timestamp) -> Result<Copied, LedgerError> {
    must_hold(backup)?;
    must_be_empty(data)?;
    let term = Term::take(data)?;
    let copied = copy_streams(backup, data)?;
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let audit = data.join(LEDGER).join(Stream::Audit.name());
    let (mut files, _) = StreamFiles::open(disk, audit, Stream::Audit, SEGMENT_BYTES)?;
    files.begin_epoch(epoch, at)?;
    drop(term);
    Ok(copied)
}

fn copy_streams(from: &Path, to: &Path) -> Result<Copied, LedgerError> {
    let mut copied = Copied::default();
    for stream in Stream::ALL {
        let source = from.join(LEDGER).join(stream.name());
        let target = to.join(LEDGER).join(stream.name());
        RealDisk.make_folder(&target).map_err(|error| unusable(&target, &error))?;
        for number in newest_first(&source)? {
            let bytes = copy(&segment_path(&source, number), &segment_path(&target, number))?;
            copied = Copied { segments: copied.segments + 1, bytes: copied.bytes + bytes };
        }
        RealDisk.sync_folder(&target).map_err(|error| unusable(&target, &error))?;
    }
    Ok(copied)
}

fn newest_first(folder: &Path) -> Result<Vec<u32>, LedgerError> {
    let names = RealDisk.names(folder).map_err(|error| unusable(folder, &error))?;
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| segment_number(name)).collect();
    numbers.sort_unstable_by(|one, other| other.cmp(one));
    Ok(numbers)
}

fn copy(from: &Path, to: &Path) -> Result<u64, LedgerError> {
    let content = RealDisk.read(from).map_err(|error| unusable(from, &error))?;
    let written = RealDisk.create_new(to).and_then(|mut file: Box<dyn Appending>| {
        file.append(&content)?;
        file.sync()
    });
    written.map_err(|error| unusable(to, &error))?;
    Ok(content.len() as u64)
}

fn must_be_empty(folder: &Path) -> Result<(), LedgerError> {
    match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let mend = "name one that is empty, or that is not there";
            Err(LedgerError::Unavailable(format!("{} is not empty; {mend}", folder.display())))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unusable(folder, &error)),
    }
}

fn must_hold(folder: &Path) -> Result<(), LedgerError> {
    verify(folder).into_iter().try_for_each(|(_, proof)| proof.map(drop))
}
