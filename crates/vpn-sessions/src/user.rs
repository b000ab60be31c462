//! Commands that change accounts: through the running server, or directly
//! where none holds the data directory.

use std::{
    io::{IsTerminal, Read, stdin},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use clap::ArgMatches;
use domain::{account::Role, names::UserName};
use ledger::Term;
use serde_json::{Value, json};

use crate::{config::Config, serve};

/// Longest password that is read, in bytes: four for each character, and more than is taken.
const MAX_PASSWORD_BYTES: u64 = 4_096;

/// How long a server may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Runs `user …`.
pub(crate) async fn run(matches: &ArgMatches, config: &Config) -> anyhow::Result<()> {
    match matches.subcommand() {
        Some(("set-password", set)) => {
            let name = set.get_one::<String>("name").map(String::as_str).unwrap_or_default();
            set_password(set, config, &UserName::parse(name)?).await
        }
        Some(_) | None => list(config).await,
    }
}

/// Asks the server on this machine whether it is alive.
pub(crate) async fn health(config: &Config) -> anyhow::Result<()> {
    let url = format!("{}/healthz", own_address(config));
    let answer = client(&url)?
        .get(&url)
        .send()
        .await
        .with_context(|| format!("{url} does not answer; is the server running?"))?;
    ensure!(answer.status().is_success(), "{url} answers {}", answer.status());
    Ok(())
}

async fn set_password(matches: &ArgMatches, config: &Config, user: &UserName) -> anyhow::Result<()> {
    let named_server = matches.get_one::<String>("server");
    let password = read_password()?;
    if named_server.is_some() || ledger::holder(&config.data_dir).is_some() {
        let server = named_server.cloned().unwrap_or_else(|| own_address(config));
        let token = access_token(matches, config, &server).await?;
        return set_password_at(&server, &token, user, &password).await;
    }
    let term = Arc::new(Term::take(&config.data_dir)?);
    serve::accounts_alone(config, &term).await?.set_password(user, &password).await?;
    Ok(())
}

async fn list(config: &Config) -> anyhow::Result<()> {
    for user in crate::files::users(config)? {
        println!("{}\t{}", user.name, user.role.unwrap_or(Role::Member));
    }
    println!("{}\t{}", config.hc_user, Role::Admin);
    Ok(())
}

fn read_password() -> anyhow::Result<String> {
    if stdin().is_terminal() {
        let password = rpassword::prompt_password("New password: ")?;
        ensure!(password == rpassword::prompt_password("Again: ")?, "the two passwords differ; nothing was changed");
        return Ok(password);
    }
    let mut text = String::new();
    stdin().take(MAX_PASSWORD_BYTES).read_to_string(&mut text).context("standard input holds no password")?;
    Ok(text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line)).to_owned())
}

async fn access_token(matches: &ArgMatches, config: &Config, server: &str) -> anyhow::Result<String> {
    if let Some(token) = matches.get_one::<String>("token") {
        return Ok(token.clone());
    }
    let Some(password) = &config.hc_pw else {
        bail!("the server has to know who asks; give --token, or set HC_USER and HC_PW");
    };
    let request = client(server)?.post(format!("{server}/api/loginUser"));
    let answer = request.basic_auth(&config.hc_user, Some(password.expose())).send().await;
    let answer = checked(answer.with_context(|| format!("{server} does not answer"))?).await?;
    let body: Value = answer.json().await?;
    body["token"].as_str().map(str::to_owned).context("the server gave no token")
}

async fn set_password_at(server: &str, token: &str, user: &UserName, password: &str) -> anyhow::Result<()> {
    let mut url = reqwest::Url::parse(server).with_context(|| format!("{server} is no address"))?;
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(["api", "v1", "accounts", user.as_str(), "password"]);
    }
    let request = client(server)?.put(url).bearer_auth(token).json(&json!({ "password": password }));
    checked(request.send().await.with_context(|| format!("{server} does not answer"))?).await?;
    Ok(())
}

/// A client for that server; no proxy is asked for one on this machine, since
/// it would be told the password.
fn client(server: &str) -> anyhow::Result<reqwest::Client> {
    let url = reqwest::Url::parse(server).with_context(|| format!("{server} is no address"))?;
    let is_here = match url.host_str() {
        Some("localhost") => true,
        Some(host) => host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    };
    let builder = reqwest::Client::builder().timeout(ANSWERS_WITHIN);
    Ok(if is_here { builder.no_proxy() } else { builder }.build()?)
}

async fn checked(answer: reqwest::Response) -> anyhow::Result<reqwest::Response> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    let status = answer.status();
    let problem: Value = answer.json().await.unwrap_or_default();
    bail!("{}", problem["detail"].as_str().map_or_else(|| format!("the server answers {status}"), str::to_owned))
}

fn own_address(config: &Config) -> String {
    let mut address = config.listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{address}")
}
