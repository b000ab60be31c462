//! What the ledger says of each week, and how far it was followed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{
    checkpoint::{Earlier, GrowingDigest, ReportDigest, RowMarks},
    history::Entry,
    record::{Hash, Head, Record, Stream},
    session::{EndedSession, SessionId},
    week::Week,
};

use crate::ports::ReportFile;

/// The weeks of a ledger.
pub(super) struct Weeks {
    head: Head,
    /// Whether the end of the ledger was reached once.
    caught_up: bool,
    by_week: BTreeMap<Week, WeekState>,
    digests: BTreeMap<Week, GrowingDigest>,
    /// Sessions that were taken over from reports; they have their rows.
    imported: Arc<BTreeSet<SessionId>>,
}

/// What is known of a week's file.
#[derive(Clone)]
pub(super) struct WeekState {
    /// How many sessions the ledger has of the week.
    pub(super) rows: usize,
    /// Number of the first record of the week.
    pub(super) first_seq: u64,
    /// Number of the last record of the week.
    pub(super) last_seq: u64,
    /// Hash of the last record of the week.
    pub(super) last_hash: Hash,
    /// How long the file was when it held all rows up to `written_seq`.
    pub(super) bytes: Option<u64>,
    /// How many rows the file had then, those of others included.
    pub(super) rows_in_file: usize,
    /// The last record whose row is known to be in the file.
    pub(super) written_seq: u64,
}

impl Default for Weeks {
    fn default() -> Weeks {
        let head = Head::genesis(Stream::Audit);
        Weeks { head, caught_up: false, by_week: BTreeMap::new(), digests: BTreeMap::new(), imported: Arc::default() }
    }
}

impl Weeks {
    /// The last record that was taken in.
    pub(super) fn head(&self) -> Head {
        self.head
    }

    pub(super) fn cursor(&self) -> u64 {
        self.head.seq
    }

    pub(super) fn has_caught_up(&mut self) {
        self.caught_up = true;
    }

    /// Takes in records; gives where a segment ended, if one did since the end
    /// of the ledger was first reached. Weeks up to `gone` are not whole in the
    /// ledger, and left as they are on the share.
    pub(super) fn note_all(&mut self, records: &[Record], gone: Option<Week>) -> Option<Head> {
        let mut ended = None;
        for record in records {
            // Between them stands the record that opens the next segment.
            if self.caught_up && record.seq > self.head.seq + 1 {
                ended = Some(self.head);
            }
            match Entry::of_record(record) {
                Ok(Some(Entry::Ended(ended))) if gone.is_none_or(|gone| ended.week > gone) => {
                    self.note(&ended, record.head());
                }
                Ok(Some(Entry::Imported(session))) if session.is_of_a_report() => {
                    Arc::make_mut(&mut self.imported).insert(session.id);
                }
                Ok(Some(Entry::Running(_) | Entry::Ended(_) | Entry::Imported(_)) | None) | Err(_) => {}
            }
            self.head = record.head();
        }
        ended
    }

    /// Whether the end of the ledger was reached once, the last record that was
    /// taken in, and what is known of each week by then.
    pub(super) fn states(&self) -> (bool, u64, Vec<(Week, WeekState)>) {
        let weeks = self.by_week.iter().map(|(week, state)| (*week, state.clone()));
        (self.caught_up, self.cursor(), weeks.collect())
    }

    /// Weeks up to there are not whole in the ledger any more, and their
    /// reports are left as they are.
    pub(super) fn forget_up_to(&mut self, gone: Week) {
        self.by_week.retain(|week, _| *week > gone);
        self.digests.retain(|week, _| *week > gone);
    }

    pub(super) fn state(&self, week: Week) -> Option<&WeekState> {
        self.by_week.get(&week)
    }

    /// Sessions that were taken over from reports.
    pub(super) fn imported(&self) -> Arc<BTreeSet<SessionId>> {
        Arc::clone(&self.imported)
    }

    /// The file as it must be when nobody else writes to it.
    pub(super) fn digest(&self, week: Week) -> Option<ReportDigest> {
        self.digests.get(&week).map(GrowingDigest::so_far)
    }

    /// Whether a file of that digest holds what the ledger had of the week at
    /// `state`, and nothing came since.
    pub(super) fn is_whole(&self, week: Week, state: &WeekState, file: &ReportDigest) -> bool {
        let current = self.by_week.get(&week).is_some_and(|known| known.last_seq == state.last_seq);
        current && self.digest(week).as_ref() == Some(file)
    }

    pub(super) fn marks(&self, week: Week) -> Option<RowMarks> {
        self.digests.get(&week).map(GrowingDigest::marks)
    }

    /// The report of the last week before that one.
    pub(super) fn before(&self, week: Week) -> Option<Earlier> {
        let (week, digest) = self.digests.range(..week).next_back()?;
        Some(Earlier { week: *week, digest: digest.so_far() })
    }

    /// The report of the latest week.
    pub(super) fn latest(&self) -> Option<Earlier> {
        let (week, digest) = self.digests.last_key_value()?;
        Some(Earlier { week: *week, digest: digest.so_far() })
    }

    /// A week's file has that length and holds what `state` says.
    pub(super) fn is_written(&mut self, week: Week, state: &WeekState, bytes: u64) {
        if let Some(known) = self.by_week.get_mut(&week) {
            known.bytes = Some(bytes);
            known.rows_in_file = state.rows_in_file;
            known.written_seq = state.last_seq;
        }
    }

    fn note(&mut self, ended: &EndedSession, head: Head) {
        let state = self.by_week.entry(ended.week).or_insert_with(|| WeekState::beginning(head));
        state.rows += 1;
        state.last_seq = head.seq;
        state.last_hash = head.hash;
        self.digests.entry(ended.week).or_default().add_row(ended);
    }
}

impl WeekState {
    fn beginning(Head { seq, hash }: Head) -> WeekState {
        WeekState {
            rows: 0,
            first_seq: seq,
            last_seq: seq,
            last_hash: hash,
            bytes: None,
            rows_in_file: 0,
            written_seq: 0,
        }
    }

    pub(super) fn head(&self) -> Head {
        Head { seq: self.last_seq, hash: self.last_hash }
    }

    /// How many rows a file has that is as it was left, if this is one.
    pub(super) fn rows_of(&self, file: &ReportFile) -> Option<usize> {
        (self.bytes == Some(file.bytes)).then_some(self.rows_in_file)
    }
}
