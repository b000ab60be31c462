//! The ledger on files: segments of one JSON record a line.
//!
//! [`FileLedger`] is the adapter of the port [`app::ports::Ledger`]. Its parts
//! in reading order: [`disk`], the few things that are asked of a file system;
//! [`segment`], how a segment is read and proved; [`snapshot`] and [`start`],
//! how little of them is; [`stream`], how one is written; [`reader`] and
//! [`place`], what is read meanwhile; and [`mark`], who writes.
//!
//! Only append, sync, create-new, rename, truncate, remove, and writing the same
//! bytes once more are used, since
//! the data directory may be an SMB share: no locks, no mapping, no hard links.

mod chains;
mod copy;
mod disk;
mod files;
mod mark;
mod note;
mod place;
mod reader;
mod segment;
mod snapshot;
mod start;
mod stream;
mod verify;

#[cfg(test)]
mod tests;

pub use chains::FolderChains;
pub use copy::{Copied, back_up, restore};
pub use files::FileLedger;
pub use mark::{Holder, WriterMark, holder};
pub use note::OpeningNote;
pub use verify::{Proof, open_to_read, verify};
