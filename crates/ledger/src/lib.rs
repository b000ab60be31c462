//! The ledger on files: segments of one JSON record a line.
//!
//! [`FileLedger`] is the adapter of the port [`app::ports::Ledger`]. Its parts
//! in reading order: [`disk`], the few things that are asked of a file system;
//! [`segment`], how a segment is read and proved; [`snapshot`] and [`start`],
//! how little of them is; [`stream`], how one is written; [`reader`] and
//! [`place`], what is read meanwhile; [`dropping`], [`copy`] and [`mod@repair`], what
//! is done to whole segments, and [`own`], how the chain tells of that; [`term`],
//! who writes, [`candidate`], who may next, and [`held_disk`], which keeps one
//! from writing who has lost the ledger to another.
//!
//! Only append, sync, create-new, rename, truncate, remove, and writing the same
//! bytes once more are used, since
//! the data directory may be an SMB share: no locks, no mapping, no hard links.

mod candidate;
mod chains;
mod copy;
mod disk;
mod dropping;
mod files;
mod held_disk;
mod note;
mod own;
mod place;
mod process;
mod reader;
mod repair;
mod segment;
mod snapshot;
mod start;
mod stream;
mod term;
mod uptime;
mod verify;

#[cfg(test)]
mod tests;

pub use candidate::{Attempt, Candidate};
pub use chains::FolderChains;
pub use copy::{Beginning, Copied, Copying, Progress, back_up, restore};
pub use files::FileLedger;
pub use note::OpeningNote;
pub use own::{Dropped, Gap};
pub use process::Holder;
pub use repair::{Mended, Repairer, plan_repair, repair};
pub use term::{Term, holder};
pub use verify::{Proof, open_to_read, verify};
