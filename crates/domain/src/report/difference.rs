//! How a report's file differs from what the ledger says of its week.

use std::collections::BTreeMap;

use super::{opening, row, session_of};
use crate::session::{EndedSession, SessionId};

/// One difference; lines count from 1, the header being the first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// The file does not begin as reports do.
    #[error("line 1: the header is not the one that reports begin with")]
    Header,
    /// A row is not as it was written.
    #[error("line {line}: the row of the session {session} was changed")]
    Changed {
        /// Where.
        line: usize,
        /// Whose row.
        session: SessionId,
    },
    /// A row stands behind one that was written after it.
    #[error("line {line}: the row of the session {session} was moved, or removed and written anew")]
    Moved {
        /// Where.
        line: usize,
        /// Whose row.
        session: SessionId,
    },
    /// A row is there again.
    #[error("line {line}: the row of the session {session} is there twice")]
    Twice {
        /// Where.
        line: usize,
        /// Whose row.
        session: SessionId,
    },
    /// A line is no session of this week.
    #[error("line {line}: the ledger knows no such session in this week")]
    Unknown {
        /// Where.
        line: usize,
    },
    /// A session has no row.
    #[error("the row of the session {session} is missing")]
    Missing {
        /// Whose row.
        session: SessionId,
    },
}

/// All differences between a file and the sessions of its week, which come in
/// the order of the ledger: by line, and then what is missing.
pub fn differences(content: &[u8], sessions: &[EndedSession]) -> Vec<Difference> {
    let mut found = Vec::new();
    let opening = opening();
    if !content.starts_with(&opening) {
        found.push(Difference::Header);
    }
    let mut rest: BTreeMap<&[u8], (usize, &EndedSession)> = sessions
        .iter()
        .enumerate()
        .map(|(place, ended)| (ended.session.id.as_str().as_bytes(), (place, ended)))
        .collect();
    let mut last_place = None;
    for (line, bytes) in (1..).zip(content.split_inclusive(|&byte| byte == b'\n')).skip(1) {
        let known = session_of(bytes).and_then(|id| rest.remove(id));
        let Some((place, ended)) = known else {
            found.push(stranger(line, bytes, sessions));
            continue;
        };
        let session = ended.session.id.clone();
        if row(ended) != bytes {
            found.push(Difference::Changed { line, session });
        } else if last_place > Some(place) {
            found.push(Difference::Moved { line, session });
        }
        last_place = last_place.max(Some(place));
    }
    let mut missing: Vec<(usize, &EndedSession)> = rest.into_values().collect();
    missing.sort_by_key(|(place, _)| *place);
    found.extend(missing.into_iter().map(|(_, ended)| Difference::Missing { session: ended.session.id.clone() }));
    found
}

/// A line whose session was there already, or is none of this week.
fn stranger(line: usize, bytes: &[u8], sessions: &[EndedSession]) -> Difference {
    let id = session_of(bytes).unwrap_or_default();
    match sessions.iter().find(|ended| ended.session.id.as_str().as_bytes() == id) {
        Some(ended) => Difference::Twice { line, session: ended.session.id.clone() },
        None => Difference::Unknown { line },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        connection::ConnectionId,
        names::{Note, UserName},
        session::{EndedBy, Session, Source},
        week::Week,
    };

    fn session(number: u8) -> EndedSession {
        let user = UserName::parse("alice").unwrap();
        EndedSession {
            session: Session {
                id: SessionId::of_bits([number; 16]),
                connection: ConnectionId::parse("vpn main 1;vpn sub 1").unwrap(),
                user: user.clone(),
                since: "2026-11-24T09:00:00Z".parse().unwrap(),
                note: Note::parse("a, \"note\"").unwrap(),
                source: Source::Page,
            },
            ended_at: "2026-11-24T10:00:00Z".parse().unwrap(),
            ended_by: EndedBy::Holder(user),
            week: Week::parse("2026-W48").unwrap(),
            timezone: "UTC".into(),
        }
    }

    fn file(sessions: &[EndedSession]) -> Vec<u8> {
        opening().into_iter().chain(sessions.iter().flat_map(row)).collect()
    }

    fn told(content: &[u8], sessions: &[EndedSession]) -> Vec<String> {
        differences(content, sessions).iter().map(|found| found.to_string().replace(&"0".repeat(30), "")).collect()
    }

    #[test]
    fn a_file_as_it_was_written_differs_in_nothing() {
        let sessions: Vec<_> = (1..=5).map(session).collect();
        assert_eq!(differences(&file(&sessions), &sessions), []);
        assert_eq!(differences(&file(&[]), &[]), []);
    }

    #[test]
    fn each_kind_of_change_is_named_with_its_line() {
        let sessions: Vec<_> = (1..=3).map(session).collect();
        let [one, two, three] = [1, 2, 3].map(session);
        let id = |number: u8| SessionId::of_bits([number; 16]).to_string();
        let edited = String::from_utf8(file(&sessions)).unwrap().replacen("alice", "mallory", 1).into_bytes();
        for (content, expected) in [
            (edited, vec![format!("line 2: the row of the session {} was changed", id(1))]),
            (file(&[one.clone(), three.clone()]), vec![format!("the row of the session {} is missing", id(2))]),
            (
                file(&[one.clone(), three.clone(), two.clone()]),
                vec![format!("line 4: the row of the session {} was moved, or removed and written anew", id(2))],
            ),
            (
                file(&[one.clone(), two.clone(), two.clone(), three.clone()]),
                vec![format!("line 4: the row of the session {} is there twice", id(2))],
            ),
            (
                file(&[one.clone(), two.clone(), three.clone(), session(9)]),
                vec!["line 5: the ledger knows no such session in this week".into()],
            ),
            (
                [file(&sessions), b"a remark\r\n".to_vec()].concat(),
                vec!["line 5: the ledger knows no such session in this week".into()],
            ),
        ] {
            assert_eq!(told(&content, &sessions), expected);
        }
        let headless = file(&sessions)[3..].to_vec();
        assert_eq!(differences(&headless, &sessions), [Difference::Header]);
        assert_eq!(differences(b"", &sessions).len(), 4, "all is missing, the header too");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_changed_byte_is_found(at in 0usize..700, bit in 0u8..8) {
            let sessions: Vec<_> = (1..=3).map(session).collect();
            let mut content = file(&sessions);
            let at = at % content.len();
            content[at] ^= 1 << bit;
            prop_assert!(!differences(&content, &sessions).is_empty(), "byte {}", at);
        }

        #[test]
        fn every_cut_is_found(at in 0usize..700) {
            let sessions: Vec<_> = (1..=3).map(session).collect();
            let content = file(&sessions);
            let at = at % content.len();
            prop_assert!(!differences(&content[..at], &sessions).is_empty(), "cut at {}", at);
        }
    }
}
