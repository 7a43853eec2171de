//! The first bytes of a connection, and the frames of TTHeader Streaming in them.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    streamx::fuzz::detect(data);
    streamx::fuzz::frames(data);
});
