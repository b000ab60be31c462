//! The use cases on the real ledger, in a world that fails.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod accounts;
mod board;
mod history;
mod relay;
mod reports;
mod retention;
mod team;
