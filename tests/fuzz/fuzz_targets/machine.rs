//! The machine of a TTHeader Streaming connection, driven by frames and by its owner.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| streamx::fuzz::machine(data));
