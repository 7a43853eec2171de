//! What is around a unary message, and how its first bytes show it.
//!
//! ```text
//! Framed            u32 length │ message
//! Buffered          message
//! TTHeader-framed   header     │ u32 length │ message
//! TTHeader          header     │ message
//! ```

use crate::wire::envelope::{Form, STRICT};
use crate::wire::ttheader::header::STREAMING;

/// What is around a message. A reply has what its call had (spec "Unary" 1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Its length.
    Framed(Form),
    /// Nothing: it ends where its struct ends.
    Buffered(Form),
    /// A TTHeader, then its length.
    TTHeaderFramed,
    /// A TTHeader, which says where it ends.
    TTHeader,
}

impl Framing {
    /// Whether there is a place for metainfo, headers, business errors and timeouts.
    pub(crate) fn has_header(self) -> bool {
        matches!(self, Self::TTHeaderFramed | Self::TTHeader)
    }

    /// Whether the length stands directly in front of the message.
    pub(super) fn has_length(self) -> bool {
        matches!(self, Self::Framed(_) | Self::TTHeaderFramed)
    }

    pub(super) fn form(self) -> Form {
        match self {
            Self::Framed(form) | Self::Buffered(form) => form,
            Self::TTHeaderFramed | Self::TTHeader => Form::Strict,
        }
    }
}

/// What the first bytes of a message say; eight decide, and often fewer do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// A frame of TTHeader Streaming, which is no unary message.
    Streaming,
    /// A TTHeader. What follows it is looked at in the same way.
    Header,
    Framed(Form),
    Buffered(Form),
}

const TTHEADER: u16 = 0x1000;
const MESH_HEADER: u16 = 0xffaf;
const KITEX_PROTOBUF: u16 = 0x9001;
const NEITHER: &str = "neither TTHeader nor Thrift binary";

impl Start {
    /// The error is for people.
    pub(crate) fn of(first: &[u8; 8]) -> Result<Self, &'static str> {
        Self::seen(first).unwrap_or(Err(NEITHER))
    }

    /// What is sure however the message goes on; `None` while more bytes decide.
    ///
    /// In the order of Kitex (spec "Unary" 1.1): TTHeader, then strict messages, Buffered before Framed. Messages in the
    /// old form come last, as they have no mark: a length of a name stands where others have their magic. It has to be
    /// one that leaves no doubt: below 65,536, and the name of a Buffered message begins with a letter.
    pub(crate) fn seen(first: &[u8]) -> Option<Result<Self, &'static str>> {
        if is(first, 4, TTHEADER)? {
            let is_streaming = word(first, 6)? & STREAMING != 0;
            return Some(Ok(if is_streaming { Self::Streaming } else { Self::Header }));
        }
        if is(first, 0, MESH_HEADER)? {
            return Some(Err("MeshHeader is not served"));
        }
        if is(first, 0, STRICT)? {
            return Some(Ok(Self::Buffered(Form::Strict)));
        }
        if is(first, 4, STRICT)? {
            return Some(Ok(Self::Framed(Form::Strict)));
        }
        if is(first, 4, KITEX_PROTOBUF)? {
            return Some(Err("Kitex-Protobuf is not served"));
        }
        let (high, low) = (word(first, 0)?, word(first, 2)?);
        if is(first, 4, 0)? {
            let name = word(first, 6)?;
            // The length has to hold what it says of the name.
            if name != 0 && (high != 0 || usize::from(low) > usize::from(name) + Form::Old.size()) {
                return Some(Ok(Self::Framed(Form::Old)));
            }
        }
        let letter = *first.get(4)?;
        if high == 0 && low != 0 && (letter.is_ascii_alphabetic() || letter == b'_') {
            return Some(Ok(Self::Buffered(Form::Old)));
        }
        Some(Err(NEITHER))
    }
}

/// The two bytes at `at`, if they are there.
fn word(first: &[u8], at: usize) -> Option<u16> {
    first.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

/// Whether these two bytes stand at `at`, if that is sure: the first alone may say that they do not.
fn is(first: &[u8], at: usize, expected: u16) -> Option<bool> {
    let [high, _] = expected.to_be_bytes();
    match first.get(at) {
        Some(byte) if *byte != high => Some(false),
        _ => word(first, at).map(|word| word == expected),
    }
}
