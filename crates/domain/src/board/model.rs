//! Random commands, done both by the board and by a model that is too simple
//! to be wrong: for each connection a list of who is on it.

use proptest::prelude::*;

use super::{tests::circumstances, *};
use crate::list_file::read_connections;

const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dave"];
const LISTS: [&str; 3] = ["m;a\nm;b;2\nm;c;3", "m;a;2\nm;b", "m;b;2\nm;d\nm;c;3"];
const CONNECTIONS: [&str; 5] = ["m;a", "m;b", "m;c", "m;d", "m;never"];

#[derive(Clone, Debug)]
enum Step {
    Check { person: usize, connection: usize },
    TakeOver { person: usize, connection: usize, holder: usize },
    Uncheck { person: usize, connection: usize },
    UncheckById { person: usize, connection: usize, holder: usize },
    Note { person: usize, connection: usize },
    List { list: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let person = 0..PEOPLE.len();
    let connection = 0..CONNECTIONS.len();
    let whose = (person, connection, 0..3usize);
    prop_oneof![
        6 => whose.clone().prop_map(|(person, connection, _)| Step::Check { person, connection }),
        3 => whose.clone().prop_map(|(person, connection, holder)| Step::TakeOver { person, connection, holder }),
        4 => whose.clone().prop_map(|(person, connection, _)| Step::Uncheck { person, connection }),
        2 => whose.clone().prop_map(|(person, connection, holder)| Step::UncheckById { person, connection, holder }),
        1 => whose.prop_map(|(person, connection, _)| Step::Note { person, connection }),
        1 => (0..LISTS.len()).prop_map(|list| Step::List { list }),
    ]
}

/// Who is on what, as people would keep it on paper.
#[derive(Default)]
struct Paper {
    capacity: BTreeMap<&'static str, usize>,
    holders: BTreeMap<&'static str, Vec<&'static str>>,
    ended: usize,
}

impl Paper {
    fn take_up(&mut self, list: &'static str) {
        let lines = list.lines().map(|line| line.rsplitn(3, ';').collect::<Vec<_>>());
        self.capacity = lines
            .map(|fields| match fields.as_slice() {
                [capacity, ..] if fields.len() == 3 => (capacity.parse().unwrap(), fields.len()),
                _ => (1, fields.len()),
            })
            .zip(list.lines())
            .map(|((capacity, fields), line)| (if fields == 3 { &line[..line.len() - 2] } else { line }, capacity))
            .collect();
    }

    fn holders(&self, connection: &str) -> &[&'static str] {
        self.holders.get(connection).map_or(&[], Vec::as_slice)
    }

    fn may_check(&self, person: &str, connection: &str) -> bool {
        let room = self.capacity.get(connection).is_some_and(|&most| self.holders(connection).len() < most);
        room && !self.holders(connection).contains(&person)
    }

    fn check(&mut self, person: &'static str, connection: &'static str) -> bool {
        let may = self.may_check(person, connection);
        if may {
            self.holders.entry(connection).or_default().push(person);
        }
        may
    }

    fn uncheck(&mut self, person: &str, connection: &'static str) -> bool {
        let holders = self.holders.entry(connection).or_default();
        let before = holders.len();
        holders.retain(|holder| *holder != person);
        self.ended += before - holders.len();
        before > holders.len()
    }

    fn take_over(&mut self, person: &'static str, connection: &'static str, from: &str) -> bool {
        if self.check(person, connection) {
            return true;
        }
        let listed = self.capacity.contains_key(connection);
        let holders = self.holders(connection);
        if !listed || holders.contains(&person) || !holders.contains(&from) {
            return false;
        }
        self.uncheck(from, connection);
        self.holders.entry(connection).or_default().push(person);
        true
    }
}

struct Both {
    state: BoardState,
    paper: Paper,
    facts: Vec<BoardFact>,
    number: u64,
}

impl Both {
    fn does(&mut self, person: &str, command: BoardCommand) -> bool {
        self.number += 1;
        let Ok(decision) = self.state.decide(command, &circumstances(person, Role::Member, self.number)) else {
            return false;
        };
        for fact in decision.facts {
            self.state.apply(&fact);
            self.facts.push(fact);
        }
        true
    }

    fn nth_holder(&self, connection: &str, holder: usize) -> Option<Session> {
        let holders = self.state.holders(&ConnectionId::parse(connection).unwrap());
        holders.get(holder.min(holders.len().saturating_sub(1))).cloned()
    }

    fn step(&mut self, step: &Step) -> (bool, bool) {
        match *step {
            Step::Check { person, connection } => {
                let (person, connection) = (PEOPLE[person], CONNECTIONS[connection]);
                (self.does(person, check(connection, TakeOver::No)), self.paper.check(person, connection))
            }
            Step::TakeOver { person, connection, holder } => {
                let (person, connection) = (PEOPLE[person], CONNECTIONS[connection]);
                let from = self.nth_holder(connection, holder);
                let id = from.as_ref().map_or(SessionId::named("?"), |session| session.id.clone());
                let name = from.as_ref().map_or("?", |session| session.user.as_str());
                let papers = self.paper.take_over(person, connection, name);
                (self.does(person, check(connection, TakeOver::Session(id))), papers)
            }
            Step::Uncheck { person, connection } => {
                let (person, connection) = (PEOPLE[person], CONNECTIONS[connection]);
                let target = Target::Connection(ConnectionId::parse(connection).unwrap());
                (self.does(person, BoardCommand::Uncheck { target }), self.paper.uncheck(person, connection))
            }
            Step::UncheckById { person, connection, holder } => {
                let (person, connection) = (PEOPLE[person], CONNECTIONS[connection]);
                let Some(session) = self.nth_holder(connection, holder) else { return (true, true) };
                let own = session.user.as_str() == person && self.paper.uncheck(person, connection);
                (self.does(person, BoardCommand::Uncheck { target: Target::Session(session.id) }), own)
            }
            Step::Note { person, connection } => {
                let (person, connection) = (PEOPLE[person], CONNECTIONS[connection]);
                let target = Target::Connection(ConnectionId::parse(connection).unwrap());
                let note = Note::parse(&format!("note {}", self.number)).unwrap();
                let on_it = self.paper.holders(connection).contains(&person);
                let may = on_it && self.paper.capacity.contains_key(connection);
                (self.does(person, BoardCommand::ChangeNote { target, note }), may)
            }
            Step::List { list } => {
                let text = LISTS[list];
                self.paper.take_up(text);
                let list = Arc::new(read_connections(text.as_bytes()).unwrap());
                (self.does("system", BoardCommand::TakeUpList(list)), true)
            }
        }
    }
}

fn check(connection: &str, take_over: TakeOver) -> BoardCommand {
    BoardCommand::Check(Check {
        connection: ConnectionId::parse(connection).unwrap(),
        note: Note::default(),
        source: Source::Api,
        take_over,
    })
}

fn sessions(state: &BoardState) -> Vec<Session> {
    state.lines().flat_map(|line| line.sessions).collect()
}

/// A board of the same list that takes what a start would read of a snapshot.
fn restored(state: &BoardState) -> BoardState {
    let mut restored = BoardState::with_list(Arc::clone(&state.list));
    for fact in state.snapshot() {
        let written = serde_json::to_string(&fact).unwrap();
        restored.apply(&serde_json::from_str(&written).unwrap());
    }
    restored
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_board_does_what_paper_would(steps in proptest::collection::vec(step(), 1..120)) {
        let mut both = Both { state: BoardState::default(), paper: Paper::default(), facts: Vec::new(), number: 0 };
        both.step(&Step::List { list: 0 });
        for step in &steps {
            let (board, paper) = both.step(step);
            prop_assert_eq!(board, paper, "{:?}", step);
            prop_assert_eq!(&restored(&both.state), &both.state, "a snapshot makes the state again");
            for connection in CONNECTIONS {
                let holders = both.state.holders(&ConnectionId::parse(connection).unwrap());
                let names: Vec<&str> = holders.iter().map(|session| session.user.as_str()).collect();
                prop_assert_eq!(names, both.paper.holders(connection), "{} after {:?}", connection, step);
            }
        }
        let unchecks = both.facts.iter().filter(|fact| matches!(fact, BoardFact::Unchecked(_))).count();
        prop_assert_eq!(unchecks, both.paper.ended, "every uncheck is one record");
        let mut replayed = BoardState::default();
        for fact in &both.facts {
            let written = serde_json::to_string(fact).unwrap();
            replayed.apply(&serde_json::from_str(&written).unwrap());
        }
        let by_id = |mut sessions: Vec<Session>| { sessions.sort_by(|a, b| a.id.cmp(&b.id)); sessions };
        prop_assert_eq!(by_id(sessions(&replayed)), by_id(sessions(&both.state)), "replaying gives the state");
    }
}
