//! The protocols as pure machines: bytes in, events out. No I/O, no async, no clock, no message types.
//!
//! ```text
//!  bytes ── detect ──┬── ttheader: header ── frame ── half ── connection ──▶ events
//!                    └── unary:    framing ── cutting ── connection ───────▶ replies to calls
//! ```
//!
//! What arrives is hostile: a length is believed only against [`Bounds`], nothing is allocated for bytes that have
//! not arrived, and every surprise is a [`Violation`] or an event, never a panic.

mod envelope;
mod exception;
pub(crate) mod json;
pub(crate) mod private;
mod skip;
pub(crate) mod timeout;

pub(crate) mod detect;
#[cfg(feature = "grpc")]
pub(crate) mod grpc;
pub(crate) mod ttheader;
pub(crate) mod unary;

#[cfg(test)]
pub(crate) mod vectors;

use std::borrow::Cow;
use std::fmt;

/// Bytes that break a protocol. The connection they came from cannot go on.
#[derive(Debug)]
pub(crate) struct Violation {
    kitex_code: i32,
    text: Cow<'static, str>,
}

impl Violation {
    /// Bytes that cannot be read as what they should be: 12004 of Kitex.
    pub(crate) fn frame(text: impl Into<Cow<'static, str>>) -> Self {
        Self { kitex_code: 12004, text: text.into() }
    }

    /// A message of this announced size, above the limit.
    pub(crate) fn too_large(message: usize, bounds: &Bounds) -> Self {
        let limit = bounds.max_payload;
        Self::frame(format!("a message of {message} bytes is above max_message_size of {limit} bytes"))
    }

    /// A header frame where none may be: 12002 of Kitex.
    pub(crate) fn header(text: impl Into<Cow<'static, str>>) -> Self {
        Self { kitex_code: 12002, text: text.into() }
    }

    /// A reply to no call of ours: `BAD_SEQUENCE_ID` of Thrift.
    pub(crate) fn sequence(text: impl Into<Cow<'static, str>>) -> Self {
        Self { kitex_code: 4, text: text.into() }
    }

    /// The number Kitex gives such a failure (spec "Errors").
    pub(crate) fn kitex_code(&self) -> i32 {
        self.kitex_code
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Violation {}

/// The result of looking for one whole unit in the input.
#[derive(Debug)]
pub(crate) enum Cut<T> {
    Whole(T),
    /// At least this many bytes must be in the buffer before it is worth looking again.
    Need(usize),
}

/// How much of what a peer announces is believed, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// `max_header_size` of the limits.
    pub(crate) max_header: usize,
    /// `max_message_size` of the limits.
    pub(crate) max_payload: usize,
}
