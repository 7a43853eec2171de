//! TTHeader Streaming: frames, the life of a stream, the machine of a connection (spec sections 1 to 6).

pub(crate) mod connection;
pub(crate) mod flow;
pub(crate) mod frame;
pub(crate) mod half;
pub(crate) mod header;
pub(crate) mod outcome;

#[cfg(test)]
mod tests;
