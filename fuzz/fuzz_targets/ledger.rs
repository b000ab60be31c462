//! See `testkit::targets::ledger`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| testkit::targets::ledger(bytes));
