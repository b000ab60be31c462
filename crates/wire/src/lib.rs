//! The JSON that the HTTP API and the Socket.IO events speak: shapes only.
//!
//! Times are RFC 3339 in UTC. [`board`] is what the board speaks, [`relay`]
//! the relay, [`audit`] the reports, [`accounts`] who may and with what, and
//! [`service`] the rest.
//!
//! Deliberately absent: rules, and every other crate of this project.

pub mod accounts;
pub mod audit;
pub mod board;
pub mod relay;
pub mod service;
