//! Whole programs that use `streamx`: each one in the folder `examples` starts what it needs, prints what happens, checks
//! it and ends. `cargo run --example echo` is the first to read.
