//! How a report's file differs from what the ledger says of its week.

use std::collections::{BTreeMap, BTreeSet};

use super::{COLUMNS, is_torn, opening, read_rows, row, session_of};
use crate::{
    record::Hash,
    session::{EndedSession, SessionId},
};

/// A row as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// The number of the record that it is made of.
    pub seq: u64,
    /// Its bytes, with its line end.
    pub bytes: Box<[u8]>,
}

/// Sessions that were taken over from reports, each with the hash of its line
/// there: they need no row, and may have one.
pub type ImportedRows = BTreeMap<SessionId, Hash>;

/// One difference; lines count from 1, the header being the first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// The file does not begin as reports do.
    #[error("line 1: the header is not the one that reports begin with")]
    Header,
    /// A row is not as it was written.
    #[error("line {line}: the row of the session {session} was changed ({what})")]
    Changed {
        /// Where.
        line: usize,
        /// Whose row.
        session: SessionId,
        /// Which cells.
        what: String,
    },
    /// Somebody put cells of their own behind a row that is as it was written.
    #[error("line {line}: cells that are not the server's stand behind the row of the session {session}")]
    Extended {
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
    /// A row is of no session of this week.
    #[error("line {line}: the ledger knows no such session in this week")]
    Unknown {
        /// Where.
        line: usize,
    },
    /// A line names no session at all: a remark of somebody.
    #[error("line {line}: not the server's: the line names no session")]
    Foreign {
        /// Where.
        line: usize,
    },
    /// NUL bytes stand where rows were written.
    #[error("line {line}: torn by a loss of power, with NUL bytes in it; a running server mends it")]
    Torn {
        /// Where.
        line: usize,
    },
    /// A session has no row.
    #[error("line {line}: the row of the session {session}, which belongs there, is missing")]
    Missing {
        /// Where it would stand.
        line: usize,
        /// Whose row.
        session: SessionId,
    },
}

impl LedgerRow {
    /// The row of a session whose end is that record.
    pub fn of(seq: u64, ended: &EndedSession) -> LedgerRow {
        LedgerRow { seq, bytes: row(ended).into() }
    }

    fn id(&self) -> &[u8] {
        session_of(&self.bytes).unwrap_or_default()
    }
}

impl Difference {
    /// The line that it is about.
    pub fn line(&self) -> usize {
        match self {
            Difference::Header => 1,
            Difference::Changed { line, .. }
            | Difference::Extended { line, .. }
            | Difference::Moved { line, .. }
            | Difference::Twice { line, .. }
            | Difference::Unknown { line }
            | Difference::Foreign { line }
            | Difference::Torn { line }
            | Difference::Missing { line, .. } => *line,
        }
    }
}

/// All differences between a file and the rows of its week, which come in the
/// order of the ledger: by line, and then what is missing.
pub fn differences(content: &[u8], rows: &[LedgerRow], imported: &ImportedRows) -> Vec<Difference> {
    let mut found = Vec::new();
    if !content.starts_with(&opening()) {
        found.push(Difference::Header);
    }
    let mut rest: BTreeMap<&[u8], (usize, &LedgerRow)> =
        rows.iter().enumerate().map(|(place, row)| (row.id(), (place, row))).collect();
    let mut seen: BTreeSet<&[u8]> = BTreeSet::new();
    let mut last_place = None;
    for (line, bytes) in (1..).zip(content.split_inclusive(|&byte| byte == b'\n')) {
        if is_torn(bytes) {
            found.push(Difference::Torn { line });
            continue;
        }
        if line == 1 {
            continue;
        }
        let Some(id) = session_of(bytes) else {
            found.push(Difference::Foreign { line });
            continue;
        };
        let Some((place, row)) = rest.remove(id) else {
            found.extend(of_no_row(line, bytes, &seen, imported));
            seen.extend(imported.contains_key(&named(id)).then_some(id));
            continue;
        };
        seen.insert(id);
        if *row.bytes != *bytes {
            found.push(changed(line, id, &row.bytes, bytes));
        } else if last_place > Some(place) {
            found.push(Difference::Moved { line, session: named(id) });
        }
        last_place = last_place.max(Some(place));
    }
    let mut missing: Vec<(usize, &LedgerRow)> = rest.into_values().collect();
    missing.sort_by_key(|(place, _)| *place);
    found.extend(
        missing.into_iter().map(|(place, row)| Difference::Missing { line: place + 2, session: named(row.id()) }),
    );
    found
}

/// A line whose session has no row in this week, or none any more.
fn of_no_row(line: usize, bytes: &[u8], seen: &BTreeSet<&[u8]>, imported: &ImportedRows) -> Option<Difference> {
    let id = session_of(bytes)?;
    let session = named(id);
    match imported.get(&session) {
        Some(_) | None if seen.contains(id) => Some(Difference::Twice { line, session }),
        Some(hash) if *hash == Hash::of(bytes) => None,
        Some(_) => Some(Difference::Changed { line, session, what: "since it was imported".into() }),
        None => Some(Difference::Unknown { line }),
    }
}

fn changed(line: usize, id: &[u8], written: &[u8], there: &[u8]) -> Difference {
    let cells = |row: &[u8]| read_rows(row).into_iter().next().unwrap_or_default();
    let (ours, theirs) = (cells(written), cells(there));
    if theirs.len() > ours.len() && theirs.starts_with(&ours) {
        return Difference::Extended { line, session: named(id) };
    }
    let columns: Vec<&str> = COLUMNS
        .into_iter()
        .zip(ours.iter().map(Some).zip(theirs.iter().map(Some).chain(std::iter::repeat(None))))
        .filter_map(|(column, (ours, theirs))| (ours != theirs).then_some(column))
        .collect();
    let what = if columns.is_empty() { "how it is written".to_owned() } else { columns.join(", ") };
    Difference::Changed { line, session: named(id), what }
}

fn named(id: &[u8]) -> SessionId {
    SessionId::named(&String::from_utf8_lossy(id))
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

    fn rows(sessions: &[EndedSession]) -> Vec<LedgerRow> {
        (1..).zip(sessions).map(|(seq, ended)| LedgerRow::of(seq, ended)).collect()
    }

    fn told(content: &[u8], sessions: &[EndedSession]) -> Vec<String> {
        let found = differences(content, &rows(sessions), &ImportedRows::new());
        found.iter().map(|found| found.to_string()).collect()
    }

    #[test]
    fn a_file_as_it_was_written_differs_in_nothing() {
        let sessions: Vec<_> = (1..=5).map(session).collect();
        assert_eq!(differences(&file(&sessions), &rows(&sessions), &ImportedRows::new()), []);
        assert_eq!(differences(&file(&[]), &[], &ImportedRows::new()), []);
    }

    #[test]
    fn a_row_that_was_imported_is_known_once_and_as_it_was() {
        let ours = [session(1)];
        let imported = ImportedRows::from([(session(9).session.id, Hash::of(&row(&session(9))))]);
        let told = |content: &[u8]| {
            let found = differences(content, &rows(&ours), &imported);
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(told(&file(&[session(9), session(1)])), Vec::<String>::new());
        assert_eq!(told(&file(&[session(1)])), Vec::<String>::new(), "it need not be there");
        let twice = told(&file(&[session(9), session(1), session(9)]));
        assert!(twice.len() == 1 && twice[0].ends_with("is there twice"), "{twice:?}");
        let edited = String::from_utf8(file(&[session(9), session(1)])).unwrap().replacen("alice", "mallory", 1);
        let changed = told(edited.as_bytes());
        assert!(changed.len() == 1 && changed[0].contains("was changed (since it was imported)"), "{changed:?}");
    }

    #[test]
    fn what_is_torn_is_named_and_what_it_held_is_missing() {
        let sessions: Vec<_> = (1..=3).map(session).collect();
        let mut content = file(&sessions);
        let (from, to) = (file(&sessions[..1]).len() - 40, file(&sessions[..2]).len() - 9);
        content[from..to].fill(0);
        let told = told(&content, &sessions);
        assert!(told[0].starts_with("line 2: torn by a loss of power"), "{told:?}");
        assert!(told.len() == 3 && told[1..].iter().all(|told| told.ends_with("is missing")), "{told:?}");
    }

    #[test]
    fn each_kind_of_change_is_named_with_its_line() {
        let sessions: Vec<_> = (1..=3).map(session).collect();
        let [one, two, three] = [1, 2, 3].map(session);
        let id = |number: u8| SessionId::of_bits([number; 16]).to_string();
        let edited = String::from_utf8(file(&sessions))
            .unwrap()
            .replacen("alice", "mallory", 1)
            .replacen("0,alice,", "0,mallory,", 1)
            .into_bytes();
        for (content, expected) in [
            (edited, vec![format!("line 2: the row of the session {} was changed (user, ended_by)", id(1))]),
            (
                file(&[one.clone(), three.clone()]),
                vec![format!("line 3: the row of the session {}, which belongs there, is missing", id(2))],
            ),
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
                vec!["line 5: not the server's: the line names no session".into()],
            ),
            (
                [file(&sessions[..2]), row(&three).strip_suffix(b"\r\n").unwrap().to_vec(), b",seen\r\n".to_vec()]
                    .concat(),
                vec![format!("line 4: cells that are not the server's stand behind the row of the session {}", id(3))],
            ),
        ] {
            assert_eq!(told(&content, &sessions), expected);
        }
        let headless = file(&sessions)[3..].to_vec();
        assert_eq!(differences(&headless, &rows(&sessions), &ImportedRows::new()), [Difference::Header]);
        assert_eq!(differences(b"", &rows(&sessions), &ImportedRows::new()).len(), 4, "all is missing, the header too");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_changed_byte_is_found(at in 0usize..700, bit in 0u8..8) {
            let sessions: Vec<_> = (1..=3).map(session).collect();
            let mut content = file(&sessions);
            let at = at % content.len();
            content[at] ^= 1 << bit;
            prop_assert!(!differences(&content, &rows(&sessions), &ImportedRows::new()).is_empty(), "byte {}", at);
        }

        #[test]
        fn every_cut_is_found(at in 0usize..700) {
            let sessions: Vec<_> = (1..=3).map(session).collect();
            let content = file(&sessions);
            let at = at % content.len();
            prop_assert!(!differences(&content[..at], &rows(&sessions), &ImportedRows::new()).is_empty(), "cut at {}", at);
        }
    }
}
