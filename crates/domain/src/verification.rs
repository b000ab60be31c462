//! Proving what stands on the share: against the ledger, or by the signed
//! checkpoints alone. What is read, and when, is not decided here.
//!
//! [`against_ledger`] knows each row; [`by_checkpoints`] knows what was signed.

mod ledger;
mod retained;
mod signed;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    checkpoint::{Checkpoint, LEDGER_CHECKPOINT, PublicKey, SignedNote},
    record::{Head, Stream},
    week::Week,
};

pub use ledger::{Standing, Told, against_ledger};
pub use retained::{last_week_gone, whole_weeks_before};
pub use signed::by_checkpoints;

/// What stands in a folder of reports: names and contents of the reports and
/// the checkpoints there.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What was found out about one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The file's name.
    pub file: String,
    /// In a few words, what it is like.
    pub summary: String,
    /// What is wrong with it, in the order of its lines.
    pub complaints: Vec<Complaint>,
}

/// Something that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Which line it is about, from 1, where it is about one.
    pub line: Option<u64>,
    /// What is wrong, for a person.
    pub text: String,
}

impl Verdict {
    fn sound(file: String, summary: String) -> Verdict {
        Verdict { file, summary, complaints: Vec::new() }
    }

    fn wrong(file: String, summary: &str, complaints: Vec<Complaint>) -> Verdict {
        Verdict { file, summary: summary.to_owned(), complaints }
    }

    /// Whether all is as it should be.
    pub fn is_sound(&self) -> bool {
        self.complaints.is_empty()
    }

    /// This verdict with what another look complains of too. Beside a server
    /// that writes, what is only under way is gone at a later look, and what is
    /// wrong stays.
    #[must_use]
    pub fn confirmed_by(mut self, later: &[Verdict]) -> Verdict {
        let again = later.iter().find(|verdict| verdict.file == self.file);
        let complaints = again.map_or(&[][..], |verdict| &verdict.complaints);
        self.complaints.retain(|complaint| complaints.iter().any(|other| complaint.is_about_the_same(other)));
        if self.is_sound() {
            let sound = again.filter(|verdict| verdict.is_sound()).map(|verdict| verdict.summary.clone());
            self.summary = sound.unwrap_or_else(|| "as the ledger says, but for what is under way".into());
        }
        self
    }
}

impl Complaint {
    fn of_file(text: impl Into<String>) -> Complaint {
        Complaint { line: None, text: text.into() }
    }

    /// A row that is missing may have been signed meanwhile, which is told behind it.
    fn is_about_the_same(&self, other: &Complaint) -> bool {
        self.line == other.line && (self.text.starts_with(&other.text) || other.text.starts_with(&self.text))
    }
}

/// How far the ledger has to be for what was signed there with that key.
pub fn signed_heads(files: &Files, key: &PublicKey) -> Vec<(Stream, Head)> {
    let checkpoints = files.iter().filter(|(name, _)| is_checkpoint(name));
    let notes = checkpoints.filter_map(|(_, note)| key.open_any(&String::from_utf8_lossy(note)).ok());
    notes.flat_map(|note: SignedNote| note.heads()).collect()
}

/// Whether a file is a report or a checkpoint, by its name.
pub fn is_audit_file(name: &str) -> bool {
    Week::of_file_name(name).is_some() || is_checkpoint(name)
}

fn is_checkpoint(name: &str) -> bool {
    name == LEDGER_CHECKPOINT || Week::of_checkpoint_name(name).is_some()
}

/// The weeks that have a report or a checkpoint there.
fn weeks_of(files: &Files) -> BTreeSet<Week> {
    files.keys().filter_map(|name| Week::of_file_name(name).or_else(|| Week::of_checkpoint_name(name))).collect()
}

/// A week's checkpoint, or what is wrong with it.
fn checkpoint_of(files: &Files, week: Week, key: &PublicKey) -> Result<Checkpoint, String> {
    let Some(note) = files.get(&week.checkpoint_name()) else {
        return Err("its checkpoint is missing".into());
    };
    match key.open(&String::from_utf8_lossy(note)) {
        Ok(checkpoint) if checkpoint.week == week => Ok(checkpoint),
        Ok(checkpoint) => Err(format!("its checkpoint is of another week, {}", checkpoint.week)),
        Err(error) => Err(format!("of its checkpoint, {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(complaints: &[(u64, &str)]) -> Verdict {
        let complaint = |(line, text): &(u64, &str)| Complaint { line: Some(*line), text: (*text).into() };
        let summary = if complaints.is_empty() { "as the ledger says, 3 rows" } else { "differs from the ledger" };
        Verdict::wrong("audit-2026-W48.csv".into(), summary, complaints.iter().map(complaint).collect())
    }

    #[test]
    fn only_what_every_look_complains_of_is_wrong() {
        let missing = "the row is missing";
        let waits = "the row is missing; nobody signed it yet";
        for (first, later, left) in [
            (vec![(2, missing)], vec![], 0),
            (vec![(2, missing)], vec![(3, missing)], 0),
            (vec![(2, missing), (5, "changed")], vec![(5, "changed"), (7, missing)], 1),
            (vec![(2, waits)], vec![(2, missing)], 1),
        ] {
            let confirmed = verdict(&first).confirmed_by(&[verdict(&later)]);
            assert_eq!(confirmed.complaints.len(), left, "{first:?}, then {later:?}");
        }
        assert_eq!(verdict(&[(2, missing)]).confirmed_by(&[verdict(&[])]).summary, "as the ledger says, 3 rows");
        assert!(verdict(&[(2, missing)]).confirmed_by(&[]).is_sound(), "the file is gone, which is told of the other");
    }
}
