//! A file that appears under its name when it is whole, and not before.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;

/// A file that is being written.
pub(super) struct WholeFile {
    content: BufWriter<File>,
    beside: PathBuf,
    path: PathBuf,
}

impl WholeFile {
    /// Begins it, beside the place where it is to be.
    pub(super) fn begin(path: &Path) -> anyhow::Result<WholeFile> {
        let name = path.file_name().context("--output names no file; name one")?.to_string_lossy();
        let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
        let file = File::create_new(&beside).with_context(|| unusable(path))?;
        Ok(WholeFile { content: BufWriter::new(file), beside, path: path.to_owned() })
    }

    /// Gives it its name, in place of any other file of that name.
    pub(super) fn keep(mut self) -> anyhow::Result<()> {
        let kept = self.content.flush().and_then(|()| self.content.get_ref().sync_all());
        kept.and_then(|()| fs::rename(&self.beside, &self.path)).with_context(|| unusable(&self.path))
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.content.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.content.flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        // Gone once it has its name; what is not whole is of no use.
        let _ = fs::remove_file(&self.beside);
    }
}

fn unusable(path: &Path) -> String {
    format!("{} cannot be written; name a file in a folder that can", path.display())
}
