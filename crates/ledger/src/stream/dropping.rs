//! Dropping what is old or was replaced: whole segments, oldest first. A record
//! in the chain says what goes before it goes; what a crash left is removed by
//! the next start.

use std::{
    io,
    path::{Path, PathBuf},
};

use app::ports::{self, LedgerError, Snapshot};
use domain::{
    record::{Draft, Head, Record},
    snapshot::SNAPSHOT,
    week::Week,
};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use super::{Opening, StreamFiles, unusable};
use crate::{
    disk::{Disk, segment_number},
    own::{Dropped, OwnFact},
    segment,
};

/// The segments of a stream as they stood at one moment, to be looked at
/// while the stream is written.
pub(crate) struct Standing {
    /// Path of each, and the number of its last record.
    segments: Vec<(PathBuf, u64)>,
    /// How many may go before one that a start needs.
    before_snapshot: usize,
}

/// What is seen of a segment.
struct Seen {
    is_needed: bool,
    /// Whether it holds nothing but what the ledger itself says.
    is_bare: bool,
}

impl StreamFiles {
    /// Begins a segment with a snapshot, and removes all that stand before it.
    pub(crate) fn compact(&mut self, at: Timestamp, snapshot: &dyn Snapshot) -> Result<(), LedgerError> {
        if self.segments.is_empty() {
            return Ok(());
        }
        self.drop_oldest(self.segments.len(), at, snapshot)
    }

    /// Drops the segments that have no record behind `up_to`.
    pub(crate) fn drop_up_to(&mut self, up_to: u64, at: Timestamp, snapshot: &dyn Snapshot) -> Result<(), LedgerError> {
        let standing = self.standing();
        let count = standing.segments.iter().take_while(|(_, last)| *last <= up_to).count();
        // What a start needs goes only where a new snapshot comes in its place.
        let count = if count < standing.segments.len() { count.min(standing.before_snapshot) } else { count };
        if count == 0 { Ok(()) } else { self.drop_oldest(count, at, snapshot) }
    }

    /// Removes what was said to be dropped, where a crash left it.
    pub(crate) fn finish_dropping(&mut self) -> io::Result<()> {
        let Some(to_seq) = self.declared.dropped.iter().map(|dropped| dropped.to_seq).max() else { return Ok(()) };
        let gone = self.segments.iter().skip(1).take_while(|segment| segment.before.seq <= to_seq).count();
        self.remove_oldest(gone)
    }

    /// How far segments were dropped.
    pub(crate) fn dropped(&self) -> Option<ports::Dropped> {
        let all = self.declared.dropped.iter();
        let latest = all.clone().map(|dropped| dropped.latest).max()?;
        Some(ports::Dropped { to_seq: all.map(|dropped| dropped.to_seq).max()?, latest })
    }

    /// The segments as they stand.
    pub(crate) fn standing(&self) -> Standing {
        let ends = self.segments.iter().skip(1).map(|next| next.before.seq).chain([self.head.seq]);
        Standing {
            segments: self.segments.iter().map(|segment| segment.path.clone()).zip(ends).collect(),
            before_snapshot: self.segments.iter().rposition(|segment| segment.has_snapshot).unwrap_or(0),
        }
    }

    fn drop_oldest(&mut self, count: usize, at: Timestamp, snapshot: &dyn Snapshot) -> Result<(), LedgerError> {
        let end = self.segments.get(count).map_or(self.head, |next| next.before);
        let fact = OwnFact::SegmentsDropped(self.dropping(count, end, at)?);
        let week = Week::of(at, &TimeZone::UTC);
        let begins = count == self.segments.len() || self.writing.as_ref().is_none_or(|writing| writing.week != week);
        let opening = if begins { self.opening(at, Some(snapshot)) } else { Opening::none(self.head) };
        let (record, line) = Draft::of(at, &fact).seal(opening.head);
        let line = line + "\n";
        let written = if begins { self.begin(&opening, &line, week) } else { self.extend(&line) };
        written.map_err(|error| {
            self.writing = None;
            unusable(&self.folder, &error)
        })?;
        self.head = record.head();
        if let OwnFact::SegmentsDropped(dropped) = fact {
            self.declared.dropped.push(dropped);
        }
        self.remove_oldest(count).map_err(|error| unusable(&self.folder, &error))
    }

    fn dropping(&self, count: usize, end: Head, at: Timestamp) -> Result<Dropped, LedgerError> {
        let gone = &self.segments[..count];
        let names = gone.iter().filter_map(|segment| segment.path.file_name()?.to_str());
        let mut latest = Timestamp::MIN;
        for segment in gone {
            each_record(self.disk.as_ref(), &segment.path, end.seq, &mut |record| latest = latest.max(record.at))?;
        }
        Ok(Dropped {
            segments: names.filter_map(segment_number).collect(),
            from_seq: gone.first().map_or(0, |segment| segment.before.seq + 1),
            to_seq: end.seq,
            last_hash: end.hash.to_string(),
            latest,
            at,
        })
    }

    /// Oldest first, so that what is left is one chain whenever this stops.
    fn remove_oldest(&mut self, count: usize) -> io::Result<()> {
        for _ in 0..count {
            self.disk.remove(&self.segments[0].path)?;
            self.disk.sync_folder(&self.folder)?;
            self.segments.remove(0);
        }
        let first = self.segments.first().map_or(self.head.seq, |first| first.before.seq);
        while self.tail.front().is_some_and(|oldest| oldest.record.seq <= first) {
            let Some(oldest) = self.tail.pop_front() else { break };
            self.tail_bytes -= oldest.bytes;
        }
        self.tail_behind = self.tail_behind.max(first);
        Ok(())
    }
}

impl Standing {
    /// The number of the last record of the oldest segments of which none is
    /// needed, whatever a start needs where all of them may go.
    pub(crate) fn unneeded(
        &self,
        disk: &dyn Disk,
        is_needed: &dyn Fn(&Record) -> bool,
    ) -> Result<Option<u64>, LedgerError> {
        let mut unneeded = None;
        let mut all_bare = true;
        for (place, (path, last)) in self.segments.iter().enumerate() {
            let seen = look(disk, path, *last, is_needed)?;
            if seen.is_needed {
                break;
            }
            all_bare &= seen.is_bare;
            let is_all = place + 1 == self.segments.len();
            if place < self.before_snapshot || (is_all && !all_bare) {
                unneeded = Some(*last);
            }
        }
        Ok(unneeded)
    }
}

fn look(disk: &dyn Disk, path: &Path, last: u64, is_needed: &dyn Fn(&Record) -> bool) -> Result<Seen, LedgerError> {
    let mut seen = Seen { is_needed: false, is_bare: true };
    each_record(disk, path, last, &mut |record| {
        if record.is_of_the_ledger() {
            seen.is_bare &= record.kind != SNAPSHOT || has_no_items(record);
        } else {
            seen.is_bare = false;
            seen.is_needed |= is_needed(record);
        }
    })?;
    Ok(seen)
}

fn has_no_items(part: &Record) -> bool {
    part.body.get("items").and_then(Value::as_array).is_none_or(Vec::is_empty)
}

/// Calls for each record of a segment up to that number.
fn each_record(disk: &dyn Disk, path: &Path, last: u64, each: &mut dyn FnMut(&Record)) -> Result<(), LedgerError> {
    let bytes = disk.read(path).map_err(|error| unusable(path, &error))?;
    for line in segment::lines(&bytes, 0) {
        let record = segment::record(&line).map_err(|error| segment::damage(path, line.number, &error.to_string()))?;
        if record.seq > last {
            break;
        }
        each(&record);
        if record.seq == last {
            break;
        }
    }
    Ok(())
}
