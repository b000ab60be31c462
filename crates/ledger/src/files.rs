//! The ledger as its users see it: all streams of a data directory.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use app::ports::{Dropped, IsNeeded, Ledger, LedgerError, Snapshot, SnapshotPlace};
use async_trait::async_trait;
use domain::record::{Draft, Head, Record, Stream};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    copy::must_be_whole,
    disk::{Disk, RealDisk},
    mark::WriterMark,
    note::OpeningNote,
    stream::{SEGMENT_BYTES, StreamFiles, unusable},
};

/// The file that is written to see whether anything can be.
const PROBE: &str = "probe";

/// The ledger of a data directory, held by this process alone.
pub struct FileLedger {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    streams: BTreeMap<Stream, Arc<OneStream>>,
    epoch: String,
}

struct OneStream {
    files: Mutex<StreamFiles>,
    head: Mutex<Head>,
}

impl FileLedger {
    /// Opens the ledger of the data directory that is marked, makes it where
    /// there is none, and proves its chains. `epoch_if_new` names a ledger that
    /// is new. Nothing may be appended once the mark is gone.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] with file and line where it is damaged, and
    /// [`LedgerError::Unavailable`] where the folder cannot be used.
    pub fn open(mark: &WriterMark, epoch_if_new: String) -> Result<(FileLedger, Vec<OpeningNote>), LedgerError> {
        FileLedger::open_on(Arc::new(RealDisk), mark.folder(), epoch_if_new, SEGMENT_BYTES)
    }

    /// Opens a ledger on any disk, without marking who writes.
    pub(crate) fn open_on(
        disk: Arc<dyn Disk>,
        folder: &Path,
        epoch_if_new: String,
        segment_bytes: usize,
    ) -> Result<(FileLedger, Vec<OpeningNote>), LedgerError> {
        must_be_whole(disk.as_ref(), folder)?;
        let mut notes = Vec::new();
        let mut opened = BTreeMap::new();
        for stream in Stream::ALL {
            let path: PathBuf = folder.join("ledger").join(stream.name());
            let (mut files, found) = StreamFiles::open(Arc::clone(&disk), path, stream, segment_bytes)?;
            // What cannot be removed now is removed by another start.
            let _ = files.finish_dropping();
            notes.extend(found);
            opened.insert(stream, files);
        }
        let epoch = opened.get(&Stream::Audit).and_then(StreamFiles::epoch).map_or(epoch_if_new, str::to_owned);
        let streams = opened.into_iter().map(|(stream, mut files)| {
            files.set_epoch(&epoch);
            let head = Mutex::new(files.head());
            (stream, Arc::new(OneStream { files: Mutex::new(files), head }))
        });
        let parent = folder;
        let folder = folder.join("ledger");
        for made in [folder.as_path(), parent] {
            disk.sync_folder(made).map_err(|error| unusable(made, &error))?;
        }
        Ok((FileLedger { disk, folder, streams: streams.collect(), epoch }, notes))
    }

    fn stream(&self, stream: Stream) -> Arc<OneStream> {
        Arc::clone(self.streams.get(&stream).expect("every stream is opened"))
    }
}

impl OneStream {
    fn append(&self, drafts: Vec<Draft>, snapshot: &dyn Snapshot) -> Result<Vec<Record>, LedgerError> {
        let mut files = self.lock();
        let records = files.append(drafts, snapshot)?;
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = files.head();
        Ok(records)
    }

    fn change(&self, change: impl FnOnce(&mut StreamFiles) -> Result<(), LedgerError>) -> Result<(), LedgerError> {
        let mut files = self.lock();
        let changed = change(&mut files);
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = files.head();
        changed
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<Record>, LedgerError> {
        self.lock().read(after, limit)
    }

    fn lock(&self) -> MutexGuard<'_, StreamFiles> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Ledger for FileLedger {
    async fn append(
        &self,
        stream: Stream,
        drafts: Vec<Draft>,
        snapshot: Arc<dyn Snapshot>,
    ) -> Result<Vec<Record>, LedgerError> {
        let stream = self.stream(stream);
        off_thread(move || stream.append(drafts, snapshot.as_ref())).await
    }

    async fn read(&self, stream: Stream, after: u64, limit: usize) -> Result<Vec<Record>, LedgerError> {
        let stream = self.stream(stream);
        off_thread(move || stream.read(after, limit)).await
    }

    fn snapshot(&self, stream: Stream) -> Option<SnapshotPlace> {
        self.stream(stream).lock().snapshot()
    }

    async fn snapshot_part(&self, stream: Stream, part: u32) -> Result<Vec<Value>, LedgerError> {
        let stream = self.stream(stream);
        off_thread(move || stream.lock().snapshot_part(part)).await
    }

    async fn compact(&self, stream: Stream, at: Timestamp, snapshot: Arc<dyn Snapshot>) -> Result<(), LedgerError> {
        let stream = self.stream(stream);
        off_thread(move || stream.change(|files| files.compact(at, snapshot.as_ref()))).await
    }

    async fn oldest_unneeded(&self, stream: Stream, is_needed: IsNeeded) -> Result<Option<u64>, LedgerError> {
        let (stream, disk) = (self.stream(stream), Arc::clone(&self.disk));
        let standing = stream.lock().standing();
        off_thread(move || standing.unneeded(disk.as_ref(), is_needed.as_ref())).await
    }

    async fn drop_up_to(
        &self,
        stream: Stream,
        up_to: u64,
        at: Timestamp,
        snapshot: Arc<dyn Snapshot>,
    ) -> Result<(), LedgerError> {
        let stream = self.stream(stream);
        off_thread(move || stream.change(|files| files.drop_up_to(up_to, at, snapshot.as_ref()))).await
    }

    fn dropped(&self, stream: Stream) -> Option<Dropped> {
        self.stream(stream).lock().dropped()
    }

    async fn probe(&self) -> Result<(), LedgerError> {
        let (disk, path) = (Arc::clone(&self.disk), self.folder.join(PROBE));
        off_thread(move || probed(disk.as_ref(), &path).map_err(|error| unusable(&path, &error))).await
    }

    fn head(&self, stream: Stream) -> Head {
        *self.stream(stream).head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn epoch(&self) -> &str {
        &self.epoch
    }
}

/// Writes a file as a segment is written, and removes it.
fn probed(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    disk.remove(path)?;
    let mut file = disk.create_new(path)?;
    let written = file.append(b"x").and_then(|()| file.sync());
    drop(file);
    written.and(disk.remove(path))
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, LedgerError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(LedgerError::Unavailable(error.to_string())))
}
