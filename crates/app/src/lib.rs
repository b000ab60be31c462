//! The use cases of vpn-sessions, and the ports that they need.
//!
//! Read [`ports`] first, then [`store`]: the one way in which anything
//! changes. [`board`], [`accounts`], [`relay`], [`access`] and [`reports`] each are one
//! part of the product on top of it; [`guessing`] makes whoever fails wait; [`findings`] is what they have to
//! complain about.
//!
//! Deliberately absent: HTTP, Socket.IO, SMTP, files and the JSON of the API.

pub mod access;
pub mod accounts;
pub mod board;
pub mod findings;
pub mod guessing;
pub mod passwords;
pub mod ports;
pub mod relay;
pub mod reports;
pub mod store;
