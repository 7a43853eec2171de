//! Unary calls over Framed and TTHeader-framed Thrift (spec "Unary" section 1).

pub(crate) mod connection;
pub(crate) mod framing;

#[cfg(test)]
mod tests;

pub(crate) use connection::{Calls, Matched};
pub(crate) use framing::{Framing, Unary, begin, cut, end};

pub(crate) use super::envelope::EnvelopeKind;
pub(crate) use super::exception::{put_exception_body, read_exception_body};
