//! `audit list` and `audit export`: sessions of the past, with a server or without.

use std::{
    io::{self, BufWriter, Write, stdout},
    path::Path,
};

use clap::ArgMatches;
use domain::{
    history::{Entry, Filter},
    report,
};
use jiff::{Timestamp, tz::TimeZone};

use super::{progress::Progress, sessions, whole_file::WholeFile};
use crate::config::Config;

/// The widths of a table's columns are those of its first rows, so that a long
/// one begins at once.
const ROWS_MEASURED: usize = 500;

const TITLES: [&str; 8] = ["MAIN", "SUB", "USER", "CONNECTED", "DISCONNECTED", "SECONDS", "ENDED BY", "NOTE"];

/// Prints sessions as a table, or as JSON.
pub(crate) async fn list(matches: &ArgMatches, config: &Config) -> anyhow::Result<()> {
    let filter = sessions::filter(matches, config)?;
    let out = BufWriter::new(stdout().lock());
    let listed = if matches.get_flag("json") {
        json(out, &config.data_dir, &filter).await
    } else {
        table(out, &config.data_dir, &filter, &config.timezone).await
    };
    sessions::unless_pipe_broke(listed)
}

/// Writes sessions as CSV or NDJSON, to standard output or a file.
pub(crate) async fn export(matches: &ArgMatches, config: &Config) -> anyhow::Result<()> {
    let filter = sessions::filter(matches, config)?;
    let is_csv = matches.get_one::<String>("format").is_none_or(|format| format == "csv");
    let Some(path) = matches.get_one::<String>("output") else {
        let out = BufWriter::new(stdout().lock());
        return sessions::unless_pipe_broke(write(out, is_csv, &filter, config).await);
    };
    let mut content = WholeFile::begin(Path::new(path))?;
    write(&mut content, is_csv, &filter, config).await?;
    content.keep()
}

async fn write(mut out: impl Write, is_csv: bool, filter: &Filter, config: &Config) -> anyhow::Result<()> {
    if is_csv {
        out.write_all(&report::opening())?;
    }
    let mut progress = Progress::of("sessions");
    sessions::each(&config.data_dir, filter, |entry| {
        progress.step();
        if is_csv { out.write_all(&entry.row(&config.timezone)) } else { writeln!(out, "{}", web::entry_json(entry)) }
    })
    .await?;
    Ok(out.flush()?)
}

async fn json(mut out: impl Write, folder: &Path, filter: &Filter) -> anyhow::Result<()> {
    let mut before = "[";
    sessions::each(folder, filter, |entry| {
        write!(out, "{before}\n{}", web::entry_json(entry))?;
        before = ",";
        Ok(())
    })
    .await?;
    out.write_all(if before == "[" { b"[]\n" } else { b"\n]\n" })?;
    Ok(out.flush()?)
}

async fn table(out: impl Write, folder: &Path, filter: &Filter, zone: &TimeZone) -> anyhow::Result<()> {
    let mut table = Table { out, measured: vec![TITLES.map(String::from)], widths: None };
    sessions::each(folder, filter, |entry| table.add(cells(entry, zone))).await?;
    Ok(table.end()?)
}

type Row = [String; TITLES.len()];

/// Rows in columns.
struct Table<W: Write> {
    out: W,
    measured: Vec<Row>,
    widths: Option<[usize; TITLES.len()]>,
}

impl<W: Write> Table<W> {
    fn add(&mut self, row: Row) -> io::Result<()> {
        match self.widths {
            Some(widths) => print(&mut self.out, &row, &widths),
            None => {
                self.measured.push(row);
                if self.measured.len() > ROWS_MEASURED { self.measure() } else { Ok(()) }
            }
        }
    }

    fn measure(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.measured);
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths = std::array::from_fn(width);
        self.widths = Some(widths);
        rows.iter().try_for_each(|row| print(&mut self.out, row, &widths))
    }

    fn end(mut self) -> io::Result<()> {
        if self.widths.is_none() {
            self.measure()?;
        }
        self.out.flush()
    }
}

fn print(out: &mut impl Write, row: &Row, widths: &[usize]) -> io::Result<()> {
    let cells = row.iter().zip(widths).map(|(cell, &width)| format!("{cell:<width$}"));
    writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())
}

fn cells(entry: &Entry, zone: &TimeZone) -> Row {
    let local = |at: Timestamp| at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let (by, note) = match entry {
        Entry::Running(session) => (String::new(), &session.note),
        Entry::Ended(ended) => (ended.ended_by.to_string(), &ended.session.note),
        Entry::Imported(imported) => {
            (imported.ended_by.as_ref().map(ToString::to_string).unwrap_or_default(), &imported.note)
        }
    };
    let lasted = entry.ended_at().map(|end| end.duration_since(entry.since()).as_secs().to_string());
    [
        entry.connection().main().to_string(),
        entry.connection().sub().to_string(),
        entry.user().to_string(),
        local(entry.since()),
        entry.ended_at().map_or("running".into(), local),
        lasted.unwrap_or_default(),
        by,
        note.as_str().to_owned(),
    ]
}
