//! The one place that emits: a task that holds all sockets.
//!
//! It subscribes to the board's feed first and takes a snapshot for each
//! socket that joins, so that every socket sees every change once and in the
//! same order. A frame for all is encoded once.

use std::{sync::Arc, time::Duration};

use app::board::{News, Snapshot, Update};
use domain::account::Role;
use engineioxide::{DisconnectReason, Str, socket::Sid};
use serde_json::value::RawValue;
use tokio::sync::{broadcast::error::RecvError, mpsc, oneshot};
use wire::board::{Board, Changes, FindingsEvent};

use crate::{Shared, caller::Caller, shapes};

use super::{BySocket, Socket, packet, send};

/// How often it is looked whether sign-ins have ended: their sockets end
/// within two seconds.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How many looks a socket has to sign in before it is closed.
const LOOKS_TO_JOIN: u32 = 10;

/// How many whole boards are made before the sockets may take them.
const BOARDS_AT_ONCE: usize = 32;

/// What the hub is told.
pub(super) enum Notice {
    /// A socket opened; it has to join soon.
    Opened { socket: Arc<Socket> },
    /// A socket signed in; it may know the board up to a change of an epoch.
    Joined { socket: Arc<Socket>, caller: Caller, known: Option<(String, u64)> },
    /// A socket is gone.
    Left { id: Sid },
    /// The server stops.
    Stop { done: oneshot::Sender<()> },
}

/// A socket that gets everything.
struct Member {
    socket: Arc<Socket>,
    caller: Caller,
    /// The last change that it was told.
    seq: u64,
}

/// A socket that has not signed in yet.
struct Guest {
    socket: Arc<Socket>,
    looks: u32,
}

pub(super) struct Hub {
    parts: Shared,
    members: BySocket<Member>,
    guests: BySocket<Guest>,
    encoded: Option<(u64, Box<RawValue>)>,
}

impl Hub {
    pub(super) fn new(parts: Shared) -> Hub {
        Hub { parts, members: BySocket::new(), guests: BySocket::new(), encoded: None }
    }

    pub(super) async fn run(mut self, mut notices: mpsc::Receiver<Notice>) {
        let mut feed = self.parts.board.subscribe();
        let mut findings = self.parts.findings.watch();
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                notice = notices.recv() => match notice {
                    Some(Notice::Stop { done }) => return self.stop(done),
                    Some(notice) => self.take(notice),
                    None => return,
                },
                update = feed.recv() => match update {
                    Ok(update) => self.broadcast(&update).await,
                    Err(RecvError::Lagged(_)) => self.show_board_to_all().await,
                    Err(RecvError::Closed) => return,
                },
                _ = findings.changed() => self.tell_findings(),
                _ = looks.tick() => self.look(),
            }
        }
    }

    fn take(&mut self, notice: Notice) {
        match notice {
            Notice::Opened { socket } => {
                self.guests.insert(socket.id, Guest { socket, looks: 0 });
            }
            Notice::Joined { socket, caller, known } => self.join(socket, caller, known),
            Notice::Left { id } => {
                self.guests.remove(&id);
                self.members.remove(&id);
            }
            Notice::Stop { .. } => {}
        }
    }

    fn join(&mut self, socket: Arc<Socket>, caller: Caller, known: Option<(String, u64)>) {
        self.guests.remove(&socket.id);
        if socket.is_closed() {
            return;
        }
        let sid = format!("{:032x}", u128::from_be_bytes(self.parts.entropy.bits()));
        send(&socket, packet::connected(&sid));
        let missed = known.and_then(|(epoch, seq)| self.parts.board.since(&epoch, seq));
        let id = socket.id;
        let (me, now) = (Some(shapes::me(&caller.actor)), Some(shapes::time(self.parts.clock.now())));
        self.members.insert(id, Member { socket, caller, seq: 0 });
        match missed {
            Some(Update { seq, news: News::Lines(lines) }) => {
                let connections = lines.iter().map(shapes::connection).collect();
                let frame = packet::event("changes", &Changes { seq, connections, me, now });
                if let Some(member) = self.members.get_mut(&id) {
                    send(&member.socket, frame);
                    member.seq = seq;
                }
                self.tell_findings_to(id);
            }
            Some(Update { news: News::OtherList, .. }) | None => self.show_board(id),
        }
    }

    async fn broadcast(&mut self, update: &Update) {
        match &update.news {
            News::OtherList => self.show_board_to_all().await,
            News::Lines(lines) => {
                let connections = lines.iter().map(shapes::connection).collect();
                let frame: Str =
                    packet::event("changes", &Changes { seq: update.seq, connections, me: None, now: None }).into();
                for member in self.members.values_mut().filter(|member| member.seq < update.seq) {
                    member.seq = update.seq;
                    send(&member.socket, frame.clone());
                }
            }
        }
    }

    async fn show_board_to_all(&mut self) {
        let ids: Vec<Sid> = self.members.keys().copied().collect();
        for some in ids.chunks(BOARDS_AT_ONCE) {
            some.iter().for_each(|id| self.show_board(*id));
            // Lets the sockets take theirs before more are made.
            tokio::task::yield_now().await;
        }
    }

    fn show_board(&mut self, id: Sid) {
        let (seq, connections) = self.encoded_board();
        let findings = self.findings();
        let Some(member) = self.members.get_mut(&id) else { return };
        let board = Board {
            epoch: self.parts.board.epoch(),
            seq,
            me: shapes::me(&member.caller.actor),
            now: shapes::time(self.parts.clock.now()),
            findings: if member.caller.actor.role == Role::Admin { findings } else { Vec::new() },
            connections: &connections,
        };
        send(&member.socket, packet::event("board", &board));
        member.seq = seq;
    }

    /// The board's lines as JSON, made once for all who ask at the same `seq`.
    fn encoded_board(&mut self) -> (u64, Box<RawValue>) {
        let Snapshot { seq, lines } = self.parts.board.snapshot();
        if let Some((at, encoded)) = &self.encoded
            && *at == seq
        {
            return (seq, encoded.clone());
        }
        let connections: Vec<_> = lines.iter().map(shapes::connection).collect();
        let encoded = serde_json::value::to_raw_value(&connections).expect("lines are plain values with string keys");
        self.encoded = Some((seq, encoded.clone()));
        (seq, encoded)
    }

    fn findings(&self) -> Vec<wire::service::Finding> {
        self.parts.findings.current().iter().map(shapes::finding).collect()
    }

    fn tell_findings(&mut self) {
        let ids: Vec<Sid> = self.members.keys().copied().collect();
        ids.into_iter().for_each(|id| self.tell_findings_to(id));
    }

    fn tell_findings_to(&self, id: Sid) {
        if let Some(member) = self.members.get(&id)
            && member.caller.actor.role == Role::Admin
        {
            send(&member.socket, packet::event("findings", &FindingsEvent { findings: self.findings() }));
        }
    }

    /// Ends the sockets whose sign-in ended or whose rights changed, and those
    /// that never signed in.
    fn look(&mut self) {
        for member in self.members.values() {
            if self.parts.accounts.actor(&member.caller.credential).as_ref() != Some(&member.caller.actor) {
                send(&member.socket, packet::DISCONNECTED);
                self.guests
                    .insert(member.socket.id, Guest { socket: Arc::clone(&member.socket), looks: LOOKS_TO_JOIN });
            }
        }
        let guests = &self.guests;
        self.members.retain(|id, member| !guests.contains_key(id) && !member.socket.is_closed());
        for guest in self.guests.values_mut() {
            guest.looks += 1;
            if guest.looks > LOOKS_TO_JOIN + 1 {
                guest.socket.close(DisconnectReason::TransportError);
            }
        }
        self.guests.retain(|_, guest| guest.looks <= LOOKS_TO_JOIN + 1 && !guest.socket.is_closed());
    }

    fn stop(self, done: oneshot::Sender<()>) {
        let guests = self.guests.into_values().map(|guest| guest.socket);
        for socket in self.members.into_values().map(|member| member.socket).chain(guests) {
            socket.close(DisconnectReason::ClosingServer);
        }
        let _ = done.send(());
    }
}
