//! The commands that prove the audit. They only read, with a server or without.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::ErrorKind,
    path::Path,
    time::Duration,
};

use anyhow::Context;
use app::ports::{Ledger, LedgerError};
use domain::{board::BoardFact, record::Stream, report::differences, session::EndedSession, week::Week};
use ledger::Proof;

use crate::config::Config;

/// How many records are read at once.
const PAGE: usize = 4_096;

/// What the ledger has of each week, in its order.
type Weeks = BTreeMap<Week, Vec<EndedSession>>;

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
    let weeks = ended_sessions(&config.data_dir).await?;
    let mut verdict = Verdict { lines: Vec::new(), sound: true };
    for name in report_names(&config.audit_dir, &weeks)? {
        verdict.add_report(&config.audit_dir, &name, &weeks)?;
    }
    Ok(verdict)
}

impl Verdict {
    fn add_stream(&mut self, stream: Stream, proof: Result<Proof, LedgerError>) {
        let name = format!("ledger {}", stream.name());
        match proof {
            Ok(Proof { head, segments, notes }) => {
                let (records, hash) = (head.seq, head.hash);
                self.lines.push(format!("{name}: whole, {records} records in {segments} segments, ends with {hash}"));
                self.lines.extend(notes.iter().map(|note| format!("  {note}")));
            }
            Err(error) => self.complain(format!("{name}: {error}")),
        }
    }

    fn add_report(&mut self, folder: &Path, name: &str, weeks: &Weeks) -> anyhow::Result<()> {
        let path = folder.join(name);
        let content = match fs::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.complain(format!("report {name}: missing; a running server writes it anew"));
                return Ok(());
            }
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
        };
        let sessions = Week::of_file_name(name).and_then(|week| weeks.get(&week)).map_or(&[][..], Vec::as_slice);
        let found = differences(&content, sessions);
        if found.is_empty() {
            self.lines.push(format!("report {name}: as the ledger says, {} rows", sessions.len()));
            return Ok(());
        }
        self.complain(format!("report {name}: differs from the ledger"));
        self.lines.extend(found.iter().map(|difference| format!("  {difference}")));
        Ok(())
    }

    fn complain(&mut self, line: String) {
        self.lines.push(line);
        self.sound = false;
    }
}

/// The reports that are there, and those that should be.
fn report_names(folder: &Path, weeks: &Weeks) -> anyhow::Result<Vec<String>> {
    let entries = fs::read_dir(folder)
        .with_context(|| format!("{} cannot be read; mount the share there, or set AUDIT_DIR", folder.display()))?;
    let there = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let there = there.filter_map(|name| Week::of_file_name(&name));
    let all: BTreeSet<Week> = there.chain(weeks.keys().copied()).collect();
    Ok(all.into_iter().map(Week::file_name).collect())
}

async fn ended_sessions(folder: &Path) -> anyhow::Result<Weeks> {
    let ledger = ledger::open_to_read(folder)?;
    let mut weeks = Weeks::new();
    let mut after = 0;
    loop {
        let records = ledger.read(Stream::Audit, after, PAGE).await?;
        let Some(last) = records.last() else { return Ok(weeks) };
        after = last.seq;
        for record in &records {
            if let BoardFact::Unchecked(ended) = record.fact().with_context(|| format!("record {}", record.seq))? {
                weeks.entry(ended.week).or_default().push(ended);
            }
        }
    }
}
