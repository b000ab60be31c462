//! The ledger on files: segments of one JSON record a line.
//!
//! [`FileLedger`] is the adapter of the port [`app::ports::Ledger`]. Its parts
//! in reading order: [`disk`], the few things that are asked of a file system;
//! [`segment`], how a segment is read and proved; [`snapshot`] and [`start`],
//! how little of them is; [`stream`], how one is written; [`reader`] and
//! [`place`], what is read meanwhile; [`dropping`], [`copy`] and [`repair`], what is done to
//! whole segments, and [`own`], how the chain tells of that; and [`mark`], who writes.
//!
//! Only append, sync, create-new, rename, truncate, remove, and writing the same
//! bytes once more are used, since
//! the data directory may be an SMB share: no locks, no mapping, no hard links.

mod copy;
mod disk;
mod dropping;
mod files;
mod mark;
mod note;
mod own;
mod place;
mod reader;
mod repair;
mod segment;
mod snapshot;
mod start;
mod stream;
mod verify;

#[cfg(test)]
mod tests;

pub use copy::{Beginning, Copied, Copying, Progress, back_up, restore};
pub use files::FileLedger;
pub use mark::{Holder, WriterMark, holder};
pub use note::OpeningNote;
pub use own::{Dropped, Gap};
pub use repair::{Mended, Repairer, plan_repair, repair};
pub use verify::{Proof, open_to_read, verify};
