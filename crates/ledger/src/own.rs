//! What a stream says of its own chain: the gaps that a repair left, and the
//! segments that retention dropped. Where a segment does not follow the one
//! before, such a record further on in the chain is what makes that good.

use std::fmt;

use domain::record::{GAP_RECORDED, Hash, Head, LineError, Record, SEGMENTS_DROPPED};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::segment::{self, Opened};

/// A record of the ledger's own, as [`domain::record::Draft::of`] takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "body")]
pub(crate) enum OwnFact {
    /// A repair left gaps.
    GapRecorded {
        /// Each of them.
        gaps: Vec<Gap>,
    },
    /// Retention dropped segments.
    SegmentsDropped(Dropped),
}

/// Records that are no part of the chain any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Number of the last record before it; 0 where it begins the stream.
    pub after_seq: u64,
    /// That record's hash, or what stands for it at the begin of a stream.
    pub after_hash: String,
    /// Number of the first record behind it.
    pub next_seq: u64,
    /// What that record names as the hash before it.
    pub next_prev: String,
    /// The files in `ledger/damaged` that hold what was set aside.
    pub set_aside: Vec<String>,
    /// Who recorded it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Segments that were dropped because they were old.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Their numbers.
    pub segments: Vec<u32>,
    /// Number of their first record.
    pub from_seq: u64,
    /// Number of their last record.
    pub to_seq: u64,
    /// Hash of their last record, which the first one that is kept names.
    pub last_hash: String,
    /// When the latest of them happened.
    pub latest: Timestamp,
    /// When they were dropped.
    pub at: Timestamp,
}

/// How lines begin that say something of the chain, from the kind on.
const SAID: [&[u8]; 2] = [b"kind\":\"gap_recorded\"", b"kind\":\"segments_dropped\""];

/// Within so many bytes of a line its kind begins: number and time are before it.
const KIND_WITHIN: usize = 128;

/// All that a chain says of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared {
    pub(crate) gaps: Vec<Gap>,
    pub(crate) dropped: Vec<Dropped>,
    /// When the latest record happened that was ever dropped.
    pub(crate) dropped_to: Option<Timestamp>,
}

/// A place where a segment does not follow what stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Break {
    /// Where the chain ended.
    pub(crate) after: Head,
    /// What the record behind follows.
    pub(crate) next: Head,
}

impl Gap {
    fn covers(&self, place: Break) -> bool {
        let after = (self.after_seq, self.after_hash.as_str()) == (place.after.seq, &place.after.hash.to_string());
        after && (self.next_seq, self.next_prev.as_str()) == (place.next.seq + 1, &place.next.hash.to_string())
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.after_seq + 1, self.next_seq - 1);
        if from == to {
            write!(f, "record {from} is no part of the chain")?;
        } else {
            write!(f, "records {from} to {to} are no part of the chain")?;
        }
        match self.set_aside.as_slice() {
            [] => write!(f, ", and nothing was there to be set aside")?,
            files => write!(f, "; what was there is in ledger/damaged: {}", files.join(", "))?,
        }
        write!(f, " (recorded by {}, {})", self.by, self.at)
    }
}

impl Dropped {
    /// Where not all of it is removed yet, the rest is proved by its own chain.
    fn covers(&self, place: Break) -> bool {
        let is_its_end = Hash::from_hex(&self.last_hash) == Some(place.next.hash);
        place.next.seq < self.to_seq || (place.next.seq == self.to_seq && is_its_end)
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "records {} to {} were dropped on {}, as they were old or replaced",
            self.from_seq, self.to_seq, self.at
        )
    }
}

impl Declared {
    /// Takes up what a segment says, whose lines are proved elsewhere.
    pub(crate) fn take_up(&mut self, bytes: &[u8], first: &Record) {
        if let Ok(opened) = serde_json::from_value::<Opened>(first.body.clone()) {
            opened.gaps.into_iter().for_each(|gap| self.add(gap));
            self.dropped_to = self.dropped_to.max(opened.dropped_to);
        }
        let says = |line: &[u8]| {
            SAID.iter().any(|kind| {
                line.iter()
                    .take(KIND_WITHIN)
                    .position(|&byte| byte == b'k')
                    .is_some_and(|at| line[at..].starts_with(kind))
            })
        };
        for line in segment::lines(bytes).filter(|line| says(line.bytes)) {
            // A line that is no record is found where the segment is proved.
            let _ = segment::record(&line).and_then(|record| self.note(&record));
        }
    }

    fn add(&mut self, gap: Gap) {
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }

    /// Takes up what a record says, if it is of the ledger's own.
    pub(crate) fn note(&mut self, record: &Record) -> Result<(), LineError> {
        if record.kind != GAP_RECORDED && record.kind != SEGMENTS_DROPPED {
            return Ok(());
        }
        match record.fact()? {
            OwnFact::GapRecorded { gaps } => gaps.into_iter().for_each(|gap| self.add(gap)),
            OwnFact::SegmentsDropped(dropped) => {
                self.dropped_to = self.dropped_to.max(Some(dropped.latest));
                self.dropped.push(dropped);
            }
        }
        Ok(())
    }

    /// Whether a break is made good. Only the begin of a stream is dropped.
    pub(crate) fn covers(&self, place: Break) -> bool {
        let dropped = place.after.seq == 0 && self.dropped.iter().any(|dropped| dropped.covers(place));
        dropped || self.has_gap(place)
    }

    /// Whether a repair recorded that what is missing there is lost.
    pub(crate) fn has_gap(&self, place: Break) -> bool {
        self.gaps.iter().any(|gap| gap.covers(place))
    }
}
