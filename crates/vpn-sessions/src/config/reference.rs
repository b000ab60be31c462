//! The reference page of the settings, made from the table.

use super::{
    setting::{Effect, Fallback, Kind, Setting},
    settings::SETTINGS,
};

/// What stands above the tables.
const INTRODUCTION: &str = "\
# Settings

This page is made from the table in `crates/vpn-sessions/src/config/settings.rs`; `just reference` writes it.

A setting is taken from the highest of these layers that has it:

1. the command line, `--listen 127.0.0.1:5000`, before or after a command;
2. the environment, `LISTEN=127.0.0.1:5000`;
3. the file `vpn-sessions.toml` in `CONFIG_DIR`, `listen = \"127.0.0.1:5000\"`; it need not exist;
4. the default.

`vpn-sessions config check` says for every setting what is in force and where it comes from, and what is wrong.
The server does not start with an unknown key in the file, a wrong value or a file that it cannot read; it names
the place and the mend of all of them at once.

- An empty value is an unset one, in every layer.
- A *secret* is never shown, and has no argument on the command line, where others could read it. The environment
  can name a file instead: `HC_PW_FILE=/run/secrets/hc_pw`. One line end at the file's end is not part of the secret.
  `HC_PW` and `HC_PW_FILE` both set is an error.
- A *list* has commas between its items. In the file it can be an array: `to = [\"a@example.com\", \"b@example.com\"]`.
- Relative paths start at the directory that the server is started in.
- What is *not in force yet* is read and looked at, but has no effect in this version; setting it is a warning.

## Trying out, and the network

These are good for trying out, with a warning, where `LISTEN` is a loopback address. On any other address the server
refuses to start with them:

- `HC_PW` of under 8 characters, such as `12345`;
- `SECRET_KEY` of under 32 bytes, such as `secret`;
- `BOARD_ACCESS=open`. For a board without passwords on a network, chosen knowingly, there is `open-to-network`.

## Mail

Where `MAIL_SERVER` is set, `MAIL_TO` and `MAIL_FROM` are needed too; a `MAIL_USER` that is a mail address stands in
for `MAIL_FROM`. `MAIL_TLS=none` is for a mail server on the same machine only.

The settings of a group belong together: `MAIL_OAUTH_TOKEN_URL`, `MAIL_OAUTH_CLIENT_ID` and
`MAIL_OAUTH_CLIENT_SECRET`; `OIDC_ISSUER`, `OIDC_CLIENT_ID` and `OIDC_CLIENT_SECRET`; `TLS_CERT` and `TLS_KEY`.
";

/// The whole page.
pub(super) fn reference_markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    let mut heading = None;
    for setting in SETTINGS {
        let section = setting.toml.and_then(|path| path.split_once('.')).map_or("", |(section, _)| section);
        if heading != Some(section) {
            page += &heading_of(section);
            heading = Some(section);
        }
        page += &row(setting);
    }
    page
}

fn heading_of(section: &str) -> String {
    let title = if section.is_empty() { "All settings".to_owned() } else { format!("`[{section}]`") };
    format!(
        "\n## {title}\n\n| environment | file | command line | default | meaning |\n| --- | --- | --- | --- | --- |\n"
    )
}

fn row(setting: &Setting) -> String {
    let code = |name: Option<String>| name.map_or(String::new(), |name| format!("`{name}`"));
    let argument = setting.argument().map(|name| format!("--{name}"));
    let default = match setting.default {
        Fallback::Value(value) => format!("`{value}`"),
        Fallback::Unset(meaning) => meaning.to_owned(),
    };
    let variable = code(setting.environment.map(str::to_owned));
    let key = code(setting.toml.map(str::to_owned));
    format!("| {variable} | {key} | {} | {default} | {} |\n", code(argument), meaning(setting))
}

fn meaning(setting: &Setting) -> String {
    let kind = match setting.kind {
        Kind::Text => None,
        Kind::List => Some("A list.".to_owned()),
        Kind::Choice(choices) => Some(format!("One of `{}`.", choices.join("`, `"))),
        Kind::Number { lowest, highest } => Some(format!("From {lowest} to {highest}.")),
    };
    let secret = setting.secret.then(|| "Secret.".to_owned());
    let effect = match setting.effect {
        Effect::InForce => None,
        Effect::NotInForceYet => Some("*Not in force yet.*".to_owned()),
        Effect::Library => Some("Read by the TLS library itself.".to_owned()),
    };
    let sentences = [Some(setting.help.to_owned()), kind, secret, effect];
    sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    use super::*;

    #[test]
    fn the_reference_page_is_what_the_table_says() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/settings.md");
        if env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
            fs::write(&path, reference_markdown()).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(committed, reference_markdown(), "write it with `just reference`");
    }
}
