//! A disk in memory that stops at a call and forgets what was not synced, with
//! folders in folders and files that cannot be read; and a ledger on it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use app::ports::{Ledger, LedgerError, Snapshot};
use domain::record::{Draft, Record, Stream};
use serde_json::json;

use super::Nothing;
use crate::{
    FileLedger,
    disk::{Appending, Disk},
    stream::SEGMENT_BYTES,
};

/// A disk in memory, that can stop at any call and forgets what was not synced.
#[derive(Clone, Default)]
pub struct MemoryDisk(pub Arc<Mutex<Memory>>);

#[derive(Default)]
pub struct Memory {
    pub files: BTreeMap<PathBuf, Content>,
    pub calls: usize,
    pub syncs: usize,
    pub fails: BTreeSet<usize>,
    pub stops_at: Option<usize>,
    pub unreadable: BTreeSet<PathBuf>,
}

#[derive(Clone, Default)]
pub struct Content {
    bytes: Vec<u8>,
    synced: usize,
    named: bool,
}

impl MemoryDisk {
    fn call(&self) -> io::Result<std::sync::MutexGuard<'_, Memory>> {
        let mut memory = self.0.lock().unwrap();
        memory.calls += 1;
        let stopped = memory.stops_at.is_some_and(|at| memory.calls >= at);
        if stopped || memory.fails.contains(&memory.calls) {
            return Err(io::Error::from_raw_os_error(5));
        }
        Ok(memory)
    }

    /// What is left after the process was killed, or the power cut: then only
    /// what was synced, and some of the rest.
    pub fn after(&self, power_cut: bool, luck: usize) -> MemoryDisk {
        let memory = self.0.lock().unwrap();
        let files = memory.files.iter().filter(|(_, content)| content.named || !power_cut).map(|(path, content)| {
            let unsynced = content.bytes.len().saturating_sub(content.synced);
            let kept =
                if power_cut { content.bytes.len() - unsynced + luck % (unsynced + 1) } else { content.bytes.len() };
            (path.clone(), Content { bytes: content.bytes[..kept].to_vec(), synced: kept, named: true })
        });
        MemoryDisk(Arc::new(Mutex::new(Memory { files: files.collect(), ..Memory::default() })))
    }

    pub fn paths(&self) -> Vec<PathBuf> {
        self.0.lock().unwrap().files.keys().cloned().collect()
    }

    pub fn change(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        change(&mut self.0.lock().unwrap().files.get_mut(path).unwrap().bytes);
    }

    pub fn content(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        self.0.lock().unwrap().files.iter().map(|(path, content)| (path.clone(), content.bytes.clone())).collect()
    }
}

impl Disk for MemoryDisk {
    fn make_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let memory = self.0.lock().unwrap();
        let inside = memory.files.keys().filter_map(|path| path.strip_prefix(folder).ok()?.components().next());
        let names: BTreeSet<_> = inside.map(|name| name.as_os_str().to_string_lossy().into_owned()).collect();
        Ok(names.into_iter().collect())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let memory = self.0.lock().unwrap();
        if memory.unreadable.contains(path) {
            return Err(io::Error::from_raw_os_error(5));
        }
        memory.files.get(path).map(|content| content.bytes.clone()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn length(&self, path: &Path) -> io::Result<u64> {
        Ok(self.read(path)?.len() as u64)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut memory = self.call()?;
        assert!(!memory.files.contains_key(to), "{to:?} was there already");
        let content = memory.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        memory.files.insert(to.to_owned(), content);
        Ok(())
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn Appending>> {
        let mut memory = self.call()?;
        assert!(memory.files.insert(path.to_owned(), Content::default()).is_none(), "{path:?} was there already");
        Ok(Box::new(MemoryFile { disk: self.clone(), path: path.to_owned() }))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call()?.files.remove(path);
        Ok(())
    }

    fn rewrite(&self, path: &Path, _: u64, _: &[u8]) -> io::Result<()> {
        let mut memory = self.call()?;
        let content = memory.files.get_mut(path).unwrap();
        content.synced = content.bytes.len();
        Ok(())
    }

    fn read_at(&self, path: &Path, offset: u64, bytes: usize) -> io::Result<Vec<u8>> {
        let content = self.read(path)?;
        let from = content.len().min(offset as usize);
        Ok(content[from..content.len().min(from + bytes)].to_vec())
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        let mut memory = self.call()?;
        memory.files.values_mut().for_each(|content| content.named = true);
        Ok(())
    }

    fn cut(&self, path: &Path, bytes: u64) -> io::Result<()> {
        let mut memory = self.call()?;
        let content = memory.files.get_mut(path).unwrap();
        content.bytes.truncate(bytes as usize);
        content.synced = content.bytes.len();
        Ok(())
    }
}

struct MemoryFile {
    disk: MemoryDisk,
    path: PathBuf,
}

impl Appending for MemoryFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let half = bytes.len() / 2;
        let result = self.disk.call().map(drop);
        let written = if result.is_ok() { bytes } else { &bytes[..half] };
        self.disk.change(&self.path, |content| content.extend_from_slice(written));
        result
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut memory = self.disk.call()?;
        memory.syncs += 1;
        let content = memory.files.get_mut(&self.path).unwrap();
        content.synced = content.bytes.len();
        Ok(())
    }
}

pub fn open(disk: &MemoryDisk) -> Result<(FileLedger, Vec<String>), LedgerError> {
    open_with(disk, SEGMENT_BYTES)
}

pub fn open_with(disk: &MemoryDisk, segment_bytes: usize) -> Result<(FileLedger, Vec<String>), LedgerError> {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let (ledger, notes) = FileLedger::open_on(disk, Path::new("data"), "first".into(), segment_bytes)?;
    Ok((ledger, notes.iter().map(ToString::to_string).collect()))
}

pub fn nothing() -> Arc<dyn Snapshot> {
    Arc::new(Nothing)
}

pub fn draft(number: usize) -> Draft {
    draft_at(number, "2026-11-24T09:00:00Z")
}

pub fn draft_at(number: usize, at: &str) -> Draft {
    Draft { at: at.parse().unwrap(), kind: "tried".into(), body: json!({ "number": number, "text": "äöü\n\"" }) }
}

pub async fn append(ledger: &FileLedger, numbers: std::ops::Range<usize>) -> Result<Vec<Record>, LedgerError> {
    ledger.append(Stream::Audit, numbers.map(draft).collect(), nothing()).await
}

pub async fn numbers(ledger: &FileLedger) -> Vec<usize> {
    let records = ledger.read(Stream::Audit, 0, usize::MAX).await.unwrap();
    records.iter().map(|record| record.body["number"].as_u64().unwrap() as usize).collect()
}

pub fn segment(number: u32) -> PathBuf {
    PathBuf::from(format!("data/ledger/audit/{number:06}.jsonl"))
}
