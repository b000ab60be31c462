//! `vpn-sessions.toml`: which settings it names, and on which lines.

use std::collections::BTreeMap;

use toml::de::{DeArray, DeInteger, DeTable, DeValue};

use super::{
    finding::Finding,
    nearest::nearest,
    origin::Origin,
    problem::Problem,
    setting::{Kind, Setting},
    settings::SETTINGS,
};

/// What the file says.
#[derive(Default)]
pub(super) struct TomlFile {
    /// By the path of the setting.
    pub entries: BTreeMap<&'static str, Entry>,
    /// What is wrong, in the order of the lines.
    pub findings: Vec<Finding>,
    /// Whether it is no TOML, so that nothing can be said of what it lacks.
    pub broken: bool,
}

/// What the file says of a setting.
pub(super) struct Entry {
    /// The value as text; a list with commas between its items.
    pub text: String,
    /// Number of the line, from 1.
    pub line: usize,
}

/// Walks through the tables of the file.
struct Walk<'a> {
    path: &'a str,
    text: &'a str,
    file: TomlFile,
    findings: Vec<(usize, Finding)>,
}

impl TomlFile {
    /// Reads the text of the file that has this path.
    pub(super) fn read(path: &str, text: &str) -> TomlFile {
        let mut walk = Walk { path, text, file: TomlFile::default(), findings: Vec::new() };
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let line = walk.line(error.span().map_or(0, |span| span.start));
            walk.finding(line, "", Problem::Syntax(error.message().to_owned()));
        }
        if errors.is_empty() {
            walk.table("", table.get_ref());
        } else {
            walk.file.broken = true;
        }
        walk.findings.sort_by_key(|(line, _)| *line);
        walk.file.findings = walk.findings.into_iter().map(|(_, finding)| finding).collect();
        walk.file
    }
}

impl Walk<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let line = self.line(key.span().start);
            let path = format!("{prefix}{}", key.get_ref());
            let dotted = key.get_ref().contains('.');
            match SETTINGS.iter().find(|setting| setting.toml == Some(path.as_str())) {
                Some(setting) if !dotted => self.value(setting, line, value.get_ref()),
                _ => self.section(&path, line, value.get_ref()),
            }
        }
    }

    fn section(&mut self, path: &str, line: usize, value: &DeValue<'_>) {
        let prefix = format!("{path}.");
        if !paths().any(|known| known.starts_with(&prefix)) {
            return self.finding(line, path, Problem::UnknownKey(suggestion(path)));
        }
        match value {
            DeValue::Table(table) => self.table(&prefix, table),
            other => {
                let problem =
                    Problem::WrongType { found: type_name(other), expected: "a table, [name] on its own line" };
                self.finding(line, path, problem);
            }
        }
    }

    fn value(&mut self, setting: &'static Setting, line: usize, value: &DeValue<'_>) {
        let path = setting.toml.expect("it was found by its path");
        match value_text(&setting.kind, value) {
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => {
                self.file.entries.insert(path, Entry { text, line });
            }
            Err(problem) => self.finding(line, path, problem),
        }
    }

    fn finding(&mut self, line: usize, name: &str, problem: Problem) {
        let origin = Origin::File { path: self.path.to_owned(), line };
        self.findings.push((line, Finding::in_file(origin, name, problem)));
    }

    fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().iter().take(offset);
        1 + before.filter(|byte| **byte == b'\n').count()
    }
}

fn paths() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().filter_map(|setting| setting.toml)
}

/// What was meant by an unknown path: the environment's name, another table, a slip.
fn suggestion(path: &str) -> Option<String> {
    let last = path.rsplit('.').next().unwrap_or(path);
    let by_variable =
        SETTINGS.iter().find(|setting| setting.environment.is_some_and(|name| name.eq_ignore_ascii_case(last)));
    let by_last = || paths().find(|known| known.rsplit('.').next() == Some(last));
    let sections = paths().filter_map(|known| known.rsplit_once('.').map(|(section, _)| section));
    let meant = by_variable.and_then(|setting| setting.toml).or_else(by_last);
    let meant = meant.or_else(|| nearest(path, paths().chain(sections)))?;
    let misplaced = path.contains('.') && !meant.contains('.');
    Some(if misplaced { format!("{meant}, above the first [table]") } else { meant.to_owned() })
}

fn value_text(kind: &Kind, value: &DeValue<'_>) -> Result<String, Problem> {
    match (kind, value) {
        (Kind::Text | Kind::Choice(_) | Kind::List, DeValue::String(text)) => Ok(text.to_string()),
        (Kind::Number { .. }, DeValue::Integer(number)) => Ok(number_text(number)),
        (Kind::List, DeValue::Array(items)) => items_text(items),
        (Kind::Text | Kind::Choice(_) | Kind::List | Kind::Number { .. }, other) => {
            Err(Problem::WrongType { found: type_name(other), expected: expected(kind) })
        }
    }
}

fn items_text(items: &DeArray<'_>) -> Result<String, Problem> {
    let texts: Result<Vec<&str>, Problem> = items
        .iter()
        .map(|item| match item.get_ref() {
            DeValue::String(text) => Ok(text.as_ref()),
            _ => Err(Problem::WrongType {
                found: "an array with other things than texts",
                expected: expected(&Kind::List),
            }),
        })
        .collect();
    texts.map(|texts| texts.join(", "))
}

/// The number in decimals; as written, if it is too large for that.
fn number_text(number: &DeInteger<'_>) -> String {
    let value = i128::from_str_radix(number.as_str(), number.radix());
    value.map_or_else(|_| number.to_string(), |value| value.to_string())
}

fn expected(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Choice(_) => "a text in quotes",
        Kind::List => "texts in quotes, [\"…\", \"…\"]",
        Kind::Number { .. } => "a whole number without quotes",
    }
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        TomlFile::read("c/vpn-sessions.toml", text).findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn entries_are_kept_with_their_lines() {
        let file = TomlFile::read(
            "c",
            "\u{feff}listen = \"::1\"\r\n\r\n[mail]\r\nto = [\"a@b\",\n \"c@d\"]\nport = 0x19\noauth.scope=\"s\"",
        );
        let entries: Vec<_> =
            file.entries.iter().map(|(path, entry)| (*path, entry.text.as_str(), entry.line)).collect();
        let expected =
            [("listen", "::1", 1), ("mail.oauth.scope", "s", 7), ("mail.port", "25", 6), ("mail.to", "a@b, c@d", 4)];
        assert_eq!(entries, expected);
        assert!(file.findings.is_empty());
    }

    #[test]
    fn empty_values_are_unset() {
        let file = TomlFile::read("c", "listen = \"\"\ntrusted_proxies = []\nhc_user = \" \"");
        assert!(file.entries.is_empty() && file.findings.is_empty());
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line_and_mend() {
        for (text, expected) in [
            ("\nlisten = 5000", "2: listen is a whole number; write a text in quotes"),
            ("hc_pw = 12345", "1: hc_pw is a whole number; write a text in quotes"),
            ("[mail]\nport = \"587\"", "2: mail.port is a text; write a whole number without quotes"),
            (
                "[mail]\nto = [1]",
                "2: mail.to is an array with other things than texts; write texts in quotes, [\"…\", \"…\"]",
            ),
            ("jwt_minutes = 1.5", "1: jwt_minutes is a number with a point; write a whole number without quotes"),
            ("mail = true", "1: mail is true or false; write a table, [name] on its own line"),
            ("[[mail]]", "1: mail is an array; write a table, [name] on its own line"),
            ("[listen]", "1: listen is a table; write a text in quotes"),
            ("lisen = 1", "1: lisen is not a setting; did you mean listen?"),
            ("colour = 1", "1: colour is not a setting; remove it"),
            ("LISTEN = 1", "1: LISTEN is not a setting; did you mean listen?"),
            ("mail_to = 1", "1: mail_to is not a setting; did you mean mail.to?"),
            ("\"mail.to\" = 1", "1: mail.to is not a setting; did you mean mail.to?"),
            ("[mail]\n\nsever = 1", "3: mail.sever is not a setting; did you mean mail.server?"),
            ("[mial]\nto = 1", "1: mial is not a setting; did you mean mail?"),
            ("[mail.oauth]\nscop = 1", "2: mail.oauth.scop is not a setting; did you mean mail.oauth.scope?"),
            (
                "[mail]\nto = \"a@b\"\nlisten = 1",
                "3: mail.listen is not a setting; did you mean listen, above the first [table]?",
            ),
            ("client_id = 1", "1: client_id is not a setting; did you mean mail.oauth.client_id?"),
        ] {
            assert_eq!(findings(text), [format!("c/vpn-sessions.toml:{expected}")], "{text}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_in_order() {
        let found = findings("xyz = 1\nlisten = 1\n[board]\nunknown_thing = 1\n[mail]\nport = 1.5\n");
        let lines: Vec<_> = found.iter().map(|finding| finding.split(' ').next().unwrap()).collect();
        let place = |line: u8| format!("c/vpn-sessions.toml:{line}:");
        assert_eq!(lines, [place(1), place(2), place(4), place(6)]);
    }

    #[test]
    fn what_is_not_toml_is_named_by_its_line_without_its_words() {
        let file = TomlFile::read("c", "listen = \"::1\"\nhc_pw = \"hunter2\nsecret_key = hunter3\nlisten = \"x\"");
        let found: Vec<_> = file.findings.iter().map(ToString::to_string).collect();
        assert!(file.broken && file.entries.is_empty());
        assert!(found[0].starts_with("c:2 is not TOML: ") && found[0].ends_with("; mend the line"), "{found:?}");
        assert!(!found.concat().contains("hunter"), "{found:?}");
    }
}
