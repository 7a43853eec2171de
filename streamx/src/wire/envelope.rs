//! The Thrift message envelope: the head of a unary message, and of the exception in a trailer or reset.
//!
//! Only the strict form exists on the wire (spec "Unary" 1.7):
//!
//! ```text
//! 80 01 00 <kind> │ u32 length, method │ i32 sequence │ struct
//! ```

use std::ops::Range;

use bytes::{BufMut, BytesMut};

use super::Violation;

/// The first half of the word a strict envelope begins with; the second half is the kind.
pub(crate) const STRICT: u16 = 0x8001;

/// What kind of message an envelope heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EnvelopeKind {
    Call,
    Reply,
    Exception,
    Oneway,
}

impl EnvelopeKind {
    fn number(self) -> u16 {
        match self {
            Self::Call => 1,
            Self::Reply => 2,
            Self::Exception => 3,
            Self::Oneway => 4,
        }
    }

    fn from_number(number: u16) -> Result<Self, Violation> {
        match number {
            1 => Ok(Self::Call),
            2 => Ok(Self::Reply),
            3 => Ok(Self::Exception),
            4 => Ok(Self::Oneway),
            other => Err(Violation::frame(format!("a Thrift message of the unknown type {other}"))),
        }
    }
}

/// An envelope that was read, as positions in the bytes it was read from.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) kind: EnvelopeKind,
    pub(crate) method: Range<usize>,
    pub(crate) sequence: i32,
    /// Where the struct begins.
    pub(crate) body: usize,
}

impl Envelope {
    /// Reads the envelope at the start of one whole message.
    pub(crate) fn read(message: &[u8]) -> Result<Self, Violation> {
        let short = || Violation::frame("a Thrift message that ends inside its envelope");
        let (word, rest) = message.split_first_chunk::<4>().ok_or_else(short)?;
        let [version_high, version_low, kind_high, kind_low] = *word;
        if u16::from_be_bytes([version_high, version_low]) != STRICT {
            return Err(Violation::frame(format!(
                "not a strict Thrift message: it begins with {:#010x}",
                u32::from_be_bytes(*word)
            )));
        }
        let kind = EnvelopeKind::from_number(u16::from_be_bytes([kind_high, kind_low]))?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| short())?;
        let sequence = rest.get(length..).and_then(<[u8]>::first_chunk::<4>).ok_or_else(short)?;
        Ok(Self { kind, method: 8..8 + length, sequence: i32::from_be_bytes(*sequence), body: 12 + length })
    }
}

/// Appends an envelope; the struct follows.
pub(crate) fn put_envelope(out: &mut BytesMut, kind: EnvelopeKind, method: &str, sequence: i32) {
    out.reserve(12 + method.len());
    out.put_u16(STRICT);
    out.put_u16(kind.number());
    put_text(out, method);
    out.put_i32(sequence);
}

/// Appends a Thrift string, cut at a character boundary in the case, absurd as it is, that it exceeds 2 GiB.
pub(crate) fn put_text(out: &mut BytesMut, text: &str) {
    let text = clip(text, i32::MAX as usize);
    out.put_u32(u32::try_from(text.len()).unwrap_or(0));
    out.put_slice(text.as_bytes());
}

/// The longest start of a text that has at most `limit` bytes.
pub(crate) fn clip(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    &text[..end.unwrap_or(0)]
}
