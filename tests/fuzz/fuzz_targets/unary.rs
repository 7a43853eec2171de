//! Unary messages in both framings, and which call a reply belongs to.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| streamx::fuzz::unary(data));
