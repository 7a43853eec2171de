//! Unary Thrift calls in their four framings (spec "Unary" section 1).

mod cancel;
pub(crate) mod connection;
mod cutting;
mod framing;
mod writing;

#[cfg(test)]
mod tests;

pub(crate) use cancel::{cancelled, put_cancel, reason};
pub(crate) use connection::{Calls, Matched};
pub(crate) use cutting::{Cutter, Unary};
pub(crate) use framing::{Framing, Start};
pub(crate) use writing::{begin, end};

pub(crate) use super::envelope::{EnvelopeKind, Form};
pub(crate) use super::exception::{put_exception_body, read_exception_body};
