//! Errors as people and programs get them: RFC 9457, with a stable code.

use std::time::Duration;

use app::{
    accounts::{SetPasswordError, SignInError},
    history::HistoryError,
    passwords::PasswordError,
    ports::ShareError,
    relay::AcceptError,
    store::Failure,
};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{account::AccountRefusal, board::Refusal, outbox::RelayRefusal};
use jiff::SignedDuration;
use wire::{board::Session, service};

use crate::shapes;

/// A no, in HTTP's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) detail: String,
    pub(crate) holders: Vec<Session>,
    /// After how many seconds it is worth trying again, where that is known.
    pub(crate) retry_after: Option<u64>,
}

/// A search that found no room may try again after so many seconds.
const SEARCH_AGAIN_AFTER: u64 = 5;

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Problem {
        Problem { status, code, detail: detail.into(), holders: Vec::new(), retry_after: None }
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    pub(crate) fn unauthorized() -> Problem {
        let detail = "sign in first: in a browser at /login, in a program with a token from POST /api/loginUser";
        Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    pub(crate) fn no_scope(scope: &str) -> Problem {
        Problem::forbidden(format!("this API token has not the scope {scope}; use one that has it"))
    }

    fn conflict(code: &'static str, detail: String) -> Problem {
        Problem::new(StatusCode::CONFLICT, code, detail)
    }

    pub(crate) fn unavailable(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }

    /// Too much of something; after that time it goes on.
    pub(crate) fn rate_limited(what: impl Into<String>, wait: SignedDuration) -> Problem {
        let seconds = u64::try_from(wait.as_secs()).unwrap_or(0) + u64::from(wait.subsec_nanos() > 0);
        let seconds = seconds.max(1);
        let detail = format!("{}; try again in {seconds} s", what.into());
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail);
        Problem { retry_after: Some(seconds), ..problem }
    }

    /// A request that does not come to its end.
    pub(crate) fn too_slow(limit: Duration) -> Problem {
        let detail = format!("the body did not come within {} s; send it at once", limit.as_secs());
        Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail)
    }

    /// Whether nobody was proved.
    pub(crate) fn is_unauthorized(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
    }

    /// Says on a page, too, what a client reads from the headers.
    pub(crate) fn with_headers_on(&self, mut page: Response) -> Response {
        if let Some(seconds) = self.retry_after {
            page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        page
    }

    pub(crate) fn no_such_path() -> Problem {
        Problem::not_found("not_found", "there is nothing at this address; the API is described at /api/openapi.json")
    }

    pub(crate) fn not_found(code: &'static str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, code, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = service::Problem {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error").into(),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code,
            holders: self.holders,
        };
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"vpn-sessions\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl<R: Into<Problem>> From<Failure<R>> for Problem {
    fn from(failure: Failure<R>) -> Problem {
        match failure {
            Failure::Refused(refusal) => refusal.into(),
            Failure::Unavailable(reason) => Problem::unavailable(reason),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let status = match &refusal {
            Refusal::Taken { .. }
            | Refusal::AlreadyYours { .. }
            | Refusal::SeveralHolders { .. }
            | Refusal::NotChecked { .. } => StatusCode::CONFLICT,
            Refusal::NotYours { .. } => StatusCode::FORBIDDEN,
            Refusal::UnknownConnection { .. } | Refusal::Retired { .. } | Refusal::UnknownSession { .. } => {
                StatusCode::NOT_FOUND
            }
        };
        let holders = refusal.holders().iter().map(shapes::session).collect();
        Problem { holders, ..Problem::new(status, refusal.code(), refusal.to_string()) }
    }
}

impl From<RelayRefusal> for Problem {
    fn from(refusal: RelayRefusal) -> Problem {
        let detail = refusal.to_string();
        match refusal {
            RelayRefusal::UnknownMessage(_) => Problem::not_found("unknown_message", detail),
            RelayRefusal::Full => Problem::unavailable(detail),
            RelayRefusal::NoMailServer => Problem::new(StatusCode::CONFLICT, "no_mail_server", detail),
            RelayRefusal::AlreadySent(_) => Problem::new(StatusCode::CONFLICT, "already_sent", detail),
        }
    }
}

impl From<AcceptError> for Problem {
    fn from(error: AcceptError) -> Problem {
        let detail = error.to_string();
        match error {
            AcceptError::Empty | AcceptError::Field(_) => Problem::bad_request(detail),
            AcceptError::TooLarge(_) => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail),
            AcceptError::Recipient => Problem::forbidden(detail),
            AcceptError::Unavailable(_) => Problem::unavailable(detail),
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Problem {
        let detail = error.to_string();
        match error {
            SignInError::Wrong => Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail),
            SignInError::Unavailable(_) => Problem::unavailable(detail),
        }
    }
}

impl From<SetPasswordError> for Problem {
    fn from(error: SetPasswordError) -> Problem {
        let detail = error.to_string();
        match error {
            SetPasswordError::Refused(refusal) => refusal.into(),
            SetPasswordError::Password(PasswordError::Busy | PasswordError::Failed(_)) => Problem::unavailable(detail),
            SetPasswordError::Password(PasswordError::Length(_) | PasswordError::Common | PasswordError::Name) => {
                Problem::bad_request(detail)
            }
            SetPasswordError::Unavailable(_) => Problem::unavailable(detail),
        }
    }
}

impl From<AccountRefusal> for Problem {
    fn from(refusal: AccountRefusal) -> Problem {
        let detail = refusal.to_string();
        match refusal {
            AccountRefusal::UnknownAccount { .. } => Problem::not_found("unknown_account", detail),
            AccountRefusal::UnknownInvitation => Problem::not_found("unknown_invitation", detail),
            AccountRefusal::UnknownApiToken(_) => Problem::not_found("unknown_token", detail),
            AccountRefusal::UnknownSignIn(_) => Problem::not_found("unknown_sign_in", detail),
            AccountRefusal::AccountExists { .. } => Problem::conflict("account_exists", detail),
            AccountRefusal::PasswordIsSetting { .. } => Problem::conflict("password_is_setting", detail),
            AccountRefusal::RoleIsListed { .. } => Problem::conflict("role_is_listed", detail),
            AccountRefusal::ServiceUser { .. } => Problem::conflict("service_user", detail),
            AccountRefusal::Yourself => Problem::conflict("yourself", detail),
            AccountRefusal::AccountDisabled { .. } => Problem::conflict("account_disabled", detail),
            AccountRefusal::NotListed { .. } => Problem::conflict("not_listed", detail),
            AccountRefusal::TooMany { .. } => Problem::conflict("too_many", detail),
            AccountRefusal::ProofIsOld { .. } => Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail),
            AccountRefusal::NoScope | AccountRefusal::TokenLife => Problem::bad_request(detail),
        }
    }
}

impl From<ShareError> for Problem {
    fn from(error: ShareError) -> Problem {
        Problem::unavailable(error.to_string())
    }
}

impl From<HistoryError> for Problem {
    fn from(error: HistoryError) -> Problem {
        let retry_after = match &error {
            HistoryError::Busy => Some(SEARCH_AGAIN_AFTER),
            HistoryError::Ledger(_) | HistoryError::NotTaken => None,
        };
        Problem { retry_after, ..Problem::unavailable(error.to_string()) }
    }
}

/// There is something, but not by that method.
pub(crate) async fn no_such_method() -> Problem {
    let detail = "this address does not know that method; the API is described at /api/openapi.json";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
