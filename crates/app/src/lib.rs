//! The use cases of vpn-sessions, and the ports that they need.
//!
//! Read [`ports`] first, then [`store`]: the one way in which anything
//! changes. [`board`], [`accounts`], [`relay`], [`access`] and [`reports`] each are one
//! part of the product on top of it; [`proof`] proves what the start did not
//! read, [`verification`] what the audit holds, and [`findings`] is what all of
//! them have to complain about.
//!
//! Deliberately absent: HTTP, Socket.IO, SMTP, files and the JSON of the API.

pub mod access;
pub mod accounts;
pub mod board;
pub mod findings;
pub mod passwords;
pub mod ports;
pub mod proof;
pub mod relay;
pub mod reports;
pub mod store;
pub mod verification;
