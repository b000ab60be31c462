//! The checkpoint beside a weekly report.

use std::fmt::Write;

use super::{ReportDigest, RowMarks, opening, parse_opening};
use crate::{record::Head, week::Week};

/// How far the ledger was, and what the report of a week had to hold then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last record of the week.
    pub head: Head,
    /// The week.
    pub week: Week,
    /// The report as the ledger has it.
    pub digest: ReportDigest,
    /// What names the first row that is not as it was signed; a checkpoint of
    /// an early version has none.
    pub rows: Option<RowMarks>,
    /// The report of the week before, so that an older copy of it shows.
    pub before: Option<Earlier>,
}

/// A report as it was when something later was signed; it may have grown since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Its week.
    pub week: Week,
    /// What it held.
    pub digest: ReportDigest,
}

impl Checkpoint {
    pub(super) fn text(&self) -> String {
        let mut text = opening(self.head);
        // Writing to a String cannot fail.
        let _ = write!(text, "report {}\n{}", self.week.file_name(), self.digest.line());
        if let Some(before) = self.before {
            text += &before.line("before");
        }
        if let Some(rows) = &self.rows {
            text += &rows.lines();
        }
        text
    }

    pub(super) fn parse(text: &str) -> Option<Checkpoint> {
        let mut lines = text.lines().peekable();
        let head = parse_opening(&mut lines)?;
        let week = Week::of_file_name(lines.next()?.strip_prefix("report ")?)?;
        let digest = ReportDigest::parse(lines.next()?)?;
        let before = lines.next_if(|line| line.starts_with("before "));
        let before = before.map(|line| Earlier::parse(line, "before")).map_or(Some(None), |read| read.map(Some))?;
        let rows = match lines.peek() {
            Some(_) => Some(RowMarks::parse(&mut lines)?),
            None => None,
        };
        let checkpoint = Checkpoint { head, week, digest, rows, before };
        // One way of writing it only: nothing else was ever signed.
        (checkpoint.text() == text).then_some(checkpoint)
    }
}

impl Earlier {
    pub(super) fn line(self, word: &str) -> String {
        format!("{word} {} {}", self.week.file_name(), self.digest.line())
    }

    pub(super) fn parse(line: &str, word: &str) -> Option<Earlier> {
        let (name, digest) = line.strip_prefix(word)?.strip_prefix(' ')?.split_once(' ')?;
        Some(Earlier { week: Week::of_file_name(name)?, digest: ReportDigest::parse(digest)? })
    }
}
