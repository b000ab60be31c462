//! `audit import`: sessions that another tool kept, from its weekly files.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, anyhow, bail};
use app::{
    board::Board,
    ports::{Clock, Ledger},
    store::Failure,
};
use clap::ArgMatches;
use domain::{
    board::ReportZone,
    history::Entry,
    import::{Encoding, ImportFile, Known, MAX_FILE_BYTES, Origin, Remark, columns::Column, read},
    record::Stream,
};
use ledger::Term;
use outbound::SystemClock;

use super::progress::Progress;
use crate::{config::Config, serve};

/// How many sessions are kept at once: a weekly file is fewer, and so it is
/// kept whole or not at all.
const KEPT_AT_ONCE: usize = 8_192;

/// How many records are read at once.
const PAGE: usize = 4_096;

/// How many ranges of lines are named for one reason.
const RANGES_NAMED: usize = 20;

/// Reads the files, says what each would bring, and with `--yes` keeps it.
/// Whether every file could be read.
///
/// # Errors
/// Where the ledger cannot be used.
pub(crate) async fn run(matches: &ArgMatches, config: &Config) -> anyhow::Result<bool> {
    let order =
        matches.get_one::<String>("columns").map(|text| Column::order(text).context("--columns")).transpose()?;
    let is_real = matches.get_flag("yes");
    let taken = is_real.then(|| Term::take(&config.data_dir).context("stop the server first")).transpose()?;
    let term = taken.map(Arc::new);
    let world = match &term {
        Some(term) => Some(serve::open_world_alone(term).await?),
        None => None,
    };
    let ledger = match &world {
        Some(world) => Some(Arc::clone(&world.ledger)),
        None => to_read(config)?,
    };
    let board = match world {
        Some(world) => Some(Board::open(world, Arc::default(), zone(config)).await?),
        None => None,
    };
    let paths: Vec<PathBuf> = matches.get_many::<String>("file").into_iter().flatten().map(PathBuf::from).collect();
    let files: Vec<(PathBuf, anyhow::Result<ImportFile>)> = paths
        .into_iter()
        .map(|path| {
            let file = read_file(&path, order.as_deref(), config);
            (path, file)
        })
        .collect();
    let mut known = known(ledger.as_deref(), files.iter().filter_map(|(_, file)| file.as_ref().ok())).await?;
    let (mut all_read, mut sessions) = (true, 0);
    for (path, file) in files {
        let Ok(mut file) = file.inspect_err(|error| eprintln!("{}: {error:#}", path.display())) else {
            all_read = false;
            continue;
        };
        file.leave_out(&known);
        if let Some(board) = &board {
            keep(board, &file).await.with_context(|| path.display().to_string())?;
        }
        print!("{}", said(&path, &file, is_real));
        known.add(&file.sessions);
        sessions += file.sessions.len();
    }
    println!("{}", outcome(is_real, sessions));
    Ok(all_read)
}

/// The ledger, to be read only; `None` where none was begun.
fn to_read(config: &Config) -> anyhow::Result<Option<Arc<dyn Ledger>>> {
    if !config.data_dir.join("ledger").exists() {
        return Ok(None);
    }
    Ok(Some(Arc::new(ledger::open_to_read(&config.data_dir)?)))
}

fn zone(config: &Config) -> ReportZone {
    ReportZone { name: config.timezone_name.clone(), rules: config.timezone.clone() }
}

fn read_file(path: &Path, order: Option<&[Column]>, config: &Config) -> anyhow::Result<ImportFile> {
    let unreadable = "cannot be read; name a CSV file";
    let length = fs::metadata(path).context(unreadable)?.len();
    if length > MAX_FILE_BYTES as u64 {
        bail!("has {length} bytes, and at most {MAX_FILE_BYTES} are read; split it");
    }
    let bytes = fs::read(path).context(unreadable)?;
    let origin = Origin {
        file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        timezone: config.timezone_name.clone(),
        zone: config.timezone.clone(),
        now: SystemClock.now(),
    };
    Ok(read(&bytes, order, &origin)?)
}

/// What the ledger has of what the files hold.
async fn known<'a>(ledger: Option<&dyn Ledger>, files: impl Iterator<Item = &'a ImportFile>) -> anyhow::Result<Known> {
    let mut known = Known::default();
    let Some(ledger) = ledger else { return Ok(known) };
    let (mut ids, mut keys) = Default::default();
    for file in files {
        let (more_ids, more_keys) = file.wanted();
        std::collections::BTreeSet::extend(&mut ids, more_ids);
        std::collections::BTreeSet::extend(&mut keys, more_keys);
    }
    let mut progress = Progress::of("records compared");
    let mut after = 0;
    loop {
        let records = ledger.read(Stream::Audit, after, PAGE).await?;
        let Some(last) = records.last() else { return Ok(known) };
        after = last.seq;
        for record in &records {
            progress.step();
            let entry = Entry::of_record(record).with_context(|| format!("record {} of the ledger", record.seq))?;
            entry.iter().for_each(|entry| known.note(entry, &ids, &keys));
        }
    }
}

async fn keep(board: &Board, file: &ImportFile) -> anyhow::Result<()> {
    let mut progress = Progress::of("sessions imported");
    for (number, sessions) in file.sessions.chunks(KEPT_AT_ONCE).enumerate() {
        board.import(sessions.to_vec()).await.map_err(|failure| {
            let (before, all) = (number * KEPT_AT_ONCE, file.sessions.len());
            let reason = match failure {
                Failure::Unavailable(reason) => reason,
                Failure::Refused(refusal) => refusal.to_string(),
            };
            anyhow!("{before} of {all} sessions were imported, then: {reason}; the same command goes on, and brings nothing twice")
        })?;
        sessions.iter().for_each(|_| progress.step());
    }
    Ok(())
}

/// What is said of a file.
fn said(path: &Path, file: &ImportFile, is_real: bool) -> String {
    let separator = match file.layout.separator {
        b'\t' => "tabs".to_owned(),
        other => format!("'{}'", char::from(other)),
    };
    let header = if file.layout.has_header { "the first line names the columns" } else { "no header line" };
    let columns: Vec<&str> = file.layout.columns.iter().map(|column| column.name()).collect();
    let done = if is_real { "imported" } else { "to import" };
    let mut text = format!("{}: {} sessions {done}", path.display(), file.sessions.len());
    let _ = writeln!(text, ", {} lines skipped", file.skipped.len());
    let _ = writeln!(text, "  read with {separator} between cells, {header}: {}", columns.join(","));
    match file.encoding {
        Encoding::Utf8 => {}
        Encoding::Windows1252 => {
            text += "  it is not UTF-8, and was read as Windows-1252 (Latin-1): look at the names\n"
        }
    }
    for (title, remarks) in [("skipped", &file.skipped), ("imported, but", &file.remarks)] {
        for (words, lines) in by_words(remarks) {
            let _ = writeln!(text, "  {title} {}: {words}", ranges(&lines));
        }
    }
    text
}

/// Remarks that say the same, together, by their first lines.
fn by_words(remarks: &[Remark]) -> Vec<(&str, Vec<u64>)> {
    let mut lines: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for remark in remarks {
        lines.entry(&remark.words).or_default().push(remark.line);
    }
    let mut together: Vec<_> = lines.into_iter().collect();
    together.sort_by_key(|(_, lines)| lines.first().copied());
    together
}

/// `line 3`, or `lines 3, 5-9`.
fn ranges(lines: &[u64]) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for &line in lines {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == line => *last = line,
            Some(_) | None => ranges.push((line, line)),
        }
    }
    let named = ranges.iter().take(RANGES_NAMED);
    let named = named.map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") });
    let named = named.collect::<Vec<_>>().join(", ");
    let more = if ranges.len() > RANGES_NAMED { " and more" } else { "" };
    if lines.len() == 1 { format!("line {named}") } else { format!("lines {named}{more}") }
}

fn outcome(is_real: bool, sessions: usize) -> String {
    match (is_real, sessions) {
        (true, 0) => "Nothing was imported: there is nothing that the ledger lacks.".into(),
        (true, _) => format!("{sessions} sessions were imported. Start the server again."),
        (false, 0) => "Nothing would be imported.".into(),
        (false, _) => {
            "Nothing was imported yet: this was a dry run. Stop the server, and give the same command with --yes."
                .into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_named_in_ranges() {
        assert_eq!(ranges(&[3]), "line 3");
        assert_eq!(ranges(&[3, 5, 6, 7, 9]), "lines 3, 5-7, 9");
        let many: Vec<u64> = (0..50).map(|number| number * 2).collect();
        assert!(ranges(&many).ends_with("38 and more"));
    }
}
