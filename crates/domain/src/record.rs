//! Records of the ledger and the SHA-256 chain that holds them together.
//!
//! A record is one line of JSON. Its `hash` is the SHA-256 (FIPS 180-4) of the
//! line's own bytes up to, and without, `,"hash":`, in lower-case hexadecimal;
//! as these bytes hold `prev`, the hash of the record before, every record
//! vouches for all before it. Where lines are kept is the ledger's affair.

use std::{borrow::Cow, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};

use crate::snapshot::SNAPSHOT;

/// The version of the record format that this program writes.
pub const FORMAT: u32 = 2;

/// The kind of the record that begins each segment; it belongs to the ledger
/// itself and no view folds over it.
pub const SEGMENT_OPENED: &str = "segment_opened";

/// The kind of the ledger's own record that names gaps which a repair left.
pub const GAP_RECORDED: &str = "gap_recorded";

/// The kind of the ledger's own record that names the segments which
/// retention dropped.
pub const SEGMENTS_DROPPED: &str = "segments_dropped";

/// The longest line that is read, in bytes: a relayed message of 64 KiB whose
/// every byte JSON had to escape sixfold, and room for the rest.
pub const MAX_LINE_BYTES: usize = 512 * 1024;

/// A chain of records of its own, with its own retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// The board: who was on which connection; kept for good.
    Audit,
    /// Sign-ins, reads and settings.
    Access,
    /// Messages and the attempts to mail them.
    Relay,
    /// Hashes of passwords and sign-ins; never exported.
    Keys,
}

impl Stream {
    /// All streams, in the order in which they are opened.
    pub const ALL: [Stream; 4] = [Stream::Audit, Stream::Access, Stream::Relay, Stream::Keys];

    /// The stream's name as its folder bears it.
    pub fn name(self) -> &'static str {
        match self {
            Stream::Audit => "audit",
            Stream::Access => "access",
            Stream::Relay => "relay",
            Stream::Keys => "keys",
        }
    }
}

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Hash {
        Hash(Sha256::digest(bytes).into())
    }

    /// What the first record of a stream names as the hash before it: the
    /// digest of `vpn-sessions ledger ` and the stream's name.
    pub fn genesis(stream: Stream) -> Hash {
        Hash::of(format!("vpn-sessions ledger {}", stream.name()).as_bytes())
    }

    /// A digest that was made before.
    pub fn of_bytes(bytes: [u8; 32]) -> Hash {
        Hash(bytes)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 64 lower-case hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Hash> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
        }
        Some(Hash(bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The place where a chain ends: what the next record follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last record; 0 before the first.
    pub seq: u64,
    /// Hash of the last record.
    pub hash: Hash,
}

impl Head {
    /// The head of a stream without records.
    pub fn genesis(stream: Stream) -> Head {
        Head { seq: 0, hash: Hash::genesis(stream) }
    }
}

/// What is to be recorded, before it has its place in the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// When it happened.
    pub at: Timestamp,
    /// What kind of fact it is, `checked` for example.
    pub kind: String,
    /// The fact itself, a JSON object.
    pub body: Value,
}

impl Draft {
    /// A draft of a fact, which serializes as `{"kind": …, "body": …}`.
    ///
    /// # Panics
    /// Never for the facts of this crate, whose serialization cannot fail.
    pub fn of(at: Timestamp, fact: &impl Serialize) -> Draft {
        let tagged = serde_json::to_value(fact).expect("facts are plain values with string keys");
        let parts: Tagged = serde_json::from_value(tagged).expect("facts are tagged with kind and body");
        Draft { at, kind: parts.kind, body: parts.body }
    }

    /// Gives the draft its place behind `head`: the record, and its line
    /// without line end.
    pub fn seal(self, head: Head) -> (Record, String) {
        let Draft { at, kind, body } = self;
        let (Head { seq, hash }, line) = seal_raw(at, &kind, &body.to_string(), head);
        (Record { seq, at, kind, body, prev: head.hash, hash }, line)
    }
}

/// Gives a body of JSON its place behind `head`: the head that it makes, and
/// its line without line end.
pub fn seal_raw(at: Timestamp, kind: &str, body: &str, head: Head) -> (Head, String) {
    let seq = head.seq + 1;
    let kind = Value::from(kind);
    let open = format!(r#"{{"seq":{seq},"at":"{at}","kind":{kind},"body":{body},"prev":"{}""#, head.hash);
    let hash = Hash::of(open.as_bytes());
    let line = format!(r#"{open},"hash":"{hash}"}}"#);
    (Head { seq, hash }, line)
}

/// A fact at its place in the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Place in the stream, from 1, without gaps.
    pub seq: u64,
    /// When it happened; later records may bear earlier times.
    pub at: Timestamp,
    /// What kind of fact it is.
    pub kind: String,
    /// The fact itself.
    pub body: Value,
    /// Hash of the record before.
    pub prev: Hash,
    /// Hash of this record.
    pub hash: Hash,
}

impl Record {
    /// Reads a line, without line end, and proves its hash. That it follows
    /// the record before is [`Record::follows`].
    ///
    /// # Errors
    /// [`LineError`] says what is wrong with the line.
    pub fn parse(line: &str) -> Result<Record, LineError> {
        Link::parse(line)?.into_record()
    }

    /// Whether this record stands directly behind `head`.
    pub fn follows(&self, head: Head) -> bool {
        self.seq == head.seq + 1 && self.prev == head.hash
    }

    /// Whether it belongs to the ledger itself, so that no view folds over it.
    pub fn is_of_the_ledger(&self) -> bool {
        matches!(self.kind.as_str(), SEGMENT_OPENED | SNAPSHOT | GAP_RECORDED | SEGMENTS_DROPPED)
    }

    /// The head of a chain that this record follows.
    pub fn head_before(&self) -> Head {
        Head { seq: self.seq.saturating_sub(1), hash: self.prev }
    }

    /// What was recorded, without its place in the chain.
    pub fn into_draft(self) -> Draft {
        Draft { at: self.at, kind: self.kind, body: self.body }
    }

    /// The head of a chain that ends with this record.
    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash }
    }

    /// The fact as one of a stream's own kinds.
    ///
    /// # Errors
    /// [`LineError::NotARecord`] if the kind or the body is not one of them.
    pub fn fact<F: DeserializeOwned>(&self) -> Result<F, LineError> {
        let tagged = serde_json::json!({ "kind": self.kind, "body": self.body });
        serde_json::from_value(tagged).map_err(|error| LineError::NotARecord(error.to_string()))
    }
}

/// A line that bears the hash of its content, and whose body is not read yet.
#[derive(Clone, Debug)]
pub struct Link<'a> {
    /// Place in the stream.
    pub seq: u64,
    /// What kind of fact it is.
    pub kind: Cow<'a, str>,
    at: Timestamp,
    body: &'a RawValue,
    prev: Hash,
    hash: Hash,
}

impl<'a> Link<'a> {
    /// Reads a line as [`Record::parse`] does, but for its body.
    ///
    /// # Errors
    /// [`LineError`] says what is wrong with the line.
    pub fn parse(line: &'a str) -> Result<Link<'a>, LineError> {
        if line.len() > MAX_LINE_BYTES {
            return Err(LineError::TooLong);
        }
        let raw: RawRecord<'_> =
            serde_json::from_str(line).map_err(|error| LineError::NotARecord(error.to_string()))?;
        let (Some(prev), Some(hash)) = (Hash::from_hex(&raw.prev), Hash::from_hex(&raw.hash)) else {
            return Err(LineError::NotARecord("a hash is not 64 hexadecimal digits".into()));
        };
        let close = format!(r#","hash":"{hash}"}}"#);
        let open = line.strip_suffix(&close).ok_or(LineError::HashDiffers)?;
        if Hash::of(open.as_bytes()) != hash {
            return Err(LineError::HashDiffers);
        }
        Ok(Link { seq: raw.seq, at: raw.at, kind: raw.kind, body: raw.body, prev, hash })
    }

    /// The whole record.
    ///
    /// # Errors
    /// [`LineError::NotARecord`] where the body cannot be read.
    pub fn into_record(self) -> Result<Record, LineError> {
        let body = serde_json::from_str(self.body.get()).map_err(|error| LineError::NotARecord(error.to_string()))?;
        let Link { seq, at, kind, prev, hash, .. } = self;
        Ok(Record { seq, at, kind: kind.into_owned(), body, prev, hash })
    }

    /// Whether this record stands directly behind `head`.
    pub fn follows(&self, head: Head) -> bool {
        self.seq == head.seq + 1 && self.prev == head.hash
    }

    /// The head of a chain that ends with this record.
    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash }
    }
}

/// Why a line is not a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Not JSON, or not of the shape of a record.
    #[error("not a record: {0}")]
    NotARecord(String),
    /// The line's bytes do not have the hash that it bears: it was changed.
    #[error("its hash is not the hash of its content: the line was changed")]
    HashDiffers,
    /// Longer than [`MAX_LINE_BYTES`].
    #[error("longer than any record is")]
    TooLong,
}

#[derive(Deserialize)]
struct Tagged {
    kind: String,
    body: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRecord<'a> {
    seq: u64,
    at: Timestamp,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    body: &'a RawValue,
    #[serde(borrow)]
    prev: Cow<'a, str>,
    #[serde(borrow)]
    hash: Cow<'a, str>,
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn draft() -> Draft {
        let at = "2026-11-24T09:12:00.125Z".parse().unwrap();
        Draft { at, kind: "checked".into(), body: json!({ "note": "a \",\"hash\":\" in a note" }) }
    }

    #[test]
    fn a_sealed_line_reads_back_as_the_record() {
        let (record, line) = draft().seal(Head::genesis(Stream::Audit));
        assert_eq!(Record::parse(&line), Ok(record.clone()));
        assert!(record.follows(Head::genesis(Stream::Audit)));
        assert!(!record.follows(Head::genesis(Stream::Relay)));
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let (record, line) = draft().seal(Head::genesis(Stream::Audit));
        for at in 0..line.len() {
            let mut bytes = line.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert_ne!(Record::parse(&changed), Ok(record.clone()), "byte {at}");
                assert!(Record::parse(&changed).is_err(), "byte {at}: {changed}");
            }
        }
    }

    #[test]
    fn the_format_of_a_line_stays() {
        let (_, line) = draft().seal(Head::genesis(Stream::Audit));
        insta::assert_snapshot!(line);
    }
}
