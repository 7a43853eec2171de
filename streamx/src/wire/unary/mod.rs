//! Unary calls over Framed and TTHeader-framed Thrift (spec "Unary" section 1).

pub(crate) mod connection;
pub(crate) mod framing;

#[cfg(test)]
mod tests;

#[expect(unused_imports, reason = "used by the transport")]
pub(crate) use connection::{Calls, Matched};
#[cfg_attr(not(test), expect(unused_imports, reason = "used by the transport"))]
pub(crate) use framing::{Framing, Unary, begin, cut, end};

#[cfg_attr(not(test), expect(unused_imports, reason = "used by the transport"))]
pub(crate) use super::envelope::EnvelopeKind;
#[cfg_attr(not(test), expect(unused_imports, reason = "used by the transport"))]
pub(crate) use super::exception::{put_exception_body, read_exception_body};
