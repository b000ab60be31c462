//! The checkpoint of the whole ledger, one file on the share.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{Earlier, opening, parse_opening};
use crate::record::{Hash, Head, Stream};

/// The file's name on the share.
pub const LEDGER_CHECKPOINT: &str = "ledger.checkpoint";

/// How far the ledger was, whatever the reports hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerCheckpoint {
    /// The last record of the stream `audit`.
    pub head: Head,
    /// The last records of other streams that only grow.
    pub others: Vec<(Stream, Head)>,
    /// The report of the latest week.
    pub latest: Option<Earlier>,
}

impl LedgerCheckpoint {
    pub(super) fn text(&self) -> String {
        let mut text = opening(self.head);
        for (stream, head) in &self.others {
            text += &format!("stream {} {} {}\n", stream.name(), head.seq, BASE64_STANDARD.encode(head.hash.bytes()));
        }
        if let Some(latest) = self.latest {
            text += &latest.line("latest");
        }
        text
    }

    pub(super) fn parse(text: &str) -> Option<LedgerCheckpoint> {
        let mut lines = text.lines().peekable();
        let head = parse_opening(&mut lines)?;
        let mut others = Vec::new();
        while let Some(line) = lines.next_if(|line| line.starts_with("stream ")) {
            others.push(stream_head(line)?);
        }
        let latest = match lines.next() {
            Some(line) => Some(Earlier::parse(line, "latest")?),
            None => None,
        };
        let checkpoint = LedgerCheckpoint { head, others, latest };
        (checkpoint.text() == text).then_some(checkpoint)
    }
}

fn stream_head(line: &str) -> Option<(Stream, Head)> {
    let mut words = line.split(' ').skip(1);
    let name = words.next()?;
    let stream = Stream::ALL.into_iter().find(|stream| stream.name() == name)?;
    let seq = words.next()?.parse().ok()?;
    let hash = Hash::of_bytes(BASE64_STANDARD.decode(words.next()?).ok()?.try_into().ok()?);
    Some((stream, Head { seq, hash }))
}
