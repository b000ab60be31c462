//! `token …`: API tokens, through the running server, or directly where none
//! holds the data directory.

use std::collections::BTreeSet;

use anyhow::Context;
use app::accounts::ApiTokenWanted;
use clap::ArgMatches;
use domain::{
    account::{ApiToken, ApiTokenId, Scope, read_end},
    names::{Label, UserName},
};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    alone::{Alone, BY, done},
    config::Config,
    remote::Remote,
};

/// Runs `token …`.
pub(crate) async fn run(matches: &ArgMatches, config: &Config) -> anyhow::Result<()> {
    let Some((command, given)) = matches.subcommand() else { anyhow::bail!("say what to do; see --help") };
    if let Some(remote) = Remote::find(given, config).await? {
        return ask(&remote, command, given).await;
    }
    let alone = Alone::open(config).await?;
    let result = does(&alone, command, given, config).await;
    alone.close().await;
    result
}

/// Through the running server.
async fn ask(remote: &Remote, command: &str, given: &ArgMatches) -> anyhow::Result<()> {
    match command {
        "create" => {
            let body = json!({
                "user": text(given, "user"),
                "name": text(given, "name"),
                "scopes": scopes(given).into_iter().map(Scope::name).collect::<Vec<_>>(),
                "expires_at": text(given, "expires"),
            });
            let answer = remote.asks(Method::POST, &["tokens"], Some(&body)).await?;
            println!("{}", answer["token"].as_str().context("the server gave no token")?);
        }
        "revoke" => {
            remote.asks(Method::DELETE, &["tokens", text(given, "id").unwrap_or_default()], None).await?;
        }
        _ => {
            let answer = remote.asks(Method::GET, &["tokens"], None).await?;
            answer["tokens"].as_array().into_iter().flatten().for_each(show_answer);
        }
    }
    Ok(())
}

/// On the data directory itself.
async fn does(alone: &Alone, command: &str, given: &ArgMatches, config: &Config) -> anyhow::Result<()> {
    match command {
        "create" => {
            let wanted = ApiTokenWanted {
                user: UserName::parse(text(given, "user").unwrap_or(&config.hc_user))?,
                name: Label::parse("the name", text(given, "name").unwrap_or_default())?,
                scopes: scopes(given),
                expires_at: text(given, "expires").map(end).transpose()?,
            };
            let (token, _) = done(alone.accounts.create_api_token(wanted, BY).await)?;
            println!("{token}");
        }
        "revoke" => {
            let id = ApiTokenId::named(text(given, "id").unwrap_or_default());
            done(alone.accounts.revoke_api_token(id, BY).await)?;
        }
        _ => alone.accounts.api_tokens().iter().for_each(|each| show(&each.token)),
    }
    Ok(())
}

fn text<'a>(given: &'a ArgMatches, id: &str) -> Option<&'a str> {
    given.get_one::<String>(id).map(String::as_str)
}

fn scopes(given: &ArgMatches) -> BTreeSet<Scope> {
    let named = given.get_many::<String>("scope").into_iter().flatten();
    named.filter_map(|scope| Scope::parse(scope)).collect()
}

fn end(text: &str) -> anyhow::Result<Timestamp> {
    read_end(text).with_context(|| format!("--expires {text} is no day, 2027-11-30 for example"))
}

fn show(token: &ApiToken) {
    let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.name()).collect();
    println!("{}\t{}\t{}\t{}\t{}", token.id.as_str(), token.user, token.name, scopes.join(","), token.expires_at);
}

fn show_answer(token: &Value) {
    let text = |key: &str| token[key].as_str().unwrap_or_default();
    let scopes: Vec<&str> = token["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    println!("{}\t{}\t{}\t{}\t{}", text("id"), text("user"), text("name"), scopes.join(","), text("expires_at"));
}
