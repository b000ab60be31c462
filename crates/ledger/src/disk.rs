//! The few things that are asked of a file system, so that tests can make one
//! that fails.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// A file system.
pub(crate) trait Disk: Send + Sync {
    /// Makes a folder and those above it, and makes that survive a loss of power.
    fn make_folder(&self, path: &Path) -> io::Result<()>;
    /// The names in a folder.
    fn names(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// A whole file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// How long a file is, in bytes.
    fn length(&self, path: &Path) -> io::Result<u64>;
    /// Some bytes of a file, fewer only where it ends.
    fn read_at(&self, path: &Path, offset: u64, bytes: usize) -> io::Result<Vec<u8>>;
    /// Makes a file that must not be there yet.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn Appending>>;
    /// Gives a file another name, which must be free.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file, where it is there.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Writes what a file has at a place once more, and makes it survive a
    /// loss of power: a sync alone does nothing for what an earlier one failed on.
    fn rewrite(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes a folder's names survive a loss of power.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
    /// Cuts a file off, and makes that survive a loss of power.
    fn cut(&self, path: &Path, bytes: u64) -> io::Result<()>;
}

/// A file that only grows.
pub(crate) trait Appending: Send {
    /// Writes all of it at the end.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was written survive a loss of power.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts off, where it can, what was written behind the last sync: after a
    /// failed write or sync it may still be read, and yet be forgotten by the
    /// disk, so a start must not rest on it. Only for who still holds the term:
    /// a successor may count these bytes.
    fn take_back(&mut self) {}
}

/// The most memory that is taken before it is seen how long a file is, in bytes.
const READ_AHEAD: usize = 1024 * 1024;

/// The machine's own.
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
        builder.create(path)?;
        missing.iter().filter_map(|made| made.parent()).try_for_each(|above| self.sync_folder(above))
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let entries: Vec<_> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
        Ok(entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn length(&self, path: &Path) -> io::Result<u64> {
        Ok(fs::metadata(path)?.len())
    }

    fn read_at(&self, path: &Path, offset: u64, bytes: usize) -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut read = Vec::with_capacity(bytes.min(READ_AHEAD));
        file.take(bytes as u64).read_to_end(&mut read)?;
        Ok(read)
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn Appending>> {
        let mut options = OpenOptions::new();
        options.append(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Box::new(RealFile { file: options.open(path)?, bytes: 0, synced: 0 }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if to.try_exists()? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn rewrite(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        #[cfg(unix)]
        match File::open(path)?.sync_all() {
            // Some network shares know no sync of a folder.
            Err(error) if !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
        #[cfg(not(unix))]
        Ok(())
    }

    fn cut(&self, path: &Path, bytes: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(bytes)?;
        file.sync_all()
    }
}

struct RealFile {
    file: File,
    bytes: u64,
    synced: u64,
}

impl Appending for RealFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        self.synced = self.bytes;
        Ok(())
    }

    fn take_back(&mut self) {
        // Where it cannot be taken back, it stays what it is: not acknowledged.
        if self.file.set_len(self.synced).is_ok() {
            self.bytes = self.synced;
        }
    }
}

/// The path of a segment.
pub(crate) fn segment_path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:06}.jsonl"))
}

/// The number of a segment's file name.
pub(crate) fn segment_number(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".jsonl")?;
    let plain = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}
