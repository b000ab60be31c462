//! The commands that prove the audit. They only read, with a server or without.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::ErrorKind,
    path::Path,
    time::Duration,
};

use anyhow::Context;
use app::{
    ports::{Ledger, LedgerError},
    reports::last_week_dropped,
};
use domain::{
    board::BoardFact,
    checkpoint::{Checkpoint, GrowingDigest, PublicKey, ReportDigest},
    record::{Hash, Head, Stream},
    report::differences,
    session::EndedSession,
    week::Week,
};
use ledger::Proof;

use crate::{config::Config, secret};

/// How many records are read at once.
const PAGE: usize = 4_096;

/// What the ledger has of each week, in its order, and the hash of each of its
/// records.
#[derive(Default)]
struct Known {
    /// The last week of which sessions may have been dropped.
    gone: Option<Week>,
    weeks: BTreeMap<Week, Vec<(u64, EndedSession)>>,
    hashes: BTreeMap<u64, Hash>,
}

/// A running server brings a report up to date within this time; one that
/// differs is looked at again after it.
const REPORTS_FOLLOW_WITHIN: Duration = Duration::from_secs(7);

/// What was found out, line by line for a person.
struct Verdict {
    lines: Vec<String>,
    sound: bool,
}

/// Proves the ledger's chains, and compares the weekly reports with it. Prints
/// a line for each stream and report, and below it what is wrong; whether all
/// is as it should be.
///
/// # Errors
/// Where the ledger or the reports cannot be read at all.
pub(crate) async fn verify(config: &Config) -> anyhow::Result<bool> {
    let mut verdict = Verdict { lines: Vec::new(), sound: true };
    for (stream, proof) in ledger::verify(&config.data_dir) {
        verdict.add_stream(stream, proof);
    }
    if !verdict.sound {
        verdict.lines.push("the reports were not compared, as the ledger itself is not whole".into());
    }
    println!("{}", verdict.lines.join("\n"));
    if !verdict.sound {
        return Ok(false);
    }
    let reports = compared(config).await?;
    println!("{}", reports.lines.join("\n"));
    Ok(reports.sound)
}

async fn compared(config: &Config) -> anyhow::Result<Verdict> {
    let first = reports(config).await?;
    if first.sound || ledger::holder(&config.data_dir).is_none() {
        return Ok(first);
    }
    tokio::time::sleep(REPORTS_FOLLOW_WITHIN).await;
    reports(config).await
}

async fn reports(config: &Config) -> anyhow::Result<Verdict> {
    let known = known(&config.data_dir).await?;
    let key = secret::checkpoint_key(&config.data_dir)?.map(|key| key.public());
    let mut verdict = Verdict { lines: Vec::new(), sound: true };
    for week in weeks_on(&config.audit_dir, known.weeks.keys().copied())? {
        if known.gone.is_some_and(|gone| week <= gone) {
            verdict.add_old_report(&config.audit_dir, week, key.as_ref())?;
            continue;
        }
        verdict.add_report(&config.audit_dir, week, &known)?;
        verdict.add_checkpoint(&config.audit_dir, week, &known, key.as_ref())?;
    }
    if let Some(key) = key {
        verdict.lines.push(format!("checkpoints are proved by {key}"));
    }
    Ok(verdict)
}

/// Proves reports by their checkpoints alone, wherever copies of both are.
///
/// # Errors
/// Where they cannot be read at all.
pub(crate) fn verify_reports(folder: &Path, key: &PublicKey) -> anyhow::Result<bool> {
    let mut verdict = Verdict { lines: Vec::new(), sound: true };
    for week in weeks_on(folder, [])? {
        verdict.add_signed(folder, week, key)?;
    }
    println!("{}", verdict.lines.join("\n"));
    Ok(verdict.sound)
}

impl Verdict {
    fn add_stream(&mut self, stream: Stream, proof: Result<Proof, LedgerError>) {
        let name = format!("ledger {}", stream.name());
        match proof {
            Ok(Proof { head, segments, notes, gaps, dropped }) => {
                let (records, hash) = (head.seq, head.hash);
                self.lines.push(format!("{name}: whole, {records} records in {segments} segments, ends with {hash}"));
                self.lines.extend(gaps.iter().map(|gap| format!("  gap: {gap}")));
                self.lines.extend(dropped.iter().map(|dropped| format!("  {dropped}")));
                self.lines.extend(notes.iter().map(|note| format!("  {note}")));
            }
            Err(error) => self.complain(format!("{name}: {error}")),
        }
    }

    /// A report whose records retention dropped is proved by its checkpoint alone.
    fn add_old_report(&mut self, folder: &Path, week: Week, key: Option<&PublicKey>) -> anyhow::Result<()> {
        let name = week.file_name();
        match key {
            Some(key) if folder.join(&name).exists() => self.add_signed(folder, week, key),
            Some(_) | None => {
                self.lines.push(format!("report {name}: not compared, as its records were dropped"));
                Ok(())
            }
        }
    }

    /// A report must be what its checkpoint signed.
    fn add_signed(&mut self, folder: &Path, week: Week, key: &PublicKey) -> anyhow::Result<()> {
        let name = week.file_name();
        let content = read(&folder.join(&name))?.unwrap_or_default();
        match opened(folder, week, key)? {
            Err(problem) => self.complain(format!("report {name}: {problem}")),
            Ok(checkpoint) if checkpoint.digest == ReportDigest::of(&content) => {
                let rows = content.split(|&byte| byte == b'\n').count().saturating_sub(2);
                self.lines.push(format!("report {name}: as it was signed, {rows} rows"));
            }
            Ok(checkpoint) => {
                let (signed, there) = (checkpoint.digest.bytes, content.len());
                self.complain(format!("report {name}: {there} bytes that are not the {signed} that were signed"));
            }
        }
        Ok(())
    }

    fn add_report(&mut self, folder: &Path, week: Week, known: &Known) -> anyhow::Result<()> {
        let name = week.file_name();
        let Some(content) = read(&folder.join(&name))? else {
            self.complain(format!("report {name}: missing; a running server writes it anew"));
            return Ok(());
        };
        let sessions: Vec<EndedSession> = known.sessions(week, u64::MAX);
        let found = differences(&content, &sessions);
        if found.is_empty() {
            self.lines.push(format!("report {name}: as the ledger says, {} rows", sessions.len()));
            return Ok(());
        }
        self.complain(format!("report {name}: differs from the ledger"));
        self.lines.extend(found.iter().map(|difference| format!("  {difference}")));
        Ok(())
    }

    /// What was signed must be what the ledger says up to there.
    fn add_checkpoint(
        &mut self,
        folder: &Path,
        week: Week,
        known: &Known,
        key: Option<&PublicKey>,
    ) -> anyhow::Result<()> {
        let name = week.checkpoint_name();
        let Some(key) = key else {
            self.complain(format!("checkpoint {name}: there is no key in the data directory to prove it"));
            return Ok(());
        };
        let checkpoint = match opened(folder, week, key)? {
            Ok(checkpoint) => checkpoint,
            Err(problem) => {
                self.complain(format!("checkpoint {name}: {problem}"));
                return Ok(());
            }
        };
        let Head { seq, hash } = checkpoint.head;
        if known.hashes.get(&seq) != Some(&hash) {
            let problem =
                format!("it speaks of a record {seq} that the ledger does not have: cut off, or written anew");
            self.complain(format!("checkpoint {name}: {problem}"));
        } else if known.digest(week, seq) != checkpoint.digest {
            self.complain(format!("checkpoint {name}: the ledger has other sessions of the week than were signed"));
        }
        Ok(())
    }

    fn complain(&mut self, line: String) {
        self.lines.push(line);
        self.sound = false;
    }
}

impl Known {
    /// The sessions of a week up to a record.
    fn sessions(&self, week: Week, up_to: u64) -> Vec<EndedSession> {
        let all = self.weeks.get(&week).into_iter().flatten();
        all.filter(|(seq, _)| *seq <= up_to).map(|(_, ended)| ended.clone()).collect()
    }

    fn digest(&self, week: Week, up_to: u64) -> ReportDigest {
        let mut digest = GrowingDigest::default();
        self.sessions(week, up_to).iter().for_each(|ended| digest.add_row(ended));
        digest.so_far()
    }
}

/// A week's checkpoint, or what is wrong with it.
fn opened(folder: &Path, week: Week, key: &PublicKey) -> anyhow::Result<Result<Checkpoint, String>> {
    let Some(note) = read(&folder.join(week.checkpoint_name()))? else {
        return Ok(Err("its checkpoint is missing".into()));
    };
    let checkpoint = key.open(&String::from_utf8_lossy(&note)).map_err(|error| format!("of its checkpoint, {error}"));
    Ok(match checkpoint {
        Ok(checkpoint) if checkpoint.week != week => Err("its checkpoint is of another week".into()),
        other => other,
    })
}

fn read(path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// The weeks that have a report or a checkpoint there, and those that should.
fn weeks_on(folder: &Path, known: impl IntoIterator<Item = Week>) -> anyhow::Result<BTreeSet<Week>> {
    let entries = fs::read_dir(folder)
        .with_context(|| format!("{} cannot be read; mount the share there, or set AUDIT_DIR", folder.display()))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let there = names.filter_map(|name| {
        let report = name.strip_suffix(".checkpoint").map_or(name.clone(), |stem| format!("{stem}.csv"));
        Week::of_file_name(&report)
    });
    Ok(there.chain(known).collect())
}

async fn known(folder: &Path) -> anyhow::Result<Known> {
    let ledger = ledger::open_to_read(folder)?;
    let gone = ledger.dropped(Stream::Audit).await?.map(|dropped| last_week_dropped(dropped.latest));
    let mut known = Known { gone, ..Known::default() };
    let mut after = 0;
    loop {
        let records = ledger.read(Stream::Audit, after, PAGE).await?;
        let Some(last) = records.last() else { return Ok(known) };
        after = last.seq;
        for record in &records {
            known.hashes.insert(record.seq, record.hash);
            if let BoardFact::Unchecked(ended) = record.fact().with_context(|| format!("record {}", record.seq))? {
                known.weeks.entry(ended.week).or_default().push((record.seq, ended));
            }
        }
    }
}
