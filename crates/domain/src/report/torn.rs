//! What a loss of power leaves of a report: NUL bytes where a page never
//! reached the disk. They are nobody's content, and rows of ours stood there.

use std::{borrow::Cow, collections::BTreeMap};

use super::{opening, row, session_of};
use crate::session::EndedSession;

/// So many NUL bytes in a row are no text: UTF-16, which some programs append,
/// has at most two.
const TORN_BYTES: usize = 3;

/// Whether a line, or a whole report, holds bytes that never reached the disk.
pub fn is_torn(content: &[u8]) -> bool {
    content.windows(TORN_BYTES).any(|bytes| bytes.iter().all(|&byte| byte == 0))
}

/// A torn report made whole, `None` if it is not torn: without what is torn of
/// ours, and with each session that it lacks behind the one before. What others
/// wrote stays.
pub fn mended(content: &[u8], sessions: &[EndedSession]) -> Option<Vec<u8>> {
    if !is_torn(content) {
        return None;
    }
    let rows: Vec<Vec<u8>> = sessions.iter().map(row).collect();
    let places: BTreeMap<&[u8], usize> =
        sessions.iter().enumerate().map(|(place, ended)| (ended.session.id.as_str().as_bytes(), place)).collect();
    let kept = kept_lines(content, &rows);
    let place_of = |line: &[u8]| session_of(line).and_then(|id| places.get(id)).copied();
    let mut lacking = vec![true; rows.len()];
    kept.iter().filter_map(|line| place_of(line)).for_each(|place| lacking[place] = false);
    let mut whole = Vec::with_capacity(content.len());
    for (at, line) in kept.iter().enumerate() {
        add_line(&mut whole, line);
        let behind = if at == 0 { Some(0) } else { place_of(line).map(|place| place + 1) };
        if let Some(from) = behind {
            add_lacking(&mut whole, &rows, &mut lacking, from);
        }
    }
    Some(whole)
}

/// The lines that stay, the header before all.
fn kept_lines<'a>(content: &'a [u8], rows: &[Vec<u8>]) -> Vec<Cow<'a, [u8]>> {
    let mut kept = Vec::new();
    for (at, line) in content.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let is_unended = at > 0 && !line.ends_with(b"\n") && rows.iter().any(|row| row.starts_with(line));
        if is_torn(line) {
            if at == 0 {
                kept.push(opening().into());
            }
            kept.extend(of_others(line, rows).into_iter().map(Into::into));
        } else if !is_unended {
            kept.push(line.into());
        }
    }
    kept
}

/// The parts of a torn line that are of no row and no opening of ours.
fn of_others<'a>(line: &'a [u8], rows: &[Vec<u8>]) -> Vec<&'a [u8]> {
    let opening = opening();
    let ours = || rows.iter().map(Vec::as_slice).chain([opening.as_slice(), b"\r\n"]);
    let parts: Vec<&[u8]> = parts(line);
    let last = parts.len() - 1;
    let is_ours = |(at, part): (usize, &[u8])| match at {
        0 => ours().any(|row| row.starts_with(part)),
        at if at == last => ours().any(|row| row.ends_with(part)),
        _ => ours().any(|row| row.windows(part.len().max(1)).any(|bytes| bytes == part)),
    };
    let all = parts.iter().copied().enumerate();
    all.filter(|(at, part)| !part.is_empty() && !is_ours((*at, part))).map(|(_, part)| part).collect()
}

/// What stands before, between and behind the runs of NUL bytes of a line.
fn parts(line: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.windows(TORN_BYTES).position(is_torn) {
        parts.push(&rest[..at]);
        let nuls = rest[at..].iter().take_while(|&&byte| byte == 0).count();
        rest = &rest[at + nuls..];
    }
    parts.push(rest);
    parts
}

/// Adds the row of that place and those behind it, as far as they are lacking.
fn add_lacking(whole: &mut Vec<u8>, rows: &[Vec<u8>], lacking: &mut [bool], from: usize) {
    for (row, lacks) in rows.iter().zip(lacking).skip(from).take_while(|(_, lacks)| **lacks) {
        add_line(whole, row);
        *lacks = false;
    }
}

fn add_line(whole: &mut Vec<u8>, line: &[u8]) {
    if !whole.is_empty() && !whole.ends_with(b"\n") {
        whole.extend_from_slice(b"\r\n");
    }
    whole.extend_from_slice(line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        connection::ConnectionId,
        names::{Note, UserName},
        session::{EndedBy, Session, SessionId, Source},
        week::Week,
    };

    fn sessions(count: u8) -> Vec<EndedSession> {
        (1..=count).map(session).collect()
    }

    fn session(number: u8) -> EndedSession {
        let user = UserName::parse("alice").unwrap();
        EndedSession {
            session: Session {
                id: SessionId::of_bits([number; 16]),
                connection: ConnectionId::parse("vpn main 1;vpn sub 1").unwrap(),
                user: user.clone(),
                since: "2026-11-24T09:00:00Z".parse().unwrap(),
                note: Note::parse(&format!("{number}, a \"note\"")).unwrap(),
                source: Source::Page,
            },
            ended_at: "2026-11-24T10:00:00Z".parse().unwrap(),
            ended_by: EndedBy::Holder(user),
            week: Week::parse("2026-W48").unwrap(),
            timezone: "UTC".into(),
        }
    }

    fn report(sessions: &[EndedSession]) -> Vec<u8> {
        opening().into_iter().chain(sessions.iter().flat_map(row)).collect()
    }

    #[test]
    fn nul_bytes_anywhere_become_the_rows_that_stood_there() {
        let sessions = sessions(4);
        let whole = report(&sessions);
        for from in 0..whole.len() {
            for length in [3, 60, 150, 400, whole.len()] {
                let to = whole.len().min(from + length);
                let mut torn = whole.clone();
                torn[from..to].fill(0);
                let is_short = to - from < TORN_BYTES;
                let expected = (!is_short).then(|| whole.clone());
                assert!(mended(&torn, &sessions) == expected, "{from} to {to}");
            }
        }
    }

    #[test]
    fn nul_bytes_behind_the_end_are_no_row() {
        let sessions = sessions(2);
        let whole = report(&sessions);
        for cut in 0..=whole.len() {
            let torn = [&whole[..cut], &[0; 500]].concat();
            assert!(mended(&torn, &sessions).as_ref() == Some(&whole), "cut at {cut}");
        }
    }

    /// What stands in a file, one behind the other.
    type Pieces<'a> = &'a [&'a [u8]];

    #[test]
    fn what_others_wrote_stays_beside_what_is_torn() {
        let sessions = sessions(3);
        let [opening, one, two, three] = [opening(), row(&sessions[0]), row(&sessions[1]), row(&sessions[2])];
        let [opening, one, two, three] = [&opening[..], &one, &two, &three];
        let (nul, remark, utf_16): (&[u8], &[u8], &[u8]) = (&[0; 70], b"a remark\r\n", b"s\0e\0e\0n\0\r\0\n\0");
        let cases: [(Pieces<'_>, Pieces<'_>); 4] = [
            (&[opening, b"a remark", nul], &[opening, one, two, three, b"a remark"]),
            (&[opening, one, remark, nul, &three[90..]], &[opening, one, two, three, remark]),
            (
                &[opening, one, utf_16, b"\r\n", &two[..9], nul, b"mine\r\n", three],
                &[opening, one, two, utf_16, b"\r\n", b"mine\r\n", three],
            ),
            (&[b"Line;User\r\n", three, nul, &one[20..], &two[..30]], &[b"Line;User\r\n", one, two, three]),
        ];
        for (torn, expected) in cases {
            let mended = mended(&torn.concat(), &sessions).unwrap();
            assert_eq!(String::from_utf8_lossy(&mended), String::from_utf8_lossy(&expected.concat()));
        }
        assert_eq!(mended(&[opening, utf_16].concat(), &sessions), None, "text of others is not torn");
    }
}
