//! The files of terms: `writer/000001.term` and so on. The first line names
//! the process; behind it stands a dot for each move of the counter, and the
//! last line says that its holder has let go.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use app::ports::LedgerError;
use serde::Serialize;

use crate::{
    disk::{Disk, RealDisk},
    process::Holder,
};

/// The folder of terms in the data directory.
const FOLDER: &str = "writer";

/// What versions before terms had instead; it counts as term 0.
const MARK: &str = "writer.json";

/// A move of the counter.
pub(crate) const MOVE: &[u8] = b".";

/// The last line of a term whose holder let go.
pub(crate) const LET_GO: &[u8] = b"\nlet go\n";

/// A term as it is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TermFile {
    pub(crate) number: u32,
    pub(crate) content: Vec<u8>,
}

#[derive(Serialize)]
struct FirstLine<'a> {
    term: u32,
    #[serde(flatten)]
    holder: &'a Holder,
}

impl TermFile {
    /// The process that its first line names; none where that is not whole.
    pub(crate) fn holder(&self) -> Option<Holder> {
        serde_json::from_slice(self.content.split(|&byte| byte == b'\n').next()?).ok()
    }

    pub(crate) fn has_let_go(&self) -> bool {
        self.content.ends_with(LET_GO)
    }
}

/// The path of a term's file in a data directory.
pub(crate) fn path(data: &Path, number: u32) -> PathBuf {
    data.join(FOLDER).join(format!("{number:06}.term"))
}

/// Makes the folder of terms.
///
/// # Errors
/// [`LedgerError::Unavailable`].
pub(crate) fn make_folder(data: &Path) -> Result<(), LedgerError> {
    RealDisk.make_folder(&data.join(FOLDER)).map_err(|error| {
        let mend = "set DATA_DIR to a folder that can be written";
        LedgerError::Unavailable(format!("{} cannot be used ({error}); {mend}", data.display()))
    })
}

/// The term that counts: the latest, or a mark of a version before terms.
///
/// # Errors
/// What the file system says; a term may be removed while it is read.
pub(crate) fn latest(data: &Path) -> io::Result<Option<TermFile>> {
    match numbers(data)?.last() {
        Some(&number) => Ok(Some(TermFile { number, content: fs::read(path(data, number))? })),
        None => match fs::read(data.join(MARK)) {
            Ok(content) => Ok(Some(TermFile { number: 0, content })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        },
    }
}

/// The numbers of the terms that are there, in their order.
pub(crate) fn numbers(data: &Path) -> io::Result<Vec<u32>> {
    let names = match RealDisk.names(&data.join(FOLDER)) {
        Ok(names) => names,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| number_of(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Takes a term for this process.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] where another was first.
pub(crate) fn take(data: &Path, number: u32) -> io::Result<()> {
    create(data, number, &Holder::this_process())?;
    if numbers(data)?.last().is_some_and(|last| *last > number) {
        // Others went by while this process was paused, and removed what was there.
        let _ = fs::remove_file(path(data, number));
        return Err(ErrorKind::AlreadyExists.into());
    }
    Ok(())
}

fn create(data: &Path, number: u32, holder: &Holder) -> io::Result<()> {
    let path = path(data, number);
    let mut file = RealDisk.create_new(&path)?;
    let mut line = serde_json::to_vec(&FirstLine { term: number, holder }).expect("a term is plain values");
    line.push(b'\n');
    let written = file.append(&line).and_then(|()| file.sync()).and_then(|()| RealDisk.sync_folder(&data.join(FOLDER)));
    drop(file);
    written.inspect_err(|_| {
        // One that names nobody would keep everybody out until it stood still.
        let _ = fs::remove_file(&path);
    })
}

/// Appends to a file that is there. It is closed at once: on a share, others
/// see by then what was written.
pub(crate) fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().append(true).open(path)?.write_all(bytes)
}

/// How long a file is; nothing where that cannot be seen.
pub(crate) fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Removes what came before a term, oldest first, but not the one right before
/// it: its holder may still have to see that it is followed.
pub(crate) fn remove_before(data: &Path, number: u32) {
    let old = numbers(data).unwrap_or_default().into_iter().filter(|old| old + 1 < number);
    let mut paths = [data.join(MARK)].into_iter().chain(old.map(|old| path(data, old)));
    // What stays is removed the next time; a later one never before an earlier.
    let _ = paths.try_for_each(|path| RealDisk.remove(&path));
}

fn number_of(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".term")?;
    let plain = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}
