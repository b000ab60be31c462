//! The ledger as its users see it: all streams of a data directory.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use app::ports::{Ledger, LedgerError, Snapshot, SnapshotPlace};
use async_trait::async_trait;
use domain::record::{Draft, Head, Record, Stream};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    disk::Disk,
    held_disk::HeldDisk,
    note::OpeningNote,
    reader::Reader,
    start,
    stream::{SEGMENT_BYTES, StreamFiles, unusable},
    term::{Before, Held, Term},
};

/// The folder of the streams in a data directory.
pub(crate) const LEDGER: &str = "ledger";

/// The file that is written to see whether anything can be.
const PROBE: &str = "probe";

/// The ledger of a data directory, held by this process alone.
pub struct FileLedger {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    streams: BTreeMap<Stream, Arc<OneStream>>,
    epoch: String,
    held: Option<Arc<Held>>,
}

struct OneStream {
    /// Held while something is written.
    files: Mutex<StreamFiles>,
    reader: Arc<Reader>,
}

impl FileLedger {
    /// Opens the ledger of the term's data directory, makes it where there is
    /// none, and proves the end of its chains, back to what the start needs;
    /// [`Ledger::prove_older`] proves the rest. `epoch_if_new` names a ledger
    /// that is new. Nothing can be appended once the term is over. Where the one
    /// before did not say that it writes no more, each stream gets a segment at
    /// once.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] with file and line where it is damaged,
    /// [`LedgerError::Conflict`] where the term is lost, and
    /// [`LedgerError::Unavailable`] where the folder cannot be used.
    pub fn open(
        term: &Term,
        epoch_if_new: String,
        now: Timestamp,
    ) -> Result<(FileLedger, Vec<OpeningNote>), LedgerError> {
        FileLedger::open_held(term, epoch_if_new, now, SEGMENT_BYTES)
    }

    pub(crate) fn open_held(
        term: &Term,
        epoch_if_new: String,
        now: Timestamp,
        segment_bytes: usize,
    ) -> Result<(FileLedger, Vec<OpeningNote>), LedgerError> {
        let disk = Arc::new(HeldDisk(Arc::clone(term.held())));
        let (mut ledger, notes) = FileLedger::open_on(disk, term.folder(), epoch_if_new, segment_bytes)?;
        ledger.held = Some(Arc::clone(term.held()));
        if term.before() != Before::LetGo {
            ledger.streams.values().try_for_each(|stream| stream.take_over(now))?;
        }
        Ok((ledger, notes))
    }

    /// Opens a ledger on any disk, without a term. All streams are judged before
    /// any is touched.
    pub(crate) fn open_on(
        disk: Arc<dyn Disk>,
        folder: &Path,
        epoch_if_new: String,
        segment_bytes: usize,
    ) -> Result<(FileLedger, Vec<OpeningNote>), LedgerError> {
        let ledger = folder.join(LEDGER);
        let mut judged = Vec::new();
        for stream in Stream::ALL {
            judged.push(start::look(disk.as_ref(), ledger.join(stream.name()), stream)?);
        }
        let mut epoch = epoch_if_new;
        let (mut notes, mut streams) = (Vec::new(), BTreeMap::new());
        for found in judged {
            found.settle(disk.as_ref())?;
            let stream = found.stream;
            if let Some(named) = found.epoch.as_ref().filter(|_| stream == Stream::Audit) {
                epoch.clone_from(named);
            }
            let (files, dealt_with) = StreamFiles::of(found, Arc::clone(&disk), segment_bytes);
            notes.extend(dealt_with);
            streams.insert(stream, files);
        }
        let streams = streams.into_iter().map(|(stream, mut files)| {
            files.set_epoch(&epoch);
            let reader = Arc::clone(files.reader());
            (stream, Arc::new(OneStream { files: Mutex::new(files), reader }))
        });
        for made in [ledger.as_path(), folder] {
            disk.sync_folder(made).map_err(|error| unusable(made, &error))?;
        }
        Ok((FileLedger { disk, folder: ledger, streams: streams.collect(), epoch, held: None }, notes))
    }

    fn stream(&self, stream: Stream) -> Arc<OneStream> {
        Arc::clone(self.streams.get(&stream).expect("every stream is opened"))
    }

    fn reader(&self, stream: Stream) -> Arc<Reader> {
        Arc::clone(&self.stream(stream).reader)
    }
}

impl OneStream {
    fn append(&self, drafts: Vec<Draft>, snapshot: &dyn Snapshot) -> Result<Vec<Record>, LedgerError> {
        let mut files = self.lock();
        let Some(written) = files.write(drafts, snapshot)? else { return Ok(Vec::new()) };
        // What was written is durable; it counts once it is committed.
        Ok(files.commit(written))
    }

    fn compact(&self, at: Timestamp, snapshot: &dyn Snapshot) -> Result<(), LedgerError> {
        let mut files = self.lock();
        let written = files.turn(at, snapshot)?;
        files.commit(written);
        files.remove_older()
    }

    fn lock(&self) -> MutexGuard<'_, StreamFiles> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_over(&self, at: Timestamp) -> Result<(), LedgerError> {
        self.lock().take_over(at)
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
        self.stream(stream).append(drafts, snapshot.as_ref())
    }

    async fn read(&self, stream: Stream, after: u64, limit: usize) -> Result<Vec<Record>, LedgerError> {
        let reader = self.reader(stream);
        off_thread(move || reader.read(after, limit)).await
    }

    fn snapshot(&self, stream: Stream) -> Option<SnapshotPlace> {
        self.reader(stream).snapshot()
    }

    async fn snapshot_part(&self, stream: Stream, part: u32) -> Result<Vec<Value>, LedgerError> {
        let reader = self.reader(stream);
        off_thread(move || reader.snapshot_part(part)).await
    }

    async fn compact(&self, stream: Stream, at: Timestamp, snapshot: Arc<dyn Snapshot>) -> Result<(), LedgerError> {
        self.stream(stream).compact(at, snapshot.as_ref())
    }

    async fn prove_older(&self, stream: Stream) -> Result<bool, LedgerError> {
        let reader = self.reader(stream);
        off_thread(move || reader.prove_older()).await
    }

    async fn probe(&self) -> Result<(), LedgerError> {
        let path = self.folder.join(PROBE);
        probed(self.disk.as_ref(), &path).map_err(|error| unusable(&path, &error))
    }

    async fn confirm(&self) -> Result<(), LedgerError> {
        let Some(held) = self.held.clone() else { return Ok(()) };
        off_thread(move || held.confirm()).await
    }

    fn head(&self, stream: Stream) -> Head {
        self.reader(stream).head()
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
