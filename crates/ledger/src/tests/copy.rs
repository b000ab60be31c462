//! Backups and the way back, stopped at each call.
