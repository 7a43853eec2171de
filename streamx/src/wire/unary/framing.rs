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

/// What the first eight bytes of a message say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// A frame of TTHeader Streaming, which is no unary message.
    Streaming,
    /// A TTHeader. What follows it is looked at in the same way.
    Header,
    Framed(Form),
    Buffered(Form),
}

impl Start {
    /// The error is for people.
    ///
    /// In the order of Kitex (spec "Unary" 1.1): TTHeader, then strict messages, Buffered before Framed. Messages in the
    /// old form come last, as they have no mark: a length of a name stands where others have their magic. It has to be
    /// one that leaves no doubt: below 65,536, and the name of a Buffered message begins with a letter.
    pub(crate) fn of(first: &[u8; 8]) -> Result<Self, &'static str> {
        let [b0, b1, b2, b3, b4, b5, b6, b7] = *first;
        let [w0, w1, w2, w3] = [[b0, b1], [b2, b3], [b4, b5], [b6, b7]].map(u16::from_be_bytes);
        match (w0, w2) {
            (_, 0x1000) if w3 & STREAMING != 0 => Ok(Self::Streaming),
            (_, 0x1000) => Ok(Self::Header),
            (0xffaf, _) => Err("MeshHeader is not served"),
            (STRICT, _) => Ok(Self::Buffered(Form::Strict)),
            (_, STRICT) => Ok(Self::Framed(Form::Strict)),
            (_, 0x9001) => Err("Kitex-Protobuf is not served"),
            // Its length has to hold what it says of its name.
            (_, 0) if w3 != 0 && (w0 != 0 || usize::from(w1) > usize::from(w3) + Form::Old.size()) => {
                Ok(Self::Framed(Form::Old))
            }
            (0, _) if w1 != 0 && (b4.is_ascii_alphabetic() || b4 == b'_') => Ok(Self::Buffered(Form::Old)),
            _ => Err("neither TTHeader nor Thrift binary"),
        }
    }
}
