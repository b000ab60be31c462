//! Against the ledger: each row, and what was signed of it.

use std::collections::BTreeMap;

use super::{Complaint, Files, Verdict, checkpoint_of, signed::by_its_own, weeks_of};
use crate::{
    checkpoint::{Checkpoint, Earlier, GrowingDigest, LEDGER_CHECKPOINT, PublicKey, ReportDigest, SignedNote},
    record::{Hash, Head, Stream},
    report::{Difference, ImportedRows, LedgerRow, differences},
    week::Week,
};

/// What the ledger tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The rows of each week, in their order.
    pub weeks: BTreeMap<Week, Vec<LedgerRow>>,
    /// Sessions that were taken over from reports.
    pub imported: ImportedRows,
    /// Of each record that was asked for, whether it is there.
    pub standings: BTreeMap<(Stream, u64, Hash), Standing>,
    /// The number of the last record of the stream `audit`.
    pub last_seq: u64,
    /// The last week of which retention may have dropped sessions: its report,
    /// and those before, are proved by what was signed of them.
    pub gone: Option<Week>,
}

/// Whether a ledger has a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has.
    There,
    /// It has another one of that number.
    Another,
    /// It has none of that number.
    Missing,
    /// It had it, and retention dropped the segment.
    Dropped,
}

/// Proves all that stands in a folder of reports by what the ledger tells, and
/// the ledger by what was signed.
pub fn against_ledger(files: &Files, told: &Told, key: Option<&PublicKey>) -> Vec<Verdict> {
    let mut weeks = weeks_of(files);
    weeks.extend(told.weeks.keys());
    let mut verdicts = Vec::new();
    let mut of_whole_ledger = false;
    for week in weeks {
        if told.is_gone(week) {
            verdicts.extend(key.map(|key| by_its_own(files, week, key)));
            continue;
        }
        let checkpoint = key.map(|key| checkpoint_of(files, week, key));
        let signed = checkpoint.as_ref().and_then(|read| read.as_ref().ok());
        of_whole_ledger |= signed.is_some_and(|checkpoint| checkpoint.rows.is_some());
        verdicts.push(told.report(files, week, signed));
        verdicts.push(told.checkpoint(week, checkpoint));
    }
    if let Some(key) = key {
        verdicts.extend(told.ledger_checkpoint(files, key, of_whole_ledger));
    }
    verdicts
}

impl Told {
    fn is_gone(&self, week: Week) -> bool {
        self.gone.is_some_and(|gone| week <= gone)
    }

    fn report(&self, files: &Files, week: Week, signed: Option<&Checkpoint>) -> Verdict {
        let name = week.file_name();
        let Some(content) = files.get(&name) else {
            return Verdict::wrong(name, "", vec![Complaint::of_file("missing; a running server writes it anew")]);
        };
        let rows = self.rows(week);
        let found = differences(content, rows, &self.imported);
        if found.is_empty() {
            let there = content.split(|&byte| byte == b'\n').count().saturating_sub(2);
            return Verdict::sound(name, format!("as the ledger says, {there} rows"));
        }
        let signed_seq = signed.map_or(u64::MAX, |checkpoint| checkpoint.head.seq);
        let complaints = found.iter().map(|difference| complaint(difference, rows, signed_seq)).collect();
        Verdict::wrong(name, "differs from the ledger", complaints)
    }

    fn checkpoint(&self, week: Week, checkpoint: Option<Result<Checkpoint, String>>) -> Verdict {
        let name = week.checkpoint_name();
        let complaint = match checkpoint {
            None => Some("there is no key in the data directory to prove it".to_owned()),
            Some(Err(problem)) => Some(problem),
            Some(Ok(checkpoint)) => self.unsound(&checkpoint),
        };
        let complaints = complaint.into_iter().map(Complaint::of_file).collect();
        Verdict::wrong(name, "", complaints)
    }

    /// What was signed must be what the ledger says up to there.
    fn unsound(&self, checkpoint: &Checkpoint) -> Option<String> {
        if let Some(problem) = self.not_there(Stream::Audit, checkpoint.head) {
            return Some(problem);
        }
        if self.digest(checkpoint.week, checkpoint.head.seq) != checkpoint.digest {
            return Some("the ledger has other sessions of the week than were signed".into());
        }
        checkpoint.before.and_then(|before| self.not_grown_from(before))
    }

    fn ledger_checkpoint(&self, files: &Files, key: &PublicKey, expected: bool) -> Option<Verdict> {
        let name = LEDGER_CHECKPOINT.to_owned();
        let wrong = |problem: String| Some(Verdict::wrong(name.clone(), "", vec![Complaint::of_file(problem)]));
        let Some(note) = files.get(LEDGER_CHECKPOINT) else {
            let missing = || wrong("missing; a running server writes it anew".into());
            return expected.then(missing).flatten();
        };
        let note = match key.open_any(&String::from_utf8_lossy(note)) {
            Ok(SignedNote::Ledger(note)) => note,
            Ok(SignedNote::Weekly(_)) => return wrong("it is the checkpoint of a week".into()),
            Err(error) => return wrong(error.to_string()),
        };
        let heads = SignedNote::Ledger(note.clone()).heads();
        let problem = heads.into_iter().find_map(|(stream, head)| self.not_there(stream, head));
        match problem.or_else(|| note.latest.and_then(|latest| self.not_grown_from(latest))) {
            Some(problem) => wrong(problem),
            None => Some(Verdict::sound(name, format!("signed for record {}", note.head.seq))),
        }
    }

    fn not_there(&self, stream: Stream, head: Head) -> Option<String> {
        let Head { seq, hash } = head;
        let stands = self.standings.get(&(stream, seq, hash)).copied().unwrap_or(Standing::Missing);
        let (of, ends) = match stream {
            Stream::Audit => (String::new(), format!(", as it ends with {}", self.last_seq)),
            Stream::Access | Stream::Relay | Stream::Keys => {
                (format!(" of the stream {}", stream.name()), String::new())
            }
        };
        match stands {
            Standing::There | Standing::Dropped => None,
            Standing::Missing => Some(format!(
                "it speaks of a record {seq}{of} that the ledger does not have{ends}: cut off, or an older copy"
            )),
            Standing::Another => Some(format!(
                "it speaks of a record {seq}{of} that the ledger does not have: another stands there, written anew"
            )),
        }
    }

    /// A week's rows may have grown since something later was signed.
    fn not_grown_from(&self, earlier: Earlier) -> Option<String> {
        if self.is_gone(earlier.week) {
            return None;
        }
        let mut digest = GrowingDigest::default();
        let mut rows = self.rows(earlier.week).iter();
        while digest.so_far().bytes < earlier.digest.bytes
            && let Some(row) = rows.next()
        {
            digest.add(&row.bytes);
        }
        let name = earlier.week.file_name();
        (digest.so_far() != earlier.digest).then(|| format!("the ledger has other rows of {name} than were signed"))
    }

    fn digest(&self, week: Week, up_to: u64) -> ReportDigest {
        let mut digest = GrowingDigest::default();
        self.rows(week).iter().take_while(|row| row.seq <= up_to).for_each(|row| digest.add(&row.bytes));
        digest.so_far()
    }

    fn rows(&self, week: Week) -> &[LedgerRow] {
        self.weeks.get(&week).map_or(&[], Vec::as_slice)
    }
}

fn complaint(difference: &Difference, rows: &[LedgerRow], signed_seq: u64) -> Complaint {
    let line = difference.line();
    let waits = match difference {
        Difference::Missing { .. } => rows.get(line - 2).is_some_and(|row| row.seq > signed_seq),
        Difference::Header
        | Difference::Changed { .. }
        | Difference::Extended { .. }
        | Difference::Moved { .. }
        | Difference::Twice { .. }
        | Difference::Unknown { .. }
        | Difference::Foreign { .. }
        | Difference::Torn { .. } => false,
    };
    let text = if waits {
        format!("{difference}; nobody signed it yet, a running server writes it")
    } else {
        difference.to_string()
    };
    Complaint { line: Some(line as u64), text }
}
