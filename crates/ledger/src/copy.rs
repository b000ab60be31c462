//! Backups: a consistent copy of a ledger, beside a server that writes, and
//! the way back.
//!
//! While a folder is filled a file in it says so. It goes last, so that a copy
//! that was interrupted is never taken for a whole one.

use std::{
    io::{self, ErrorKind},
    path::Path,
    sync::Arc,
};

use app::ports::LedgerError;
use domain::record::Stream;
use jiff::Timestamp;

use crate::{
    Term,
    disk::{Disk, RealDisk, segment_number, segment_path},
    files::LEDGER,
    repair::DAMAGED,
    stream::{SEGMENT_BYTES, StreamFiles, unusable},
    verify::proofs,
};

/// The file that says that a folder is being filled.
const UNFINISHED: &str = "copy_unfinished";

/// What it says to whoever looks into the folder.
const UNFINISHED_WORDS: &[u8] =
    b"A backup or restore into this folder did not end. Empty the folder, and do it again.\n";

/// How many bytes are copied at once: memory stays flat, and a share is asked seldom.
const PIECE_BYTES: usize = 1024 * 1024;

/// How often a stream is copied from its beginning, as segments vanished
/// meanwhile: a server drops some once a day, and compacts once in a while.
const TRIES: u32 = 5;

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// How many segments.
    pub segments: usize,
    /// How many bytes they have.
    pub bytes: u64,
}

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many bytes of so many are copied.
    Copying {
        /// How many are.
        done: u64,
        /// How many there were to copy when it began.
        total: u64,
    },
    /// Chains are being proved.
    Proving,
}

/// What goes with the ledger, and who is told how far it is.
pub struct Copying<'a> {
    /// Files of the data directory, where they are there: the keys.
    pub files: &'a [&'a str],
    /// Told now and then.
    pub progress: &'a mut dyn FnMut(Progress),
}

/// How a restored ledger goes on.
#[derive(Clone, Copy, Debug)]
pub struct Beginning<'a> {
    /// Names it anew, as its numbers can come twice.
    pub epoch: &'a str,
    /// When.
    pub at: Timestamp,
}

/// Copies a data directory into a folder that is empty or not there. The newest
/// segment of each stream goes first: what is written meanwhile stands behind
/// it, and the copy is how the ledger was at one moment.
///
/// # Errors
/// [`LedgerError::Unavailable`] where a folder cannot be used or is not empty,
/// [`LedgerError::Corrupt`] where the copy does not hold.
pub fn back_up(data: &Path, target: &Path, copying: &mut Copying<'_>) -> Result<Copied, LedgerError> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    back_up_on(&disk, data, target, copying)
}

pub(crate) fn back_up_on(
    disk: &Arc<dyn Disk>,
    data: &Path,
    target: &Path,
    copying: &mut Copying<'_>,
) -> Result<Copied, LedgerError> {
    must_be_whole(disk.as_ref(), data)?;
    begin(disk.as_ref(), target)?;
    let copied = copy_streams(disk.as_ref(), data, target, copying)?;
    copy_files(disk.as_ref(), data, target, copying.files)?;
    must_hold(disk, target, copying)?;
    end(disk.as_ref(), target)?;
    Ok(copied)
}

/// Copies a backup into a data directory that is empty, and names its ledger
/// anew, as its numbers can come twice.
///
/// # Errors
/// [`LedgerError::Corrupt`] where the backup does not hold,
/// [`LedgerError::Conflict`] where a server has the directory, and
/// [`LedgerError::Unavailable`] where a folder cannot be used or is not empty,
/// or the backup did not end.
pub fn restore(
    backup: &Path,
    data: &Path,
    beginning: Beginning<'_>,
    copying: &mut Copying<'_>,
) -> Result<Copied, LedgerError> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    prepare(&disk, backup, data, copying)?;
    let term = Term::take(data)?;
    let copied = bring_back(&disk, backup, data, beginning, copying)?;
    drop(term);
    Ok(copied)
}

/// Proves the backup, and marks the folder as one that is being filled.
pub(crate) fn prepare(
    disk: &Arc<dyn Disk>,
    backup: &Path,
    data: &Path,
    copying: &mut Copying<'_>,
) -> Result<(), LedgerError> {
    must_be_whole(disk.as_ref(), backup)?;
    let ledger = backup.join(LEDGER);
    disk.names(&ledger).map_err(|error| unusable(&ledger, &error))?;
    must_hold(disk, backup, copying)?;
    begin(disk.as_ref(), data)
}

/// Fills the folder that was prepared.
pub(crate) fn bring_back(
    disk: &Arc<dyn Disk>,
    backup: &Path,
    data: &Path,
    beginning: Beginning<'_>,
    copying: &mut Copying<'_>,
) -> Result<Copied, LedgerError> {
    let copied = copy_streams(disk.as_ref(), backup, data, copying)?;
    copy_files(disk.as_ref(), backup, data, copying.files)?;
    let audit = data.join(LEDGER).join(Stream::Audit.name());
    let (mut files, _) = StreamFiles::open(Arc::clone(disk), audit, Stream::Audit, SEGMENT_BYTES)?;
    files.begin_epoch(beginning.epoch, beginning.at)?;
    end(disk.as_ref(), data)?;
    Ok(copied)
}

/// Refuses a folder into which a copy did not end.
pub(crate) fn must_be_whole(disk: &dyn Disk, folder: &Path) -> Result<(), LedgerError> {
    let names = disk.names(folder).unwrap_or_default();
    if names.iter().any(|name| name == UNFINISHED) {
        let problem = "a backup or restore into it did not end, as its file copy_unfinished says";
        let mend = "empty the folder, and do it again";
        return Err(LedgerError::Unavailable(format!("{}: {problem}; {mend}", folder.display())));
    }
    Ok(())
}

fn begin(disk: &dyn Disk, folder: &Path) -> Result<(), LedgerError> {
    must_be_empty(disk, folder)?;
    let begun = disk.make_folder(folder).and_then(|()| {
        let mut file = disk.create_new(&folder.join(UNFINISHED))?;
        file.append(UNFINISHED_WORDS)?;
        file.sync()?;
        disk.sync_folder(folder)
    });
    begun.map_err(|error| unusable(folder, &error))
}

fn end(disk: &dyn Disk, folder: &Path) -> Result<(), LedgerError> {
    let ended = disk.sync_folder(&folder.join(LEDGER)).and_then(|()| disk.sync_folder(folder)).and_then(|()| {
        disk.remove(&folder.join(UNFINISHED))?;
        disk.sync_folder(folder)
    });
    ended.map_err(|error| unusable(folder, &error))
}

fn copy_streams(disk: &dyn Disk, from: &Path, to: &Path, copying: &mut Copying<'_>) -> Result<Copied, LedgerError> {
    let folders = Stream::ALL.map(|stream| [from, to].map(|folder| folder.join(LEDGER).join(stream.name())));
    let mut total = 0;
    for [source, _] in &folders {
        let numbers = newest_first(disk, source)?;
        let lengths = numbers.iter().filter_map(|&number| disk.length(&segment_path(source, number)).ok());
        total += lengths.sum::<u64>();
    }
    copy_damaged(disk, &from.join(LEDGER).join(DAMAGED), &to.join(LEDGER).join(DAMAGED))?;
    let mut copied = Copied::default();
    for [source, target] in &folders {
        disk.make_folder(target).map_err(|error| unusable(target, &error))?;
        let mut told = copied.bytes;
        let mut tell = |bytes: u64| {
            told += bytes;
            (copying.progress)(Progress::Copying { done: told.min(total), total });
        };
        let of_stream = copy_stream(disk, source, target, &mut tell)?;
        disk.sync_folder(target).map_err(|error| unusable(target, &error))?;
        copied.segments += of_stream.segments;
        copied.bytes += of_stream.bytes;
    }
    Ok(copied)
}

/// Copies what repairs set aside: the chain names these files.
fn copy_damaged(disk: &dyn Disk, source: &Path, target: &Path) -> Result<(), LedgerError> {
    let names = match disk.names(source) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        names => names.map_err(|error| unusable(source, &error))?,
    };
    let names: Vec<String> = names.into_iter().filter(|name| name.ends_with(".jsonl")).collect();
    if names.is_empty() {
        return Ok(());
    }
    disk.make_folder(target).map_err(|error| unusable(target, &error))?;
    for name in names {
        copy(disk, &[source.join(&name), target.join(&name)], false, &mut |_| {})?;
    }
    disk.sync_folder(target).map_err(|error| unusable(target, &error))
}

/// Copies a stream. Where a segment vanishes meanwhile, what the chain says of
/// that is newer than what was copied, and all is copied anew.
fn copy_stream(
    disk: &dyn Disk,
    source: &Path,
    target: &Path,
    tell: &mut dyn FnMut(u64),
) -> Result<Copied, LedgerError> {
    for _ in 0..TRIES {
        let numbers = newest_first(disk, source)?;
        let mut copied = Copied::default();
        let mut all_there = true;
        for (at, &number) in numbers.iter().enumerate() {
            let paths = [source, target].map(|folder| segment_path(folder, number));
            let Some(bytes) = copy(disk, &paths, at == 0, tell)? else {
                all_there = false;
                break;
            };
            copied = Copied { segments: copied.segments + 1, bytes: copied.bytes + bytes };
        }
        if all_there {
            return Ok(copied);
        }
        for number in newest_first(disk, target)? {
            let path = segment_path(target, number);
            disk.remove(&path).map_err(|error| unusable(&path, &error))?;
        }
    }
    let problem = format!("segments of {} vanish while they are copied; try again", source.display());
    Err(LedgerError::Unavailable(problem))
}

fn newest_first(disk: &dyn Disk, folder: &Path) -> Result<Vec<u32>, LedgerError> {
    let names = disk.names(folder).map_err(|error| unusable(folder, &error))?;
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| segment_number(name)).collect();
    numbers.sort_unstable_by(|one, other| other.cmp(one));
    Ok(numbers)
}

/// Copies a segment as long as it is at the beginning, and of one that is
/// written only whole lines; `None` where it is not there any more.
fn copy(
    disk: &dyn Disk,
    [from, to]: &[std::path::PathBuf; 2],
    is_written: bool,
    tell: &mut dyn FnMut(u64),
) -> Result<Option<u64>, LedgerError> {
    let is_gone = |error: &io::Error| error.kind() == ErrorKind::NotFound;
    let length = match disk.length(from) {
        Err(error) if is_gone(&error) => return Ok(None),
        length => length.map_err(|error| unusable(from, &error))?,
    };
    let mut file = disk.create_new(to).map_err(|error| unusable(to, &error))?;
    let (mut bytes, mut whole) = (0, 0);
    while bytes < length {
        let wanted = PIECE_BYTES.min(usize::try_from(length - bytes).unwrap_or(PIECE_BYTES));
        let piece = match disk.read_at(from, bytes, wanted) {
            Err(error) if is_gone(&error) => return Ok(None),
            piece => piece.map_err(|error| unusable(from, &error))?,
        };
        if piece.is_empty() {
            break;
        }
        if let Some(line_end) = piece.iter().rposition(|&byte| byte == b'\n') {
            whole = bytes + line_end as u64 + 1;
        }
        file.append(&piece).map_err(|error| unusable(to, &error))?;
        bytes += piece.len() as u64;
        tell(piece.len() as u64);
    }
    let kept = if is_written { whole } else { bytes };
    let synced = file.sync().and_then(|()| if kept < bytes { disk.cut(to, kept) } else { Ok(()) });
    synced.map_err(|error| unusable(to, &error))?;
    Ok(Some(kept))
}

fn copy_files(disk: &dyn Disk, from: &Path, to: &Path, names: &[&str]) -> Result<(), LedgerError> {
    for name in names {
        let (source, target) = (from.join(name), to.join(name));
        let content = match disk.read(&source) {
            Ok(content) => content,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(unusable(&source, &error)),
        };
        let written = disk.create_new(&target).and_then(|mut file| {
            file.append(&content)?;
            file.sync()
        });
        written.map_err(|error| unusable(&target, &error))?;
    }
    Ok(())
}

fn must_be_empty(disk: &dyn Disk, folder: &Path) -> Result<(), LedgerError> {
    must_be_whole(disk, folder)?;
    match disk.names(folder) {
        Ok(names) if names.is_empty() => Ok(()),
        Ok(_) => {
            let mend = "name one that is empty, or that is not there";
            Err(LedgerError::Unavailable(format!("{} is not empty; {mend}", folder.display())))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unusable(folder, &error)),
    }
}

fn must_hold(disk: &Arc<dyn Disk>, folder: &Path, copying: &mut Copying<'_>) -> Result<(), LedgerError> {
    (copying.progress)(Progress::Proving);
    proofs(disk.as_ref(), folder).into_iter().try_for_each(|(_, proof)| proof.map(drop))
}
