//! What an opening says that dealt with something.

use std::{fmt, path::Path};

/// Something that was found and dealt with when the ledger was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningNote {
    text: String,
    is_torn_line: bool,
}

impl OpeningNote {
    /// Whether it is about a last line that did not end.
    pub fn is_torn_line(&self) -> bool {
        self.is_torn_line
    }

    pub(crate) fn torn(path: &Path, line: usize, bytes: usize) -> OpeningNote {
        let file = path.display();
        let text =
            format!("{file} line {line}: the last write was torn; its {bytes} bytes, never acknowledged, were cut off");
        OpeningNote { text, is_torn_line: true }
    }

    pub(crate) fn unfinished(path: &Path) -> OpeningNote {
        let file = path.display();
        let text = format!("{file}: the segment was not begun; nothing in it was acknowledged, and it is passed over");
        OpeningNote { text, is_torn_line: false }
    }

    pub(crate) fn no_part(path: &Path, line: usize) -> OpeningNote {
        let file = path.display();
        let text = format!("{file} from line {line} on: was refused when it was written, and is no part of the chain");
        OpeningNote { text, is_torn_line: false }
    }

    pub(crate) fn begins_empty(path: &Path) -> OpeningNote {
        let file = path.display();
        let text = format!(
            "{file}: a repair recorded that what came before it is lost, and no snapshot stands in for it: what it told of begins empty"
        );
        OpeningNote { text, is_torn_line: false }
    }
}

impl fmt::Display for OpeningNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
