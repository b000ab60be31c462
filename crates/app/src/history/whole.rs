//! Everything that a search finds, piece by piece as it is taken.

use std::{
    sync::{Arc, RwLock},
    time::Duration,
};

use domain::history::{BlockIndex, Entry, Filter};
use tokio::sync::mpsc;

use crate::{board::Running, ports::Ledger};

use super::{History, HistoryError, behind, found_in, off_thread};

/// How many records are read for a piece: half a megabyte of lines.
const RECORDS_AT_ONCE: u64 = 1_024;

/// How many pieces may wait to be taken.
const PIECES_AHEAD: usize = 2;

/// One who takes nothing for so long is gone, and others may search.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);

/// Makes bytes of sessions.
pub type Rendering = Arc<dyn Fn(&[Entry]) -> Vec<u8> + Send + Sync>;

/// All sessions that a filter means, oldest end first, and then those that run.
pub struct Whole {
    pieces: mpsc::Receiver<Result<Option<Vec<u8>>, HistoryError>>,
    ended: bool,
}

impl Whole {
    /// The next bytes; `None` once all were given. An end before that is an
    /// error, so that nobody takes a part for the whole.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, HistoryError> {
        if self.ended {
            return Ok(None);
        }
        let piece = self.pieces.recv().await.unwrap_or(Err(HistoryError::NotTaken));
        self.ended = !matches!(piece, Ok(Some(_)));
        piece
    }
}

impl History {
    /// All that the filter means, as bytes. The scan ends when what is
    /// returned is dropped.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub async fn whole(&self, filter: Filter, running: Running, render: Rendering) -> Result<Whole, HistoryError> {
        let permit = self.scan().await?;
        let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
        let scan = Scan {
            ledger: Arc::clone(&self.ledger),
            index: Arc::clone(&self.index),
            filter: Arc::new(filter),
            render,
            pieces: sender,
        };
        tokio::spawn(async move {
            scan.run(running).await;
            drop(permit);
        });
        Ok(Whole { pieces, ended: false })
    }
}

/// A scan under way.
struct Scan {
    ledger: Arc<dyn Ledger>,
    index: Arc<RwLock<BlockIndex>>,
    filter: Arc<Filter>,
    render: Rendering,
    pieces: mpsc::Sender<Result<Option<Vec<u8>>, HistoryError>>,
}

impl Scan {
    async fn run(self, running: Running) {
        let mut after = 0;
        while let Some(span) = behind(&self.index, after, running.seq, RECORDS_AT_ONCE, &self.filter) {
            let entries = match found_in(self.ledger.as_ref(), span, &self.filter).await {
                Ok(found) => found.into_iter().map(|(_, entry)| entry).collect(),
                Err(error) => {
                    tracing::warn!("A search ended before its end: {error}");
                    self.give(Err(error)).await;
                    return;
                }
            };
            if !self.give_entries(entries).await {
                return;
            }
            after = span.last;
        }
        let running = running.sessions.into_iter().map(Entry::Running);
        let mut running: Vec<Entry> = running.filter(|entry| self.filter.means(entry)).collect();
        running.sort_by(|one, other| other.latest_first(one));
        if self.give_entries(running).await {
            self.give(Ok(None)).await;
        }
    }

    /// Whether they were taken.
    async fn give_entries(&self, entries: Vec<Entry>) -> bool {
        let render = Arc::clone(&self.render);
        match off_thread(move || Ok(render(&entries))).await {
            // What holds no session tells nobody anything, and may be followed by much.
            Ok(bytes) if bytes.is_empty() => !self.pieces.is_closed(),
            Ok(bytes) => self.give(Ok(Some(bytes))).await,
            Err(error) => {
                self.give(Err(error.into())).await;
                false
            }
        }
    }

    async fn give(&self, piece: Result<Option<Vec<u8>>, HistoryError>) -> bool {
        matches!(tokio::time::timeout(TAKEN_WITHIN, self.pieces.send(piece)).await, Ok(Ok(())))
    }
}
