//! The use cases of vpn-sessions, and the ports that they need.
//!
//! Read [`ports`] first, then [`store`]: the one way in which anything
//! changes. [`board`], [`accounts`], [`relay`], [`access`], [`reports`] and
//! [`history`] each are one part of the product on top of it; [`guessing`] makes
//! whoever fails wait, [`sign_on`] asks a provider
//! of single sign-on who somebody is, [`proof`] proves what the start did not read,
//! [`verification`] what the audit holds, [`retention`] and [`keys`] see that
//! what is old or was replaced goes, and [`findings`] is what all of them have to
//! complain about.
//!
//! Deliberately absent: HTTP, Socket.IO, SMTP, files and the JSON of the API.

pub mod access;
pub mod accounts;
pub mod board;
pub mod findings;
pub mod guessing;
pub mod history;
pub mod keys;
pub mod passwords;
pub mod ports;
pub mod proof;
pub mod relay;
pub mod reports;
pub mod retention;
pub mod sign_on;
pub mod store;
pub mod verification;
