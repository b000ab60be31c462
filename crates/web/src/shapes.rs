//! From the product's values to the shapes of the API, and nothing else.

use app::history::ChainState;
use domain::{
    access::Changer,
    account::{Actor, Described},
    board::{BoardOutcome, Line},
    history::Entry,
    outbox::Tracked,
    record::Record,
    session::{EndedSession, Session},
};
use jiff::Timestamp;
use wire::{accounts, audit, board, relay, service};

pub(crate) fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}

pub(crate) fn session(session: &Session) -> board::Session {
    board::Session {
        id: session.id.to_string(),
        connection: session.connection.to_string(),
        user: session.user.to_string(),
        since: time(session.since),
        note: session.note.as_str().into(),
        source: session.source.name().into(),
        unconfirmed: None,
        ended_at: None,
        ended_by: None,
        duration_s: None,
    }
}

pub(crate) fn ended(ended: &EndedSession) -> board::Session {
    board::Session {
        ended_at: Some(time(ended.ended_at)),
        ended_by: Some(ended.ended_by.to_string()),
        duration_s: Some(ended.duration_seconds()),
        ..session(&ended.session)
    }
}

pub(crate) fn connection(line: &Line) -> board::Connection {
    let id = &line.connection.id;
    board::Connection {
        id: id.to_string(),
        main: id.main().to_string(),
        sub: id.sub().to_string(),
        capacity: line.connection.capacity.get(),
        retired: line.retired,
        sessions: line.sessions.iter().map(session).collect(),
        waiting: Vec::new(),
    }
}

pub(crate) fn me(actor: &Actor) -> board::Me {
    board::Me { user: actor.user.to_string(), role: actor.role.to_string() }
}

pub(crate) fn account(account: &Described, now: Timestamp) -> accounts::Account {
    let disabled = account.disabled.as_ref();
    let by = disabled.and_then(|disabled| match &disabled.by {
        Changer::Account(visitor) => Some(visitor.user.to_string()),
        Changer::CommandLine | Changer::Configuration => None,
    });
    let invited_until = account.invitation.as_ref().map(|invitation| invitation.expires_at);
    accounts::Account {
        name: account.user.to_string(),
        role: account.role.to_string(),
        role_source: account.role_source.name(),
        status: match (account.is_active, disabled) {
            (true, _) => "active",
            (false, Some(_)) => "disabled",
            (false, None) => "taken_out",
        },
        reason: disabled.map(|disabled| disabled.reason.to_string()),
        disabled_by: by,
        listed: account.is_listed,
        has_password: account.has_password,
        invited_until: invited_until.filter(|end| now < *end).map(time),
        last_sign_in_at: account.last_sign_in.map(time),
    }
}

pub(crate) fn finding(finding: &app::findings::Finding) -> service::Finding {
    service::Finding {
        part: finding.part.into(),
        code: finding.code.into(),
        detail: finding.detail.clone(),
        since: time(finding.since),
    }
}

pub(crate) fn message(tracked: &Tracked) -> relay::Message {
    let message = &tracked.message;
    relay::Message {
        id: message.id.to_string(),
        status: tracked.status.name().into(),
        accepted_at: time(message.accepted_at),
        user: message.user.to_string(),
        subject: message.subject.clone(),
        message: message.text.clone(),
        priority: message.priority,
        dedupe_key: message.dedupe_key.clone(),
        attempts: tracked.attempts,
        last_words: tracked.last_words.clone(),
        next_attempt_at: tracked.next_attempt_at.map(time),
        ended_at: tracked.ended_at.map(time),
    }
}

/// A session of the past, or one that runs.
pub(crate) fn entry(entry: &Entry) -> audit::Session {
    match entry {
        Entry::Running(running) => audit::Session { session: session(running), imported: false, origin: None },
        Entry::Ended(gone) => audit::Session { session: ended(gone), imported: false, origin: None },
        Entry::Imported(imported) => audit::Session {
            session: board::Session {
                id: imported.id.to_string(),
                connection: imported.connection.to_string(),
                user: imported.user.to_string(),
                since: time(imported.since),
                note: imported.note.as_str().into(),
                source: "import".into(),
                unconfirmed: None,
                ended_at: Some(time(imported.ended_at)),
                ended_by: imported.ended_by.as_ref().map(ToString::to_string),
                duration_s: Some(imported.duration_seconds()),
            },
            imported: true,
            origin: Some(audit::Origin {
                file: imported.file.clone(),
                sha256: imported.sha256.clone(),
                line: imported.line,
            }),
        },
    }
}

/// A session as the API gives it, as one line of JSON.
///
/// # Panics
/// Never: its shape is plain values.
pub fn entry_json(found: &Entry) -> String {
    serde_json::to_string(&entry(found)).expect("a session is plain values")
}

pub(crate) fn record(record: &Record) -> audit::Record {
    audit::Record {
        seq: record.seq,
        at: record.at.to_string(),
        kind: record.kind.clone(),
        body: record.body.clone(),
        prev: record.prev.to_string(),
        hash: record.hash.to_string(),
    }
}

pub(crate) fn chain(state: &ChainState) -> audit::Chain {
    let (head, proved_at) = (state.head, time(state.proved_at));
    let (segments, proved_until, notes, findings) = match &state.proved {
        Ok(chain) => (chain.segments, Some(chain.head.seq), chain.notes.clone(), Vec::new()),
        Err(error) => (0, None, Vec::new(), vec![error.to_string()]),
    };
    audit::Chain {
        stream: state.stream.name().into(),
        seq: head.seq,
        hash: head.hash.to_string(),
        segments,
        is_whole: state.proved.is_ok(),
        proved_until,
        proved_at,
        findings,
        notes,
    }
}

/// The session that a command came to, if it was about one.
pub(crate) fn outcome(outcome: &BoardOutcome) -> Option<board::Session> {
    match outcome {
        BoardOutcome::Current(current) => Some(session(current)),
        BoardOutcome::Ended(gone) => Some(ended(gone)),
        BoardOutcome::Done => None,
    }
}
