//! What people type.

use clap::{Arg, ArgAction, Command};

use crate::config;

/// The whole command line.
pub(crate) fn command() -> Command {
    Command::new("vpn-sessions")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A shared, live list of who is connected to which client VPN")
        .after_help("Exit codes: 0 done, 1 refused or failed, 2 wrong usage.")
        .args(config::arguments())
        .subcommand(Command::new("serve").about("Run the server (the default)"))
        .subcommand(user())
        .subcommand(configuration())
        .subcommand(Command::new("health").about("Exit 0 if the server on this machine answers"))
}

fn user() -> Command {
    let name = Arg::new("name").required(true).help("The account's name, as in users.txt");
    Command::new("user")
        .about("Accounts")
        .subcommand_required(true)
        .arg(
            Arg::new("server")
                .long("server")
                .global(true)
                .env("VPN_SESSIONS_SERVER")
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
        .subcommand(
            Command::new("set-password").about("Set a password, read from standard input or asked for").arg(name),
        )
        .subcommand(Command::new("list").about("Who there is, with role and whether a password is set"))
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
    #[test]
    fn the_command_line_makes_sense() {
        super::command().debug_assert();
    }
}
