//! The seam to the live board: Socket.IO protocol 5 on Engine.IO 4.
//!
//! Commands come in here, encoded frames go out in [`hub`], and nothing else
//! knows how either travels. Engine.IO (WebSocket, long-polling, pings, the
//! upgrade) is engineioxide's; the packets on top of it are [`packet`]'s.
//! Messages of one socket are read in order and handed to the board's writer
//! in that order, before any answer is waited for.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::store::answered;
use axum::body::Bytes;
use engineioxide::{DisconnectReason, Str, config::EngineIoConfig, handler::EngineIoHandler};
use tokio::sync::{mpsc, oneshot};
use wire::board::SocketAuth;

use crate::{
    Parts, WebSettings,
    caller::Caller,
    limits::Kind,
    problem::Problem,
    seats::{AccountSeat, Seat},
};

pub(crate) use self::admission::admit;
use self::{
    admission::Opener,
    command::Given,
    hub::{Hub, Notice},
    packet::Packet,
};

mod admission;
mod command;
mod hub;
mod packet;

/// Where sockets connect.
pub(crate) const PATH: &str = "/socket.io";

/// How many notices may wait for the hub; each socket makes two in its life.
const MAX_WAITING_NOTICES: usize = 16_384;

/// How many packets may wait for a socket; one that is further behind is cut
/// off, and comes back with its `seq`.
const MAX_WAITING_PACKETS: usize = 128;

/// How long a socket that is ended may take to fetch why: one that polls asks
/// again first.
const LAST_WORDS: Duration = Duration::from_millis(500);

pub(crate) type Socket = engineioxide::Socket<Peer>;

/// Who sits at the other end of a socket, once it has signed in.
#[derive(Default)]
pub(crate) struct Peer {
    caller: Mutex<Option<Caller>>,
    /// Held as long as the socket is.
    seat: Mutex<Option<AccountSeat>>,
}

impl Peer {
    fn caller(&self) -> Option<Caller> {
        self.caller.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// All sockets.
#[derive(Clone)]
pub(crate) struct Sockets {
    parts: Arc<Parts>,
    hub: mpsc::Sender<Notice>,
    openers: Arc<Mutex<BySocket<Opener>>>,
}

pub(crate) fn engine_config(settings: &WebSettings) -> EngineIoConfig {
    EngineIoConfig::builder()
        .req_path(PATH)
        .ping_interval(settings.ping_interval)
        .ping_timeout(settings.ping_timeout)
        .max_payload(settings.max_payload as u64)
        .ws_max_message_size(settings.max_payload)
        .ws_max_frame_size(settings.max_payload)
        .max_buffer_size(MAX_WAITING_PACKETS)
        .build()
}

impl Sockets {
    /// Starts the hub.
    pub(crate) fn start(parts: Arc<Parts>) -> Arc<Sockets> {
        let (hub, notices) = mpsc::channel(MAX_WAITING_NOTICES);
        tokio::spawn(Hub::new(Arc::clone(&parts)).run(notices));
        Arc::new(Sockets { parts, hub, openers: Arc::default() })
    }

    /// Closes all sockets; their clients come back when the server does.
    pub(crate) async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        if self.hub.send(Notice::Stop { done }).await.is_ok() {
            let _ = stopped.await;
        }
    }

    fn connect(&self, socket: Arc<Socket>, namespace: &str, payload: &str) {
        if namespace != "/" {
            return send(&socket, packet::connect_error(namespace, "there is only the namespace /", "bad_request"));
        }
        let auth: SocketAuth = match serde_json::from_str(if payload.is_empty() { "{}" } else { payload }) {
            Ok(auth) => auth,
            Err(error) => {
                let message = format!("auth is not {{token?, epoch?, seq?}}: {error}");
                return send(&socket, packet::connect_error("/", &message, "bad_request"));
            }
        };
        let Some(caller) = self.caller(&socket, &auth) else {
            let message = "sign in first: by cookie, or with auth.token";
            return send(&socket, packet::connect_error("/", message, "unauthorized"));
        };
        if !caller.rights.uses_board() {
            return send(&socket, packet::connect_error("/", &Problem::no_scope("board").detail, "forbidden"));
        }
        let Some(seat) = self.parts.limits.seats.take_of(&caller.actor.user) else {
            let message = "this account has as many sockets as [limits] sockets_per_account allows; close some";
            return send(&socket, packet::connect_error("/", message, "rate_limited"));
        };
        let known = auth.epoch.zip(auth.seq);
        let mut peer = socket.data.caller.lock().unwrap_or_else(PoisonError::into_inner);
        if peer.is_some() {
            return;
        }
        *peer = Some(caller.clone());
        drop(peer);
        *socket.data.seat.lock().unwrap_or_else(PoisonError::into_inner) = Some(seat);
        self.tell(Notice::Joined { socket, caller, known });
    }

    fn caller(&self, socket: &Socket, auth: &SocketAuth) -> Option<Caller> {
        match auth.token.as_deref().filter(|token| !token.is_empty()) {
            Some(token) => Caller::of_token(token, domain::session::Source::Api, &self.parts),
            None => Caller::of_head(&socket.req_parts, &self.parts),
        }
    }

    fn event(&self, socket: Arc<Socket>, id: Option<u64>, payload: &str) {
        let Some(caller) = socket.data.caller() else { return close(&socket) };
        if let Err(problem) = self.parts.limits.count(&caller.actor.user, Kind::Command) {
            return acknowledge(&socket, id, &command::refusal(problem));
        }
        let Given { command, refused } = command::read(payload, caller.source);
        let Some(command) = command else {
            return acknowledge(&socket, id, &command::refusal(refused.unwrap_or_else(command::nothing)));
        };
        let Some(actor) = self.parts.accounts.actor(&caller.credential) else { return close(&socket) };
        let answer = self.parts.board.submit(actor, command);
        tokio::spawn(async move {
            let ack = command::ack(answered::<app::board::BoardView>(answer).await);
            acknowledge(&socket, id, &ack);
        });
    }

    /// Who opened the socket of that id.
    fn opener(&self, id: &str) -> Option<Opener> {
        let id = id.parse().ok()?;
        self.lock_openers().get(&id).cloned()
    }

    fn lock_openers(&self) -> MutexGuard<'_, BySocket<Opener>> {
        self.openers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, notice: Notice) {
        if let Err(refused) = self.hub.try_send(notice) {
            match refused.into_inner() {
                Notice::Opened { socket } | Notice::Joined { socket, .. } => close(&socket),
                Notice::Left { .. } | Notice::Stop { .. } => {}
            }
        }
    }
}

impl EngineIoHandler for Sockets {
    type Data = Peer;

    fn on_connect(self: Arc<Self>, socket: Arc<Socket>) {
        if socket.req_parts.extensions.get::<Arc<Seat>>().is_none() {
            return close(&socket);
        }
        self.lock_openers().insert(socket.id, Opener::of(&socket.req_parts));
        self.tell(Notice::Opened { socket });
    }

    fn on_disconnect(&self, socket: Arc<Socket>, _: DisconnectReason) {
        self.lock_openers().remove(&socket.id);
        self.tell(Notice::Left { id: socket.id });
    }

    fn on_message(self: &Arc<Self>, message: Str, socket: Arc<Socket>) {
        match packet::read(message.as_str()) {
            Some(Packet::Connect { namespace, payload }) => self.connect(socket, namespace, payload),
            Some(Packet::Event { id, payload }) => self.event(socket, id, payload),
            Some(Packet::Ack) => {}
            Some(Packet::Disconnect) => close(&socket),
            None => refuse(socket, "this is no Socket.IO packet that is known here (protocol 5, text, namespace /)"),
        }
    }

    fn on_binary(self: &Arc<Self>, _: Bytes, socket: Arc<Socket>) {
        refuse(socket, "binary packets are not taken; send text");
    }
}

impl fmt::Debug for Sockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sockets").field("openers", &self.lock_openers().len()).finish_non_exhaustive()
    }
}

/// Whether that is a packet; an event is read for the command that it asks for.
pub(crate) fn reads(text: &str) -> bool {
    let packet = packet::read(text);
    if let Some(Packet::Event { payload, .. }) = &packet {
        drop(command::read(payload, domain::session::Source::Api));
    }
    packet.is_some()
}

/// Sends a frame; a socket that does not keep up is cut off.
fn send(socket: &Socket, frame: impl Into<Str>) {
    if socket.emit(frame).is_err() {
        socket.close(DisconnectReason::TransportError);
    }
}

fn acknowledge(socket: &Socket, id: Option<u64>, ack: &wire::board::Ack) {
    if let Some(id) = id {
        send(socket, packet::ack(id, ack));
    }
}

/// Says what is wrong, and ends the socket; nothing more of it is done.
fn refuse(socket: Arc<Socket>, problem: &str) {
    socket.data.caller.lock().unwrap_or_else(PoisonError::into_inner).take();
    send(&socket, packet::connect_error("/", problem, "bad_request"));
    tokio::spawn(async move {
        tokio::time::sleep(LAST_WORDS).await;
        close(&socket);
    });
}

fn close(socket: &Socket) {
    socket.close(DisconnectReason::PacketParsingError);
}

/// Sockets by their Engine.IO id, which never repeats.
type BySocket<T> = BTreeMap<engineioxide::socket::Sid, T>;
