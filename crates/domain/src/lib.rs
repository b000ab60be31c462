//! The rules of vpn-sessions, pure: what is decided here is a function of
//! values.
//!
//! Read [`names`] and [`connection`] for the words, [`session`] and [`board`]
//! for the list and its rules, [`record`] for what is kept of everything,
//! [`snapshot`] for how a state is written down in between,
//! [`week`] and [`report`] for the weekly CSV file, [`checkpoint`]
//! for what is signed of it, [`verification`] for what proves both, [`list_file`] for the two files that
//! people write, [`account`] for who may, [`access`] for who did, and [`outbox`] for the relay.
//!
//! Deliberately absent: async, the clock, randomness, files, the network, and
//! the JSON that the API speaks.

pub mod access;
pub mod account;
pub mod board;
pub mod checkpoint;
pub mod connection;
pub mod list_file;
pub mod names;
pub mod outbox;
pub mod record;
pub mod report;
pub mod session;
pub mod snapshot;
pub mod verification;
pub mod week;
