//! `user …`: accounts, through the running server, or directly where none
//! holds the data directory.

use std::io::{IsTerminal, Read, stdin};

use anyhow::{Context, ensure};
use clap::ArgMatches;
use domain::{
    account::{Described, Role},
    names::{Label, UserName},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    alone::{Alone, BY, done},
    config::Config,
    remote::Remote,
};

/// Longest password that is read, in bytes: four for each character, and more than is taken.
const MAX_PASSWORD_BYTES: u64 = 4_096;

/// What is asked for.
enum Wanted {
    List,
    Add { user: UserName, role: Option<Role> },
    Invite { user: UserName },
    InviteAll,
    SetPassword { user: UserName, password: String },
    Role { user: UserName, role: Role },
    Disable { user: UserName, reason: Label },
    Enable { user: UserName },
}

/// Runs `user …`.
pub(crate) async fn run(matches: &ArgMatches, config: &Config) -> anyhow::Result<()> {
    let Some((name, given)) = matches.subcommand() else { anyhow::bail!("say what to do; see --help") };
    let wanted = wanted(name, given)?;
    if let Some(remote) = Remote::find(given, config).await? {
        return ask(&remote, wanted).await;
    }
    let alone = Alone::open(config).await?;
    let result = does(&alone, wanted).await;
    alone.close().await;
    result
}

fn wanted(name: &str, given: &ArgMatches) -> anyhow::Result<Wanted> {
    let text = |id: &str| given.get_one::<String>(id).map(String::as_str);
    let user = || Ok::<_, anyhow::Error>(UserName::parse(text("name").unwrap_or_default())?);
    let role = |id: &str| text(id).and_then(Role::parse);
    Ok(match name {
        "add" => Wanted::Add { user: user()?, role: role("role") },
        "invite" if given.get_flag("all") => Wanted::InviteAll,
        "invite" => Wanted::Invite { user: user()? },
        "set-password" => Wanted::SetPassword { user: user()?, password: read_password()? },
        "role" => Wanted::Role { user: user()?, role: role("role").context("there is no such role")? },
        "disable" => {
            let reason = Label::parse("the reason", text("reason").unwrap_or_default())?;
            Wanted::Disable { user: user()?, reason }
        }
        "enable" => Wanted::Enable { user: user()? },
        _ => Wanted::List,
    })
}

/// Through the running server.
async fn ask(remote: &Remote, wanted: Wanted) -> anyhow::Result<()> {
    match wanted {
        Wanted::List => {
            let answer = remote.asks(Method::GET, &["accounts"], None).await?;
            answer["accounts"].as_array().into_iter().flatten().for_each(show_answer);
        }
        Wanted::Add { user, role } => {
            let body = json!({ "name": user.as_str(), "role": role.map(Role::name) });
            remote.asks(Method::POST, &["accounts"], Some(&body)).await?;
        }
        Wanted::Invite { user } => {
            show_invitation(&remote.asks(Method::POST, &["accounts", user.as_str(), "invitation"], None).await?);
        }
        Wanted::InviteAll => {
            let answer = remote.asks(Method::POST, &["invitations"], None).await?;
            answer["invitations"].as_array().into_iter().flatten().for_each(show_invitation);
        }
        Wanted::SetPassword { user, password } => {
            let body = json!({ "password": password });
            remote.asks(Method::PUT, &["accounts", user.as_str(), "password"], Some(&body)).await?;
        }
        Wanted::Role { user, role } => change(remote, &user, json!({ "role": role.name() })).await?,
        Wanted::Disable { user, reason } => {
            change(remote, &user, json!({ "disabled": true, "reason": reason.as_str() })).await?;
        }
        Wanted::Enable { user } => change(remote, &user, json!({ "disabled": false })).await?,
    }
    Ok(())
}

async fn change(remote: &Remote, user: &UserName, body: Value) -> anyhow::Result<()> {
    remote.asks(Method::PATCH, &["accounts", user.as_str()], Some(&body)).await.map(drop)
}

/// On the data directory itself.
async fn does(alone: &Alone, wanted: Wanted) -> anyhow::Result<()> {
    let accounts = &alone.accounts;
    match wanted {
        Wanted::List => accounts.all().iter().for_each(show_account),
        Wanted::Add { user, role } => done(accounts.add(user, role, BY).await)?,
        Wanted::Invite { user } => {
            let invited = done(accounts.invite(user, BY).await)?;
            println!("{}\t{}", invited.user, alone.link(&invited.secret));
        }
        Wanted::InviteAll => {
            for invited in done(accounts.invite_all(BY).await)? {
                println!("{}\t{}", invited.user, alone.link(&invited.secret));
            }
        }
        Wanted::SetPassword { user, password } => accounts.set_password(&user, &password, BY).await?,
        Wanted::Role { user, role } => done(accounts.set_role(user, role, BY).await)?,
        Wanted::Disable { user, reason } => done(accounts.disable(user, reason, BY).await)?,
        Wanted::Enable { user } => done(accounts.enable(user, BY).await)?,
    }
    Ok(())
}

fn show_account(account: &Described) {
    let status = match (account.is_active, account.disabled.is_some(), account.has_password) {
        (true, _, true) => "active",
        (true, _, false) => "no password",
        (false, true, _) => "disabled",
        (false, false, _) => "taken out",
    };
    println!("{}\t{}\t{status}", account.user, account.role);
}

fn show_answer(account: &Value) {
    let text = |key: &str| account[key].as_str().unwrap_or_default();
    let status = match (text("status"), account["has_password"] == true) {
        ("active", false) => "no password",
        ("taken_out", _) => "taken out",
        (status, _) => status,
    };
    println!("{}\t{}\t{status}", text("name"), text("role"));
}

fn show_invitation(invitation: &Value) {
    let text = |key: &str| invitation[key].as_str().unwrap_or_default();
    println!("{}\t{}", text("user"), text("link"));
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
