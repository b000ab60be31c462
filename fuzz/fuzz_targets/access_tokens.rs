//! See `testkit::targets::access_tokens`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| testkit::targets::access_tokens(bytes));
