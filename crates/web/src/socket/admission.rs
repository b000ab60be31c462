//! Who may open a socket, and go on with one: a seat is taken before anything
//! is opened, and a polling socket's id is worth something only to whoever
//! opened it.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, request::Parts as Head},
    middleware::Next,
    response::{IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use domain::{address::Site, record::Hash};

use crate::{
    caller::{cookie_name, header_token},
    peer::{OverTls, PeerAddress},
    problem::Problem,
    seats::{NoSeat, Seat},
};

use super::{PATH, Sockets};

/// Who opened a socket: by what proves it, or else by where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opener {
    credential: Option<Hash>,
    site: Site,
}

impl Opener {
    pub(super) fn of(head: &Head) -> Opener {
        let over_tls = OverTls::of(&head.extensions);
        let credential = credential(&head.headers, over_tls).map(|text| Hash::of(text.as_bytes()));
        Opener { credential, site: PeerAddress::of(&head.extensions).site() }
    }

    /// Whether the same one asks again. Whoever shows what was shown before may
    /// come from elsewhere, as phones do; the official Python client shows it
    /// once only, and is known by where it comes from.
    fn is(&self, other: &Opener) -> bool {
        match (&self.credential, &other.credential) {
            (Some(shown), Some(again)) => shown == again,
            (None, _) | (_, None) => self.site == other.site,
        }
    }
}

fn credential(headers: &HeaderMap, over_tls: OverTls) -> Option<String> {
    let by_header = header_token(headers).map(str::to_owned);
    by_header.or_else(|| CookieJar::from_headers(headers).get(cookie_name(over_tls)).map(|c| c.value().to_owned()))
}

/// Takes a seat for a new socket, and looks who goes on with an old one.
pub(crate) async fn admit(State(sockets): State<Arc<Sockets>>, request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with(PATH) {
        return next.run(request).await;
    }
    let (mut head, body) = request.into_parts();
    let id = head.uri.query().and_then(|query| query.split('&').find_map(|part| part.strip_prefix("sid=")));
    match id {
        Some(id) => {
            let opener = sockets.opener(id);
            if opener.is_some_and(|opener| !opener.is(&Opener::of(&head))) {
                return Problem::bad_request("there is no such socket; connect anew").into_response();
            }
        }
        None => match sockets.parts.limits.seats.take(PeerAddress::of(&head.extensions).site()) {
            Ok(seat) => drop(head.extensions.insert::<Arc<Seat>>(Arc::new(seat))),
            Err(none) => return no_seat(none).into_response(),
        },
    }
    next.run(Request::from_parts(head, body)).await
}

fn no_seat(none: NoSeat) -> Problem {
    tracing::warn!(?none, "A socket was not let in");
    match none {
        NoSeat::InAll => Problem::unavailable("there are as many sockets as [limits] sockets allows; try again later"),
        NoSeat::AtAddress => Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limited",
            "your address has as many sockets as [limits] sockets_per_address allows; close some",
        ),
    }
}
