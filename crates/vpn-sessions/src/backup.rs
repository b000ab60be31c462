//! The commands that copy a data directory, and bring a copy back.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use app::ports::{Clock, Entropy};
use clap::ArgMatches;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ledger::{Beginning, Copied, Copying, Progress};
use outbound::{SystemClock, SystemEntropy};

use crate::{
    config::Config,
    secret::{self, CHECKPOINT_KEY_FILE, KEY_FILE},
};

/// The keys that were made and kept; they go with each copy.
const KEYS: [&str; 2] = [KEY_FILE, CHECKPOINT_KEY_FILE];

/// Progress is shown of what takes longer than this.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// Copies the data directory, while a server runs or not.
pub(crate) fn back_up(matches: &ArgMatches, config: &Config) -> anyhow::Result<()> {
    let target = folder(matches);
    let shown = Shown::new();
    let copying = &mut Copying { files: &KEYS, progress: &mut |progress| shown.show(progress) };
    let copied = ledger::back_up(&config.data_dir, &target, copying);
    shown.bar.finish_and_clear();
    say(copied?, &target);
    Ok(())
}

/// Copies a backup into the data directory, which must be empty.
pub(crate) fn restore(matches: &ArgMatches, config: &Config) -> anyhow::Result<()> {
    let backup = folder(matches);
    let epoch = secret::fresh_password(&SystemEntropy as &dyn Entropy);
    let beginning = Beginning { epoch: &epoch, at: SystemClock.now() };
    let shown = Shown::new();
    let copying = &mut Copying { files: &KEYS, progress: &mut |progress| shown.show(progress) };
    let copied = ledger::restore(&backup, &config.data_dir, beginning, copying);
    shown.bar.finish_and_clear();
    say(copied?, &config.data_dir);
    Ok(())
}

/// How far it is, on a terminal; in a pipe nothing is shown.
struct Shown {
    bar: ProgressBar,
}

impl Shown {
    fn new() -> Shown {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes} of {total_bytes}, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Shown { bar }
    }

    fn show(&self, progress: Progress) {
        match progress {
            Progress::Copying { done, total } => {
                self.bar.set_message("Copying");
                self.bar.set_length(total);
                self.bar.set_position(done);
            }
            Progress::Proving => self.bar.set_message("Proving"),
        }
        if self.bar.is_hidden() && self.bar.elapsed() >= SHOWN_AFTER {
            // A target that is no terminal shows nothing.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

fn folder(matches: &ArgMatches) -> PathBuf {
    matches.get_one::<String>("folder").map(PathBuf::from).unwrap_or_default()
}

fn say(copied: Copied, to: &Path) {
    println!("{} segments with {} bytes are in {}, and hold", copied.segments, copied.bytes, to.display());
}
