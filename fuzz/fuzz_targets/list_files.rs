//! See `testkit::targets::list_files`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| testkit::targets::list_files(bytes));
