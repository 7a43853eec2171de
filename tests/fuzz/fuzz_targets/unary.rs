//! Unary messages in every framing, and which call a reply belongs to.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| streamx::fuzz::unary(data));
