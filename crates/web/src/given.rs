//! What clients name, as the product's values: it cannot be wrong from here on.

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts as Head,
};
use domain::{
    account::Role,
    connection::ConnectionId,
    names::{Label, Note, UserName},
};
use serde::de::DeserializeOwned;

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

/// An account's name, as a client gives it.
pub(crate) fn user(text: &str) -> Result<UserName, Problem> {
    UserName::parse(text).map_err(|error| Problem::bad_request(error.to_string()))
}

/// A role, as a client names it.
pub(crate) fn role(text: &str) -> Result<Role, Problem> {
    let unknown = || Problem::bad_request(format!("\"role\": {text:?} is none; use member, auditor or admin"));
    Role::parse(text).ok_or_else(unknown)
}

/// A few words, as a client gives them.
pub(crate) fn label(what: &'static str, text: &str) -> Result<Label, Problem> {
    Label::parse(what, text).map_err(|error| Problem::bad_request(error.to_string()))
}

/// The name in a path, percent-decoded.
pub(crate) struct Named(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;
    async fn from_request_parts(head: &mut Head, state: &S) -> Result<Named, Problem> {
        let named = Path::from_request_parts(head, state).await;
        named.map(|Path(name)| Named(name)).map_err(|rejection| Problem::bad_request(rejection.body_text()))
    }
}

/// What stands behind the `?`.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;
    async fn from_request_parts(head: &mut Head, state: &S) -> Result<Asked<T>, Problem> {
        let asked = Query::from_request_parts(head, state).await;
        asked.map(|Query(asked)| Asked(asked)).map_err(|rejection| Problem::bad_request(rejection.body_text()))
    }
}
