//! Messages in their framings: cutting them out of the input, writing them.
//!
//! ```text
//! Framed    u32 length │ message
//! TTHeader  header     │ u32 length │ message
//! ```

use std::fmt;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::wire::envelope::{Envelope, EnvelopeKind, STRICT, put_envelope};
use crate::wire::ttheader::header::{self, Header, Prefix, STREAMING};
use crate::wire::{Bounds, Cut, Violation};

/// What is around a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Its length.
    Framed,
    /// A TTHeader, then its length.
    TTHeader,
}

/// One message that has arrived.
#[derive(Debug)]
pub(crate) struct Unary {
    pub(crate) framing: Framing,
    /// With [`Framing::TTHeader`].
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

/// Takes one whole message off the input, which is left as it is while the message is incomplete, and never grows
/// here. The framing is looked at anew for every message, as Kitex does.
pub(crate) fn cut(input: &mut BytesMut, bounds: &Bounds) -> Result<Cut<Unary>, Violation> {
    let Some(&[_, _, _, _, m0, m1, f0, f1]) = input.first_chunk() else {
        return Ok(Cut::Need(8));
    };
    let prefix = match u16::from_be_bytes([m0, m1]) {
        0x1000 if u16::from_be_bytes([f0, f1]) & STREAMING != 0 => {
            return Err(Violation::frame("a TTHeader Streaming frame on a connection of unary calls"));
        }
        0x1000 => match Prefix::read(input, bounds.max_header)? {
            Cut::Whole(prefix) => Some(prefix),
            Cut::Need(bytes) => return Ok(Cut::Need(bytes)),
        },
        _ => None,
    };
    let start = prefix.as_ref().map_or(0, |prefix| prefix.header);
    let Some(head) = input.get(start..).and_then(<[u8]>::first_chunk::<8>) else {
        return Ok(Cut::Need(start + 8));
    };
    let length = framed_length(head, prefix.as_ref(), bounds)?;
    if input.len() < start + 4 + length {
        return Ok(Cut::Need(start + 4 + length));
    }
    let header = match &prefix {
        Some(prefix) => Some(Box::new(Header::read(prefix, &input[Prefix::SIZE..start])?)),
        None => None,
    };
    let Envelope { kind, method, sequence, body } = Envelope::read(&input[start + 4..start + 4 + length])?;
    check_sizes(kind, method.len(), length - body, bounds)?;
    input.advance(start + 4);
    let message = input.split_to(length).freeze();
    Ok(Cut::Whole(Unary {
        framing: if header.is_some() { Framing::TTHeader } else { Framing::Framed },
        header,
        kind,
        method: Name::new(message.slice(method))?,
        sequence,
        body: message.slice(body..),
    }))
}

/// The place of the lengths of a message that is being written.
#[derive(Debug)]
#[must_use]
pub(crate) struct Mark {
    header: Option<usize>,
    frame: usize,
}

/// Appends what is in front of the struct, which follows, and then [`end`]. Flags, strings and numbers are those of
/// a TTHeader. The sequence goes into both envelopes.
#[expect(
    clippy::too_many_arguments,
    reason = "the fields of two envelopes, each once and in the order of the wire"
)]
pub(crate) fn begin(
    out: &mut BytesMut,
    framing: Framing,
    flags: u16,
    strings: &[(&str, &str)],
    ints: &[(u16, &str)],
    kind: EnvelopeKind,
    method: &str,
    sequence: i32,
) -> Mark {
    let header = (framing == Framing::TTHeader).then(|| {
        let ints = ints.iter().copied();
        let strings = header::filled(strings).map(|strings| strings.iter().copied());
        header::begin(out, (flags, sequence, THRIFT_BINARY), strings, ints)
    });
    let frame = out.len();
    out.put_u32(0);
    put_envelope(out, kind, method, sequence);
    Mark { header, frame }
}

/// Writes the lengths, now that the struct is there.
pub(crate) fn end(out: &mut BytesMut, mark: Mark) {
    // An inner length is written as an outer one is: it counts everything behind itself.
    header::end(out, mark.frame);
    if let Some(header) = mark.header {
        header::end(out, header);
    }
}

/// The protocol id of unary TTHeader.
const THRIFT_BINARY: u8 = 0x00;

/// The largest Thrift envelope without its method name.
const ENVELOPE: usize = 12;

/// The inner length. It wins over what an outer LENGTH announces, as with Kitex, but cannot exceed it.
fn framed_length(head: &[u8; 8], prefix: Option<&Prefix>, bounds: &Bounds) -> Result<usize, Violation> {
    let [l0, l1, l2, l3, v0, v1, _, _] = *head;
    match u16::from_be_bytes([v0, v1]) {
        STRICT => {}
        0x9001 => return Err(Violation::frame("Kitex-Protobuf is not served")),
        _ if [l0, l1] == STRICT.to_be_bytes() => {
            return Err(Violation::frame(
                "an unframed (Buffered) Thrift message; only framed ones are served",
            ));
        }
        _ if [l0, l1] == [0xff, 0xaf] => return Err(Violation::frame("MeshHeader is not served")),
        _ => {
            return Err(Violation::frame(format!(
                "neither TTHeader nor Framed Thrift: the bytes are {}",
                head.escape_ascii()
            )));
        }
    }
    let length = u32::from_be_bytes([l0, l1, l2, l3]);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    // The limit is for the struct. In front of it is an envelope, whose name is held to `max_header`.
    let envelope = bounds.max_header.saturating_add(ENVELOPE);
    if length > bounds.max_payload.saturating_add(envelope) {
        return Err(Violation::too_large(length, bounds));
    }
    match prefix {
        Some(prefix) if length.saturating_add(4) > prefix.payload => Err(Violation::frame(format!(
            "a framed message of {length} bytes inside a TTHeader payload of {} bytes",
            prefix.payload
        ))),
        _ => Ok(length),
    }
}

fn check_sizes(kind: EnvelopeKind, method: usize, body: usize, bounds: &Bounds) -> Result<(), Violation> {
    if body > bounds.max_payload {
        return Err(Violation::too_large(body, bounds));
    }
    if method > bounds.max_header {
        return Err(Violation::frame(format!(
            "a method name of {method} bytes is above max_header_size of {} bytes",
            bounds.max_header
        )));
    }
    if method == 0 && matches!(kind, EnvelopeKind::Call | EnvelopeKind::Oneway) {
        return Err(Violation::frame("a Thrift call without a method name"));
    }
    Ok(())
}
