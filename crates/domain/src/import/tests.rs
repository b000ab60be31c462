//! Files of other tools, as people have them.

use super::*;
use crate::{
    account::{Actor, Role},
    board::{BoardCommand, BoardFact, BoardState, Circumstances, ReportZone, Touched},
};

fn origin() -> Origin {
    Origin {
        file: "week.csv".into(),
        timezone: "Europe/Berlin".into(),
        zone: TimeZone::get("Europe/Berlin").unwrap(),
        now: "2026-11-30T00:00:00Z".parse().unwrap(),
    }
}

fn file(content: &[u8]) -> ImportFile {
    read(content, None, &origin()).unwrap()
}

fn ordered(content: &str, order: &str) -> ImportFile {
    read(content.as_bytes(), Some(&Column::order(order).unwrap()), &origin()).unwrap()
}

const ONE: &str =
    "vpn_main,vpn_sub,user,connected,disconnected\nm 1,s 1,alice,2026-11-24 10:00:00,2026-11-24 11:30:00\n";

#[test]
fn a_file_of_another_tool_is_read_by_its_column_names() {
    let read = file(ONE.as_bytes());
    let [session] = read.sessions.as_slice() else { panic!("{read:?}") };
    assert_eq!((session.connection.to_string(), session.user.as_str()), ("m 1;s 1".into(), "alice"));
    assert_eq!((session.since.to_string(), session.duration_seconds()), ("2026-11-24T09:00:00Z".into(), 5_400));
    assert_eq!((session.line, session.file.as_str(), session.ended_by.as_ref()), (2, "week.csv", None));
    assert_eq!(session.sha256, Hash::of(ONE.as_bytes()).to_string());
    assert_eq!(session.row[3], "2026-11-24 10:00:00");
}

#[test]
fn separators_quotes_line_ends_and_byte_order_marks_make_no_difference() {
    let expected = file(ONE.as_bytes()).sessions[0].id.clone();
    let semicolons = ONE.replace(',', ";");
    let marked = format!("\u{feff}{}", ONE.replace('\n', "\r\n"));
    let quoted = ONE.replace("m 1", "\"m 1\"").replace("alice", "\"Alice\"");
    let spaced = ONE.replace(',', " , ").replace('\n', "\n\n");
    for content in [semicolons, ONE.replace(',', "\t"), marked, quoted, spaced] {
        let read = file(content.as_bytes());
        assert_eq!(
            read.sessions.iter().map(|session| session.id.clone()).collect::<Vec<_>>(),
            std::slice::from_ref(&expected),
            "{content}"
        );
    }
}

#[test]
fn latin_letters_of_older_programs_are_read_and_said() {
    let content = ONE.replace("alice", "Zo\u{eb} \u{20ac}");
    let old: Vec<u8> =
        content.chars().map(|c| if c == '€' { 0x80 } else { u8::try_from(u32::from(c)).unwrap() }).collect();
    let read = file(&old);
    assert_eq!((read.encoding, read.sessions[0].user.as_str()), (Encoding::Windows1252, "Zoë €"));
    assert_eq!(file(content.as_bytes()).encoding, Encoding::Utf8);
}

#[test]
fn columns_can_be_named_in_order_with_a_header_or_without() {
    let row = "alice;m 1;x;s 1;24.11.2026 10:00;24.11.2026 11:30\n";
    let order = "user,main,-,sub,connected_at,disconnected_at";
    assert_eq!(ordered(row, order).sessions.len(), 1);
    let with_header = format!("User;A;B;C;D;E\n{row}");
    let read = ordered(&with_header, order);
    assert_eq!((read.sessions.len(), read.skipped.len(), read.layout.has_header), (1, 0, true));
    assert_eq!(ordered("alice;m 1;x;s 1;never;24.11.2026 11:30\n", order).skipped.len(), 1, "a bad row is no header");
    assert!(matches!(Column::order("main,sub"), Err(LayoutRefusal::Missing { .. })));
    assert!(matches!(Column::order("main,sub,user,from,to,until"), Err(LayoutRefusal::Twice(Column::DisconnectedAt))));
    assert!(matches!(Column::order("main,colour"), Err(LayoutRefusal::Unknown(name)) if name == "colour"));
}

#[test]
fn what_is_no_such_file_is_refused() {
    for (content, words) in [
        ("", "empty"),
        ("\n \n", "empty"),
        ("PK\u{0}", "no text"),
        ("a,b,c\n1,2,3\n", "does not name the columns"),
        ("main,sub,user\n", "none is connected_at"),
        ("user,user,main,sub,from,to\n", "two columns are both user"),
    ] {
        let refused = read(content.as_bytes(), None, &origin()).unwrap_err().to_string();
        assert!(refused.contains(words), "{content:?}: {refused}");
    }
}

#[test]
fn each_row_that_is_skipped_says_its_line_and_why() {
    let rows = [
        ("m,s,alice,2026-11-24 10:00:00,2026-11-24 11:00:00,", ""),
        (",s,alice,2026-11-24 10:00:00,2026-11-24 11:00:00,", "main is missing"),
        ("m,s,,2026-11-24 10:00:00,2026-11-24 11:00:00,", "user is missing"),
        ("m,s,a:b,2026-11-24 10:00:00,2026-11-24 11:00:00,", "not allowed"),
        ("m,s,alice,soon,2026-11-24 11:00:00,", "connected_at \"soon\" is no time"),
        ("m,s,alice,2026-11-24 11:00:00,,", "had not ended"),
        ("m,s,alice,2026-11-24 11:00:00,2026-11-24 10:00:00,", "ends before it begins"),
        ("m,s,alice,2026-11-24 11:00:00,2036-11-24 10:00:00,", "in the future"),
        ("m,s,ALICE,2026-11-24 10:00:00,2026-11-24 11:00:00,", "the same session as line 2"),
        ("m,s", "user is missing"),
    ];
    let lines: Vec<&str> = rows.iter().map(|(row, _)| *row).collect();
    let content = format!("main,sub,user,connected,disconnected,duration\n{}\n", lines.join("\n"));
    let read = file(content.as_bytes());
    assert_eq!((read.sessions.len(), read.skipped.len()), (1, rows.len() - 1), "{read:?}");
    for (line, (row, words)) in (2..).zip(rows).skip(1) {
        let remark = read.skipped.iter().find(|remark| remark.line == line).unwrap();
        assert!(remark.words.contains(words), "{row}: {}", remark.words);
    }
}

#[test]
fn durations_are_compared_or_make_the_end() {
    let header = "main,sub,user,from,to,duration\n";
    let row =
        |to: &str, duration: &str| file(format!("{header}m,s,alice,2026-11-24 10:00:00,{to},{duration}\n").as_bytes());
    assert_eq!(row("", "1:30:00").sessions[0].duration_seconds(), 5_400);
    assert!(row("2026-11-24 11:30:00", "5400").remarks.is_empty());
    assert!(row("2026-11-24 11:30:00", "5430").remarks.is_empty(), "other tools round");
    let differs = row("2026-11-24 11:30:00", "60");
    assert_eq!((differs.sessions[0].duration_seconds(), differs.remarks.len()), (5_400, 1));
    let over_the_hour = "m,s,alice,2026-10-25 02:50:00,2026-10-25 02:10:00,";
    let read = file(format!("{header}{over_the_hour}\n").as_bytes());
    assert_eq!(read.sessions[0].duration_seconds(), 20 * 60, "clocks were set back meanwhile");
    let long = file(format!("{header}m,s,alice,2026-10-25 02:10:00,2026-10-25 02:20:00,4200\n").as_bytes());
    assert_eq!(long.sessions[0].duration_seconds(), 70 * 60, "the duration says which hour");
}

#[test]
fn what_the_ledger_has_is_left_out() {
    let mut again = file(ONE.as_bytes());
    let (ids, keys) = again.wanted();
    let mut known = Known::default();
    known.note(&Entry::Imported(again.sessions[0].clone()), &ids, &keys);
    again.leave_out(&known);
    assert_eq!((again.sessions.len(), again.skipped.len()), (0, 1));
}

#[test]
fn our_own_report_reads_back_with_its_ids() {
    let session = file(ONE.as_bytes()).sessions.remove(0);
    let mut own = crate::report::opening();
    own.extend(Entry::Imported(session.clone()).row(&TimeZone::UTC));
    let read = file(&own);
    assert_eq!(read.sessions[0].id, session.id);
    assert_eq!(read.sessions[0].key(), session.key());
}

#[test]
fn the_record_of_an_import_keeps_its_form() {
    let session = file(ONE.as_bytes()).sessions.remove(0);
    let fact = serde_json::to_value(BoardFact::Imported(session.clone())).unwrap();
    let expected = serde_json::json!({
        "kind": "imported",
        "body": {
            "id": session.id.as_str(),
            "connection": "m 1;s 1",
            "user": "alice",
            "since": "2026-11-24T09:00:00Z",
            "ended_at": "2026-11-24T10:30:00Z",
            "note": "",
            "timezone": "Europe/Berlin",
            "file": "week.csv",
            "sha256": Hash::of(ONE.as_bytes()).to_string(),
            "line": 2,
            "row": ["m 1", "s 1", "alice", "2026-11-24 10:00:00", "2026-11-24 11:30:00"],
        },
    });
    assert_eq!(fact, expected);
    assert_eq!(session.id.as_str(), "8d40b7497b6632566e150e2761025ffb", "whenever it is read");
    assert_eq!(serde_json::from_value::<BoardFact>(fact).unwrap(), BoardFact::Imported(session));
}

#[test]
fn an_import_leaves_the_board_as_it_is() {
    let mut board = BoardState::default();
    let sessions = file(ONE.as_bytes()).sessions;
    let circumstances = Circumstances {
        actor: Actor { user: UserName::parse("system").unwrap(), role: Role::Admin },
        now: origin().now,
        fresh_id: SessionId::of_bits([1; 16]),
        zone: ReportZone { name: "UTC".into(), rules: TimeZone::UTC },
    };
    let decision = board.decide(BoardCommand::Import(sessions.clone()), &circumstances).unwrap();
    assert_eq!(decision.facts, [BoardFact::Imported(sessions[0].clone())]);
    assert_eq!(board.apply(&decision.facts[0]), Touched::Nothing);
    assert_eq!((board.session_count(), board.sessions().count()), (0, 0));
}
