//! What is signed of a report: its whole, and a mark for each of its rows, so
//! that the first one that was changed can be named without the ledger.

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

use crate::{record::Hash, report, session::EndedSession};

/// Most marks of a checkpoint: each row of a busy week has its own, and the
/// file stays under 64 KiB. Of more rows, every second has a mark, and so on.
const MAX_MARKS: usize = 8_192;

/// How many characters of base64 a mark has: 36 bits of SHA-256. They name a
/// row; that anything was changed shows by the whole hash.
const MARK_CHARACTERS: usize = 6;

/// How many marks stand on a line.
const MARKS_PER_LINE: usize = 12;

/// A report's length and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportDigest {
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of it.
    pub hash: Hash,
}

/// Marks of a report's rows: each is the beginning of the SHA-256 of the file
/// up to the end of its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowMarks {
    rows: u64,
    every: u64,
    marks: Vec<[u8; MARK_CHARACTERS]>,
}

/// A report that grows, row by row.
#[derive(Clone)]
pub struct GrowingDigest {
    bytes: u64,
    hasher: Sha256,
    marks: RowMarks,
}

/// Where a report begins not to be what was signed; lines count from 1, the
/// header being the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// One of these lines is the first that is not as it was signed.
    Changed {
        /// The first that it can be.
        from: u64,
        /// The last that it can be.
        to: u64,
    },
    /// All is as it was signed, and ends too soon.
    Short {
        /// The first line that is missing.
        from: u64,
        /// How many rows are missing.
        rows: u64,
    },
    /// All is as it was signed, and more stands behind it.
    Long {
        /// The first line that nobody signed.
        from: u64,
    },
}

impl ReportDigest {
    /// Of the bytes of a file.
    pub fn of(content: &[u8]) -> ReportDigest {
        ReportDigest { bytes: content.len() as u64, hash: Hash::of(content) }
    }

    /// Whether a file begins with what this is the digest of.
    pub fn begins(&self, content: &[u8]) -> bool {
        let begin = usize::try_from(self.bytes).ok().and_then(|bytes| content.get(..bytes));
        begin.is_some_and(|begin| Hash::of(begin) == self.hash)
    }

    pub(super) fn line(&self) -> String {
        format!("holds {} bytes with SHA-256 {}\n", self.bytes, self.hash)
    }

    pub(super) fn parse(line: &str) -> Option<ReportDigest> {
        let (bytes, hash) = line.strip_prefix("holds ")?.split_once(" bytes with SHA-256 ")?;
        Some(ReportDigest { bytes: bytes.parse().ok()?, hash: Hash::from_hex(hash)? })
    }
}

impl RowMarks {
    /// How many rows were signed.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Where a file begins to differ from what was signed; `None` where no mark
    /// shows it.
    pub fn drift(&self, content: &[u8]) -> Option<Drift> {
        let opening = report::opening();
        let Some(rest) = content.strip_prefix(opening.as_slice()) else {
            return Some(Drift::Changed { from: 1, to: 1 });
        };
        let mut hasher = Sha256::new_with_prefix(&opening);
        let mut rows = 0;
        for line in rest.split_inclusive(|&byte| byte == b'\n') {
            rows += 1;
            if rows > self.rows {
                return Some(self.behind_all(rows));
            }
            hasher.update(line);
            let place = rows / self.every;
            if rows.is_multiple_of(self.every) && self.mark(place) != Some(&mark(&hasher)) {
                return Some(Drift::Changed { from: rows - self.every + 2, to: rows + 1 });
            }
        }
        if rows < self.rows {
            return Some(self.before_all(rows));
        }
        None
    }

    /// The lines behind the last mark, of which one differs when none shows it.
    pub fn unmarked(&self) -> (u64, u64) {
        let marked = self.marks.len() as u64 * self.every;
        ((marked + 2).min(self.rows + 1), self.rows + 1)
    }

    /// Where rows behind the last mark may be changed, these cannot be told
    /// from rows that were added.
    fn behind_all(&self, rows: u64) -> Drift {
        if self.rows.is_multiple_of(self.every) {
            return Drift::Long { from: rows + 1 };
        }
        Drift::Changed { from: self.unmarked().0, to: rows + 1 }
    }

    fn before_all(&self, rows: u64) -> Drift {
        if rows.is_multiple_of(self.every) {
            return Drift::Short { from: rows + 2, rows: self.rows - rows };
        }
        Drift::Changed { from: rows - rows % self.every + 2, to: rows + 2 }
    }

    fn mark(&self, place: u64) -> Option<&[u8; MARK_CHARACTERS]> {
        usize::try_from(place).ok()?.checked_sub(1).and_then(|place| self.marks.get(place))
    }

    fn add(&mut self, hasher: &Sha256) {
        self.rows += 1;
        if !self.rows.is_multiple_of(self.every) {
            return;
        }
        self.marks.push(mark(hasher));
        if self.marks.len() > MAX_MARKS {
            let mut place = 0;
            self.marks.retain(|_| {
                place += 1;
                place % 2 == 0
            });
            self.every *= 2;
        }
    }

    pub(super) fn lines(&self) -> String {
        let mut text = format!("rows {} marked every {}\n", self.rows, self.every);
        for line in self.marks.chunks(MARKS_PER_LINE) {
            text += "marks ";
            text.extend(line.iter().flatten().map(|&byte| char::from(byte)));
            text.push('\n');
        }
        text
    }

    pub(super) fn parse<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Option<RowMarks> {
        let (rows, every) = lines.next()?.strip_prefix("rows ")?.split_once(" marked every ")?;
        let (rows, every) = (rows.parse().ok()?, every.parse().ok()?);
        let mut marks = Vec::new();
        for line in lines {
            let (whole, rest) = line.strip_prefix("marks ")?.as_bytes().as_chunks();
            if !rest.is_empty() {
                return None;
            }
            marks.extend_from_slice(whole);
        }
        (every > 0 && marks.len() as u64 == rows / every).then_some(RowMarks { rows, every, marks })
    }
}

impl Default for GrowingDigest {
    fn default() -> GrowingDigest {
        let opening = report::opening();
        let marks = RowMarks { rows: 0, every: 1, marks: Vec::new() };
        GrowingDigest { bytes: opening.len() as u64, hasher: Sha256::new_with_prefix(opening), marks }
    }
}

impl GrowingDigest {
    /// Adds a session's row.
    pub fn add_row(&mut self, ended: &EndedSession) {
        self.add(&report::row(ended));
    }

    /// Adds a row's bytes, with its line end.
    pub fn add(&mut self, row: &[u8]) {
        self.bytes += row.len() as u64;
        self.hasher.update(row);
        self.marks.add(&self.hasher);
    }

    /// The digest of all rows so far.
    pub fn so_far(&self) -> ReportDigest {
        ReportDigest { bytes: self.bytes, hash: Hash::of_bytes(self.hasher.clone().finalize().into()) }
    }

    /// The marks of all rows so far.
    pub fn marks(&self) -> RowMarks {
        self.marks.clone()
    }
}

fn mark(hasher: &Sha256) -> [u8; MARK_CHARACTERS] {
    let hash: [u8; 32] = hasher.clone().finalize().into();
    let text = BASE64_STANDARD.encode(hash);
    let mut mark = [0; MARK_CHARACTERS];
    mark.copy_from_slice(&text.as_bytes()[..MARK_CHARACTERS]);
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: usize) -> Vec<u8> {
        format!("row {number}\r\n").into_bytes()
    }

    fn report_of(rows: impl IntoIterator<Item = usize>) -> Vec<u8> {
        report::opening().into_iter().chain(rows.into_iter().flat_map(row)).collect()
    }

    fn marks_of(rows: usize) -> RowMarks {
        let mut digest = GrowingDigest::default();
        (1..=rows).for_each(|number| digest.add(&row(number)));
        assert_eq!(digest.so_far(), ReportDigest::of(&report_of(1..=rows)));
        digest.marks()
    }

    #[test]
    fn the_first_line_that_differs_is_named() {
        let marks = marks_of(9);
        assert_eq!(marks.drift(&report_of(1..=9)), None);
        for (rows, expected) in [
            (vec![1, 2, 3, 99, 5, 6, 7, 8, 9], Drift::Changed { from: 5, to: 5 }),
            (vec![1, 2, 4, 5, 6, 7, 8, 9], Drift::Changed { from: 4, to: 4 }),
            (vec![1, 2, 3, 4, 99, 5, 6, 7, 8, 9], Drift::Changed { from: 6, to: 6 }),
            (vec![1, 2, 3, 5, 4, 6, 7, 8, 9], Drift::Changed { from: 5, to: 5 }),
            (vec![1, 2, 3, 4, 5, 6, 7], Drift::Short { from: 9, rows: 2 }),
            (vec![], Drift::Short { from: 2, rows: 9 }),
            (vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10], Drift::Long { from: 11 }),
        ] {
            assert_eq!(marks.drift(&report_of(rows.clone())), Some(expected), "{rows:?}");
        }
        assert_eq!(marks.drift(b"no report"), Some(Drift::Changed { from: 1, to: 1 }));
        assert_eq!(
            marks.drift(&report_of(1..=9)[..40]).map(|drift| matches!(drift, Drift::Changed { .. })),
            Some(true)
        );
    }

    #[test]
    fn marks_of_any_week_stay_bounded_and_read_back() {
        for rows in [0, 1, 12, 13, MAX_MARKS, MAX_MARKS + 1, 3 * MAX_MARKS + 5] {
            let marks = marks_of(rows);
            let text = marks.lines();
            assert!(text.len() < 64 * 1_024, "{rows} rows take {}", text.len());
            assert_eq!(RowMarks::parse(&mut text.lines()), Some(marks.clone()), "{rows} rows");
            assert_eq!(marks.drift(&report_of(1..=rows)), None);
            if rows > 1 {
                let changed = (1..=rows).map(|number| if number == rows / 2 { 0 } else { number });
                let Some(Drift::Changed { from, to }) = marks.drift(&report_of(changed)) else { panic!("not found") };
                let line = (rows / 2 + 1) as u64;
                assert!((from..=to).contains(&line) && to - from < 8, "{line} is not in {from} to {to}");
            }
        }
    }

    #[test]
    fn a_report_that_has_grown_begins_with_what_it_was() {
        let earlier = ReportDigest::of(&report_of(1..=4));
        assert!(earlier.begins(&report_of(1..=4)) && earlier.begins(&report_of(1..=9)));
        assert!(!earlier.begins(&report_of(1..=3)) && !earlier.begins(&report_of([1, 2, 9, 4, 5])));
    }
}
