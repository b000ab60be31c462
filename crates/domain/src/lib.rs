//! The rules of vpn-sessions, pure.
pub mod record;
