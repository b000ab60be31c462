//! Mending a damaged ledger without guessing: what does not prove itself is
//! set aside, never deleted, and a record in the chain names the gap.
//!
//! The record is written first. A repair that was interrupted is ended by the
//! next one, which finds the gap recorded and sets aside what still stands.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use app::ports::LedgerError;
use domain::record::{Draft, FORMAT, SEGMENT_OPENED, Stream};
use jiff::Timestamp;

use crate::{
    Term,
    copy::must_be_whole,
    disk::{Disk, RealDisk, segment_path},
    held_disk::HeldDisk,
    own::{Gap, OwnFact},
    segment::Opened,
    stream::unusable,
};

use self::plan::{Part, Plan};

mod chain;
mod plan;

/// The folder in the ledger for what was set aside.
pub(crate) const DAMAGED: &str = "damaged";

/// What a copy is called until it is whole.
const UNFINISHED: &str = "part";

/// Who repairs, and what the chain then bears.
#[derive(Clone, Debug)]
pub struct Repairer {
    /// Who it is.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Names the ledger from here on: what clients knew may be set aside.
    pub epoch: String,
}

/// A stream, and what a repair did to it or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mended {
    /// Which.
    pub stream: Stream,
    /// The gaps that were recorded.
    pub gaps: Vec<Gap>,
    /// What was set aside: where it stood, and the file in `ledger/damaged`.
    pub set_aside: Vec<(String, String)>,
    /// How many records of each kind in it prove themselves, and can be read there.
    pub readable: BTreeMap<String, usize>,
    /// How many lines in it are no records.
    pub unreadable: usize,
}

impl Mended {
    /// Whether there is no damage.
    pub fn is_sound(&self) -> bool {
        self.gaps.is_empty() && self.set_aside.is_empty()
    }
}

/// What a repair would do to each stream; nothing is changed.
///
/// # Errors
/// [`LedgerError::Corrupt`] where a newer version wrote the ledger,
/// [`LedgerError::Unavailable`] where the folder cannot be used.
pub fn plan_repair(folder: &Path, repairer: &Repairer) -> Result<Vec<Mended>, LedgerError> {
    let ledger = folder.join("ledger");
    RealDisk.names(&ledger).map_err(|error| unusable(&ledger, &error))?;
    Ok(plans(&RealDisk, folder)?.iter().map(|plan| plan.mended(repairer)).collect())
}

/// Repairs each stream of the data directory that the term holds.
///
/// # Errors
/// As [`plan_repair`].
pub fn repair(term: &Term, repairer: &Repairer) -> Result<Vec<Mended>, LedgerError> {
    repair_on(&HeldDisk(Arc::clone(term.held())), term.folder(), repairer)
}

/// Repairs a ledger on any disk, without a term.
pub(crate) fn repair_on(disk: &dyn Disk, folder: &Path, repairer: &Repairer) -> Result<Vec<Mended>, LedgerError> {
    // All streams are looked at before one is changed.
    let plans = plans(disk, folder)?;
    for plan in &plans {
        carry_out(disk, plan, repairer).map_err(|error| unusable(&plan.folder, &error))?;
    }
    Ok(plans.iter().map(|plan| plan.mended(repairer)).collect())
}

fn plans(disk: &dyn Disk, folder: &Path) -> Result<Vec<Plan>, LedgerError> {
    must_be_whole(disk, folder)?;
    Stream::ALL.into_iter().map(|stream| Plan::of(disk, folder, stream)).collect()
}

fn carry_out(disk: &dyn Disk, plan: &Plan, repairer: &Repairer) -> io::Result<()> {
    if !plan.gaps.is_empty() {
        record(disk, plan, repairer)?;
    }
    if plan.parts.is_empty() {
        return Ok(());
    }
    let damaged = plan.damaged_folder();
    disk.make_folder(&damaged)?;
    for part in &plan.parts {
        set_aside(disk, part, &damaged)?;
    }
    disk.sync_folder(&damaged)?;
    disk.sync_folder(&plan.folder)
}

/// Begins a segment behind everything that can be seen, which names the gaps.
fn record(disk: &dyn Disk, plan: &Plan, repairer: &Repairer) -> io::Result<()> {
    let opened = Opened {
        format: FORMAT,
        stream: plan.stream,
        segment: plan.next_number,
        epoch: repairer.epoch.clone(),
        gaps: plan.known_gaps.clone(),
        dropped_to: plan.dropped_to,
    };
    let body = serde_json::to_value(&opened).map_err(io::Error::other)?;
    let (first, opening) = Draft { at: repairer.at, kind: SEGMENT_OPENED.into(), body }.seal(plan.next_place);
    let fact = OwnFact::GapRecorded { gaps: plan.gaps.iter().map(|gap| gap.recorded(repairer)).collect() };
    let (_, naming) = Draft::of(repairer.at, &fact).seal(first.head());
    let mut file = disk.create_new(&segment_path(&plan.folder, plan.next_number))?;
    file.append(format!("{opening}\n{naming}\n").as_bytes())?;
    file.sync()?;
    disk.sync_folder(&plan.folder)
}

/// Moves a whole segment away, or copies its end and cuts that off.
fn set_aside(disk: &dyn Disk, part: &Part, damaged: &Path) -> io::Result<()> {
    let target = damaged.join(&part.name);
    let Some(offset) = part.offset else {
        return disk.rename(&part.path, &target);
    };
    if !part.is_there {
        let unfinished = unfinished(&target);
        disk.remove(&unfinished)?;
        let content = disk.read(&part.path)?;
        let mut file = disk.create_new(&unfinished)?;
        file.append(content.get(offset..).unwrap_or_default())?;
        file.sync()?;
        disk.rename(&unfinished, &target)?;
        disk.sync_folder(damaged)?;
    }
    disk.cut(&part.path, offset as u64)
}

fn unfinished(target: &Path) -> PathBuf {
    target.with_extension(UNFINISHED)
}
