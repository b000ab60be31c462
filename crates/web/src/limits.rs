//! How much anybody may do: a limit on every call, that nobody meets who works.

use std::sync::{Arc, Mutex, PoisonError};

use app::{guessing::SignInTurns, ports::Clock};
use axum::{
    extract::{Request, State},
    http::{Method, request::Parts as Head},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{address::Site, guessing::End, names::UserName, rate::Rate};
use jiff::SignedDuration;

use crate::{Parts, Shared, peer::PeerAddress, problem::Problem, seats::Seats};

/// Most calls a minute from an address, and by an account: pages and programs of
/// a thousand people make fewer, and the server answers more.
const CALLS_PER_MINUTE: u32 = 300_000;

/// Most steps of single sign-on a minute from an address, two for each person: a
/// whole office comes from one address on Monday morning.
const SIGN_ON_STEPS_PER_MINUTE: u32 = 600;

/// How much there may be of what costs something.
#[derive(Clone, Copy, Debug)]
pub struct LimitSettings {
    /// Most sockets at once.
    pub sockets: usize,
    /// Most sockets of an account.
    pub sockets_per_account: usize,
    /// Most sockets from an address.
    pub sockets_per_address: usize,
    /// Most commands of an account a minute.
    pub commands_per_minute: u32,
    /// Most messages of an account a minute.
    pub messages_per_minute: u32,
    /// Most failed sign-ins from an address a minute.
    pub failed_sign_ins_per_minute: u32,
}

/// What is used up of the limits.
pub struct Limits {
    pub(crate) sign_ins: SignInTurns,
    pub(crate) seats: Seats,
    calls_of_sites: Mutex<Rate<Site>>,
    sign_ons_of_sites: Mutex<Rate<Site>>,
    calls: Mutex<Rate<String>>,
    commands: Mutex<Rate<String>>,
    messages: Mutex<Rate<String>>,
    clock: Arc<dyn Clock>,
}

/// What a call by an account counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It changes nothing.
    Reading,
    /// It changes something.
    Command,
    /// It hands in a message.
    Message,
}

impl Limits {
    /// Nothing is used up.
    pub fn new(settings: &LimitSettings, clock: Arc<dyn Clock>) -> Limits {
        Limits {
            sign_ins: SignInTurns::new(settings.failed_sign_ins_per_minute, Arc::clone(&clock)),
            seats: Seats::new(settings),
            calls_of_sites: Mutex::new(Rate::per_minute(CALLS_PER_MINUTE)),
            sign_ons_of_sites: Mutex::new(Rate::per_minute(SIGN_ON_STEPS_PER_MINUTE)),
            calls: Mutex::new(Rate::per_minute(CALLS_PER_MINUTE)),
            commands: Mutex::new(Rate::per_minute(settings.commands_per_minute)),
            messages: Mutex::new(Rate::per_minute(settings.messages_per_minute)),
            clock,
        }
    }

    /// Counts something that an account does.
    pub(crate) fn count(&self, user: &UserName, kind: Kind) -> Result<(), Problem> {
        let (rate, what) = match kind {
            Kind::Reading => (&self.calls, "calls"),
            Kind::Command => (&self.commands, "commands"),
            Kind::Message => (&self.messages, "messages"),
        };
        let taken = lock(rate).take(&user.folded(), self.clock.now());
        taken.map_err(|wait| Problem::rate_limited(format!("{user} has made too many {what} this minute"), wait))
    }

    /// Counts a step of single sign-on from an address.
    pub(crate) fn count_sign_on(&self, site: Site) -> Result<(), Problem> {
        let taken = lock(&self.sign_ons_of_sites).take(&site, self.clock.now());
        taken.map_err(|wait| Problem::rate_limited("your address has begun too many sign-ins this minute", wait))
    }

    fn count_call(&self, site: Site) -> Result<(), Problem> {
        let taken = lock(&self.calls_of_sites).take(&site, self.clock.now());
        taken.map_err(|wait| Problem::rate_limited("your address has made too many calls this minute", wait))
    }
}

impl Kind {
    /// What a request counts as.
    pub(crate) fn of(head: &Head) -> Kind {
        match (&head.method, head.uri.path()) {
            (&Method::GET | &Method::HEAD | &Method::OPTIONS, _) => Kind::Reading,
            (&Method::POST, "/api/placeMessage" | "/api/v1/messages") => Kind::Message,
            (&Method::POST, path) if path.starts_with("/api/v1/messages/from/") => Kind::Message,
            _ => Kind::Command,
        }
    }
}

/// Nobody is served who calls without end.
pub(crate) async fn not_too_often(State(parts): State<Shared>, request: Request, next: Next) -> Response {
    if request.uri().path() != "/healthz"
        && let Err(problem) = parts.limits.count_call(PeerAddress::of(request.extensions()).site())
    {
        return problem.into_response();
    }
    next.run(request).await
}

/// Tries a password when it is its turn: `prove` says what came of it. Whoever has
/// to wait instead is counted.
pub(crate) async fn in_turn<T>(
    parts: &Parts,
    user: &str,
    peer: PeerAddress,
    prove: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    let turn = parts.limits.sign_ins.take(user, peer.site()).await.map_err(|wait| {
        parts.access.sign_in_had_to_wait();
        too_many_failures(wait)
    })?;
    let proved = prove.await;
    let end = match &proved {
        Ok(_) => End::Right,
        Err(problem) if problem.is_unauthorized() => End::Wrong,
        Err(_) => End::Unknown,
    };
    match turn.end(end) {
        Some(wait) => Err(too_many_failures(wait)),
        None => proved,
    }
}

fn too_many_failures(wait: SignedDuration) -> Problem {
    Problem::rate_limited("too many sign-ins failed", wait)
}

fn lock<Key>(rate: &Mutex<Rate<Key>>) -> std::sync::MutexGuard<'_, Rate<Key>> {
    rate.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_counts_as_what_it_is() {
        for (method, path, kind) in [
            ("GET", "/api/v1/messages", Kind::Reading),
            ("HEAD", "/", Kind::Reading),
            ("POST", "/api/placeMessage", Kind::Message),
            ("POST", "/api/v1/messages", Kind::Message),
            ("POST", "/api/v1/messages/from/grafana", Kind::Message),
            ("POST", "/api/v1/messages/x/retry", Kind::Command),
            ("DELETE", "/api/v1/sessions/x", Kind::Command),
        ] {
            let (head, ()) = Request::builder().method(method).uri(path).body(()).unwrap().into_parts();
            assert_eq!(Kind::of(&head), kind, "{method} {path}");
        }
    }
}
