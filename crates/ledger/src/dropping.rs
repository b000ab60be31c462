//! Dropping what is old or was replaced: whole segments, oldest first. A record
//! in the chain says what goes before it goes; what a crash left is removed by
//! the next start.

use std::path::{Path, PathBuf};

use app::ports::{self, LedgerError, Snapshot};
use domain::{
    record::{Draft, Head, Record},
    snapshot::SNAPSHOT,
};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    disk::{Disk, segment_path},
    own::{Dropped, OwnFact},
    segment, snapshot, start,
    stream::{StreamFiles, unusable},
};

/// The segments of a stream as they stood at one moment.
pub(crate) struct Standing {
    segments: Vec<One>,
    head: Head,
}

struct One {
    number: u32,
    path: PathBuf,
    first: Record,
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
        let standing = self.reader().standing()?;
        if standing.segments.is_empty() { Ok(()) } else { self.drop_all(&standing, at, snapshot) }
    }

    /// Drops the segments that have no record behind `up_to`, where others stay
    /// or a new snapshot comes in their place.
    pub(crate) fn drop_up_to(&mut self, up_to: u64, at: Timestamp, snapshot: &dyn Snapshot) -> Result<(), LedgerError> {
        let standing = self.reader().standing()?;
        let mut count = (0..standing.segments.len()).take_while(|&place| standing.end(place).seq <= up_to).count();
        if count < standing.segments.len() {
            // What was appended since may stand in a segment that a take-over began without a snapshot.
            count = count.min(standing.newest_with_snapshot(self.reader().disk())?);
        }
        let Some(stays) = standing.segments.get(count) else { return self.drop_all(&standing, at, snapshot) };
        let Some(dropped) = standing.dropping(self.reader().disk(), count, at)? else { return Ok(()) };
        let latest = dropped.latest;
        let fact = OwnFact::SegmentsDropped(dropped);
        if let Some(written) = self.write(vec![Draft::of(at, &fact)], snapshot)? {
            self.commit(written);
        }
        self.declared.dropped_to = self.declared.dropped_to.max(Some(latest));
        self.remove_before(stays.number)
    }

    /// Removes what was said to be dropped, where a crash left it.
    pub(crate) fn finish_dropping(&mut self) -> Result<(), LedgerError> {
        let Some(to_seq) = self.declared.dropped.iter().map(|dropped| dropped.to_seq).max() else { return Ok(()) };
        let standing = self.reader().standing()?;
        match standing.segments.iter().position(|one| one.first.seq > to_seq) {
            None | Some(0) => Ok(()),
            Some(stays) => self.remove_before(standing.segments[stays].number),
        }
    }

    fn drop_all(&mut self, standing: &Standing, at: Timestamp, snapshot: &dyn Snapshot) -> Result<(), LedgerError> {
        let dropped = standing.dropping(self.reader().disk(), standing.segments.len(), at)?;
        let latest = dropped.as_ref().map(|dropped| dropped.latest);
        let fact = dropped.map(OwnFact::SegmentsDropped);
        let number = self.turn(at, fact.iter().map(|fact| Draft::of(at, fact)).collect(), snapshot)?;
        self.declared.dropped_to = self.declared.dropped_to.max(latest);
        self.remove_before(number)
    }

    /// What is not there any more, as the chain says.
    pub(crate) fn dropped(&self) -> Result<Option<ports::Dropped>, LedgerError> {
        let Some(latest) = self.declared.dropped_to else { return Ok(None) };
        let first = self.reader().standing()?.segments.into_iter().next();
        Ok(first.map(|one| ports::Dropped { to_seq: one.first.seq - 1, latest }))
    }
}

impl Standing {
    pub(crate) fn of(disk: &dyn Disk, folder: &Path, head: Head) -> Result<Standing, LedgerError> {
        let numbers = start::numbers(disk, folder).map_err(|error| unusable(folder, &error))?;
        let mut segments: Vec<One> = Vec::new();
        for number in numbers {
            let path = segment_path(folder, number);
            if let Some(first) = segment::first_record(disk, &path)?.filter(|first| first.seq <= head.seq) {
                segments.push(One { number, path, first });
            }
        }
        Ok(Standing { segments, head })
    }

    /// The number of the last record of the oldest segments of which none is
    /// needed; what a start needs goes only where all of them may.
    pub(crate) fn unneeded(
        &self,
        disk: &dyn Disk,
        is_needed: &dyn Fn(&Record) -> bool,
    ) -> Result<Option<u64>, LedgerError> {
        let mut count = 0;
        let mut all_bare = true;
        for (place, one) in self.segments.iter().enumerate() {
            let seen = look(disk, &one.path, self.end(place).seq, is_needed)?;
            if seen.is_needed {
                break;
            }
            all_bare &= seen.is_bare;
            count = place + 1;
        }
        if count == 0 || (count == self.segments.len() && all_bare) {
            return Ok(None);
        }
        if count < self.segments.len() {
            count = count.min(self.newest_with_snapshot(disk)?);
        }
        Ok(count.checked_sub(1).map(|last| self.end(last).seq))
    }

    /// The place of the segment at which a start begins.
    fn newest_with_snapshot(&self, disk: &dyn Disk) -> Result<usize, LedgerError> {
        for (place, one) in self.segments.iter().enumerate().rev() {
            let bytes = disk.read(&one.path).map_err(|error| unusable(&one.path, &error))?;
            if snapshot::whole(&bytes, &one.first, Some(self.end(place).seq + 1)).is_some() {
                return Ok(place);
            }
        }
        Ok(0)
    }

    /// What the segment behind one follows.
    fn end(&self, place: usize) -> Head {
        self.segments.get(place + 1).map_or(self.head, |next| next.first.head_before())
    }

    fn dropping(&self, disk: &dyn Disk, count: usize, at: Timestamp) -> Result<Option<Dropped>, LedgerError> {
        let gone = &self.segments[..count];
        let Some(first) = gone.first() else { return Ok(None) };
        let end = self.end(count - 1);
        let mut latest = first.first.at;
        for one in gone {
            let bytes = disk.read(&one.path).map_err(|error| unusable(&one.path, &error))?;
            let records = segment::lines(&bytes).filter_map(|line| segment::record(&line).ok());
            let of_views = records.filter(|record| !record.is_of_the_ledger()).map(|record| record.at);
            latest = of_views.max().map_or(latest, |at| at.max(latest));
        }
        Ok(Some(Dropped {
            segments: gone.iter().map(|one| one.number).collect(),
            from_seq: first.first.seq,
            to_seq: end.seq,
            last_hash: end.hash.to_string(),
            latest,
            at,
        }))
    }
}

fn look(disk: &dyn Disk, path: &Path, last: u64, is_needed: &dyn Fn(&Record) -> bool) -> Result<Seen, LedgerError> {
    let bytes = disk.read(path).map_err(|error| unusable(path, &error))?;
    let mut seen = Seen { is_needed: false, is_bare: true };
    for line in segment::lines(&bytes) {
        let record = segment::record(&line).map_err(|error| segment::damage(path, line.number, &error.to_string()))?;
        if record.seq > last {
            break;
        }
        if record.is_of_the_ledger() {
            seen.is_bare &= record.kind != SNAPSHOT || has_no_items(&record);
        } else {
            seen.is_bare = false;
            seen.is_needed |= is_needed(&record);
        }
        if record.seq == last || seen.is_needed {
            break;
        }
    }
    Ok(seen)
}

fn has_no_items(part: &Record) -> bool {
    part.body.get("items").and_then(Value::as_array).is_none_or(Vec::is_empty)
}
