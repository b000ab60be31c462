//! What a report's file lacks, seen from its bytes.

use std::collections::BTreeSet;

use domain::{report, session::EndedSession};

/// The bytes to append to a file so that it holds each session once. A torn
/// last row or opening of ours is completed; any other content stays and ends
/// its line first.
pub(super) fn missing(content: &[u8], sessions: &[EndedSession]) -> Vec<u8> {
    let opening = report::opening();
    if opening.starts_with(content) {
        let rows = sessions.iter().flat_map(report::row);
        return opening[content.len()..].iter().copied().chain(rows).collect();
    }
    let (whole, torn) = content.split_at(content.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1));
    let present: BTreeSet<&[u8]> = whole.split(|&byte| byte == b'\n').filter_map(report::session_of).collect();
    let lacking = sessions.iter().filter(|ended| !present.contains(ended.session.id.as_str().as_bytes()));
    let rows: Vec<Vec<u8>> = lacking.map(report::row).collect();
    if torn.is_empty() || rows.is_empty() {
        return rows.concat();
    }
    if let Some(at) = rows.iter().position(|row| row.starts_with(torn)) {
        let others = rows.iter().enumerate().filter(|(other, _)| *other != at).flat_map(|(_, row)| row);
        return rows[at][torn.len()..].iter().chain(others).copied().collect();
    }
    let rows = rows
        .iter()
        .filter(|row| report::session_of(torn).is_none() || report::session_of(row) != report::session_of(torn));
    [b"\r\n".as_slice(), &rows.flatten().copied().collect::<Vec<_>>()].concat()
}

#[cfg(test)]
mod tests {
    use domain::{
        connection::ConnectionId,
        names::{Note, UserName},
        session::{EndedBy, Session, SessionId, Source},
        week::Week,
    };

    use super::*;

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

    fn whole(sessions: &[EndedSession]) -> Vec<u8> {
        report::opening().into_iter().chain(sessions.iter().flat_map(report::row)).collect()
    }

    #[test]
    fn a_file_cut_anywhere_becomes_whole_again() {
        let sessions = [session(1), session(2), session(3)];
        let whole = whole(&sessions);
        for cut in 0..=whole.len() {
            let mended = [&whole[..cut], &missing(&whole[..cut], &sessions)].concat();
            assert_eq!(mended, whole, "cut at {cut}");
        }
    }

    #[test]
    fn what_others_wrote_stays_and_gets_the_rows_behind_it() {
        let sessions = [session(1), session(2)];
        for foreign in ["Verbindung;Benutzer\r\na;b\r\n", "main,sub\r\na,b"] {
            let appended = missing(foreign.as_bytes(), &sessions);
            let both = String::from_utf8([foreign.as_bytes(), &appended].concat()).unwrap();
            assert!(both.starts_with(foreign));
            assert_eq!(both.lines().count(), 4, "{both}");
            assert!(missing(both.as_bytes(), &sessions).is_empty(), "a second look adds nothing");
        }
    }

    #[test]
    fn a_row_that_somebody_removed_or_moved_comes_once() {
        let sessions = [session(1), session(2), session(3)];
        let content = [report::opening(), report::row(&sessions[2]), report::row(&sessions[0])].concat();
        assert_eq!(missing(&content, &sessions), report::row(&sessions[1]));
        let mut unended = whole(&sessions[..1]);
        unended.truncate(unended.len() - 2);
        unended.extend_from_slice(b" edited");
        let appended = missing(&unended, &sessions[1..]);
        assert_eq!(appended, [b"\r\n".as_slice(), &report::row(&sessions[1]), &report::row(&sessions[2])].concat());
    }

    #[test]
    fn a_file_that_a_spreadsheet_saved_its_own_way_gets_nothing_twice() {
        let sessions = [session(1), session(2)];
        let ours = String::from_utf8(whole(&sessions)).unwrap();
        let semicolons = ours.replace(',', ";");
        let one_column_more = ours.replace("\r\n", ",reviewed\r\n");
        let stray_quote = ours.replacen("alice", "\"alice", 1);
        for edited in [semicolons, one_column_more, stray_quote, ours.replace("\r\n", "\n")] {
            assert!(missing(edited.as_bytes(), &sessions).is_empty(), "{edited}");
            let appended = missing(edited.as_bytes(), &[session(1), session(2), session(3)]);
            assert_eq!(appended, report::row(&session(3)), "{edited}");
        }
    }

    #[test]
    fn an_id_in_a_note_hides_no_session() {
        let mut noted = session(1);
        noted.session.note = Note::parse(session(2).session.id.as_str()).unwrap();
        let content = whole(&[noted.clone()]);
        assert_eq!(missing(&content, &[noted, session(2)]), report::row(&session(2)));
    }
}
