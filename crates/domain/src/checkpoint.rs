//! Checkpoints: signed words on how far the ledger was, and what a weekly
//! report had to hold then.
//!
//! A checkpoint is a signed note (C2SP signed-note, tlog-checkpoint): origin,
//! number of records, the last one's hash in base64, and extension lines; an
//! empty line; the signature (Ed25519, RFC 8032). There are two kinds: one
//! beside each [`weekly`] report, and one of the whole [`ledger`]. Whoever keeps
//! a copy can show later that the ledger was cut off or written anew.

mod digest;
mod ledger;
mod weekly;

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::record::{Hash, Head, Stream};

pub use digest::{Drift, GrowingDigest, ReportDigest, RowMarks};
pub use ledger::{LEDGER_CHECKPOINT, LedgerCheckpoint};
pub use weekly::{Checkpoint, Earlier};

/// What the first line of each checkpoint says, and under what name it is signed.
pub const ORIGIN: &str = "vpn-sessions-audit";

/// The kind of signature in a key's and a signature's bytes (C2SP signed-note: Ed25519).
const ED25519: u8 = 1;

/// How many bytes name a key.
const KEY_ID_BYTES: usize = 4;

/// The key that signs.
pub struct CheckpointKey(SigningKey);

/// The key that proves, written `NAME+ID+KEY` (C2SP signed-note).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// What a signed note says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedNote {
    /// Of a week.
    Weekly(Checkpoint),
    /// Of the whole ledger.
    Ledger(LedgerCheckpoint),
}

/// Why a text proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a checkpoint of ours.
    #[error("it is no checkpoint of ours")]
    Shape,
    /// Signed by another key, or changed since.
    #[error("its signature is not of this key, or it was changed")]
    Signature,
}

impl CheckpointKey {
    /// The key of 32 secret bytes.
    pub fn of_seed(seed: [u8; 32]) -> CheckpointKey {
        CheckpointKey(SigningKey::from_bytes(&seed))
    }

    /// The key that proves its signatures.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// A week's checkpoint as a signed note.
    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        self.note(&checkpoint.text())
    }

    /// The ledger's checkpoint as a signed note.
    pub fn sign_ledger(&self, checkpoint: &LedgerCheckpoint) -> String {
        self.note(&checkpoint.text())
    }

    fn note(&self, text: &str) -> String {
        let signature = self.0.sign(text.as_bytes());
        let signed = [self.public().id().as_slice(), &signature.to_bytes()].concat();
        format!("{text}\n\u{2014} {ORIGIN} {}\n", BASE64_STANDARD.encode(signed))
    }
}

impl PublicKey {
    /// Reads `NAME+ID+KEY`.
    pub fn parse(text: &str) -> Option<PublicKey> {
        let key = text.trim().strip_prefix(ORIGIN)?.strip_prefix('+')?;
        let (id, bytes) = key.split_once('+')?;
        let bytes = BASE64_STANDARD.decode(bytes).ok()?;
        let bytes: [u8; 32] = bytes.strip_prefix(&[ED25519])?.try_into().ok()?;
        let key = PublicKey(VerifyingKey::from_bytes(&bytes).ok()?);
        (key.id_text() == id).then_some(key)
    }

    /// What a week's signed note says, if this key signed it.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn open(&self, note: &str) -> Result<Checkpoint, CheckpointError> {
        match self.open_any(note)? {
            SignedNote::Weekly(checkpoint) => Ok(checkpoint),
            SignedNote::Ledger(_) => Err(CheckpointError::Shape),
        }
    }

    /// What a signed note says, if this key signed it.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn open_any(&self, note: &str) -> Result<SignedNote, CheckpointError> {
        let (text, signature) = note.split_once("\n\n\u{2014} ").ok_or(CheckpointError::Shape)?;
        let signature = signature.strip_prefix(ORIGIN).and_then(|rest| rest.strip_prefix(' '));
        let signature = signature.and_then(|rest| rest.strip_suffix('\n')).ok_or(CheckpointError::Shape)?;
        let signed = BASE64_STANDARD.decode(signature);
        let signed = signed.map_err(|_| CheckpointError::Shape)?;
        let (id, signature) = signed.split_at_checked(KEY_ID_BYTES).ok_or(CheckpointError::Shape)?;
        let signature = Signature::from_slice(signature).map_err(|_| CheckpointError::Shape)?;
        let text = format!("{text}\n");
        let proved = self.0.verify_strict(text.as_bytes(), &signature).is_ok();
        if !proved || id != self.id() {
            return Err(CheckpointError::Signature);
        }
        let weekly = Checkpoint::parse(&text).map(SignedNote::Weekly);
        weekly.or_else(|| LedgerCheckpoint::parse(&text).map(SignedNote::Ledger)).ok_or(CheckpointError::Shape)
    }

    fn id(&self) -> [u8; KEY_ID_BYTES] {
        let named = [format!("{ORIGIN}\n").as_bytes(), &[ED25519], self.0.as_bytes()].concat();
        let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(named).into();
        [a, b, c, d]
    }

    fn id_text(&self) -> String {
        self.id().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [[ED25519].as_slice(), self.0.as_bytes()].concat();
        write!(f, "{ORIGIN}+{}+{}", self.id_text(), BASE64_STANDARD.encode(key))
    }
}

impl SignedNote {
    /// How far each stream was that it speaks of.
    pub fn heads(&self) -> Vec<(Stream, Head)> {
        match self {
            SignedNote::Weekly(checkpoint) => vec![(Stream::Audit, checkpoint.head)],
            SignedNote::Ledger(checkpoint) => {
                std::iter::once((Stream::Audit, checkpoint.head)).chain(checkpoint.others.iter().copied()).collect()
            }
        }
    }
}

/// The three lines with which each checkpoint begins.
fn opening(head: Head) -> String {
    format!("{ORIGIN}\n{}\n{}\n", head.seq, BASE64_STANDARD.encode(head.hash.bytes()))
}

fn parse_opening<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Option<Head> {
    if lines.next()? != ORIGIN {
        return None;
    }
    let seq = lines.next()?.parse().ok()?;
    let hash = Hash::of_bytes(BASE64_STANDARD.decode(lines.next()?).ok()?.try_into().ok()?);
    Some(Head { seq, hash })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::week::Week;

    fn key(number: u8) -> CheckpointKey {
        CheckpointKey::of_seed([number; 32])
    }

    fn checkpoint() -> Checkpoint {
        let head = Head { seq: 42, hash: Hash::of(b"the last record") };
        let before = Earlier { week: Week::parse("2026-W47").unwrap(), digest: ReportDigest::of(b"one before") };
        let week = Week::parse("2026-W48").unwrap();
        let rows = Some(GrowingDigest::default().marks());
        Checkpoint { head, week, digest: ReportDigest::of(b"a report"), rows, before: Some(before) }
    }

    #[test]
    fn a_signed_note_opens_with_its_key_only() {
        let note = key(1).sign(&checkpoint());
        assert_eq!(key(1).public().open(&note), Ok(checkpoint()));
        assert_eq!(key(2).public().open(&note), Err(CheckpointError::Signature));
        assert!(note.starts_with("vpn-sessions-audit\n42\n"), "{note}");
    }

    #[test]
    fn a_note_without_marks_opens_as_it_always_did() {
        let old = Checkpoint { rows: None, before: None, ..checkpoint() };
        let note = key(1).sign(&old);
        assert_eq!(note.lines().count(), 7, "{note}");
        assert_eq!(key(1).public().open(&note), Ok(old));
    }

    #[test]
    fn the_ledgers_note_is_no_weeks_note() {
        let Checkpoint { head, week, digest, .. } = checkpoint();
        let latest = Some(Earlier { week, digest });
        let whole = LedgerCheckpoint { head, others: vec![(Stream::Access, head), (Stream::Relay, head)], latest };
        let note = key(1).sign_ledger(&whole);
        assert_eq!(key(1).public().open(&note), Err(CheckpointError::Shape));
        let opened = key(1).public().open_any(&note).unwrap();
        assert_eq!(opened, SignedNote::Ledger(whole));
        assert_eq!(opened.heads().len(), 3);
    }

    #[test]
    fn every_changed_byte_of_a_note_is_found() {
        let note = key(1).sign(&checkpoint());
        for at in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(key(1).public().open(&changed).is_err(), "byte {at}: {changed}");
            }
        }
    }

    #[test]
    fn a_public_key_is_written_and_read() {
        let text = key(1).public().to_string();
        assert_eq!(PublicKey::parse(&format!("{text}\n")), Some(key(1).public()));
        for wrong in [text.replace("audit", "other"), text.replacen('+', "-", 1), text[..text.len() - 4].into()] {
            assert_eq!(PublicKey::parse(&wrong), None, "{wrong}");
        }
    }
}
