//! The running server, as a command reaches it.

use std::{net::IpAddr, time::Duration};

use anyhow::{Context, bail, ensure};
use clap::ArgMatches;
use reqwest::{Method, RequestBuilder, Response, Url};
use serde_json::Value;

use crate::{config::Config, pinned};

/// How long a server may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// A server that knows who asks.
pub(crate) struct Remote {
    server: Url,
    client: reqwest::Client,
    token: String,
}

impl Remote {
    /// The server that holds the data directory, or the one that is named;
    /// `None` where there is neither.
    pub(crate) async fn find(matches: &ArgMatches, config: &Config) -> anyhow::Result<Option<Remote>> {
        let named = matches.get_one::<String>("server").cloned();
        if named.is_none() && ledger::holder(&config.data_dir).is_none() {
            return Ok(None);
        }
        let server = named.unwrap_or_else(|| own_address(config));
        let client = client(&server, config)?;
        let server = Url::parse(&server).with_context(|| format!("{server} is no address"))?;
        let token = match matches.get_one::<String>("token") {
            Some(token) => token.clone(),
            None => access_token(&client, &server, config).await?,
        };
        Ok(Some(Remote { server, client, token }))
    }

    /// Asks for something, with a body where there is one; gives the answer's JSON.
    pub(crate) async fn asks(&self, method: Method, path: &[&str], body: Option<&Value>) -> anyhow::Result<Value> {
        let mut url = self.server.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        let request = self.client.request(method, url).bearer_auth(&self.token);
        let request = if let Some(body) = body { request.json(body) } else { request };
        let answer = sent(request, &self.server).await?;
        let text = answer.text().await.context("the answer did not arrive whole")?;
        if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str(&text).context("the answer is no JSON") }
    }
}

/// Asks the server on this machine whether it is alive.
pub(crate) async fn health(config: &Config) -> anyhow::Result<()> {
    let url = format!("{}/healthz", own_address(config));
    let answer = client(&url, config)?
        .get(&url)
        .send()
        .await
        .with_context(|| format!("{url} does not answer; is the server running?"))?;
    ensure!(answer.status().is_success(), "{url} answers {}", answer.status());
    Ok(())
}

/// The address under which this machine reaches its own server.
pub(crate) fn own_address(config: &Config) -> String {
    let mut address = config.listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{address}")
}

async fn access_token(client: &reqwest::Client, server: &Url, config: &Config) -> anyhow::Result<String> {
    let Some(password) = &config.hc_pw else {
        bail!("the server has to know who asks; give --token, or set HC_USER and HC_PW");
    };
    let request = client.post(server.join("api/loginUser")?);
    let answer = sent(request.basic_auth(&config.hc_user, Some(password.expose())), server).await?;
    let body: Value = answer.json().await?;
    body["token"].as_str().map(str::to_owned).context("the server gave no token")
}

async fn sent(request: RequestBuilder, server: &Url) -> anyhow::Result<Response> {
    let shown = server.as_str().trim_end_matches('/');
    let answer = request.send().await.with_context(|| format!("{shown} does not answer"))?;
    if answer.status().is_success() {
        return Ok(answer);
    }
    let status = answer.status();
    let problem: Value = answer.json().await.unwrap_or_default();
    bail!("{}", problem["detail"].as_str().map_or_else(|| format!("the server answers {status}"), str::to_owned))
}

/// A client for that server; no proxy is asked for one on this machine, since
/// it would be told the password.
fn client(server: &str, config: &Config) -> anyhow::Result<reqwest::Client> {
    let url = Url::parse(server).with_context(|| format!("{server} is no address"))?;
    let is_here = match url.host_str() {
        Some("localhost") => true,
        Some(host) => host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    };
    let builder = reqwest::Client::builder().timeout(ANSWERS_WITHIN);
    let builder = match &config.tls {
        Some(tls) if server.starts_with(&own_address(config)) => {
            builder.tls_backend_preconfigured(pinned::client_config(&tls.cert)?)
        }
        Some(_) | None => builder,
    };
    Ok(if is_here { builder.no_proxy() } else { builder }.build()?)
}
