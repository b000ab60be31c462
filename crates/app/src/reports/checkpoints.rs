//! Checkpoints on the share. One that proves what our ledger does not have is
//! evidence, and nothing is written over it.

use std::collections::BTreeMap;

use domain::{
    checkpoint::{Checkpoint, LEDGER_CHECKPOINT, LedgerCheckpoint},
    record::{Head, Record, Stream},
    verification::Standing,
    week::Week,
};

use crate::{
    ports::{LedgerError, ReportFile, ShareError},
    verification::standing,
};

use super::{Reports, WeekState, locked};

/// Streams besides `audit` that only grow; `keys` is compacted.
const OTHERS: [Stream; 2] = [Stream::Access, Stream::Relay];

/// How many records the end of a stream usually has that no view folds over.
const OPENING_RECORDS: u64 = 4;

/// What is known of each checkpoint on the share, by file name.
#[derive(Default)]
pub(super) struct Checkpoints(BTreeMap<String, Known>);

#[derive(Clone, Default)]
struct Known {
    /// The file as it was listed when it was read.
    seen: Option<ReportFile>,
    /// How far what stands there goes, where it is as we would write it.
    reach: u64,
    /// Why it is kept, where it is.
    kept: Option<Kept>,
}

/// Why a checkpoint that stands on the share is not written over.
#[derive(Clone)]
enum Kept {
    /// Our key signed it, and our ledger has not what it speaks of.
    Ahead(String),
    /// Nobody can tell what it proves: another key, or changed.
    Unknown,
}

impl Reports {
    /// Signs what the ledger has of a week, once its rows are on the share.
    pub(super) async fn write_checkpoint(
        &self,
        week: Week,
        state: &WeekState,
        files: &BTreeMap<String, ReportFile>,
    ) -> Result<(), ShareError> {
        let name = week.checkpoint_name();
        let sign = || {
            let weeks = self.lock();
            // More may have come since its rows were written; it is signed next time.
            let current = weeks.state(week).is_some_and(|known| known.last_seq == state.last_seq);
            let digest = weeks.digest(week).filter(|_| current)?;
            let (head, rows, before) = (state.head(), weeks.marks(week), weeks.before(week));
            Some(self.key.sign(&Checkpoint { head, week, digest, rows, before }))
        };
        self.keep_checkpoint(&name, files.get(&name), state.last_seq, sign).await
    }

    /// Signs how far the whole ledger is, and what its latest report holds if
    /// that is the week whose rows were written last.
    pub(super) async fn write_ledger_checkpoint(
        &self,
        files: &BTreeMap<String, ReportFile>,
        written: Option<Week>,
    ) -> Result<(), ShareError> {
        let note = self.ledger_checkpoint(written).await.map_err(|error| ShareError::Unavailable(error.to_string()))?;
        if note.head.seq == 0 {
            return Ok(());
        }
        let reach = note.head.seq + note.others.iter().map(|(_, head)| head.seq).sum::<u64>();
        let sign = || Some(self.key.sign_ledger(&note));
        self.keep_checkpoint(LEDGER_CHECKPOINT, files.get(LEDGER_CHECKPOINT), reach, sign).await
    }

    /// Tells what is kept, and what to do about it.
    pub(super) fn tell_checkpoints(&self, files: &BTreeMap<String, ReportFile>) {
        let mut checkpoints = locked(&self.checkpoints);
        checkpoints.0.retain(|name, _| files.contains_key(name));
        let mut ahead = Vec::new();
        let mut unknown = Vec::new();
        for (name, known) in &checkpoints.0 {
            match &known.kept {
                None => {}
                Some(Kept::Ahead(problem)) => ahead.push(format!("{name} {problem}")),
                Some(Kept::Unknown) => unknown.push(name.clone()),
            }
        }
        drop(checkpoints);
        self.tell_kept("checkpoint_ahead", &ahead, |ahead| {
            format!(
                "the ledger is not the one that was signed, it was cut off or is an older copy: {ahead}. The checkpoint \
                 is kept as the proof; put DATA_DIR back from a backup, or move the file elsewhere to go on without"
            )
        });
        self.tell_kept("checkpoint_unknown", &unknown, |unknown| {
            format!(
                "not signed by this server's key, or changed: {unknown}. It is kept, as it may prove what an earlier \
                 data directory had; move it elsewhere, and one of this ledger is written"
            )
        });
    }

    /// Has it in the log how far the ledger was when a segment ended.
    pub(super) fn log_checkpoint(&self, head: Head) {
        let checkpoint = self.key.sign_ledger(&LedgerCheckpoint { head, others: Vec::new(), latest: None });
        tracing::info!(seq = head.seq, checkpoint, "The ledger goes on in another segment; how far it was is signed");
    }

    fn tell_kept(&self, code: &'static str, kept: &[String], detail: impl Fn(String) -> String) {
        if kept.is_empty() {
            return self.findings.ends("share", code);
        }
        self.findings.begins("share", code, detail(kept.join(", ")), false);
    }

    /// Has a checkpoint stand there as `sign` gives it, unless what stands
    /// there is to be kept.
    async fn keep_checkpoint(
        &self,
        name: &str,
        listed: Option<&ReportFile>,
        reach: u64,
        sign: impl FnOnce() -> Option<String>,
    ) -> Result<(), ShareError> {
        let known = locked(&self.checkpoints).0.get(name).cloned().unwrap_or_default();
        if listed.is_some() && known.seen.as_ref() == listed && (known.kept.is_some() || known.reach == reach) {
            return Ok(());
        }
        let Some(note) = sign() else { return Ok(()) };
        // Read even where none was listed: it may be one that could not be looked at.
        let there = self.patiently(self.share.read(name)).await?.unwrap_or_default();
        let mut known = Known { seen: listed.cloned(), reach, kept: None };
        if there != note.as_bytes() {
            known.kept =
                self.worth_keeping(&there).await.map_err(|error| ShareError::Unavailable(error.to_string()))?;
            if known.kept.is_none() {
                self.confirm().await?;
                self.patiently(self.share.replace(name, note.as_bytes())).await?;
                known.seen = None;
            }
        }
        locked(&self.checkpoints).0.insert(name.to_owned(), known);
        Ok(())
    }

    /// Why what stands there is not to be written over.
    async fn worth_keeping(&self, there: &[u8]) -> Result<Option<Kept>, LedgerError> {
        if there.is_empty() {
            return Ok(None);
        }
        let Ok(note) = self.key.public().open_any(&String::from_utf8_lossy(there)) else {
            return Ok(Some(Kept::Unknown));
        };
        for (stream, head) in note.heads() {
            let name = stream.name();
            let (seq, ends) = (head.seq, self.ledger.head(stream).seq);
            match standing(self.ledger.as_ref(), stream, head).await? {
                Standing::There | Standing::Dropped => {}
                Standing::Missing => {
                    let problem = format!("speaks of record {seq} of {name}, where the ledger ends with {ends}");
                    return Ok(Some(Kept::Ahead(problem)));
                }
                Standing::Another => {
                    let problem = format!("speaks of another record {seq} of {name} than the ledger has");
                    return Ok(Some(Kept::Ahead(problem)));
                }
            }
        }
        Ok(None)
    }

    async fn ledger_checkpoint(&self, written: Option<Week>) -> Result<LedgerCheckpoint, LedgerError> {
        let (head, latest) = {
            let weeks = self.lock();
            (weeks.head(), weeks.latest().filter(|latest| Some(latest.week) == written))
        };
        let mut others = Vec::new();
        for stream in OTHERS {
            others.extend(self.last_head(stream).await?.map(|head| (stream, head)));
        }
        Ok(LedgerCheckpoint { head, others, latest })
    }

    /// The head behind the last record that can be read: records that begin a
    /// segment, and the snapshot among them, may stand behind it.
    async fn last_head(&self, stream: Stream) -> Result<Option<Head>, LedgerError> {
        let end = self.ledger.head(stream).seq;
        let mut back = OPENING_RECORDS;
        loop {
            let after = end.saturating_sub(back);
            let records = self.ledger.read(stream, after, back as usize * 2).await?;
            if !records.is_empty() || after == 0 {
                return Ok(records.last().map(Record::head));
            }
            back *= 16;
        }
    }
}
