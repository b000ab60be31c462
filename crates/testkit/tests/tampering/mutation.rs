//! One random change of what is kept, and what has to be said of it.

use std::collections::BTreeMap;

use domain::{checkpoint::LEDGER_CHECKPOINT, verification::Files, week::Week};

use crate::{chance::Chance, office::Found};

/// Everything that is kept: the segments of the streams, and the share.
#[derive(Clone)]
pub struct Kept {
    /// Each stream's segments, by name.
    pub streams: BTreeMap<&'static str, BTreeMap<String, Vec<u8>>>,
    /// The share.
    pub share: Files,
}

/// What was done, and how it has to be named.
pub struct Mutation {
    /// In words.
    pub done: String,
    /// Names in one sentence each: one of these has to be found by the ledger.
    pub named: Vec<Named>,
    /// The line that the checkpoints alone have to name, where they can.
    pub offline: Option<(String, Option<u64>)>,
}

/// A way of naming a place.
#[derive(Debug)]
pub enum Named {
    /// All of these words in one sentence.
    Words(Vec<String>),
    /// That line of that file.
    Line(String, u64),
    /// That file.
    File(String),
}

impl Named {
    /// Whether something that was found names it.
    pub fn is_named_by(&self, found: &Found) -> bool {
        match self {
            Named::Words(words) => words.iter().all(|word| found.text.contains(word)),
            Named::Line(file, line) => found.file == *file && found.line == Some(*line),
            Named::File(file) => found.file == *file,
        }
    }
}

/// Changes something, if what was chosen can be changed.
pub fn mutate(kept: &mut Kept, earlier: &Kept, chance: &mut Chance) -> Option<Mutation> {
    match chance.below(20) {
        0..=8 => of_a_segment(kept, chance),
        9 => of_segments(kept, chance),
        10 => {
            kept.streams.clone_from(&earlier.streams);
            let named = vec![Named::Words(vec!["record".into(), "does not have".into()])];
            Some(Mutation { done: "an older copy of the data directory".into(), named, offline: None })
        }
        11..=16 => of_a_report(kept, chance),
        17 => of_a_checkpoint(kept, chance),
        _ => of_the_share(kept, earlier, chance),
    }
}

fn of_a_segment(kept: &mut Kept, chance: &mut Chance) -> Option<Mutation> {
    let stream = if chance.once_in(4) { "access" } else { "audit" };
    let segments = kept.streams.get_mut(stream)?;
    let last = segments.last_key_value()?.0.clone();
    let name = chance.one_of(&segments.keys().cloned().collect::<Vec<_>>());
    let beside = [previous(segments, &name), next(segments, &name)];
    let content = segments.get_mut(&name)?;
    let lines = lines_of(content);
    let ends_with = seq_of(lines.last()?);
    let at = chance.below(lines.len());
    let (done, line) = change(content, &lines, at, chance)?;
    let file = |name: &str| format!("{stream}/{name}");
    // What is missing behind the end shows by what was signed of it.
    let mut named = vec![Named::Words(vec![format!("{} line {line}:", file(&name))])];
    named.push(Named::Words(vec![format!("{} from line {line} on", file(&name))]));
    // Behind the last line that is left, others belong.
    named.push(Named::Words(vec![format!("{} line {}: its last record", file(&name), line.saturating_sub(1))]));
    if name == last {
        named.push(Named::Words(vec![format!("record {ends_with}"), "does not have".into()]));
    }
    if at == 0 || line as usize >= lines.len() {
        // The seam of two segments: either may be named.
        named.push(Named::Words(vec![file(&name)]));
        named.extend(beside.into_iter().flatten().map(|beside| Named::Words(vec![file(&beside)])));
    }
    Some(Mutation { done: format!("{stream}/{name}: {done}"), named, offline: None })
}

/// Changes lines; in words what was done, and the first line that is wrong.
fn change(content: &mut Vec<u8>, lines: &[Vec<u8>], at: usize, chance: &mut Chance) -> Option<(String, u64)> {
    let number = at as u64 + 1;
    let mut changed = lines.to_vec();
    let done = match chance.below(6) {
        0 | 1 => {
            let place = chance.below(changed[at].len());
            changed[at][place] ^= 1 << chance.below(8);
            (format!("a bit of byte {place} of line {number}"), number)
        }
        2 => {
            changed.remove(at);
            (format!("line {number} removed"), number)
        }
        3 => {
            changed.insert(at + 1, lines[at].clone());
            (format!("line {number} doubled"), number + 1)
        }
        4 if at + 1 < lines.len() => {
            changed.swap(at, at + 1);
            (format!("lines {number} and {} exchanged", number + 1), number)
        }
        _ => {
            let keep = chance.below(changed[at].len());
            changed.truncate(at + 1);
            changed[at].truncate(keep);
            (format!("cut off in line {number} behind {keep} bytes"), number)
        }
    };
    *content = changed.concat();
    Some(done)
}

fn of_segments(kept: &mut Kept, chance: &mut Chance) -> Option<Mutation> {
    let segments = kept.streams.get_mut("audit")?;
    let names: Vec<String> = segments.keys().cloned().collect();
    let name = chance.one_of(&names);
    let mut named = vec![Named::Words(vec![name.clone()])];
    let done = if chance.once_in(2) {
        let content = segments.remove(&name)?;
        named.extend(previous(segments, &name).map(|before| Named::Words(vec![before])));
        named.extend(next(segments, &name).map(|next| Named::Words(vec![next])));
        let ends_with = seq_of(lines_of(&content).last()?);
        named.push(Named::Words(vec![format!("record {ends_with}"), "does not have".into()]));
        format!("segment {name} removed")
    } else {
        let other = chance.one_of(&names);
        if other == name {
            return None;
        }
        let (one, two) = (segments.get(&name)?.clone(), segments.get(&other)?.clone());
        segments.insert(name.clone(), two);
        segments.insert(other.clone(), one);
        for seam in [Some(other.clone()), previous(segments, &name), previous(segments, &other)].into_iter().flatten() {
            named.push(Named::Words(vec![seam]));
        }
        format!("segments {name} and {other} exchanged")
    };
    Some(Mutation { done, named, offline: None })
}

fn of_a_report(kept: &mut Kept, chance: &mut Chance) -> Option<Mutation> {
    let name = report_of(kept, chance);
    let content = kept.share.get_mut(&name)?;
    let lines = lines_of(content);
    let at = chance.below(lines.len());
    if chance.once_in(8) {
        let strange = format!("main,sub,eve,,,,eve,,{:032x}\r\n", 1 + chance.below(1_000_000));
        let mut changed = lines.clone();
        changed.insert(at + 1, strange.into_bytes());
        *content = changed.concat();
        let line = at as u64 + 2;
        let named = vec![Named::Line(name.clone(), line)];
        let offline = Some((name.clone(), Some(line)));
        return Some(Mutation { done: format!("{name}: a row put in as line {line}"), named, offline });
    }
    let (done, line) = change(content, &lines, at, chance)?;
    // Of two rows that were exchanged, the later one stands behind its follower.
    let exchanged = done.contains("exchanged").then_some(Named::Line(name.clone(), line + 1));
    let named = std::iter::once(Named::Line(name.clone(), line)).chain(exchanged).collect();
    let offline = Some((name.clone(), Some(line)));
    Some(Mutation { done: format!("{name}: {done}"), named, offline })
}

fn of_a_checkpoint(kept: &mut Kept, chance: &mut Chance) -> Option<Mutation> {
    let names: Vec<String> = kept.share.keys().filter(|name| name.ends_with(".checkpoint")).cloned().collect();
    let name = chance.one_of(&names);
    let content = kept.share.get_mut(&name)?;
    let at = chance.below(content.len());
    content[at] ^= 1 << chance.below(8);
    let reports = Week::of_checkpoint_name(&name).map_or(LEDGER_CHECKPOINT.to_owned(), Week::file_name);
    let done = format!("{name}: a bit of byte {at}");
    Some(Mutation { done, named: vec![Named::File(name)], offline: Some((reports, None)) })
}

fn of_the_share(kept: &mut Kept, earlier: &Kept, chance: &mut Chance) -> Option<Mutation> {
    let (one, two) = (report_of(kept, chance), report_of(kept, chance));
    let checkpoint = |report: &str| Week::of_file_name(report).map(Week::checkpoint_name);
    let (of_one, of_two) = (checkpoint(&one)?, checkpoint(&two)?);
    let file = |name: &String| vec![Named::File(name.clone())];
    match chance.below(6) {
        0 => {
            kept.share.remove(&one)?;
            Some(Mutation { done: format!("{one} removed"), named: file(&one), offline: Some((one, None)) })
        }
        1 => {
            kept.share.remove(&of_one)?;
            Some(Mutation { done: format!("{of_one} removed"), named: file(&of_one), offline: Some((one, None)) })
        }
        2 => {
            kept.share.remove(LEDGER_CHECKPOINT)?;
            let named = file(&LEDGER_CHECKPOINT.to_owned());
            Some(Mutation { done: "the ledger's checkpoint removed".into(), named, offline: None })
        }
        3 if one != two => {
            exchange(&mut kept.share, &one, &two)?;
            Some(Mutation { done: format!("{one} and {two} exchanged"), named: file(&one), offline: Some((two, None)) })
        }
        4 if one != two => {
            exchange(&mut kept.share, &of_one, &of_two)?;
            let done = format!("{of_one} and {of_two} exchanged");
            Some(Mutation { done, named: file(&of_two), offline: Some((one, None)) })
        }
        _ => {
            let (report, signed) = (earlier.share.get(&one)?.clone(), earlier.share.get(&of_one)?.clone());
            if kept.share.get(&one) == Some(&report) {
                return None;
            }
            kept.share.insert(one.clone(), report);
            kept.share.insert(of_one, signed);
            Some(Mutation { done: format!("an older copy of {one}"), named: file(&one), offline: Some((one, None)) })
        }
    }
}

fn report_of(kept: &Kept, chance: &mut Chance) -> String {
    let reports: Vec<String> = kept.share.keys().filter(|name| name.ends_with(".csv")).cloned().collect();
    chance.one_of(&reports)
}

fn exchange(files: &mut Files, one: &str, two: &str) -> Option<()> {
    let (first, second) = (files.remove(one)?, files.remove(two)?);
    files.insert(one.to_owned(), second);
    files.insert(two.to_owned(), first);
    Some(())
}

fn previous(segments: &BTreeMap<String, Vec<u8>>, name: &str) -> Option<String> {
    segments.range(..name.to_owned()).next_back().map(|(name, _)| name.clone())
}

fn next(segments: &BTreeMap<String, Vec<u8>>, name: &str) -> Option<String> {
    segments.keys().find(|other| other.as_str() > name).cloned()
}

fn lines_of(content: &[u8]) -> Vec<Vec<u8>> {
    content.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// The number of a record's line.
fn seq_of(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    text.trim_start_matches("{\"seq\":").chars().take_while(char::is_ascii_digit).collect()
}
