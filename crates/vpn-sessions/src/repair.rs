//! The command that mends a damaged ledger while no server runs.

use std::fs;

use anyhow::Context;
use app::ports::{Clock, Entropy};
use domain::record::Stream;
use ledger::{Mended, Repairer, Term};
use outbound::{SystemClock, SystemEntropy};

use crate::{config::Config, secret};

/// Sets aside what is damaged, or says what would be; prints what it found.
pub(crate) fn repair(config: &Config, dry_run: bool) -> anyhow::Result<()> {
    let repairer = Repairer {
        by: this_user(),
        at: SystemClock.now(),
        epoch: secret::fresh_password(&SystemEntropy as &dyn Entropy),
    };
    let folder = &config.data_dir;
    fs::metadata(folder.join("ledger")).with_context(|| {
        format!("there is no ledger in {}; set DATA_DIR to the folder of the ledger to repair", folder.display())
    })?;
    let mended = if dry_run {
        ensure_nobody_writes(config)?;
        ledger::plan_repair(folder, &repairer)?
    } else {
        let term = Term::take(folder)?;
        ledger::repair(&term, &repairer)?
    };
    println!("{}", report(&mended, dry_run).join("\n"));
    Ok(())
}

fn ensure_nobody_writes(config: &Config) -> anyhow::Result<()> {
    let Some(holder) = ledger::holder(&config.data_dir) else { return Ok(()) };
    anyhow::bail!("process {} has {}; end it first", holder.pid, config.data_dir.display())
}

/// Whose process this is, as the system counts its users.
fn this_user() -> String {
    #[cfg(unix)]
    if let Ok(process) = fs::metadata("/proc/self") {
        return format!("user id {}", std::os::unix::fs::MetadataExt::uid(&process));
    }
    "ledger repair".into()
}

fn report(mended: &[Mended], dry_run: bool) -> Vec<String> {
    let mut lines: Vec<String> = mended.iter().flat_map(of_stream).collect();
    let is_sound = mended.iter().all(Mended::is_sound);
    lines.push(match (is_sound, dry_run) {
        (true, _) => "nothing is damaged; nothing was changed".into(),
        (false, true) => "this is what a repair would do; nothing was changed".into(),
        (false, false) => {
            "repaired: nothing was deleted, and `vpn-sessions audit verify` names the gaps from here on".into()
        }
    });
    lines
}

fn of_stream(mended: &Mended) -> Vec<String> {
    let name = format!("ledger {}", mended.stream.name());
    if mended.is_sound() {
        return vec![format!("{name}: not damaged")];
    }
    let mut lines = vec![format!("{name}: damaged")];
    lines.extend(mended.set_aside.iter().map(|(from, to)| format!("  set aside: {from} is ledger/damaged/{to}")));
    lines.extend(mended.gaps.iter().map(|gap| format!("  gap: {gap}")));
    let kinds = mended.readable.iter().map(|(kind, count)| format!("{count} {kind}"));
    let unreadable = (mended.unreadable > 0).then(|| format!("{} that cannot be read", mended.unreadable));
    let held: Vec<String> = kinds.chain(unreadable).collect();
    if !held.is_empty() {
        lines.push(format!("  what was set aside holds records: {}", held.join(", ")));
    }
    lines.push(format!("  lost with it: {}", lost(mended.stream)));
    lines
}

/// What is not there any more when records of a stream are set aside.
fn lost(stream: Stream) -> &'static str {
    match stream {
        Stream::Audit => {
            "sessions that began in it are not on the board, those that ended in it are on the board again where they \
             began before it, and reports that are written anew lack them; look at the board, and uncheck who is gone"
        }
        Stream::Access => "who signed in, read or changed settings then; nothing else needs it",
        Stream::Relay => {
            "messages that were accepted in it are not sent, and those whose sending was recorded in it are sent again"
        }
        Stream::Keys => {
            "passwords that were set in it do not hold, and those before it do again; sign-ins that ended in it may be \
             in force again: set the passwords anew, which ends them"
        }
    }
}
