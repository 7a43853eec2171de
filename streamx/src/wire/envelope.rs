//! The Thrift message envelope: the head of a unary message, and of the exception in a trailer or reset.
//!
//! ```text
//! strict    80 01 00 <kind> │ u32 length, method │ i32 sequence │ struct
//! old       u32 length, method │ <kind> │ i32 sequence │ struct
//! ```
//!
//! Kitex writes and reads the strict form only (spec "Unary" 1.7), and ours is that too. The old one is read where it
//! cannot be taken for anything else, and answered in kind: other Thrift clients write it. A client of ours does where its URL
//! says so.

use std::ops::Range;

use bytes::{BufMut, BytesMut};

use super::{Cut, Violation};

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
    fn number(self) -> u8 {
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

/// How an envelope is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// With its version, as Kitex has it.
    Strict,
    /// Without, as Thrift had it first. Other libraries call it "not strict".
    Old,
}

impl Form {
    /// What an envelope takes besides the method name.
    pub(crate) const fn size(self) -> usize {
        match self {
            Self::Strict => 12,
            Self::Old => 9,
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
    pub(crate) fn read(message: &[u8], form: Form) -> Result<Self, Violation> {
        match Self::begin(message, form)? {
            Cut::Whole(envelope) => Ok(envelope),
            Cut::Need(_) => Err(Violation::frame("a Thrift message that ends inside its envelope")),
        }
    }

    /// Reads the envelope of a message of which this much has arrived. What it needs is its whole size, once that is
    /// known: nothing of it is believed.
    pub(crate) fn begin(message: &[u8], form: Form) -> Result<Cut<Self>, Violation> {
        match form {
            Form::Strict => Self::begin_strict(message),
            Form::Old => Self::begin_old(message),
        }
    }

    fn begin_strict(message: &[u8]) -> Result<Cut<Self>, Violation> {
        let Some(&[v0, v1, k0, k1]) = message.first_chunk() else {
            return Ok(Cut::Need(Form::Strict.size()));
        };
        if u16::from_be_bytes([v0, v1]) != STRICT {
            let word = u32::from_be_bytes([v0, v1, k0, k1]);
            return Err(Violation::frame(format!(
                "not a strict Thrift message: it begins with {word:#010x}"
            )));
        }
        let kind = EnvelopeKind::from_number(u16::from_be_bytes([k0, k1]))?;
        let Some(method) = name(message, 4) else { return Ok(Cut::Need(Form::Strict.size())) };
        let body = method.end.saturating_add(4);
        let Some(&sequence) = message.get(method.end..).and_then(<[u8]>::first_chunk) else {
            return Ok(Cut::Need(body));
        };
        Ok(Cut::Whole(Self { kind, method, sequence: i32::from_be_bytes(sequence), body }))
    }

    fn begin_old(message: &[u8]) -> Result<Cut<Self>, Violation> {
        let Some(method) = name(message, 0) else { return Ok(Cut::Need(Form::Old.size())) };
        let body = method.end.saturating_add(5);
        let Some(&[kind, s0, s1, s2, s3]) = message.get(method.end..).and_then(<[u8]>::first_chunk) else {
            return Ok(Cut::Need(body));
        };
        let kind = EnvelopeKind::from_number(kind.into())?;
        Ok(Cut::Whole(Self { kind, method, sequence: i32::from_be_bytes([s0, s1, s2, s3]), body }))
    }
}

/// Where the name is whose length stands here; it may not have arrived.
fn name(message: &[u8], at: usize) -> Option<Range<usize>> {
    let length = message.get(at..)?.first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    Some(at + 4..length.saturating_add(at + 4))
}

/// Appends an envelope; the struct follows.
pub(crate) fn put_envelope(out: &mut BytesMut, form: Form, kind: EnvelopeKind, method: &str, sequence: i32) {
    out.reserve(form.size() + method.len());
    match form {
        Form::Strict => {
            out.put_u16(STRICT);
            out.put_u16(kind.number().into());
            put_text(out, method);
        }
        Form::Old => {
            put_text(out, method);
            out.put_u8(kind.number());
        }
    }
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
