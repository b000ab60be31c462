//! The commands that copy a data directory, and bring a copy back.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::Context;
use app::ports::{Clock, Entropy};
use clap::ArgMatches;
use ledger::Copied;
use outbound::{SystemClock, SystemEntropy};

use crate::{
    config::Config,
    secret::{self, CHECKPOINT_KEY_FILE, KEY_FILE},
};

/// Copies the data directory, while a server runs or not.
pub(crate) fn back_up(matches: &ArgMatches, config: &Config) -> anyhow::Result<()> {
    let target = folder(matches);
    let copied = ledger::back_up(&config.data_dir, &target)?;
    copy_keys(&config.data_dir, &target)?;
    say(copied, &target);
    Ok(())
}

/// Copies a backup into the data directory, which must be empty.
pub(crate) fn restore(matches: &ArgMatches, config: &Config) -> anyhow::Result<()> {
    let backup = folder(matches);
    let epoch = secret::fresh_password(&SystemEntropy as &dyn Entropy);
    let copied = ledger::restore(&backup, &config.data_dir, &epoch, SystemClock.now())?;
    copy_keys(&backup, &config.data_dir)?;
    say(copied, &config.data_dir);
    Ok(())
}

fn folder(matches: &ArgMatches) -> PathBuf {
    matches.get_one::<String>("folder").map(PathBuf::from).unwrap_or_default()
}

/// The keys that were made and kept.
fn copy_keys(from: &Path, to: &Path) -> anyhow::Result<()> {
    for name in [KEY_FILE, CHECKPOINT_KEY_FILE] {
        match fs::read(from.join(name)) {
            Ok(key) => secret::keep_key(to, name, &key)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", from.join(name).display())),
        }
    }
    Ok(())
}

fn say(copied: Copied, to: &Path) {
    println!("{} segments with {} bytes are in {}, and hold", copied.segments, copied.bytes, to.display());
}
