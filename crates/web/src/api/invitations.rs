//! Invitations: links with which people choose their password.

use app::accounts::Invited;
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
};
use wire::{
    accounts::{Invitation, Invitations},
    service::Problem as ProblemShape,
};

use crate::{
    Parts, Shared,
    caller::ChangingAdmin,
    given::{self, Named},
    peer::OverTls,
    problem::Problem,
    shapes,
};

/// Invite somebody to choose a password; by an admin.
///
/// The link works once, for three days; the one before is none any more.
#[utoipa::path(post, path = "/api/v1/accounts/{name}/invitation", tag = "accounts",
    params(("name" = String, Path, description = "the account's name")),
    responses(
        (status = 201, body = Invitation),
        (status = 400, body = ProblemShape),
        (status = 401, body = ProblemShape),
        (status = 403, body = ProblemShape),
        (status = 404, description = "unknown_account", body = ProblemShape),
        (status = 409, description = "the password is a setting, or the account disabled", body = ProblemShape),
        (status = 503, body = ProblemShape),
    ))]
pub(crate) async fn invite(
    State(parts): State<Shared>,
    admin: ChangingAdmin,
    Named(name): Named,
    over_tls: OverTls,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<Invitation>), Problem> {
    let invited = parts.accounts.invite(given::user(&name)?, admin.into()).await?;
    Ok((StatusCode::CREATED, Json(shape(&invited, &origin(&parts, over_tls, &headers)))))
}

/// Invite everybody who has no password; by an admin.
#[utoipa::path(post, path = "/api/v1/invitations", tag = "accounts", responses(
    (status = 201, body = Invitations),
    (status = 401, body = ProblemShape),
    (status = 403, body = ProblemShape),
    (status = 503, description = "unavailable; some may be invited all the same", body = ProblemShape),
))]
pub(crate) async fn invite_all(
    State(parts): State<Shared>,
    admin: ChangingAdmin,
    over_tls: OverTls,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<Invitations>), Problem> {
    let invited = parts.accounts.invite_all(admin.into()).await?;
    let origin = origin(&parts, over_tls, &headers);
    let invitations = invited.iter().map(|invited| shape(invited, &origin)).collect();
    Ok((StatusCode::CREATED, Json(Invitations { invitations })))
}

fn shape(invited: &Invited, origin: &str) -> Invitation {
    Invitation {
        user: invited.user.to_string(),
        link: format!("{origin}/invite/{}", invited.secret),
        expires_at: shapes::time(invited.expires_at),
    }
}

/// The origin that a link names: the one that is set, or the one that was asked.
fn origin(parts: &Parts, over_tls: OverTls, headers: &HeaderMap) -> String {
    let asked = || {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        format!("{}://{host}", if over_tls.0 { "https" } else { "http" })
    };
    parts.settings.public_origin.clone().unwrap_or_else(asked)
}
