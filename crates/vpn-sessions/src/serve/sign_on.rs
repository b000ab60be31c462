//! Single sign-on, as the settings want it.

use std::sync::Arc;

use anyhow::Context;
use app::{sign_on::SingleSignOn, store::World};
use outbound::{OidcProvider, OidcSettings};

use crate::config::Config;

/// Where the provider sends browsers back to, below the address that they use.
const CALLBACK: &str = "/login/callback";

/// The provider of the settings, where there is one; it is not asked anything yet.
pub(super) fn provider(config: &Config, world: &World) -> anyhow::Result<Option<SingleSignOn>> {
    let Some(oidc) = &config.oidc else { return Ok(None) };
    let provider = OidcProvider::new(OidcSettings {
        issuer: oidc.issuer.clone(),
        client_id: oidc.client_id.clone(),
        client_secret: oidc.client_secret.expose().to_owned(),
        scopes: oidc.scopes.clone(),
        redirect_url: redirect_url(config),
    });
    let provider = Box::new(provider.context("single sign-on cannot be set up")?);
    let World { findings, clock, entropy, .. } = world;
    let (findings, clock, entropy) = (Arc::clone(findings), Arc::clone(clock), Arc::clone(entropy));
    Ok(Some(SingleSignOn::new(provider, oidc.rules.clone(), findings, clock, entropy)))
}

/// Without `PUBLIC_URL` the server is on this machine only.
fn redirect_url(config: &Config) -> String {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let local = || format!("{scheme}://{}", config.listen);
    format!("{}{CALLBACK}", config.public_url.clone().unwrap_or_else(local))
}
