//! Text of bytes: UTF-8, or what older programs write.

use std::borrow::Cow;

use crate::report::BYTE_ORDER_MARK;

use super::FileRefusal;

/// How bytes are text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with byte order mark or without.
    Utf8,
    /// It is not UTF-8, and was read as Windows-1252.
    Windows1252,
}

/// What Windows-1252 has between 0x80 and 0x9F, as the Encoding Standard
/// (WHATWG) says; elsewhere it is Latin-1.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The text of a file.
pub(super) fn decoded(bytes: &[u8]) -> Result<(Cow<'_, str>, Encoding), FileRefusal> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err(FileRefusal::Empty);
    }
    // No text has it, and every archive, workbook and UTF-16 file does.
    if bytes.contains(&0) {
        return Err(FileRefusal::NoText);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok((Cow::Borrowed(text), Encoding::Utf8)),
        Err(_) => Ok((Cow::Owned(bytes.iter().map(|&byte| of_windows(byte)).collect()), Encoding::Windows1252)),
    }
}

fn of_windows(byte: u8) -> char {
    match byte {
        0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}
