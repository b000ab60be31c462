//! What is to be done to a stream, found without touching it.

use std::{
    collections::BTreeMap,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use app::ports::LedgerError;
use domain::record::{Head, Record, Stream};
use jiff::Timestamp;

use crate::{
    disk::{Disk, segment_number, segment_path},
    own::{Break, Declared, Gap},
    repair::{
        DAMAGED, Mended, Repairer,
        chain::{self, End},
    },
    segment::{self, lines},
    snapshot,
    stream::{SEGMENT_BYTES, unusable},
};

/// No record has fewer bytes: its numbers, its two hashes, and their names.
const SHORTEST_RECORD: u64 = 200;

/// What is to be done to a stream.
pub(super) struct Plan {
    pub(super) stream: Stream,
    pub(super) folder: PathBuf,
    /// The gaps that are not recorded yet.
    pub(super) gaps: Vec<PlannedGap>,
    /// Those that are.
    pub(super) known_gaps: Vec<Gap>,
    /// When the latest record happened that was dropped.
    pub(super) dropped_to: Option<Timestamp>,
    /// What is to be set aside.
    pub(super) parts: Vec<Part>,
    /// What the record of the gaps follows: the last good hash, and a number
    /// below which every record may have been.
    pub(super) next_place: Head,
    /// The number of the segment that holds it.
    pub(super) next_number: u32,
    readable: BTreeMap<String, usize>,
    unreadable: usize,
}

/// A gap, and the files that are to hold what was there.
pub(super) struct PlannedGap {
    place: Break,
    set_aside: Vec<String>,
}

/// A segment, or its end, that is to be set aside.
pub(super) struct Part {
    pub(super) path: PathBuf,
    /// Where it begins; the whole file where there is none.
    pub(super) offset: Option<usize>,
    /// What it is called there.
    pub(super) name: String,
    /// Whether it stands there already.
    pub(super) is_there: bool,
    /// Which line begins it, where it is not the whole file.
    line: Option<usize>,
}

/// A segment as it is found.
struct Found {
    number: u32,
    path: PathBuf,
    state: State,
}

enum State {
    /// Its first write did not end; such a one is passed over.
    NotBegun,
    /// It cannot be read; its length where that is known.
    Unreadable(u64),
    /// Its first line is damaged.
    Headless,
    Begun(Record),
}

/// A segment that stays, up to where it is proved.
struct Kept {
    at: usize,
    before: Head,
    /// Where it ends.
    end: End,
    /// Whether damage, not only a torn end, stands behind that.
    is_damaged: bool,
    /// Whether a snapshot is in it, from which a start can begin.
    has_snapshot: bool,
    /// What its records say of the chain.
    declared: Declared,
}

impl Plan {
    pub(super) fn of(disk: &dyn Disk, data: &Path, stream: Stream) -> Result<Plan, LedgerError> {
        let folder = data.join("ledger").join(stream.name());
        let found = found(disk, &folder)?;
        let kept = kept(disk, &found)?;
        let last_number = found.last().map_or(0, |segment| segment.number);
        let mut plan = Plan {
            stream,
            folder,
            gaps: Vec::new(),
            known_gaps: Vec::new(),
            dropped_to: None,
            parts: Vec::new(),
            next_place: kept.last().map_or(Head::genesis(stream), |kept| kept.end.head),
            next_number: last_number + 1,
            readable: BTreeMap::new(),
            unreadable: 0,
        };
        plan.set_aside(disk, &found, &kept)?;
        plan.find_gaps(&found, &kept);
        Ok(plan)
    }

    pub(super) fn damaged_folder(&self) -> PathBuf {
        self.folder.with_file_name(DAMAGED)
    }

    pub(super) fn mended(&self, repairer: &Repairer) -> Mended {
        let place = |part: &Part| match part.line {
            None => part.path.display().to_string(),
            Some(line) => format!("{} from line {line} on", part.path.display()),
        };
        Mended {
            stream: self.stream,
            gaps: self.gaps.iter().map(|gap| gap.recorded(repairer)).collect(),
            set_aside: self.parts.iter().map(|part| (place(part), part.name.clone())).collect(),
            readable: self.readable.clone(),
            unreadable: self.unreadable,
        }
    }

    fn set_aside(&mut self, disk: &dyn Disk, found: &[Found], kept: &[Kept]) -> Result<(), LedgerError> {
        let mut staying = kept.iter().peekable();
        let mut last = Head::genesis(self.stream);
        for (at, segment) in found.iter().enumerate() {
            let begin = if let Some(one) = staying.next_if(|kept| kept.at == at) {
                last = one.end.head;
                let later_goes = found[at + 1..].iter().any(|later| !matches!(later.state, State::NotBegun));
                match staying.peek() {
                    // What stands behind the joint was refused when it was written.
                    Some(next) if next.before == last => continue,
                    // A torn end is the next start's affair.
                    None if !one.is_damaged && !later_goes => continue,
                    Some(_) | None => Some(one.end),
                }
            } else if matches!(segment.state, State::NotBegun) {
                continue;
            } else {
                None
            };
            let is_behind_all = staying.peek().is_none();
            self.set_one_aside(disk, segment, begin, is_behind_all.then_some(last.seq))?;
        }
        Ok(())
    }

    /// Sets a segment aside, from a place on where one is given. `least` is
    /// given where nothing stays behind it: its numbers were the highest.
    fn set_one_aside(
        &mut self,
        disk: &dyn Disk,
        segment: &Found,
        begin: Option<End>,
        least: Option<u64>,
    ) -> Result<(), LedgerError> {
        let offset = begin.map(|begin| begin.bytes);
        let content = match segment.state {
            State::Unreadable(_) => Vec::new(),
            State::NotBegun | State::Headless | State::Begun(_) => {
                disk.read(&segment.path).map_err(|error| unusable(&segment.path, &error))?
            }
        };
        let rest = content.get(offset.unwrap_or(0)..).unwrap_or_default();
        if offset.is_some() && rest.is_empty() {
            return Ok(());
        }
        if let Some(least) = least {
            let least = self.next_place.seq.max(least);
            self.next_place.seq = match segment.state {
                State::Unreadable(bytes) => least + 1 + bytes / SHORTEST_RECORD,
                State::NotBegun | State::Headless | State::Begun(_) => chain::highest_claimed(rest, least),
            };
        }
        self.count(rest);
        let line = begin.map(|begin| begin.next_line);
        let (name, is_there) = self.name(disk, segment.number, line, rest)?;
        self.parts.push(Part { path: segment.path.clone(), offset, name, is_there, line });
        Ok(())
    }

    fn count(&mut self, content: &[u8]) {
        for line in lines(content) {
            match segment::record(&line) {
                Ok(record) if record.is_of_the_ledger() => {}
                Ok(record) => *self.readable.entry(record.kind).or_default() += 1,
                Err(_) => self.unreadable += 1,
            }
        }
    }

    /// A name that is free, or whose file has that very content.
    fn name(
        &self,
        disk: &dyn Disk,
        number: u32,
        line: Option<usize>,
        content: &[u8],
    ) -> Result<(String, bool), LedgerError> {
        let folder = self.damaged_folder();
        let stem =
            format!("{}-{number:06}{}", self.stream.name(), line.map_or(String::new(), |at| format!("-line-{at}")));
        let taken = disk.names(&folder).unwrap_or_default();
        for again in 1_u32.. {
            let suffix = if again == 1 { String::new() } else { format!("-{again}") };
            let name = format!("{stem}{suffix}.jsonl");
            if !taken.contains(&name) {
                return Ok((name, false));
            }
            let path = folder.join(&name);
            let there = disk.read(&path).map_err(|error| unusable(&path, &error))?;
            if line.is_some() && there == content {
                return Ok((name, true));
            }
        }
        unreachable!("there are more numbers than files")
    }

    fn find_gaps(&mut self, found: &[Found], kept: &[Kept]) {
        let mut declared = Declared::default();
        for one in kept {
            declared.gaps.extend(one.declared.gaps.iter().cloned());
            declared.dropped.extend(one.declared.dropped.iter().cloned());
            declared.dropped_to = declared.dropped_to.max(one.declared.dropped_to);
        }
        let mut after = (Head::genesis(self.stream), None);
        for one in kept {
            let place = Break { after: after.0, next: one.before };
            // What was dropped is lost where no snapshot stands in for it.
            let is_lost = after.1.is_none() && kept.iter().all(|kept| !kept.has_snapshot);
            if place.after != place.next && !declared.has_gap(place) && (is_lost || !declared.covers(place)) {
                self.add_gap(found, place, (after.1, one.at));
            }
            after = (one.end.head, Some(one.at));
        }
        let end = Break { after: after.0, next: Head { seq: self.next_place.seq, hash: after.0.hash } };
        if end.after != end.next && !declared.covers(end) {
            self.add_gap(found, end, (after.1, found.len()));
        }
        self.next_place = Head { seq: self.next_place.seq, hash: after.0.hash };
        self.known_gaps = declared.gaps;
        self.dropped_to = declared.dropped_to;
    }

    /// Adds a gap between two segments.
    fn add_gap(&mut self, found: &[Found], place: Break, between: (Option<usize>, usize)) {
        let (first, end) = (between.0.unwrap_or(0), between.1);
        let lie_between = |part: &&Part| found[first..end].iter().any(|segment| segment.path == part.path);
        let set_aside = self.parts.iter().filter(lie_between).map(|part| part.name.clone()).collect();
        self.gaps.push(PlannedGap { place, set_aside });
    }
}

fn found(disk: &dyn Disk, folder: &Path) -> Result<Vec<Found>, LedgerError> {
    let names = match disk.names(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        names => names.map_err(|error| unusable(folder, &error))?,
    };
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| segment_number(name)).collect();
    numbers.sort_unstable();
    let look = |number: u32| {
        let path = segment_path(folder, number);
        let state = state(disk, &path)?;
        Ok(Found { number, path, state })
    };
    numbers.into_iter().map(look).collect()
}

fn state(disk: &dyn Disk, path: &Path) -> Result<State, LedgerError> {
    let content = match disk.read(path) {
        Ok(content) => content,
        // Somebody has to give access; it may all be there.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Err(unusable(path, &error)),
        Err(_) => return Ok(State::Unreadable(disk.length(path).unwrap_or(SEGMENT_BYTES as u64))),
    };
    let Some(line) = lines(&content).next().filter(|line| line.ended) else { return Ok(State::NotBegun) };
    if content.iter().all(|&byte| byte == 0) {
        return Ok(State::NotBegun);
    }
    let Ok(first) = segment::record(&line) else { return Ok(State::Headless) };
    // A format that this version does not know is nothing to repair.
    segment::known_format(&first.body, path)?;
    Ok(segment::opened(&first, path).map_or(State::Headless, |_| State::Begun(first)))
}

/// The segments that stay: from each one on to the next to which it leads, or
/// else to the next that does not contradict it.
fn kept(disk: &dyn Disk, found: &[Found]) -> Result<Vec<Kept>, LedgerError> {
    let begun: Vec<(usize, &Record)> =
        found.iter().enumerate().filter_map(|(at, segment)| Some((at, segment.first()?))).collect();
    let mut kept: Vec<Kept> = Vec::new();
    let mut place = 0;
    while let Some(&(at, first)) = begun.get(place) {
        let wanted: Vec<(usize, Head)> =
            begun[place + 1..].iter().map(|(later, record)| (*later, record.head_before())).collect();
        let path = &found[at].path;
        let content = disk.read(path).map_err(|error| unusable(path, &error))?;
        let walked = chain::walk(&content, first.head_before(), &wanted);
        let next = walked.leads_to.map_or(at + 1, |joint| joint.at);
        place = begun.iter().position(|(later, _)| *later >= next).unwrap_or(begun.len());
        let end = walked.leads_to.map_or(walked.end, |joint| joint.end);
        let contradicted = begun.get(place).is_some_and(|(_, later)| later.seq <= end.head.seq + 1);
        if walked.leads_to.is_some() || !contradicted {
            let is_damaged = walked.is_damaged || walked.leads_to.is_some();
            let has_snapshot = snapshot::whole(&content[..end.bytes], first, None).is_some();
            let before = first.head_before();
            kept.push(Kept { at, before, end, is_damaged, has_snapshot, declared: walked.declared });
        }
    }
    Ok(kept)
}

impl PlannedGap {
    /// As the chain bears it.
    pub(super) fn recorded(&self, repairer: &Repairer) -> Gap {
        let Break { after, next } = self.place;
        Gap {
            after_seq: after.seq,
            after_hash: after.hash.to_string(),
            next_seq: next.seq + 1,
            next_prev: next.hash.to_string(),
            set_aside: self.set_aside.clone(),
            by: repairer.by.clone(),
            at: repairer.at,
        }
    }
}

impl Found {
    fn first(&self) -> Option<&Record> {
        match &self.state {
            State::Begun(first) => Some(first),
            State::NotBegun | State::Unreadable(_) | State::Headless => None,
        }
    }
}
