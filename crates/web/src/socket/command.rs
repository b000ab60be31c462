//! Events of clients as commands, and the board's answers as acks.

use app::store::Failure;
use domain::{
    board::{BoardCommand, BoardOutcome, Check, Refusal, TakeOver, Target},
    session::{SessionId, Source},
};
use serde_json::Value;
use wire::board::{Ack, Command};

use crate::{given, problem::Problem, shapes};

/// What an event asks for, or why that cannot be said.
pub(super) struct Given {
    pub(super) command: Option<BoardCommand>,
    pub(super) refused: Option<Problem>,
}

/// Reads the JSON array of an event.
pub(super) fn read(payload: &str, source: Source) -> Given {
    match parse(payload, source) {
        Ok(command) => Given { command: Some(command), refused: None },
        Err(problem) => Given { command: None, refused: Some(problem) },
    }
}

/// The answer to an event that asks for nothing.
pub(super) fn nothing() -> Problem {
    Problem::bad_request("the event asks for nothing")
}

/// The board's answer.
pub(super) fn ack(answer: Result<BoardOutcome, Failure<Refusal>>) -> Ack {
    match answer.map(|outcome| shapes::outcome(&outcome)) {
        Ok(Some(session)) => Ack::Done { ok: true, session },
        Ok(None) => refusal(nothing()),
        Err(failure) => refusal(failure.into()),
    }
}

/// A no.
pub(super) fn refusal(problem: Problem) -> Ack {
    Ack::Refused { ok: false, code: problem.code, message: problem.detail, holders: problem.holders }
}

fn parse(payload: &str, source: Source) -> Result<BoardCommand, Problem> {
    let shape = "an event is a name and an object, as in [\"check\", {\"connection\": \"main;sub\"}]";
    let event: Vec<Value> = serde_json::from_str(payload).map_err(|_| Problem::bad_request(shape))?;
    let (Some(Value::String(name)), arguments) = (event.first(), event.get(1).cloned()) else {
        return Err(Problem::bad_request(shape));
    };
    let arguments: Command = serde_json::from_value(arguments.unwrap_or(Value::Null))
        .map_err(|error| Problem::bad_request(format!("{shape}: {error}")))?;
    match name.as_str() {
        "check" => check(arguments, TakeOver::No, source),
        "take_over" => {
            let named = arguments.session.as_deref().map(SessionId::named);
            check(arguments, named.map_or(TakeOver::OnlyHolder, TakeOver::Session), source)
        }
        "uncheck" => Ok(BoardCommand::Uncheck { target: target(&arguments)? }),
        "note" => {
            let note = given::note(arguments.note.as_deref())?;
            Ok(BoardCommand::ChangeNote { target: target(&arguments)?, note })
        }
        other => {
            Err(Problem::bad_request(format!("there is no event {other:?}; use check, uncheck, take_over or note")))
        }
    }
}

fn check(arguments: Command, take_over: TakeOver, source: Source) -> Result<BoardCommand, Problem> {
    let connection = arguments.connection.ok_or_else(|| Problem::bad_request("\"connection\" is missing"))?;
    let connection = given::connection_id(&connection)?;
    let note = given::note(arguments.note.as_deref())?;
    Ok(BoardCommand::Check(Check { connection, note, source, take_over }))
}

fn target(arguments: &Command) -> Result<Target, Problem> {
    match (&arguments.session, &arguments.connection) {
        (Some(session), _) => Ok(Target::Session(SessionId::named(session))),
        (None, Some(connection)) => Ok(Target::Connection(given::connection_id(connection)?)),
        (None, None) => Err(Problem::bad_request("name a \"connection\" or a \"session\"")),
    }
}
