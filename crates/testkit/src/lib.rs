//! The world for tests: a clock that is set, a ledger that can fail, a mail
//! server and a share that do as they are told. Of our own nothing is faked:
//! [`TestWorld`] keeps its records in the real ledger on real files, and
//! [`TestServer`] serves them on a port of its own. [`targets`] are what reads
//! bytes of others, for fuzzing.

mod clock;
mod failing_ledger;
mod scripted_mailer;
mod server;
mod switched_share;
pub mod targets;
mod world;

pub use clock::{CountingEntropy, SettableClock};
pub use failing_ledger::FailingLedger;
pub use scripted_mailer::ScriptedMailer;
pub use server::{SERVICE_PASSWORD, SERVICE_USER, TestServer};
pub use switched_share::SwitchedShare;
pub use world::TestWorld;
