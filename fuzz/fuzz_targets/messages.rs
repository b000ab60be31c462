//! See `testkit::targets::messages`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| testkit::targets::messages(bytes));
