//! What clients name, as the product's values: it cannot be wrong from here on.

use domain::{connection::ConnectionId, names::Note};

use crate::problem::Problem;

/// A connection's id, as a client names it.
pub(crate) fn connection_id(text: &str) -> Result<ConnectionId, Problem> {
    let named = ConnectionId::parse(text);
    named.map_err(|error| Problem::bad_request(format!("\"connection\" is main and sub name joined by ';': {error}")))
}

/// A note, as a client gives it; nothing is an empty one.
pub(crate) fn note(text: Option<&str>) -> Result<Note, Problem> {
    Note::parse(text.unwrap_or_default()).map_err(|error| Problem::bad_request(format!("\"note\": {error}")))
}
