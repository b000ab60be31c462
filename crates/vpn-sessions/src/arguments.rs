//! What people type.

use clap::{Arg, ArgAction, Command};

use crate::config;

/// The whole command line.
pub(crate) fn command() -> Command {
    Command::new("vpn-sessions")
        .version(env!("CARGO_PKG_VERSION"))
        .propagate_version(true)
        .about("A shared, live list of who is connected to which client VPN")
        .after_help("Exit codes: 0 done, 1 refused or failed, 2 wrong usage.")
        .args(config::arguments())
        .subcommand(Command::new("serve").about("Run the server (the default)"))
        .subcommand(user())
        .subcommand(token())
        .subcommand(audit())
        .subcommand(copying("backup", "Copy the data directory into a folder, while the server runs or not"))
        .subcommand(copying("restore", "Copy a backup into the data directory, which must be empty"))
        .subcommand(ledger())
        .subcommand(configuration())
        .subcommand(Command::new("health").about("Exit 0 if the server on this machine answers"))
}

fn user() -> Command {
    let named = |about: &'static str| Arg::new("name").required(true).help(about);
    let account = || named("The account's name");
    let role = || Arg::new("role").value_parser(["member", "auditor", "admin"]);
    let reason = Arg::new("reason").long("reason").required(true).help("Why; admins see it");
    let all = Arg::new("all").long("all").action(ArgAction::SetTrue).help("Everybody who has no password");
    through_server(Command::new("user").about("Accounts"))
        .subcommand(
            Command::new("add")
                .about("Add an account that users.txt need not name")
                .arg(named("The name that the account is to have"))
                .arg(role().long("role").help("Its role; member if it is left out")),
        )
        .subcommand(
            Command::new("invite")
                .about("Print a link with which the password can be chosen, once and within three days")
                .arg(account().required(false).required_unless_present("all").conflicts_with("all"))
                .arg(all),
        )
        .subcommand(
            Command::new("set-password").about("Set a password, read from standard input or asked for").arg(account()),
        )
        .subcommand(
            Command::new("role")
                .about("Give a role, where users.txt gives none; the account's sign-ins end")
                .arg(account())
                .arg(role().required(true).help("The role")),
        )
        .subcommand(Command::new("disable").about("Let nobody in by an account any more").arg(account()).arg(reason))
        .subcommand(Command::new("enable").about("Let the account's user in again").arg(account()))
        .subcommand(Command::new("list").about("Who there is, each one's role and state"))
}

fn token() -> Command {
    let scope = Arg::new("scope")
        .long("scope")
        .required(true)
        .action(ArgAction::Append)
        .value_parser(["messages", "board", "audit", "metrics"])
        .value_delimiter(',')
        .help("What may be done with it; several times, or with commas");
    let user = Arg::new("user").long("user").help("The account as which it acts; the one that asks if it is left out");
    let expires =
        Arg::new("expires").long("expires").help("Its last day, 2027-11-30 for example; else it lasts a year");
    through_server(Command::new("token").about("API tokens for programs"))
        .subcommand(
            Command::new("create")
                .about("Make an API token, and print it this once")
                .arg(Arg::new("name").required(true).help("What it is for"))
                .args([scope, user, expires]),
        )
        .subcommand(Command::new("list").about("All of them, without the tokens: id, account, name, scopes, end"))
        .subcommand(
            Command::new("revoke")
                .about("End an API token")
                .arg(Arg::new("id").required(true).help("Its id, as `token list` shows it")),
        )
}

/// A command that changes something, and goes through the running server where there is one.
fn through_server(command: Command) -> Command {
    command
        .subcommand_required(true)
        .arg(
            Arg::new("server")
                .long("server")
                .global(true)
                .env("VPN_SESSIONS_SERVER")
                .hide_env_values(true)
                .help("Address of the running server, if it is not LISTEN"),
        )
        .arg(
            Arg::new("token")
                .long("token")
                .global(true)
                .env("VPN_SESSIONS_TOKEN")
                .hide_env_values(true)
                .help("Access token; else HC_USER and HC_PW sign in"),
        )
}

fn copying(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).arg(Arg::new("folder").required(true).help("The folder of the backup"))
}

fn audit() -> Command {
    let reports = Arg::new("reports")
        .long("reports")
        .value_name("FOLDER")
        .requires("key")
        .help("Prove copies of reports by the checkpoints beside them, without the ledger");
    let key = Arg::new("key")
        .long("key")
        .value_name("PUBLIC_KEY")
        .requires("reports")
        .help("The key that proves checkpoints, as this command prints it on the server");
    let verify = Command::new("verify")
        .about("Prove the ledger's chains, and compare the weekly reports with it")
        .after_help("Only reads, with a server or without. Exits with 1 where something differs, and names it.")
        .args([reports, key]);
    let audit = Command::new("audit").about("The audit").subcommand_required(true);
    audit.subcommands([audit_list(), audit_export(), audit_import(), verify])
}

/// Which sessions are meant.
fn sessions_meant() -> [Arg; 6] {
    let argument = |name, value, help| Arg::new(name).long(name).value_name(value).help(help);
    [
        argument("from", "TIME", "Sessions that had not ended before: RFC 3339, local in TIMEZONE, or a day"),
        argument("to", "TIME", "Sessions that had begun by then; a day means its end"),
        argument("at", "TIME", "Sessions that were on at that time").conflicts_with_all(["from", "to"]),
        argument("user", "NAME", "Of this user, whatever the case"),
        argument("main", "NAME", "On connections of this main name"),
        argument("sub", "NAME", "On connections of this sub name"),
    ]
}

fn audit_list() -> Command {
    let json = Arg::new("json").long("json").action(ArgAction::SetTrue).help("As JSON");
    Command::new("list")
        .about("Show sessions that ended, oldest end first, and those that run")
        .after_help("Only reads the data directory, with a server or without.")
        .args(sessions_meant())
        .arg(json)
}

fn audit_export() -> Command {
    let format = Arg::new("format").long("format").value_parser(["csv", "ndjson"]).default_value("csv");
    let output = Arg::new("output").long("output").value_name("FILE");
    Command::new("export")
        .about("Write sessions as the weekly reports do, or as a JSON object a line")
        .after_help("Only reads the data directory, with a server or without.")
        .args(sessions_meant())
        .arg(format.help("Columns and cells as in the weekly reports, or all that is known"))
        .arg(output.help("Write this file, whole or not at all, instead of standard output"))
}

fn audit_import() -> Command {
    let columns = Arg::new("columns").long("columns").value_name("NAMES");
    let real = Arg::new("yes").long("yes").action(ArgAction::SetTrue);
    let dry = Arg::new("dry-run").long("dry-run").action(ArgAction::SetTrue).conflicts_with("yes");
    Command::new("import")
        .about("Take over sessions from weekly CSV files of other tools; a dry run without --yes")
        .after_help("The server must be stopped for --yes. What is in the ledger already never comes twice.")
        .arg(Arg::new("file").value_name("FILE").num_args(1..).required(true).help("CSV files"))
        .arg(columns.help("What each column is, in order, where the first line does not say: main,sub,user,connected_at,disconnected_at; - for what is passed over"))
        .arg(dry.help("Say what would be imported and what not, and change nothing (so without --yes)"))
        .arg(real.help("Import"))
}

fn ledger() -> Command {
    let dry_run = Arg::new("dry-run").long("dry-run").action(ArgAction::SetTrue);
    let repair = Command::new("repair")
        .about("Set aside what is damaged in the ledger, and record the gap; no server may be running")
        .after_help("Nothing is deleted: what was set aside is in ledger/damaged in the data directory.")
        .arg(dry_run.help("Say what would be done, and change nothing"));
    Command::new("ledger").about("The ledger").subcommand_required(true).subcommand(repair)
}

fn configuration() -> Command {
    let json = Arg::new("json").long("json").action(ArgAction::SetTrue).help("As JSON");
    Command::new("config")
        .about("The configuration")
        .subcommand_required(true)
        .subcommand(Command::new("check").about("Say what is in force, where from, and what is wrong").arg(json))
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    use clap::Command;

    const INTRODUCTION: &str = "\
# Commands

This page is made from the command line's own help; `just reference` writes it. Every
[setting](settings.md) that is no secret is an argument too, before or after a command; those are left out here.

Exit codes: 0 done, 1 refused or failed, with a line on standard error that says what and how to mend it, 2 wrong usage.
";

    #[test]
    fn the_command_line_makes_sense() {
        super::command().debug_assert();
    }

    #[test]
    fn the_reference_page_is_what_the_help_says() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/commands.md");
        if env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
            fs::write(&path, page()).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap_or_default(), page(), "write it with `just reference`");
    }

    fn page() -> String {
        let settings: Vec<_> = crate::config::arguments().iter().map(|argument| argument.get_id().clone()).collect();
        let mut command = settings
            .into_iter()
            .fold(super::command(), |command, id| command.mut_arg(id, |argument| argument.hide(true)));
        command.build();
        let mut page = INTRODUCTION.to_owned();
        describe(&mut page, "vpn-sessions", command);
        page
    }

    fn describe(page: &mut String, name: &str, command: Command) {
        let command = command.bin_name(name).disable_help_subcommand(true);
        let help = command.clone().render_long_help().to_string();
        let help: Vec<&str> = help.lines().map(str::trim_end).collect();
        *page += &format!("\n## `{name}`\n\n```text\n{}\n```\n", help.join("\n").trim_end());
        for inner in command.get_subcommands() {
            describe(page, &format!("{name} {}", inner.get_name()), inner.clone());
        }
    }
}
