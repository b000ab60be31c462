//! By the checkpoints alone, wherever copies of them and the reports are.

use super::{Complaint, Files, Verdict, checkpoint_of, weeks_of};
use crate::{
    checkpoint::{
        Checkpoint, Drift, Earlier, LEDGER_CHECKPOINT, LedgerCheckpoint, PublicKey, ReportDigest, SignedNote,
    },
    report::session_of,
    week::Week,
};

/// Proves copies of reports by the checkpoints beside them. A report must be
/// what its own checkpoint says, and must have grown from what those of later
/// weeks say, so that an older copy of both shows.
pub fn by_checkpoints(files: &Files, key: &PublicKey) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = weeks_of(files).into_iter().map(|week| by_its_own(files, week, key)).collect();
    if verdicts.is_empty() {
        let problem =
            Complaint::of_file("there is no report in the folder; name one with reports and their checkpoints");
        return vec![Verdict::wrong("audit-*.csv".into(), "", vec![problem])];
    }
    for week in weeks_of(files) {
        if let Ok(Checkpoint { before: Some(before), .. }) = checkpoint_of(files, week, key) {
            by_later(files, &mut verdicts, before, &week.checkpoint_name());
        }
    }
    if let Some(note) = files.get(LEDGER_CHECKPOINT) {
        match key.open_any(&String::from_utf8_lossy(note)) {
            Ok(SignedNote::Ledger(LedgerCheckpoint { latest, .. })) => {
                if let Some(latest) = latest {
                    by_later(files, &mut verdicts, latest, LEDGER_CHECKPOINT);
                }
            }
            Ok(SignedNote::Weekly(_)) => verdicts.push(not_the_ledgers("it is the checkpoint of a week".into())),
            Err(error) => verdicts.push(not_the_ledgers(error.to_string())),
        }
    }
    verdicts
}

fn not_the_ledgers(problem: String) -> Verdict {
    Verdict::wrong(LEDGER_CHECKPOINT.into(), "", vec![Complaint::of_file(problem)])
}

fn by_its_own(files: &Files, week: Week, key: &PublicKey) -> Verdict {
    let name = week.file_name();
    let Some(content) = files.get(&name) else {
        return Verdict::wrong(name, "", vec![Complaint::of_file("missing, though its checkpoint is here")]);
    };
    match checkpoint_of(files, week, key) {
        Err(problem) => Verdict::wrong(name, "", vec![Complaint::of_file(problem)]),
        Ok(checkpoint) if checkpoint.digest == ReportDigest::of(content) => {
            let rows = content.split(|&byte| byte == b'\n').count().saturating_sub(2);
            Verdict::sound(name, format!("as it was signed, {rows} rows"))
        }
        Ok(checkpoint) => Verdict::wrong(name, "not as it was signed", vec![drifted(&checkpoint, content)]),
    }
}

fn drifted(checkpoint: &Checkpoint, content: &[u8]) -> Complaint {
    let Some(rows) = &checkpoint.rows else {
        let (signed, there) = (checkpoint.digest.bytes, content.len());
        return Complaint::of_file(format!("{there} bytes that are not the {signed} that were signed"));
    };
    let unmarked = || {
        let (from, to) = rows.unmarked();
        Drift::Changed { from, to }
    };
    match rows.drift(content).unwrap_or_else(unmarked) {
        Drift::Changed { from, to } if from == to => {
            let session = session_at(content, from);
            let text = format!("line {from}{session} is the first that is not as it was signed");
            Complaint { line: Some(from), text }
        }
        Drift::Changed { from, to } => {
            let text = format!("one of the lines {from} to {to} is the first that is not as it was signed");
            Complaint { line: Some(from), text }
        }
        Drift::Short { from, rows } => {
            let text = format!("line {from} and what followed is missing, {rows} rows");
            Complaint { line: Some(from), text }
        }
        Drift::Long { from } => {
            let session = session_at(content, from);
            let text = format!(
                "line {from}{session} and what follows was not signed: put in, or written after the checkpoint was copied"
            );
            Complaint { line: Some(from), text }
        }
    }
}

fn session_at(content: &[u8], line: u64) -> String {
    let place = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
    let bytes = content.split(|&byte| byte == b'\n').nth(place);
    let id = bytes.and_then(session_of).map(String::from_utf8_lossy);
    id.map_or_else(String::new, |id| format!(", of the session {id},"))
}

/// A report that something later speaks of: there, and at least as long.
fn by_later(files: &Files, verdicts: &mut Vec<Verdict>, earlier: Earlier, by: &str) {
    let name = earlier.week.file_name();
    let complaint = match files.get(&name) {
        Some(content) if earlier.digest.begins(content) => return,
        Some(_) => format!("an older copy, or changed: {by} says that it had {} bytes", earlier.digest.bytes),
        // Whoever copied the latest weeks only has no gap between any two.
        None if weeks_of(files).first().is_none_or(|first| *first > earlier.week) => return,
        None => format!("missing, though {by} speaks of it"),
    };
    let complaint = Complaint::of_file(complaint);
    match verdicts.iter_mut().find(|verdict| verdict.file == name) {
        Some(verdict) if verdict.complaints.is_empty() => {
            *verdict = Verdict::wrong(name, "not as it was signed later", vec![complaint]);
        }
        Some(verdict) => verdict.complaints.push(complaint),
        None => verdicts.push(Verdict::wrong(name, "", vec![complaint])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checkpoint::{CheckpointKey, GrowingDigest},
        record::{Hash, Head},
        report::opening,
    };

    const WEEKS: [&str; 3] = ["2026-W47", "2026-W48", "2026-W49"];

    fn key() -> CheckpointKey {
        CheckpointKey::of_seed([3; 32])
    }

    /// A report of so many rows, and its digest.
    fn report(rows: u64) -> (Vec<u8>, GrowingDigest) {
        let mut digest = GrowingDigest::default();
        let mut content = opening();
        for row in (1..=rows).map(|row| format!("row {row}\r\n").into_bytes()) {
            digest.add(&row);
            content.extend(row);
        }
        (content, digest)
    }

    /// Weeks of so many rows each, each signed with what the one before held.
    fn weeks(rows: [u64; 3]) -> Files {
        let mut files = Files::new();
        let mut before = None;
        for (week, rows) in WEEKS.map(|week| Week::parse(week).unwrap()).into_iter().zip(rows) {
            let (content, digest) = report(rows);
            let head = Head { seq: rows, hash: Hash::of(b"a record") };
            let (digest, rows) = (digest.so_far(), Some(digest.marks()));
            files.insert(week.file_name(), content);
            let note = key().sign(&Checkpoint { head, week, digest, rows, before });
            files.insert(week.checkpoint_name(), note.into_bytes());
            before = Some(Earlier { week, digest });
        }
        files
    }

    fn told(files: &Files) -> Vec<String> {
        let verdicts = by_checkpoints(files, &key().public());
        let all =
            verdicts.iter().flat_map(|verdict| verdict.complaints.iter().map(move |complaint| (verdict, complaint)));
        all.map(|(verdict, complaint)| format!("{}: {}", verdict.file, complaint.text)).collect()
    }

    #[test]
    fn copies_of_all_or_of_the_latest_weeks_are_sound() {
        let mut files = weeks([3, 4, 5]);
        assert_eq!(told(&files), Vec::<String>::new());
        files.retain(|name, _| !name.contains("W47"));
        assert_eq!(told(&files), Vec::<String>::new());
    }

    #[test]
    fn an_older_copy_and_a_gap_show_by_the_week_behind() {
        let mut files = weeks([3, 4, 5]);
        let older = weeks([3, 2, 5]);
        for name in ["audit-2026-W48.csv", "audit-2026-W48.checkpoint"] {
            files.insert(name.into(), older[name].clone());
        }
        let found = told(&files);
        assert!(found.len() == 1 && found[0].starts_with("audit-2026-W48.csv: an older copy"), "{found:?}");
        files.retain(|name, _| !name.contains("W48"));
        let found = told(&files);
        assert!(found.len() == 1 && found[0].starts_with("audit-2026-W48.csv: missing"), "{found:?}");
    }

    #[test]
    fn a_checkpoint_of_an_early_version_proves_the_whole() {
        let week = Week::parse("2026-W48").unwrap();
        let (content, digest) = report(3);
        let head = Head { seq: 3, hash: Hash::of(b"a record") };
        let old = Checkpoint { head, week, digest: digest.so_far(), rows: None, before: None };
        let note = key().sign(&old).into_bytes();
        let mut files = Files::from([(week.file_name(), content), (week.checkpoint_name(), note)]);
        assert_eq!(told(&files), Vec::<String>::new());
        files.insert(week.file_name(), report(2).0);
        assert!(told(&files)[0].contains("that were signed"), "{:?}", told(&files));
    }

    #[test]
    fn a_folder_without_reports_proves_nothing() {
        assert!(told(&Files::new())[0].contains("there is no report"));
    }
}
