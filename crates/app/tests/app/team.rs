//! A team and its board, as the tests speak of them.

use std::sync::Arc;

use app::{board::Board, store::Failure};
use domain::{
    account::{Actor, Role},
    board::{BoardCommand, BoardOutcome, Check, Refusal, ReportZone, TakeOver, Target},
    connection::ConnectionId,
    list_file::read_connections,
    names::{Note, UserName},
    session::Source,
};
use jiff::tz::TimeZone;
use testkit::TestWorld;

pub const LIST: &str = "vpn main 1;vpn sub 1\nvpn main 1;vpn sub 2\nvpn main 2;vpn sub 1;2\n";

/// The board of that world, with the team's list.
pub async fn board(world: &TestWorld) -> Board {
    let list = Arc::new(read_connections(LIST.as_bytes()).unwrap());
    let zone = ReportZone { name: "Europe/Berlin".into(), rules: TimeZone::get("Europe/Berlin").unwrap() };
    let board = Board::open(world.world(), Arc::clone(&list), zone).await.unwrap();
    board.take_up(list).await.unwrap();
    board
}

/// Somebody of the team.
pub struct Member<'a> {
    pub board: &'a Board,
    pub name: &'static str,
}

impl Member<'_> {
    pub async fn checks(&self, connection: &str) -> Result<BoardOutcome, Failure<Refusal>> {
        self.board.execute(self.actor(), check(connection)).await
    }

    pub async fn unchecks(&self, connection: &str) -> Result<BoardOutcome, Failure<Refusal>> {
        let target = Target::Connection(ConnectionId::parse(connection).unwrap());
        self.board.execute(self.actor(), BoardCommand::Uncheck { target }).await
    }

    pub fn actor(&self) -> Actor {
        Actor { user: UserName::parse(self.name).unwrap(), role: Role::Member }
    }
}

pub fn check(connection: &str) -> BoardCommand {
    BoardCommand::Check(Check {
        connection: ConnectionId::parse(connection).unwrap(),
        note: Note::default(),
        source: Source::Api,
        take_over: TakeOver::No,
    })
}

/// Who is on a connection, as everybody sees it.
pub fn holders(board: &Board, connection: &str) -> Vec<String> {
    let lines = board.snapshot().lines;
    let line = lines.iter().find(|line| line.connection.id.to_string() == connection);
    line.map_or(Vec::new(), |line| line.sessions.iter().map(|session| session.user.to_string()).collect())
}
