//! The rules of the board, told case by case.

use super::*;
use crate::list_file::read_connections;

pub(super) const ZONE: &str = "Europe/Berlin";

pub(super) fn circumstances(name: &str, role: Role, number: u64) -> Circumstances {
    Circumstances {
        actor: Actor { user: UserName::parse(name).unwrap(), role },
        now: Timestamp::from_second(1_795_000_000 + number as i64).unwrap(),
        fresh_id: SessionId::named(&format!("s{number}")),
        zone: ReportZone { name: ZONE.into(), rules: TimeZone::get(ZONE).unwrap() },
    }
}

/// A board that people act on; every yes is applied, and numbers its session.
struct Story {
    state: BoardState,
    number: u64,
    facts: Vec<BoardFact>,
}

impl Story {
    fn with(list: &str) -> Story {
        let list = Arc::new(read_connections(list.as_bytes()).unwrap());
        Story { state: BoardState::with_list(list), number: 0, facts: Vec::new() }
    }

    fn does(&mut self, name: &str, role: Role, command: BoardCommand) -> Result<BoardOutcome, &'static str> {
        self.number += 1;
        let decided = self.state.decide(command, &circumstances(name, role, self.number));
        let decision = decided.map_err(|refusal| refusal.code())?;
        for fact in decision.facts {
            self.state.apply(&fact);
            self.facts.push(fact);
        }
        Ok(decision.outcome)
    }

    fn member(&mut self, name: &str, command: BoardCommand) -> Result<BoardOutcome, &'static str> {
        self.does(name, Role::Member, command)
    }

    fn on(&self, connection: &str) -> Vec<&str> {
        let id = ConnectionId::parse(connection).unwrap();
        self.state.holders(&id).iter().map(|session| session.user.as_str()).collect()
    }

    fn ended(&self) -> Vec<String> {
        let ended = self.facts.iter().filter_map(|fact| match fact {
            BoardFact::Unchecked(ended) => Some(format!("{} by {}", ended.session.user, ended.ended_by)),
            BoardFact::Checked(_)
            | BoardFact::NoteChanged { .. }
            | BoardFact::ListTakenUp { .. }
            | BoardFact::Imported(_) => None,
        });
        ended.collect()
    }
}

fn check(connection: &str) -> BoardCommand {
    check_with(connection, TakeOver::No)
}

fn check_with(connection: &str, take_over: TakeOver) -> BoardCommand {
    BoardCommand::Check(Check {
        connection: ConnectionId::parse(connection).unwrap(),
        note: Note::default(),
        source: Source::Page,
        take_over,
    })
}

fn uncheck(connection: &str) -> BoardCommand {
    BoardCommand::Uncheck { target: Target::Connection(ConnectionId::parse(connection).unwrap()) }
}

fn uncheck_session(id: &str) -> BoardCommand {
    BoardCommand::Uncheck { target: Target::Session(SessionId::named(id)) }
}

fn note(connection: &str, text: &str) -> BoardCommand {
    let target = Target::Connection(ConnectionId::parse(connection).unwrap());
    BoardCommand::ChangeNote { target, note: Note::parse(text).unwrap() }
}

fn take_up(list: &str) -> BoardCommand {
    BoardCommand::TakeUpList(Arc::new(read_connections(list.as_bytes()).unwrap()))
}

#[test]
fn a_connection_has_as_many_holders_as_its_capacity() {
    let mut story = Story::with("m;one\nm;two;2");
    assert!(story.member("alice", check("m;one")).is_ok());
    assert_eq!(story.member("bob", check("m;one")), Err("taken"));
    assert!(story.member("alice", check("m;two")).is_ok());
    assert!(story.member("bob", check("m;two")).is_ok());
    assert_eq!(story.member("carol", check("m;two")), Err("taken"));
    assert_eq!(story.on("m;two"), ["alice", "bob"]);
}

#[test]
fn nobody_is_on_a_connection_twice() {
    let mut story = Story::with("m;two;2");
    assert!(story.member("alice", check("m;two")).is_ok());
    assert_eq!(story.member("alice", check("m;two")), Err("taken"));
    assert_eq!(story.member("alice", check_with("m;two", TakeOver::OnlyHolder)), Err("taken"));
}

#[test]
fn a_name_in_another_case_is_the_same_person() {
    let mut story = Story::with("m;a;2");
    story.member("alice", check("m;a")).unwrap();
    assert_eq!(story.member("Alice", check("m;a")), Err("taken"));
    assert!(story.member("ALICE", note("m;a", "still me")).is_ok());
    assert!(story.member("Alice", uncheck("m;a")).is_ok());
    assert!(story.on("m;a").is_empty());
}

#[test]
fn an_uncheck_needs_a_session_of_ones_own() {
    let mut story = Story::with("m;one\nm;two");
    assert_eq!(story.member("alice", uncheck("m;one")), Err("not_checked"));
    assert_eq!(story.member("alice", uncheck("m;none")), Err("unknown_connection"));
    story.member("alice", check("m;one")).unwrap();
    assert_eq!(story.member("bob", uncheck("m;one")), Err("forbidden"));
    assert_eq!(story.does("bob", Role::Auditor, uncheck_session("s3")), Err("forbidden"));
    assert_eq!(story.member("bob", uncheck_session("nothing")), Err("unknown_session"));
    assert!(story.member("alice", uncheck("m;one")).is_ok());
    assert_eq!(story.ended(), ["alice by alice"]);
    assert!(story.on("m;one").is_empty());
}

#[test]
fn an_admin_ends_anybodys_session_by_its_id() {
    let mut story = Story::with("m;one");
    story.member("alice", check("m;one")).unwrap();
    assert_eq!(story.does("dave", Role::Admin, uncheck("m;one")), Err("forbidden"));
    assert!(story.does("dave", Role::Admin, uncheck_session("s1")).is_ok());
    assert_eq!(story.ended(), ["alice by admin:dave"]);
}

#[test]
fn a_second_uncheck_answers_as_the_first_and_records_nothing() {
    let mut story = Story::with("m;one");
    story.member("alice", check("m;one")).unwrap();
    let first = story.member("alice", uncheck_session("s1")).unwrap();
    assert_eq!(story.member("alice", uncheck_session("s1")), Ok(first));
    assert_eq!(story.member("bob", uncheck_session("s1")), Err("forbidden"));
    assert_eq!(story.ended().len(), 1);
}

#[test]
fn a_take_over_ends_one_session_and_starts_another() {
    let mut story = Story::with("m;one");
    assert!(story.member("alice", check_with("m;one", TakeOver::OnlyHolder)).is_ok(), "with room it is a check");
    assert!(story.member("bob", check_with("m;one", TakeOver::OnlyHolder)).is_ok());
    assert_eq!(story.on("m;one"), ["bob"]);
    assert_eq!(story.ended(), ["alice by taken-over:bob"]);
}

#[test]
fn a_take_over_from_several_names_one() {
    let mut story = Story::with("m;two;2");
    story.member("alice", check("m;two")).unwrap();
    story.member("bob", check("m;two")).unwrap();
    assert_eq!(story.member("carol", check_with("m;two", TakeOver::OnlyHolder)), Err("taken"));
    let unknown = check_with("m;two", TakeOver::Session(SessionId::named("s9")));
    assert_eq!(story.member("carol", unknown), Err("unknown_session"));
    let bobs = check_with("m;two", TakeOver::Session(SessionId::named("s2")));
    assert!(story.member("carol", bobs).is_ok());
    assert_eq!(story.on("m;two"), ["alice", "carol"]);
}

#[test]
fn a_note_is_changed_by_its_holder_only() {
    let mut story = Story::with("m;one");
    assert_eq!(story.member("alice", note("m;one", "INC-1")), Err("not_checked"));
    story.member("alice", check("m;one")).unwrap();
    assert_eq!(story.does("dave", Role::Admin, note("m;one", "INC-1")), Err("forbidden"));
    let changed = story.member("alice", note("m;one", "INC-1")).unwrap();
    assert!(matches!(changed, BoardOutcome::Current(session) if session.note.as_str() == "INC-1"));
    let before = story.facts.len();
    story.member("alice", note("m;one", "INC-1")).unwrap();
    assert_eq!(story.facts.len(), before, "the same note is no fact");
}

#[test]
fn a_removed_connection_stays_until_it_is_unchecked() {
    let mut story = Story::with("m;one\nm;two");
    story.member("alice", check("m;one")).unwrap();
    story.does("system", Role::Admin, take_up("m;two")).unwrap();
    let lines: Vec<_> = story.state.lines().map(|line| (line.connection.id.to_string(), line.retired)).collect();
    assert_eq!(lines, [("m;two".to_string(), false), ("m;one".to_string(), true)]);
    for refused in [check("m;one"), check_with("m;one", TakeOver::OnlyHolder)] {
        assert_eq!(story.member("bob", refused), Err("unknown_connection"));
    }
    assert_eq!(story.member("alice", note("m;one", "x")), Err("unknown_connection"));
    assert!(story.member("alice", uncheck("m;one")).is_ok());
    assert_eq!(story.state.lines().count(), 1);
    assert_eq!(story.member("alice", check("m;one")), Err("unknown_connection"));
}

#[test]
fn the_same_list_is_recorded_once() {
    let mut story = Story::with("m;one");
    story.does("system", Role::Admin, take_up("m;one")).unwrap();
    story.does("system", Role::Admin, take_up("m;one")).unwrap();
    story.does("system", Role::Admin, take_up("m;one\n")).unwrap();
    assert_eq!(story.facts.len(), 2);
}

#[test]
fn a_capacity_made_smaller_sends_nobody_away() {
    let mut story = Story::with("m;two;2");
    story.member("alice", check("m;two")).unwrap();
    story.member("bob", check("m;two")).unwrap();
    story.does("system", Role::Admin, take_up("m;two")).unwrap();
    assert_eq!(story.on("m;two"), ["alice", "bob"]);
    assert_eq!(story.member("carol", check("m;two")), Err("taken"));
    story.member("alice", uncheck("m;two")).unwrap();
    assert_eq!(story.member("carol", check("m;two")), Err("taken"));
}

#[test]
fn the_records_keep_their_form() {
    let mut story = Story::with("m;one");
    story.does("system", Role::Admin, take_up("m;one\n")).unwrap();
    story.member("alice", check("m;one")).unwrap();
    story.member("alice", note("m;one", "INC-1")).unwrap();
    story.member("bob", check_with("m;one", TakeOver::OnlyHolder)).unwrap();
    story.does("dave", Role::Admin, uncheck_session("s4")).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&story.facts).unwrap());
}

#[test]
fn only_so_many_ended_sessions_are_remembered() {
    let mut story = Story::with("m;one");
    for _ in 0..=REMEMBERED_ENDED_SESSIONS {
        story.member("alice", check("m;one")).unwrap();
        story.member("alice", uncheck("m;one")).unwrap();
    }
    assert_eq!(story.member("alice", uncheck_session("s1")), Err("unknown_session"));
    assert!(story.member("alice", uncheck_session("s3")).is_ok());
}
