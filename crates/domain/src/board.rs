//! The board: who is on which connection, and what may be done about it.
//!
//! [`BoardState::decide`] says yes, with the facts that follow, or no;
//! [`BoardState::apply`] is the only thing that changes the state, so that
//! applying the recorded facts again gives the same state.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    account::{Actor, Role},
    connection::{Connection, ConnectionId, ConnectionList},
    import::ImportedSession,
    names::{Note, UserName},
    session::{EndedBy, EndedSession, Session, SessionId, Source},
    week::Week,
};

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

/// How many ended sessions are remembered, so that a second uncheck gets the
/// same answer as the first: more than a busy team's day.
pub const REMEMBERED_ENDED_SESSIONS: usize = 10_000;

/// What somebody wants of the board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoardCommand {
    /// Start a session.
    Check(Check),
    /// End a session.
    Uncheck {
        /// Which one.
        target: Target,
    },
    /// Change the note of one's own session.
    ChangeNote {
        /// Which one.
        target: Target,
        /// What it says from then on.
        note: Note,
    },
    /// Use another list of connections.
    TakeUpList(Arc<ConnectionList>),
    /// Keep sessions that another tool kept.
    Import(Vec<ImportedSession>),
}

/// What it takes to start a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// On which connection.
    pub connection: ConnectionId,
    /// What the user says about it.
    pub note: Note,
    /// By what kind of client.
    pub source: Source,
    /// Whether somebody else's session may be ended for it.
    pub take_over: TakeOver,
}

/// Whether a check may end another user's session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakeOver {
    /// It may not.
    No,
    /// It may, where just one user is on the connection.
    OnlyHolder,
    /// It may end this one.
    Session(SessionId),
}

/// Which session is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The one of this id.
    Session(SessionId),
    /// The actor's own on this connection.
    Connection(ConnectionId),
}

/// The circumstances under which a command is decided.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// Who wants it.
    pub actor: Actor,
    /// What time it is.
    pub now: Timestamp,
    /// The id that a session gets, should one begin.
    pub fresh_id: SessionId,
    /// The zone whose weeks and times the reports tell.
    pub zone: ReportZone,
}

/// A time zone and its IANA name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportZone {
    /// The name, `Europe/Berlin` for example.
    pub name: String,
    /// Its rules.
    pub rules: TimeZone,
}

/// What is recorded of the board, in the stream `audit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "body")]
pub enum BoardFact {
    /// A session began.
    Checked(Session),
    /// A session ended.
    Unchecked(EndedSession),
    /// A session's note changed.
    NoteChanged {
        /// Which session.
        session: SessionId,
        /// Its connection.
        connection: ConnectionId,
        /// What it says from then on.
        note: Note,
    },
    /// The list of connections became another.
    ListTakenUp {
        /// SHA-256 of the file.
        sha256: String,
        /// How many connections it names.
        connections: usize,
        /// The list itself, which the file keeps.
        #[serde(skip)]
        list: Option<Arc<ConnectionList>>,
    },
    /// A session that another tool kept was taken over from its file; the
    /// board is not concerned.
    Imported(ImportedSession),
}

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoardOutcome {
    /// The session began, or its note changed.
    Current(Session),
    /// The session ended.
    Ended(EndedSession),
    /// Nothing that concerns one session.
    Done,
}

/// The rules' no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no room, or the user is on it already.
    #[error("{connection} is held by {}; ask them to uncheck it, or take it over", names(.holders))]
    Taken {
        /// Which connection.
        connection: ConnectionId,
        /// Who is on it.
        holders: Vec<Session>,
    },
    /// The user is on it already.
    #[error("you are on {connection} already")]
    AlreadyYours {
        /// Which connection.
        connection: ConnectionId,
        /// Who is on it.
        holders: Vec<Session>,
    },
    /// A take-over must say whose session it ends.
    #[error("{connection} is held by {}; name the session that you take over", names(.holders))]
    SeveralHolders {
        /// Which connection.
        connection: ConnectionId,
        /// Who is on it.
        holders: Vec<Session>,
    },
    /// Nobody is on it.
    #[error("nobody is on {connection}; check it first")]
    NotChecked {
        /// Which connection.
        connection: ConnectionId,
    },
    /// It is somebody else's.
    #[error("this session is {holder}'s; only they {} can do that", if *.admin_may { "or an admin, who names the session," } else { "themselves" })]
    NotYours {
        /// Whose it is.
        holder: UserName,
        /// Whether an admin could.
        admin_may: bool,
    },
    /// The list has no such connection.
    #[error("there is no connection {connection}; its name is main and sub name joined by ';', as in sessions.csv")]
    UnknownConnection {
        /// What was named.
        connection: ConnectionId,
    },
    /// It was taken out of the list while somebody was on it.
    #[error("{connection} was taken out of the list; it can only be unchecked")]
    Retired {
        /// Which connection.
        connection: ConnectionId,
    },
    /// No session has that id.
    #[error("there is no session {session}; it may have ended meanwhile")]
    UnknownSession {
        /// What was named.
        session: SessionId,
    },
}

/// A yes: the facts to record and what to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What is to be recorded, in order; may be nothing.
    pub facts: Vec<BoardFact>,
    /// What the command came to.
    pub outcome: BoardOutcome,
}

/// A connection as the board shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its names and how many it takes.
    pub connection: Connection,
    /// Whether it is on the list no more.
    pub retired: bool,
    /// Who is on it, longest first.
    pub sessions: Vec<Session>,
}

/// The list and who is on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoardState {
    list: Arc<ConnectionList>,
    recorded_list: Option<String>,
    held: BTreeMap<ConnectionId, Vec<Session>>,
    places: BTreeMap<SessionId, ConnectionId>,
    ended: RecentlyEnded,
}

impl BoardState {
    /// A board with that list and nobody on it.
    pub fn with_list(list: Arc<ConnectionList>) -> BoardState {
        BoardState { list, ..BoardState::default() }
    }

    /// Decides a command; changes nothing.
    ///
    /// # Errors
    /// The [`Refusal`] that the rules give.
    pub fn decide(&self, command: BoardCommand, circumstances: &Circumstances) -> Result<Decision, Refusal> {
        match command {
            BoardCommand::Check(check) => self.check(check, circumstances),
            BoardCommand::Uncheck { target } => self.uncheck(&target, circumstances),
            BoardCommand::ChangeNote { target, note } => self.change_note(&target, note, &circumstances.actor),
            BoardCommand::TakeUpList(list) => Ok(self.take_up(list)),
            BoardCommand::Import(sessions) => {
                let facts = sessions.into_iter().map(BoardFact::Imported).collect();
                Ok(Decision { facts, outcome: BoardOutcome::Done })
            }
        }
    }

    /// Makes a fact part of the state; returns the connections that it touched.
    pub fn apply(&mut self, fact: &BoardFact) -> Touched {
        match fact {
            BoardFact::Checked(session) => self.begin(session.clone()),
            BoardFact::Unchecked(ended) => self.end(ended.clone()),
            BoardFact::NoteChanged { session, note, .. } => self.annotate(session, note.clone()),
            BoardFact::ListTakenUp { sha256, list, .. } => {
                self.recorded_list = Some(sha256.clone());
                if let Some(list) = list {
                    self.list = Arc::clone(list);
                }
                Touched::List
            }
            BoardFact::Imported(_) => Touched::Nothing,
        }
    }

    /// Every session that has not ended.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.held.values().flatten()
    }

    /// The shortest run of facts that makes this state of a board with the same list.
    pub fn snapshot(&self) -> impl Iterator<Item = BoardFact> + '_ {
        let connections = self.list.len();
        let list = self.recorded_list.clone();
        let list = list.map(|sha256| BoardFact::ListTakenUp { sha256, connections, list: None });
        let ended = self.ended.oldest_first.iter().filter_map(|id| self.ended.find(id));
        let ended = ended.map(|ended| BoardFact::Unchecked(ended.clone()));
        let held = self.held.values().flatten().map(|session| BoardFact::Checked(session.clone()));
        list.into_iter().chain(ended).chain(held)
    }

    /// Forgets the sessions that ended before `cutoff`.
    pub fn forget_ended_before(&mut self, cutoff: Timestamp) {
        self.ended.forget_before(cutoff);
    }

    /// Every line, in the file's order, retired ones last.
    pub fn lines(&self) -> impl Iterator<Item = Line> + '_ {
        let listed = self.list.iter().map(|connection| self.as_line(connection.clone(), false));
        let off_list = self.held.keys().filter(|id| self.list.find(id).is_none());
        listed.chain(off_list.map(|id| self.line(id)))
    }

    /// One line; of a connection that is neither listed nor held, a retired
    /// line without sessions.
    pub fn line(&self, id: &ConnectionId) -> Line {
        match self.list.find(id) {
            Some(connection) => self.as_line(connection.clone(), false),
            None => self.as_line(Connection { id: id.clone(), capacity: std::num::NonZeroU32::MIN }, true),
        }
    }

    /// The sessions on a connection, longest first.
    pub fn holders(&self, id: &ConnectionId) -> &[Session] {
        self.held.get(id).map_or(&[], Vec::as_slice)
    }

    /// How many sessions there are.
    pub fn session_count(&self) -> usize {
        self.places.len()
    }

    fn as_line(&self, connection: Connection, retired: bool) -> Line {
        let sessions = self.holders(&connection.id).to_vec();
        Line { connection, retired, sessions }
    }

    fn check(&self, check: Check, circumstances: &Circumstances) -> Result<Decision, Refusal> {
        let connection = self.usable(&check.connection)?;
        let holders = self.holders(&connection.id);
        let taken = || Refusal::Taken { connection: connection.id.clone(), holders: holders.to_vec() };
        if holders.iter().any(|session| session.user.is_same_account(&circumstances.actor.user)) {
            let connection = connection.id.clone();
            return Err(Refusal::AlreadyYours { connection, holders: holders.to_vec() });
        }
        let has_room = holders.len() < connection.capacity.get() as usize;
        let mut facts = match (&check.take_over, has_room) {
            (_, true) => Vec::new(),
            (TakeOver::No, false) => return Err(taken()),
            (TakeOver::OnlyHolder, false) => vec![self.dispossess(connection, None, circumstances)?],
            (TakeOver::Session(id), false) => vec![self.dispossess(connection, Some(id), circumstances)?],
        };
        let session = Session {
            id: circumstances.fresh_id.clone(),
            connection: check.connection,
            user: circumstances.actor.user.clone(),
            since: circumstances.now,
            note: check.note,
            source: check.source,
        };
        facts.push(BoardFact::Checked(session.clone()));
        Ok(Decision { facts, outcome: BoardOutcome::Current(session) })
    }

    fn dispossess(
        &self,
        connection: &Connection,
        named: Option<&SessionId>,
        circumstances: &Circumstances,
    ) -> Result<BoardFact, Refusal> {
        let holders = self.holders(&connection.id);
        let session = match (named, holders) {
            (Some(id), _) => {
                let found = holders.iter().find(|session| session.id == *id);
                found.ok_or_else(|| Refusal::UnknownSession { session: id.clone() })?
            }
            (None, [only]) => only,
            (None, _) => {
                return Err(Refusal::SeveralHolders { connection: connection.id.clone(), holders: holders.to_vec() });
            }
        };
        let by = EndedBy::TakenOver(circumstances.actor.user.clone());
        Ok(BoardFact::Unchecked(ending(session, by, circumstances)))
    }

    fn uncheck(&self, target: &Target, circumstances: &Circumstances) -> Result<Decision, Refusal> {
        let actor = &circumstances.actor;
        if let Target::Session(id) = target
            && let Some(ended) = self.ended.find(id)
        {
            let may = ended.session.user.is_same_account(&actor.user) || actor.role == Role::Admin;
            let refusal = Refusal::NotYours { holder: ended.session.user.clone(), admin_may: true };
            return if may {
                Ok(Decision { facts: Vec::new(), outcome: BoardOutcome::Ended(ended.clone()) })
            } else {
                Err(refusal)
            };
        }
        let session = self.targeted(target, actor)?;
        let by = match (session.user.is_same_account(&actor.user), actor.role) {
            (true, _) => EndedBy::Holder(actor.user.clone()),
            (false, Role::Admin) => EndedBy::Admin(actor.user.clone()),
            (false, Role::Member | Role::Auditor) => {
                return Err(Refusal::NotYours { holder: session.user.clone(), admin_may: true });
            }
        };
        let ended = ending(session, by, circumstances);
        Ok(Decision { facts: vec![BoardFact::Unchecked(ended.clone())], outcome: BoardOutcome::Ended(ended) })
    }

    fn change_note(&self, target: &Target, note: Note, actor: &Actor) -> Result<Decision, Refusal> {
        let session = self.targeted(target, actor)?;
        if !session.user.is_same_account(&actor.user) {
            return Err(Refusal::NotYours { holder: session.user.clone(), admin_may: false });
        }
        if self.list.find(&session.connection).is_none() {
            return Err(Refusal::Retired { connection: session.connection.clone() });
        }
        let changed = Session { note: note.clone(), ..session.clone() };
        let fact = BoardFact::NoteChanged { session: session.id.clone(), connection: session.connection.clone(), note };
        let facts = if changed == *session { Vec::new() } else { vec![fact] };
        Ok(Decision { facts, outcome: BoardOutcome::Current(changed) })
    }

    fn take_up(&self, list: Arc<ConnectionList>) -> Decision {
        let sha256 = list.digest().to_string();
        let known = self.recorded_list.as_ref() == Some(&sha256) && self.list.digest() == list.digest();
        let fact = BoardFact::ListTakenUp { sha256, connections: list.len(), list: Some(list) };
        Decision { facts: if known { Vec::new() } else { vec![fact] }, outcome: BoardOutcome::Done }
    }

    fn usable(&self, id: &ConnectionId) -> Result<&Connection, Refusal> {
        let connection = id.clone();
        match (self.list.find(id), self.holders(id)) {
            (Some(found), _) => Ok(found),
            (None, []) => Err(Refusal::UnknownConnection { connection }),
            (None, [..]) => Err(Refusal::Retired { connection }),
        }
    }

    /// The session that is meant. A connection means the actor's own session on
    /// it; an admin who means another's names the session.
    fn targeted(&self, target: &Target, actor: &Actor) -> Result<&Session, Refusal> {
        match target {
            Target::Session(id) => self.session(id).ok_or_else(|| Refusal::UnknownSession { session: id.clone() }),
            Target::Connection(id) => self.own_session(id, actor),
        }
    }

    fn own_session(&self, id: &ConnectionId, actor: &Actor) -> Result<&Session, Refusal> {
        let holders = self.holders(id);
        if let Some(own) = holders.iter().find(|session| session.user.is_same_account(&actor.user)) {
            return Ok(own);
        }
        let connection = id.clone();
        match (holders.first(), self.list.find(id)) {
            (Some(other), _) => Err(Refusal::NotYours { holder: other.user.clone(), admin_may: true }),
            (None, Some(_)) => Err(Refusal::NotChecked { connection }),
            (None, None) => Err(Refusal::UnknownConnection { connection }),
        }
    }

    fn session(&self, id: &SessionId) -> Option<&Session> {
        let connection = self.places.get(id)?;
        self.holders(connection).iter().find(|session| session.id == *id)
    }

    fn begin(&mut self, session: Session) -> Touched {
        let connection = session.connection.clone();
        self.places.insert(session.id.clone(), connection.clone());
        self.held.entry(connection.clone()).or_default().push(session);
        Touched::Connection(connection)
    }

    fn end(&mut self, ended: EndedSession) -> Touched {
        let connection = ended.session.connection.clone();
        self.places.remove(&ended.session.id);
        if let Some(holders) = self.held.get_mut(&connection) {
            holders.retain(|session| session.id != ended.session.id);
            if holders.is_empty() {
                self.held.remove(&connection);
            }
        }
        self.ended.remember(ended);
        Touched::Connection(connection)
    }

    fn annotate(&mut self, id: &SessionId, note: Note) -> Touched {
        let Some(connection) = self.places.get(id).cloned() else {
            return Touched::Nothing;
        };
        let sessions = self.held.get_mut(&connection).into_iter().flatten();
        sessions.filter(|session| session.id == *id).for_each(|session| session.note = note.clone());
        Touched::Connection(connection)
    }
}

/// What a fact changed for those who look at the board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touched {
    /// One connection.
    Connection(ConnectionId),
    /// The list: every line may be another.
    List,
    /// Nothing.
    Nothing,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct RecentlyEnded {
    sessions: BTreeMap<SessionId, EndedSession>,
    oldest_first: VecDeque<SessionId>,
}

impl RecentlyEnded {
    fn find(&self, id: &SessionId) -> Option<&EndedSession> {
        self.sessions.get(id)
    }

    fn forget_before(&mut self, cutoff: Timestamp) {
        self.sessions.retain(|_, ended| ended.ended_at >= cutoff);
        self.oldest_first.retain(|id| self.sessions.contains_key(id));
    }

    fn remember(&mut self, ended: EndedSession) {
        self.oldest_first.push_back(ended.session.id.clone());
        self.sessions.insert(ended.session.id.clone(), ended);
        if self.oldest_first.len() > REMEMBERED_ENDED_SESSIONS
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.sessions.remove(&oldest);
        }
    }
}

impl Refusal {
    /// The stable code of the API.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Taken { .. } | Refusal::AlreadyYours { .. } | Refusal::SeveralHolders { .. } => "taken",
            Refusal::NotChecked { .. } => "not_checked",
            Refusal::NotYours { .. } => "forbidden",
            Refusal::UnknownConnection { .. } | Refusal::Retired { .. } => "unknown_connection",
            Refusal::UnknownSession { .. } => "unknown_session",
        }
    }

    /// Who is on the connection, where that is the reason.
    pub fn holders(&self) -> &[Session] {
        match self {
            Refusal::Taken { holders, .. }
            | Refusal::AlreadyYours { holders, .. }
            | Refusal::SeveralHolders { holders, .. } => holders,
            Refusal::NotChecked { .. }
            | Refusal::NotYours { .. }
            | Refusal::UnknownConnection { .. }
            | Refusal::Retired { .. }
            | Refusal::UnknownSession { .. } => &[],
        }
    }
}

fn ending(session: &Session, by: EndedBy, circumstances: &Circumstances) -> EndedSession {
    EndedSession {
        session: session.clone(),
        ended_at: circumstances.now,
        ended_by: by,
        week: Week::of(circumstances.now, &circumstances.zone.rules),
        timezone: circumstances.zone.name.clone(),
    }
}

fn names(holders: &[Session]) -> String {
    let names: Vec<&str> = holders.iter().map(|session| session.user.as_str()).collect();
    names.join(" and ")
}
