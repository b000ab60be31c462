//! The program: reads the configuration, wires the parts, and runs a command.
//!
//! [`arguments`] is what people type, [`config`] what is in force, [`mod@serve`]
//! the server, [`user`] and [`token`] the commands that change accounts, by [`remote`] or [`alone`].

use std::{path::Path, process::ExitCode};

use anyhow::Context;
use clap::ArgMatches;
use domain::checkpoint::PublicKey;

use crate::config::{Config, Refused};

mod alone;
mod arguments;
mod audit;
mod backup;
mod config;
mod files;
mod logs;
mod pinned;
mod remote;
mod repair;
mod secret;
mod serve;
mod token;
mod user;

fn main() -> ExitCode {
    let matches = arguments::command().get_matches();
    match run(&matches) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("vpn-sessions: {error:#}");
            error.downcast_ref::<Refused>().map_or(ExitCode::FAILURE, |refused| refused.exit_code().into())
        }
    }
}

fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    // One provider for all of TLS; it can be installed once, and this is the place.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match matches.subcommand() {
        Some(("config", check)) => {
            let as_json = check.subcommand_matches("check").is_some_and(|check| check.get_flag("json"));
            config_check(matches, as_json)
        }
        Some(("user", user)) => {
            runtime()?.block_on(user::run(user, &Config::load(matches)?)).map(|()| ExitCode::SUCCESS)
        }
        Some(("token", token)) => {
            runtime()?.block_on(token::run(token, &Config::load(matches)?)).map(|()| ExitCode::SUCCESS)
        }
        Some(("audit", audit)) => {
            let sound = run_audit(matches, audit)?;
            Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Some(("backup", copy)) => backup::back_up(copy, &Config::load(matches)?).map(|()| ExitCode::SUCCESS),
        Some(("restore", copy)) => backup::restore(copy, &Config::load(matches)?).map(|()| ExitCode::SUCCESS),
        Some(("ledger", ledger)) => {
            let dry_run = ledger.subcommand_matches("repair").is_some_and(|repair| repair.get_flag("dry-run"));
            repair::repair(&Config::load(matches)?, dry_run).map(|()| ExitCode::SUCCESS)
        }
        Some(("health", _)) => runtime()?.block_on(remote::health(&Config::load(matches)?)).map(|()| ExitCode::SUCCESS),
        Some(_) | None => serve(matches),
    }
}

/// Whether what was asked for is as it should be.
fn run_audit(matches: &ArgMatches, audit: &ArgMatches) -> anyhow::Result<bool> {
    let config = || Config::load(matches);
    match audit.subcommand() {
        Some(("list", list)) => runtime()?.block_on(audit::list::list(list, &config()?)).map(|()| true),
        Some(("export", export)) => runtime()?.block_on(audit::list::export(export, &config()?)).map(|()| true),
        Some(("import", import)) => runtime()?.block_on(audit::import::run(import, &config()?)),
        Some(_) | None => audit_verify(matches, audit),
    }
}

fn audit_verify(matches: &ArgMatches, audit: &ArgMatches) -> anyhow::Result<bool> {
    let verify = audit.subcommand_matches("verify");
    let given = |name| verify.and_then(|verify| verify.get_one::<String>(name));
    let (Some(folder), Some(key)) = (given("reports"), given("key")) else {
        return runtime()?.block_on(audit::verify(&Config::load(matches)?));
    };
    let key = PublicKey::parse(key).context("--key is no public key; write it as `audit verify` prints it")?;
    audit::verify_reports(Path::new(folder), &key)
}

fn serve(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let config = Config::load(matches)?;
    logs::start(&config);
    serve::run(&config, runtime()?).map(|()| ExitCode::SUCCESS)
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

fn config_check(matches: &ArgMatches, as_json: bool) -> anyhow::Result<ExitCode> {
    let (report, code) = match Config::load(matches) {
        Ok(config) => {
            let mut report = config.report();
            for (path, problem) in files::problems(&config) {
                report.add_list_problem(&path.display().to_string(), problem);
            }
            let code = u8::from(report.has_errors());
            (report, code)
        }
        Err(refused) => (refused.report.clone(), refused.exit_code()),
    };
    println!("{}", if as_json { report.json() } else { report.text() });
    Ok(code.into())
}
