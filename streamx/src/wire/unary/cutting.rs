//! Cutting messages out of the input of a connection.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

use super::framing::{Framing, Start};
use crate::wire::envelope::{Envelope, EnvelopeKind, Form};
use crate::wire::skip::{Skip, wire};
use crate::wire::ttheader::header::{Header, Prefix};
use crate::wire::{Bounds, Cut, Violation};

/// One message that has arrived.
#[derive(Debug)]
pub(crate) struct Unary {
    pub(crate) framing: Framing,
    /// Where the framing has one.
    pub(crate) header: Option<Box<Header>>,
    pub(crate) kind: EnvelopeKind,
    pub(crate) method: Name,
    /// That of the envelope, which is the one that counts (spec "Unary" 1.8).
    pub(crate) sequence: i32,
    /// The struct of arguments, of results, or the exception: a slice of the input.
    pub(crate) body: Bytes,
}

/// A method name: a slice of the input that is known to be UTF-8.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Name(Bytes);

impl Name {
    fn new(bytes: Bytes) -> Result<Self, Violation> {
        match std::str::from_utf8(&bytes) {
            Ok(_) => Ok(Self(bytes)),
            Err(_) => Err(Violation::frame("a Thrift message whose method name is not UTF-8")),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

/// Cuts the messages of one connection. The framing is looked at anew for every message, as Kitex does.
#[derive(Debug, Default)]
pub(crate) struct Cutter {
    /// The way through the Buffered message at the start of the input.
    skip: Option<Skip>,
}

impl Cutter {
    /// Takes one whole message off the input, which is left as it is while the message is incomplete, and never grows
    /// here.
    pub(crate) fn cut(&mut self, input: &mut BytesMut, bounds: &Bounds) -> Result<Cut<Unary>, Violation> {
        let Some(first) = input.first_chunk() else { return Ok(Cut::Need(8)) };
        match start(first)? {
            Start::Streaming => {
                Err(Violation::frame("a TTHeader Streaming frame on a connection of unary calls"))
            }
            Start::Header => headed(input, bounds),
            Start::Framed(form) => match framed_length(first, bounds)? {
                length if input.len() < 4 + length => Ok(Cut::Need(4 + length)),
                length => take(input, 4, length, Framing::Framed(form), None, bounds),
            },
            Start::Buffered(form) => self.buffered(input, form, bounds),
        }
    }

    fn buffered(
        &mut self,
        input: &mut BytesMut,
        form: Form,
        bounds: &Bounds,
    ) -> Result<Cut<Unary>, Violation> {
        let skip = match &mut self.skip {
            Some(skip) => skip,
            none => match Envelope::begin(input, form)? {
                Cut::Whole(envelope) => {
                    check_method(envelope.kind, envelope.method.len(), bounds)?;
                    none.insert(Skip::over(wire::STRUCT, envelope.body))
                }
                Cut::Need(need) => {
                    check_name(need.saturating_sub(form.size()), bounds)?;
                    return Ok(Cut::Need(need));
                }
            },
        };
        let end = match skip.walk(input, bounds)? {
            Cut::Whole(end) => end,
            Cut::Need(need) => return Ok(Cut::Need(need)),
        };
        self.skip = None;
        take(input, 0, end, Framing::Buffered(form), None, bounds)
    }
}

/// A message behind a TTHeader, which has to be strict: nobody sends the old form there.
fn headed(input: &mut BytesMut, bounds: &Bounds) -> Result<Cut<Unary>, Violation> {
    let prefix = match Prefix::read(input, bounds.max_header)? {
        Cut::Whole(prefix) => prefix,
        Cut::Need(need) => return Ok(Cut::Need(need)),
    };
    let Prefix { header, payload, .. } = prefix;
    if payload < 8 {
        return Err(Violation::frame(format!(
            "a TTHeader payload of {payload} bytes, too few for a message"
        )));
    }
    let Some(first) = input.get(header..).and_then(<[u8]>::first_chunk) else {
        return Ok(Cut::Need(header + 8));
    };
    let (framing, at, length) = match start(first)? {
        Start::Framed(Form::Strict) => {
            let length = framed_length(first, bounds)?;
            // It wins over what the outer LENGTH announces, as with Kitex, but cannot exceed it.
            if length.saturating_add(4) > payload {
                return Err(Violation::frame(format!(
                    "a framed message of {length} bytes inside a TTHeader payload of {payload} bytes"
                )));
            }
            (Framing::TTHeaderFramed, header + 4, length)
        }
        Start::Buffered(Form::Strict) => {
            check_length(payload, bounds)?;
            (Framing::TTHeader, header, payload)
        }
        _ => return Err(unknown("a TTHeader without a strict Thrift message behind it", first)),
    };
    if input.len() < at + length {
        return Ok(Cut::Need(at + length));
    }
    let header = Header::read(&prefix, &input[Prefix::SIZE..header])?;
    take(input, at, length, framing, Some(Box::new(header)), bounds)
}

/// Takes the message that is there.
fn take(
    input: &mut BytesMut,
    at: usize,
    length: usize,
    framing: Framing,
    header: Option<Box<Header>>,
    bounds: &Bounds,
) -> Result<Cut<Unary>, Violation> {
    let Envelope { kind, method, sequence, body } = Envelope::read(&input[at..at + length], framing.form())?;
    if length - body > bounds.max_payload {
        return Err(Violation::too_large(length - body, bounds));
    }
    check_method(kind, method.len(), bounds)?;
    input.advance(at);
    let message = input.split_to(length).freeze();
    let (method, body) = (Name::new(message.slice(method))?, message.slice(body..));
    Ok(Cut::Whole(Unary { framing, header, kind, method, sequence, body }))
}

fn start(first: &[u8; 8]) -> Result<Start, Violation> {
    Start::of(first).map_err(|reason| unknown(reason, first))
}

fn unknown(reason: &str, first: &[u8; 8]) -> Violation {
    Violation::frame(format!("{reason}: the bytes are {}", first.escape_ascii()))
}

fn framed_length(first: &[u8; 8], bounds: &Bounds) -> Result<usize, Violation> {
    let [l0, l1, l2, l3, ..] = *first;
    let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
    check_length(length, bounds)?;
    Ok(length)
}

/// The limit is for the struct. In front of it is an envelope, whose name is held to `max_header`.
fn check_length(length: usize, bounds: &Bounds) -> Result<(), Violation> {
    let envelope = bounds.max_header.saturating_add(Form::Strict.size());
    if length > bounds.max_payload.saturating_add(envelope) {
        return Err(Violation::too_large(length, bounds));
    }
    Ok(())
}

fn check_method(kind: EnvelopeKind, length: usize, bounds: &Bounds) -> Result<(), Violation> {
    check_name(length, bounds)?;
    if length == 0 && matches!(kind, EnvelopeKind::Call | EnvelopeKind::Oneway) {
        return Err(Violation::frame("a Thrift call without a method name"));
    }
    Ok(())
}

fn check_name(length: usize, bounds: &Bounds) -> Result<(), Violation> {
    if length > bounds.max_header {
        return Err(Violation::frame(format!(
            "a method name of {length} bytes is above max_header_size of {} bytes",
            bounds.max_header
        )));
    }
    Ok(())
}
