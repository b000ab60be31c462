//! Names that people and files give us, each a type that cannot be wrong.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest name of a user, a main or a sub, in characters: it must fit a row
/// of the board.
pub const MAX_NAME_CHARS: usize = 200;

/// Longest note, in characters: a ticket and a sentence, not a report.
pub const MAX_NOTE_CHARS: usize = 500;

/// Longest label, in characters: a sentence beside a name.
pub const MAX_LABEL_CHARS: usize = 200;

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or white space only.
    #[error("{what} is empty")]
    Empty {
        /// Which name.
        what: &'static str,
    },
    /// Longer than the limit.
    #[error("{what} has {chars} characters; at most {limit} are allowed")]
    TooLong {
        /// Which name.
        what: &'static str,
        /// How long it is.
        chars: usize,
        /// How long it may be.
        limit: usize,
    },
    /// A character that would break files or pages.
    #[error("{what} contains {character:?}, which is not allowed there")]
    Forbidden {
        /// Which name.
        what: &'static str,
        /// The first such character.
        character: char,
    },
}

/// One half of a connection's name: main or sub. No `;`, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LineName(String);

/// The name of an account. No `:` (HTTP Basic, RFC 7617), no control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserName(String);

/// What a user says about a session, on one line; may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Note(String);

/// A few words that name or explain something, on one line; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

impl LineName {
    /// Reads a name, without the white space around it.
    ///
    /// # Errors
    /// [`NameError`] as it says.
    pub fn parse(what: &'static str, text: &str) -> Result<LineName, NameError> {
        let name = limited(what, text.trim(), MAX_NAME_CHARS, |c| c == ';')?;
        non_empty(what, name).map(LineName)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl UserName {
    /// Reads a name, without the white space around it.
    ///
    /// # Errors
    /// [`NameError`] as it says.
    pub fn parse(text: &str) -> Result<UserName, NameError> {
        let name = limited("the user name", text.trim(), MAX_NAME_CHARS, |c| c == ':')?;
        non_empty("the user name", name).map(UserName)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both name the same account: whatever the case.
    pub fn is_same_account(&self, other: &UserName) -> bool {
        self == other || self.folded() == other.folded()
    }

    /// The name in the form in which names are compared: whatever the case.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl Note {
    /// Reads a note, without the white space around it.
    ///
    /// # Errors
    /// [`NameError::TooLong`], or [`NameError::Forbidden`] for control characters.
    pub fn parse(text: &str) -> Result<Note, NameError> {
        limited("the note", text.trim(), MAX_NOTE_CHARS, |_| false).map(Note)
    }

    /// The note as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Label {
    /// Reads a label, without the white space around it; `what` it is of goes into the error.
    ///
    /// # Errors
    /// [`NameError`] as it says.
    pub fn parse(what: &'static str, text: &str) -> Result<Label, NameError> {
        let label = limited(what, text.trim(), MAX_LABEL_CHARS, |_| false)?;
        non_empty(what, label).map(Label)
    }

    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LineName {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        LineName::parse("the name", &text)
    }
}

impl TryFrom<String> for UserName {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        UserName::parse(&text)
    }
}

impl TryFrom<String> for Note {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Note::parse(&text)
    }
}

impl TryFrom<String> for Label {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Label::parse("the label", &text)
    }
}

impl From<Label> for String {
    fn from(label: Label) -> String {
        label.0
    }
}

impl From<LineName> for String {
    fn from(name: LineName) -> String {
        name.0
    }
}

impl From<UserName> for String {
    fn from(name: UserName) -> String {
        name.0
    }
}

impl From<Note> for String {
    fn from(note: Note) -> String {
        note.0
    }
}

impl fmt::Display for LineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn limited(what: &'static str, text: &str, limit: usize, forbidden: fn(char) -> bool) -> Result<String, NameError> {
    let chars = text.chars().count();
    if chars > limit {
        return Err(NameError::TooLong { what, chars, limit });
    }
    match text.chars().find(|&c| c.is_control() || forbidden(c)) {
        Some(character) => Err(NameError::Forbidden { what, character }),
        None => Ok(text.to_owned()),
    }
}

fn non_empty(what: &'static str, name: String) -> Result<String, NameError> {
    if name.is_empty() { Err(NameError::Empty { what }) } else { Ok(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_or_refused() {
        let at_limit = "x".repeat(MAX_NAME_CHARS);
        let beyond = "x".repeat(MAX_NAME_CHARS + 1);
        for (text, fine) in [
            ("alice", true),
            (" alice ", true),
            ("Zoë", true),
            ("", false),
            ("  ", false),
            ("a:b", false),
            ("a\nb", false),
            ("a\0", false),
            (at_limit.as_str(), true),
            (beyond.as_str(), false),
        ] {
            assert_eq!(UserName::parse(text).is_ok(), fine, "{text:?}");
        }
        for (text, fine) in [
            ("vpn main 1", true),
            ("a:b", true),
            ("a;b", false),
            ("", false),
            ("\u{85}", false),
            (at_limit.as_str(), true),
            (beyond.as_str(), false),
        ] {
            assert_eq!(LineName::parse("the main name", text).is_ok(), fine, "{text:?}");
        }
    }

    #[test]
    fn a_label_has_words_and_a_limit() {
        assert_eq!(Label::parse("the reason", " left us ").unwrap().as_str(), "left us");
        assert!(Label::parse("the reason", " ").is_err());
        assert!(Label::parse("the reason", &"ä".repeat(MAX_LABEL_CHARS)).is_ok());
        assert!(Label::parse("the reason", &"ä".repeat(MAX_LABEL_CHARS + 1)).is_err());
    }

    #[test]
    fn a_note_may_be_empty_and_has_a_limit() {
        assert_eq!(Note::parse("  ").unwrap(), Note::default());
        assert!(Note::parse(&"ä".repeat(MAX_NOTE_CHARS)).is_ok());
        let refused = Note::parse(&"ä".repeat(MAX_NOTE_CHARS + 1)).unwrap_err();
        assert_eq!(refused.to_string(), "the note has 501 characters; at most 500 are allowed");
        assert!(Note::parse("two\nlines").is_err());
    }
}
