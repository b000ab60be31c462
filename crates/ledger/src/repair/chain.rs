//! How far a segment proves itself, and to which later one it leads.

use domain::record::{Head, Record};

use crate::{own::Declared, segment};

/// Beyond this a number is taken for a part of the damage: JSON readers in
/// browsers know whole numbers up to 2^53.
const HIGHEST_BELIEVED: u64 = 1 << 52;

/// A segment as far as it holds together by itself.
pub(super) struct Walked {
    /// Where the proved records end.
    pub(super) end: End,
    /// Whether the line behind is damaged, not only torn at the end of the file.
    pub(super) is_damaged: bool,
    /// The first of the later segments to which one of its records leads, and
    /// what it has up to that record.
    pub(super) leads_to: Option<Joint>,
    /// What its records say of the chain.
    pub(super) declared: Declared,
}

/// Where a segment leads to a later one.
#[derive(Clone, Copy)]
pub(super) struct Joint {
    pub(super) at: usize,
    pub(super) end: End,
}

/// Where a part of a segment ends.
#[derive(Clone, Copy)]
pub(super) struct End {
    /// The head of its last record.
    pub(super) head: Head,
    /// How many bytes it has.
    pub(super) bytes: usize,
    /// The line behind it, from 1.
    pub(super) next_line: usize,
}

/// Walks over a segment from its first record. `wanted` are the heads that
/// later segments follow, by their places.
pub(super) fn walk(content: &[u8], before: Head, wanted: &[(usize, Head)]) -> Walked {
    let mut walked = Walked {
        end: End { head: before, bytes: 0, next_line: 1 },
        is_damaged: false,
        leads_to: None,
        declared: Declared::default(),
    };
    for line in segment::lines(content) {
        let record = segment::record(&line).ok().filter(|record| line.ended && record.follows(walked.end.head));
        let Some(record) = record.filter(|record| walked.declared.note(record).is_ok()) else {
            let is_torn = !line.ended || content[line.offset..].iter().all(|&byte| byte == 0);
            walked.is_damaged = !is_torn;
            break;
        };
        walked.take(&record, line.bytes.len() + 1, wanted);
    }
    walked
}

impl Walked {
    fn take(&mut self, record: &Record, bytes: usize, wanted: &[(usize, Head)]) {
        let head = record.head();
        self.end = End { head, bytes: self.end.bytes + bytes, next_line: self.end.next_line + 1 };
        let found = wanted.iter().find(|(_, wanted)| *wanted == head);
        if let Some(&(at, _)) = found
            && self.leads_to.is_none_or(|known| at < known.at)
        {
            self.leads_to = Some(Joint { at, end: self.end });
        }
    }
}

/// The highest number that lines claim, believed or not: one that cannot be
/// read counts as the one behind the line before. `least` is where they begin.
pub(super) fn highest_claimed(content: &[u8], least: u64) -> u64 {
    let mut highest = least + 1;
    let mut previous = least;
    for line in segment::lines(content) {
        previous = claimed(line.bytes).unwrap_or(previous + 1);
        highest = highest.max(previous);
    }
    highest
}

fn claimed(line: &[u8]) -> Option<u64> {
    let digits = line.strip_prefix(br#"{"seq":"#)?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    let number = std::str::from_utf8(&digits[..end]).ok()?.parse().ok()?;
    (number < HIGHEST_BELIEVED).then_some(number)
}
