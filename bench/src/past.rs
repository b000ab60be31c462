//! A past that never was: sessions of a team over a year, as the ledger keeps them.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

use anyhow::Result;
use domain::{
    board::BoardFact,
    connection::ConnectionId,
    names::{Note, UserName},
    record::{Draft, Head, SEGMENT_OPENED, Stream},
    session::{EndedBy, EndedSession, Session, SessionId, Source},
    week::Week,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::json;

/// The first moment of it.
pub const BEGINS: &str = "2025-01-01T00:00:00Z";

/// How long it is, in seconds: a year.
pub const LASTS_SECONDS: u64 = 365 * 24 * 3_600;

/// A segment is followed by another beyond so many bytes, as the ledger does.
const SEGMENT_BYTES: usize = 64 * 1024 * 1024;

const PEOPLE: u64 = 40;
const CONNECTIONS: u64 = 300;

/// A stream that is written.
struct Writing {
    head: Head,
    segment: u32,
    file: BufWriter<File>,
    bytes: usize,
}

/// Writes a data directory in which so many sessions have ended.
pub fn write(folder: &Path, sessions: u64) -> Result<()> {
    let stream = folder.join("ledger").join("audit");
    fs::create_dir_all(&stream)?;
    let begins: Timestamp = BEGINS.parse()?;
    let mut writing = Writing::begin(&stream, 1, Head::genesis(Stream::Audit), begins)?;
    for number in 0..sessions {
        let at = begins + SignedDuration::from_secs((LASTS_SECONDS * number / sessions) as i64);
        let ended = session(number, at)?;
        writing.add(at, &BoardFact::Checked(ended.session.clone()))?;
        writing.add(ended.ended_at, &BoardFact::Unchecked(ended))?;
        if writing.bytes > SEGMENT_BYTES {
            writing.file.flush()?;
            writing = Writing::begin(&stream, writing.segment + 1, writing.head, at)?;
        }
    }
    Ok(writing.file.flush()?)
}

impl Writing {
    fn begin(folder: &Path, segment: u32, head: Head, at: Timestamp) -> Result<Writing> {
        let file = BufWriter::new(File::create_new(folder.join(format!("{segment:06}.jsonl")))?);
        let mut writing = Writing { head, segment, file, bytes: 0 };
        let body = json!({ "format": 1, "stream": "audit", "segment": segment, "epoch": "bench" });
        writing.seal(Draft { at, kind: SEGMENT_OPENED.into(), body })?;
        Ok(writing)
    }

    fn add(&mut self, at: Timestamp, fact: &BoardFact) -> Result<()> {
        self.seal(Draft::of(at, fact))
    }

    fn seal(&mut self, draft: Draft) -> Result<()> {
        let (record, line) = draft.seal(self.head);
        self.head = record.head();
        self.bytes += line.len() + 1;
        Ok(writeln!(self.file, "{line}")?)
    }
}

fn session(number: u64, since: Timestamp) -> Result<EndedSession> {
    // Multiplying by odd numbers mixes well enough, and is the same each time.
    let user = UserName::parse(&format!("user {}", number * 7 % PEOPLE))?;
    let connection = number * 31 % CONNECTIONS;
    let ended_at = since + SignedDuration::from_secs((60 + number * 97 % 7_200) as i64);
    let session = Session {
        id: SessionId::of_bits(u128::from(number).to_be_bytes()),
        connection: ConnectionId::parse(&format!("main {};sub {connection}", connection % 30))?,
        user: user.clone(),
        since,
        note: Note::parse("ticket 4711")?,
        source: Source::Page,
    };
    let week = Week::of(ended_at, &TimeZone::UTC);
    Ok(EndedSession { session, ended_at, ended_by: EndedBy::Holder(user), week, timezone: "UTC".into() })
}
