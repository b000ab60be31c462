//! Where a page of sessions ends and the next one begins.
//!
//! Pages hold the running sessions first and then those that ended, each
//! latest first, as it was at the record with which the first page was made:
//! what ends meanwhile moves nothing.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;

use crate::session::SessionId;

/// The end of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// Behind a session that was running.
    Running {
        /// The record with which the first page was made.
        head: u64,
        /// When the page's last session began.
        since: Timestamp,
        /// Its id.
        id: SessionId,
    },
    /// Behind a session that had ended.
    Ended {
        /// The record that ended it.
        seq: u64,
    },
}

/// A text that no page gave as its cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no cursor; give the one that the page before came with, as it is, or none for the first page")]
pub struct NotACursor;

impl Cursor {
    /// Reads what [`Cursor`] shows as.
    ///
    /// # Errors
    /// [`NotACursor`].
    pub fn parse(text: &str) -> Result<Cursor, NotACursor> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| NotACursor)?;
        let plain = String::from_utf8(bytes).map_err(|_| NotACursor)?;
        let parts: Vec<&str> = plain.split(' ').collect();
        let number = |text: &str| text.parse::<u64>().map_err(|_| NotACursor);
        match parts.as_slice() {
            ["ended", seq] => Ok(Cursor::Ended { seq: number(seq)? }),
            ["running", head, since, id] => {
                let since = since.parse().map_err(|_| NotACursor)?;
                Ok(Cursor::Running { head: number(head)?, since, id: SessionId::named(id) })
            }
            _ => Err(NotACursor),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = match self {
            Cursor::Running { head, since, id } => format!("running {head} {since} {id}"),
            Cursor::Ended { seq } => format!("ended {seq}"),
        };
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        let since = "2026-11-24T09:12:00.125Z".parse().unwrap();
        for cursor in [Cursor::Ended { seq: 7 }, Cursor::Running { head: 9, since, id: SessionId::of_bits([3; 16]) }] {
            assert_eq!(Cursor::parse(&cursor.to_string()), Ok(cursor));
        }
        for text in ["", "7", "ended 7", "ZW5kZWQ", "ZW5kZWQgLTE", "\u{fc}"] {
            assert_eq!(Cursor::parse(text), Err(NotACursor), "{text}");
        }
    }
}
