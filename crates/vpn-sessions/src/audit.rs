//! The commands that prove the audit. They only read, with a server or without.
//!
//! [`list`] shows sessions of the past, [`import`] takes over those of other tools.

use std::{collections::BTreeSet, fs, io::ErrorKind, path::Path, time::Duration};

use anyhow::Context;
use app::{
    access::accounts_behind,
    ports::{Clock, Ledger, LedgerError},
    verification::told,
};
use domain::{
    access::AccountsBehind,
    checkpoint::PublicKey,
    record::Stream,
    verification::{Files, Told, Verdict, against_ledger, by_checkpoints, is_audit_file, signed_heads},
};
use ledger::Proof;
use outbound::SystemClock;

use crate::{config::Config, secret};

pub(crate) mod import;
pub(crate) mod list;
mod progress;
mod sessions;
mod whole_file;

/// A running server writes what is under way; the pause until the next look.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// How many looks confirm that something is wrong beside a running server: it
/// brings ten thousand rows to the share within ten seconds.
const LOOKS: usize = 8;

/// Proves the ledger's chains, and compares the weekly reports with it. Prints
/// a line for each stream and report, and below it what is wrong; whether all
/// is as it should be.
///
/// # Errors
/// Where the ledger or the reports cannot be read at all.
pub(crate) async fn verify(config: &Config) -> anyhow::Result<bool> {
    // The share first: what it has, a ledger that is read later has too.
    let files = files_of(&config.audit_dir);
    let beside_a_server = ledger::holder(&config.data_dir).is_some();
    let proofs = ledger::verify(&config.data_dir);
    let sound = proofs.iter().all(|(_, proof)| proof.is_ok());
    for (stream, proof) in proofs {
        print_stream(stream, proof, beside_a_server);
    }
    if !sound {
        println!("the reports were not compared, as the ledger itself is not whole");
        return Ok(false);
    }
    let key = secret::checkpoint_key(&config.data_dir)?.map(|key| key.public());
    let files = files?;
    let heads = key.as_ref().map(|key| signed_heads(&files, key)).unwrap_or_default();
    let ledger = ledger::open_to_read(&config.data_dir)?;
    let told = told(&ledger as &dyn Ledger, &heads, SystemClock.now()).await?;
    let verdicts = against_ledger(&files, &told, key.as_ref());
    let verdicts = confirmed(config, verdicts, &told, key.as_ref()).await?;
    print_reports(&verdicts);
    let accounts_follow = accounts_follow(config, &ledger).await?;
    if let Some(key) = key {
        println!("checkpoints are proved by {key}");
    }
    Ok(verdicts.iter().all(Verdict::is_sound) && accounts_follow)
}

/// Whether the accounts' records reach as far as the record of access followed
/// them. They are read anew, as a running server may have gone on.
async fn accounts_follow(config: &Config, access: &dyn Ledger) -> anyhow::Result<bool> {
    let keys = ledger::open_to_read(&config.data_dir)?;
    let Some(AccountsBehind { followed, head }) = accounts_behind(access, &keys).await? else { return Ok(true) };
    println!(
        "ledger keys: ends with record {head}, and the record of access followed it to {followed}: removed, or an older copy"
    );
    Ok(false)
}

/// Looks again beside a running server: only what is wrong at every look is.
async fn confirmed(
    config: &Config,
    mut verdicts: Vec<Verdict>,
    told: &Told,
    key: Option<&PublicKey>,
) -> anyhow::Result<Vec<Verdict>> {
    for _ in 1..LOOKS {
        if verdicts.iter().all(Verdict::is_sound) || ledger::holder(&config.data_dir).is_none() {
            break;
        }
        tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        let later = against_ledger(&files_of(&config.audit_dir)?, told, key);
        verdicts = verdicts.into_iter().map(|verdict| verdict.confirmed_by(&later)).collect();
    }
    Ok(verdicts)
}

/// Proves reports by their checkpoints alone, wherever copies of both are.
///
/// # Errors
/// Where they cannot be read at all.
pub(crate) fn verify_reports(folder: &Path, key: &PublicKey) -> anyhow::Result<bool> {
    let verdicts = by_checkpoints(&files_of(folder)?, key);
    print_reports(&verdicts);
    Ok(verdicts.iter().all(Verdict::is_sound))
}

fn print_stream(stream: Stream, proof: Result<Proof, LedgerError>, beside_a_server: bool) {
    let name = format!("ledger {}", stream.name());
    match proof {
        Ok(Proof { head, segments, notes, gaps, dropped }) => {
            println!("{name}: whole, {} records in {segments} segments, ends with {}", head.seq, head.hash);
            gaps.iter().for_each(|gap| println!("  gap: {gap}"));
            dropped.iter().for_each(|dropped| println!("  {dropped}"));
            // Beside a server, a last line that is not finished is being written.
            for note in notes.iter().filter(|note| !(beside_a_server && note.is_torn_line())) {
                println!("  {note}");
            }
        }
        Err(error) => println!("{name}: {error}"),
    }
}

fn print_reports(verdicts: &[Verdict]) {
    for Verdict { file, summary, complaints } in verdicts {
        let what = if file.ends_with(".csv") { "report" } else { "checkpoint" };
        match complaints.as_slice() {
            [] if summary.is_empty() => {}
            [only] if only.line.is_none() => println!("{what} {file}: {}", only.text),
            _ => {
                println!("{what} {file}: {summary}");
                complaints.iter().for_each(|complaint| println!("  {}", complaint.text));
            }
        }
    }
}

/// The reports and checkpoints of a folder; one that goes away meanwhile is
/// not there.
fn files_of(folder: &Path) -> anyhow::Result<Files> {
    let entries = fs::read_dir(folder)
        .with_context(|| format!("{} cannot be read; mount the share there, or set AUDIT_DIR", folder.display()))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names: BTreeSet<String> = names.filter(|name| is_audit_file(name)).collect();
    let mut files = Files::new();
    for name in names {
        let path = folder.join(&name);
        match fs::read(&path) {
            Ok(content) => drop(files.insert(name, content)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
        }
    }
    Ok(files)
}
