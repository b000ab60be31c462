//! The two files that people write: `sessions.csv` and `users.txt`.
//!
//! Both are UTF-8 with or without byte order mark, LF or CRLF, quoted as in
//! CSV (RFC 4180) but never over several lines; blank lines and lines that
//! begin with `#` are skipped. A file is taken whole or not at all.

use std::{collections::BTreeMap, fmt, num::NonZeroU32};

use crate::{
    account::{ListedUser, MAX_ACCOUNTS, Role},
    connection::{Connection, ConnectionId, ConnectionList},
    names::{LineName, NameError, UserName},
    record::Hash,
};

/// Most connections in a list: what one page can still show.
pub const MAX_CONNECTIONS: usize = 100_000;

/// Longest line, in bytes: two names of the longest kind, four bytes a
/// character, each quoted, and room.
pub const MAX_LINE_BYTES: usize = 4_096;

/// Most findings that are told of one file; the rest is seen when these are mended.
pub const MAX_FINDINGS: usize = 20;

/// Highest capacity of a connection: more users than there are accounts is a slip.
pub const MAX_CAPACITY: u32 = MAX_ACCOUNTS as u32;

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListFinding {
    /// Number of the line, from 1.
    pub line: usize,
    /// What is wrong there, and how to mend it.
    pub problem: ListProblem,
}

/// What can be wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListProblem {
    /// Not UTF-8.
    #[error("is not UTF-8; save the file as UTF-8")]
    NotUtf8,
    /// Longer than [`MAX_LINE_BYTES`].
    #[error("has {0} bytes; a line may have {MAX_LINE_BYTES}: is a line end missing?")]
    TooLong(usize),
    /// A line end of another age inside the line.
    #[error("contains a carriage return; save the file with LF or CRLF as line ends")]
    CarriageReturn,
    /// A quoted field without end.
    #[error("has a quote that is not closed; close it, or double it if it belongs to the name")]
    OpenQuote,
    /// A sub name is missing.
    #[error("has one field; write the main and the sub name with ';' between them")]
    NoSub,
    /// More fields than there is a meaning for.
    #[error("has {found} fields; at most {most} are known: quote a name that contains the separator")]
    TooManyFields {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// Not a name.
    #[error("{0}")]
    Name(#[from] NameError),
    /// Not a number of users.
    #[error("has the capacity {0:?}; write a whole number from 1 to {MAX_CAPACITY}, or leave it out for 1")]
    Capacity(String),
    /// Not a role.
    #[error("has the role {0:?}; write member, auditor or admin, or leave it out")]
    Role(String),
    /// The same connection or name as on an earlier line.
    #[error("says {name:?} again, as line {first} does; remove one of them")]
    Duplicate {
        /// What is there twice.
        name: String,
        /// The earlier line.
        first: usize,
    },
    /// More lines than the limit.
    #[error("is beyond the {0} entries that a file may have")]
    TooMany(usize),
}

impl fmt::Display for ListFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} {}", self.line, self.problem)
    }
}

/// Reads `sessions.csv`: `main;sub` or `main;sub;capacity` a line.
///
/// # Errors
/// All findings, up to [`MAX_FINDINGS`]; a file with one is not taken.
pub fn read_connections(bytes: &[u8]) -> Result<ConnectionList, Vec<ListFinding>> {
    let connections = read(bytes, MAX_CONNECTIONS, connection, |line| line.id.to_string())?;
    Ok(ConnectionList::new(connections, Hash::of(bytes)))
}

/// Reads `users.txt`: `name` or `name;role` a line, unique whatever the case.
///
/// # Errors
/// All findings, up to [`MAX_FINDINGS`]; a file with one is not taken.
pub fn read_users(bytes: &[u8]) -> Result<Vec<ListedUser>, Vec<ListFinding>> {
    read(bytes, MAX_ACCOUNTS, listed_user, |user| user.name.folded())
}

fn read<T>(
    bytes: &[u8],
    most: usize,
    parse: fn(Vec<String>) -> Result<T, ListProblem>,
    key: fn(&T) -> String,
) -> Result<Vec<T>, Vec<ListFinding>> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut entries = Vec::new();
    let mut findings = Vec::new();
    let mut lines_by_key: BTreeMap<String, usize> = BTreeMap::new();
    for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
        let entry = entry(line, parse).and_then(|entry| match entry {
            Some(_) if entries.len() >= most => Err(ListProblem::TooMany(most)),
            Some(entry) => unique(entry, number, key, &mut lines_by_key).map(Some),
            None => Ok(None),
        });
        match entry {
            Ok(entry) => entries.extend(entry),
            Err(problem) => findings.push(ListFinding { line: number, problem }),
        }
        if findings.len() >= MAX_FINDINGS {
            break;
        }
    }
    if findings.is_empty() { Ok(entries) } else { Err(findings) }
}

fn entry<T>(line: &[u8], parse: fn(Vec<String>) -> Result<T, ListProblem>) -> Result<Option<T>, ListProblem> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() > MAX_LINE_BYTES {
        return Err(ListProblem::TooLong(line.len()));
    }
    let line = std::str::from_utf8(line).map_err(|_| ListProblem::NotUtf8)?;
    if line.contains('\r') {
        return Err(ListProblem::CarriageReturn);
    }
    if line.trim().is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    parse(fields(line)?).map(Some)
}

fn unique<T>(
    entry: T,
    line: usize,
    key: fn(&T) -> String,
    lines_by_key: &mut BTreeMap<String, usize>,
) -> Result<T, ListProblem> {
    let name = key(&entry);
    match lines_by_key.get(&name) {
        Some(&first) => Err(ListProblem::Duplicate { name, first }),
        None => {
            lines_by_key.insert(name, line);
            Ok(entry)
        }
    }
}

/// The fields of a line: split at `;` where one stands outside quotes, else at `,`.
fn fields(line: &str) -> Result<Vec<String>, ListProblem> {
    let mut quoted = false;
    let mut semicolon = false;
    for character in line.chars() {
        quoted ^= character == '"';
        semicolon |= character == ';' && !quoted;
    }
    if quoted {
        return Err(ListProblem::OpenQuote);
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(if semicolon { b';' } else { b',' })
        .buffer_capacity(line.len())
        .from_reader(line.as_bytes());
    let row = reader.records().next().and_then(Result::ok).unwrap_or_default();
    Ok(row.iter().map(|field| field.trim().to_owned()).collect())
}

fn connection(fields: Vec<String>) -> Result<Connection, ListProblem> {
    let (main, sub, capacity) = match fields.as_slice() {
        [] | [_] => return Err(ListProblem::NoSub),
        [main, sub] => (main, sub, ""),
        [main, sub, capacity] => (main, sub, capacity.as_str()),
        more => return Err(ListProblem::TooManyFields { found: more.len(), most: 3 }),
    };
    let id = ConnectionId::new(LineName::parse("the main name", main)?, LineName::parse("the sub name", sub)?);
    Ok(Connection { id, capacity: read_capacity(capacity)? })
}

fn read_capacity(text: &str) -> Result<NonZeroU32, ListProblem> {
    if text.is_empty() {
        return Ok(NonZeroU32::MIN);
    }
    let number = text.parse().ok().filter(|number: &NonZeroU32| number.get() <= MAX_CAPACITY);
    number.ok_or_else(|| ListProblem::Capacity(text.to_owned()))
}

fn listed_user(fields: Vec<String>) -> Result<ListedUser, ListProblem> {
    let (name, role) = match fields.as_slice() {
        [] => ("", ""),
        [name] => (name.as_str(), ""),
        [name, role] => (name.as_str(), role.as_str()),
        more => return Err(ListProblem::TooManyFields { found: more.len(), most: 2 }),
    };
    let role = match role {
        "" => None,
        text => Some(Role::parse(text).ok_or_else(|| ListProblem::Role(text.to_owned()))?),
    };
    Ok(ListedUser { name: UserName::parse(name)?, role })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<String> {
        let list = read_connections(text.as_bytes()).unwrap();
        list.iter().map(|line| format!("{}*{}", line.id, line.capacity)).collect()
    }

    fn findings(text: &[u8]) -> Vec<String> {
        read_connections(text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn lists_are_read_as_people_write_them() {
        for (text, expected) in [
            ("vpn main 1;vpn sub 1\nvpn main 1;vpn sub 2\n", vec!["vpn main 1;vpn sub 1*1", "vpn main 1;vpn sub 2*1"]),
            ("a,b\r\nc;d;2\r\n", vec!["a;b*1", "c;d*2"]),
            ("\u{feff}a;b", vec!["a;b*1"]),
            ("\n  \n# a;comment\na;b\n", vec!["a;b*1"]),
            ("\"Ulm, Klinikum\",\"PACS \"\"Nord\"\"\"", vec!["Ulm, Klinikum;PACS \"Nord\"*1"]),
            ("Ulm, Klinikum;PACS", vec!["Ulm, Klinikum;PACS*1"]),
            (" a ; b ; 3 ", vec!["a;b*3"]),
            ("a;b;", vec!["a;b*1"]),
            ("b;b\na;a", vec!["b;b*1", "a;a*1"]),
            ("", vec![]),
        ] {
            assert_eq!(ids(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line() {
        let endless = "x".repeat(MAX_LINE_BYTES + 1);
        let long_name = format!("{};b", "x".repeat(201));
        for (text, expected) in [
            ("a;b\nc;d\na;b", "line 3 says \"a;b\" again, as line 1 does; remove one of them"),
            ("a", "line 1 has one field; write the main and the sub name with ';' between them"),
            ("a;", "line 1 the sub name is empty"),
            ("a;b;1;2", "line 1 has 4 fields; at most 3 are known: quote a name that contains the separator"),
            ("a;b;0", "line 1 has the capacity \"0\"; write a whole number from 1 to 10000, or leave it out for 1"),
            ("\"a;b", "line 1 has a quote that is not closed; close it, or double it if it belongs to the name"),
            ("\"a;b\",c", "line 1 the main name contains ';', which is not allowed there"),
            (endless.as_str(), "line 1 has 4097 bytes; a line may have 4096: is a line end missing?"),
            ("a;b\rc;d", "line 1 contains a carriage return; save the file with LF or CRLF as line ends"),
            (long_name.as_str(), "line 1 the main name has 201 characters; at most 200 are allowed"),
        ] {
            assert_eq!(findings(text.as_bytes()), [expected], "{text:?}");
        }
        assert_eq!(findings(b"a;b\n\xff;c"), ["line 2 is not UTF-8; save the file as UTF-8"]);
    }

    #[test]
    fn limits_hold_at_and_beyond() {
        let lines = |count: usize| (0..count).map(|number| format!("m;s{number}\n")).collect::<String>();
        assert_eq!(read_connections(lines(MAX_CONNECTIONS).as_bytes()).unwrap().len(), MAX_CONNECTIONS);
        let beyond = read_connections(lines(MAX_CONNECTIONS + 1).as_bytes()).unwrap_err();
        assert_eq!(
            beyond[0],
            ListFinding { line: MAX_CONNECTIONS + 1, problem: ListProblem::TooMany(MAX_CONNECTIONS) }
        );
        assert_eq!(findings("x\n".repeat(100).as_bytes()).len(), MAX_FINDINGS);
        assert!(read_connections(format!("a;b;{MAX_CAPACITY}").as_bytes()).is_ok());
        assert!(read_connections(format!("a;b;{}", MAX_CAPACITY + 1).as_bytes()).is_err());
        let long = format!("{:<width$}", "a;b", width = MAX_LINE_BYTES);
        assert!(read_connections(long.as_bytes()).is_ok());
    }

    #[test]
    fn users_are_read_with_their_roles() {
        let users = read_users("alice\nbob;auditor\r\n# nobody\n Carol , admin\n".as_bytes()).unwrap();
        let seen: Vec<_> = users.iter().map(|user| (user.name.as_str(), user.role)).collect();
        assert_eq!(seen, [("alice", None), ("bob", Some(Role::Auditor)), ("Carol", Some(Role::Admin))]);
    }

    #[test]
    fn users_are_unique_whatever_the_case() {
        for (text, expected) in [
            ("alice\nALICE", "line 2 says \"alice\" again, as line 1 does; remove one of them"),
            ("alice;boss", "line 1 has the role \"boss\"; write member, auditor or admin, or leave it out"),
            ("a:b", "line 1 the user name contains ':', which is not allowed there"),
            (";admin", "line 1 the user name is empty"),
        ] {
            let found = read_users(text.as_bytes()).unwrap_err();
            assert_eq!(found[0].to_string(), expected, "{text:?}");
        }
    }
}
