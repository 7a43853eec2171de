//! The five frames of TTHeader Streaming (spec sections 1 and 2): cutting them out of the input, writing them.

use bytes::{Buf, Bytes, BytesMut};

use super::flow::Flow;
use super::header::{self, ACL_KEY, Area, Entry, Ints, Prefix, STREAMING, Strings};
use crate::wire::envelope::{EnvelopeKind, Form, put_envelope};
use crate::wire::exception::put_exception_body;
use crate::wire::{Bounds, Cut, Violation, private, timeout};

/// The first of the number keys that streamx peers use among themselves and Kitex ignores.
pub(crate) const FIRST_PRIVATE_KEY: u16 = 0x8000;

/// The string key of the service on a header frame.
pub(crate) const SERVICE_KEY: &str = "isn";

/// The string key of the names a cancel has passed through, on a reset.
pub(crate) const CANCEL_PATH_KEY: &str = "ttscp";

const METHOD_KEY: u16 = 9;
const KIND_KEY: u16 = 27;

/// A frame that announces more than this is not worth waiting for: Kitex's library names it as the largest frame
/// (gopkg v0.2.0, `protocol/ttheader/encode.go`), and a LENGTH above it is most likely not one.
const LARGEST_PAYLOAD: usize = 0x3fff_ffff;

/// What a frame is: the value of its key 27.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FrameKind {
    Meta,
    Header,
    Data,
    Trailer,
    Rst,
}

impl FrameKind {
    fn digit(self) -> &'static str {
        match self {
            Self::Meta => "1",
            Self::Header => "2",
            Self::Data => "3",
            Self::Trailer => "4",
            Self::Rst => "5",
        }
    }

    fn from_digit(digit: &[u8]) -> Result<Self, Violation> {
        match digit {
            b"1" => Ok(Self::Meta),
            b"2" => Ok(Self::Header),
            b"3" => Ok(Self::Data),
            b"4" => Ok(Self::Trailer),
            b"5" => Ok(Self::Rst),
            other => Err(Violation::frame(format!(
                "unexpected frame type: {}",
                other[..other.len().min(16)].escape_ascii()
            ))),
        }
    }
}

/// One frame that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The stream.
    pub(crate) id: i32,
    pub(crate) kind: FrameKind,
    /// What a header area says beside id and kind. `None` for data and meta frames: there it means nothing.
    pub(crate) details: Option<Box<Details>>,
    /// What a meta frame of a streamx peer says.
    pub(crate) flow: Option<Flow>,
    /// A slice of the input; empty if there is `excess`.
    pub(crate) payload: Bytes,
    /// The size of a payload above `max_message_size`, else 0. It was not taken: whoever cut the frame discards so
    /// many bytes of the input, as they arrive. That costs no memory, and no other stream of the connection.
    pub(crate) excess: usize,
}

/// What the header area of a frame that is not a data frame says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Details {
    /// Empty if absent.
    pub(crate) method: String,
    /// The string keys, and the ACL token under the key Kitex gives it. `None`: the frame has neither.
    pub(crate) strings: Option<Strings>,
    /// What streamx peers tell each other: the number keys from [`FIRST_PRIVATE_KEY`] on, and the time of a call.
    pub(crate) private: Ints,
}

/// Takes frames off the input of one connection.
#[derive(Debug, Default)]
pub(crate) struct Cutter {
    /// The header area of the last data frame that was read. Nearly every other one is equal, for it says no more
    /// than the kind and the method, and comparing is ten times cheaper than reading.
    known: Vec<u8>,
}

/// Takes one whole frame off the input, without knowing what came before.
#[cfg(any(test, fuzzing))]
pub(crate) fn cut(input: &mut BytesMut, bounds: &Bounds) -> Result<Cut<Frame>, Violation> {
    Cutter::default().cut(input, bounds)
}

impl Cutter {
    /// Takes one whole frame off the input, which is left as it is while the frame is incomplete, and never grows
    /// here. At most one pass over the header area and no allocation for a data frame.
    #[inline(always)]
    pub(crate) fn cut(&mut self, input: &mut BytesMut, bounds: &Bounds) -> Result<Cut<Frame>, Violation> {
        let prefix = match Prefix::read(input, bounds.max_header)? {
            Cut::Whole(prefix) => prefix,
            Cut::Need(bytes) => return Ok(Cut::Need(bytes)),
        };
        if prefix.flags & STREAMING == 0 {
            return Err(Violation::frame(format!("unexpected header flags: {:#06x}", prefix.flags)));
        }
        if prefix.payload > LARGEST_PAYLOAD {
            return Err(Violation::too_large(prefix.payload, bounds));
        }
        let (taken, excess) =
            if prefix.payload > bounds.max_payload { (0, prefix.payload) } else { (prefix.payload, 0) };
        if input.len() < prefix.header + taken {
            return Ok(Cut::Need(prefix.header + taken));
        }
        let area = &input[Prefix::SIZE..prefix.header];
        let (kind, details, flow) =
            if *area == *self.known { (FrameKind::Data, None, None) } else { self.read(area)? };
        let payload = match taken {
            0 => {
                input.advance(prefix.header);
                Bytes::new()
            }
            length => {
                let mut frame = input.split_to(prefix.header + length).freeze();
                frame.advance(prefix.header);
                frame
            }
        };
        Ok(Cut::Whole(Frame { id: prefix.sequence, kind, details, flow, payload, excess }))
    }

    /// Reads a header area that is not the known one.
    #[inline(never)]
    #[allow(clippy::type_complexity, reason = "the fields of a frame in their order")]
    fn read(&mut self, bytes: &[u8]) -> Result<(FrameKind, Option<Box<Details>>, Option<Flow>), Violation> {
        let area = Area::read(bytes)?;
        let (mut kind, mut method, mut flow) = (&b""[..], &b""[..], &b""[..]);
        for entry in area.entries() {
            match entry? {
                Entry::Int(KIND_KEY, value) => kind = value,
                Entry::Int(METHOD_KEY, value) => method = value,
                Entry::Int(private::FLOW, value) => flow = value,
                _ => {}
            }
        }
        match FrameKind::from_digit(kind)? {
            FrameKind::Data => {
                self.known.clear();
                self.known.extend_from_slice(bytes);
                Ok((FrameKind::Data, None, None))
            }
            FrameKind::Meta => Ok((FrameKind::Meta, None, str::from_utf8(flow).ok().and_then(Flow::read))),
            kind => Ok((kind, Some(Box::new(Details::read(&area, method)?)), None)),
        }
    }
}

impl Details {
    fn read(area: &Area<'_>, method: &[u8]) -> Result<Self, Violation> {
        let mut strings = area.strings()?;
        if let Some(token) = area.acl()? {
            let strings = strings.get_or_insert_default();
            if let Err(place) = strings.binary_search_by(|(key, _)| (**key).cmp(ACL_KEY)) {
                strings.insert(place, (ACL_KEY.into(), token));
            }
        }
        Ok(Self {
            method: String::from_utf8_lossy(method).into_owned(),
            strings,
            private: area.ints(|key| key >= FIRST_PRIVATE_KEY || key == timeout::CALL)?,
        })
    }
}

/// The header of every data frame of one stream, built once.
#[derive(Debug)]
pub(crate) struct DataHead(Box<[u8]>);

impl DataHead {
    pub(crate) fn new(id: i32, method: &str) -> Self {
        let mut head = BytesMut::new();
        begin(&mut head, id, FrameKind::Data, method, None, &[]);
        Self(head[..].into())
    }

    /// How many bytes a data frame is larger than its message.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Appends the header. The message follows, then [`end`] with the mark this returns.
    pub(crate) fn begin(&self, out: &mut BytesMut) -> usize {
        let mark = out.len();
        out.extend_from_slice(&self.0);
        mark
    }
}

pub(crate) use super::header::{end, end_before};

/// Appends a header frame.
pub(crate) fn put_header(
    out: &mut BytesMut,
    id: i32,
    method: &str,
    strings: &[(&str, &str)],
    ints: &[(u16, &str)],
) {
    let mark = begin(out, id, FrameKind::Header, method, header::filled(strings), ints);
    end(out, mark);
}

/// Appends a meta frame for a streamx peer.
pub(crate) fn put_flow(out: &mut BytesMut, id: i32, method: &str, flow: Flow) {
    let mark = begin(out, id, FrameKind::Meta, method, None, &[(private::FLOW, flow.text().as_str())]);
    end(out, mark);
}

/// Appends a trailer: with an exception, its text and type, the failure of the stream. Without `strings` it has no
/// section for them: that is how a client closes. A Kitex client's `Trailer()` fails when that of a server has none, and
/// takes an empty one for an empty map (spec 9.3).
pub(crate) fn put_trailer(
    out: &mut BytesMut,
    id: i32,
    method: &str,
    strings: Option<&[(&str, &str)]>,
    ints: &[(u16, &str)],
    exception: Option<(&str, i32)>,
) {
    let mark = begin(out, id, FrameKind::Trailer, method, strings, ints);
    if let Some((text, kind)) = exception {
        put_exception(out, id, method, text, kind);
    }
    end(out, mark);
}

/// Appends a reset. `path` names the services the cancel has passed through, comma-separated; an empty one is left
/// out.
pub(crate) fn put_rst(out: &mut BytesMut, id: i32, method: &str, path: &str, text: &str, kind: i32) {
    let path = [(CANCEL_PATH_KEY, path)];
    let strings = (!path[0].1.is_empty()).then_some(&path[..]);
    let mark = begin(out, id, FrameKind::Rst, method, strings, &[]);
    put_exception(out, id, method, text, kind);
    end(out, mark);
}

fn begin(
    out: &mut BytesMut,
    id: i32,
    kind: FrameKind,
    method: &str,
    strings: Option<&[(&str, &str)]>,
    ints: &[(u16, &str)],
) -> usize {
    let own = [(KIND_KEY, kind.digit()), (METHOD_KEY, method)];
    let ints = own.iter().chain(ints).copied();
    header::begin(out, (STREAMING, id, THRIFT_STRUCT), strings.map(|strings| strings.iter().copied()), ints)
}

fn put_exception(out: &mut BytesMut, id: i32, method: &str, text: &str, kind: i32) {
    put_envelope(out, Form::Strict, EnvelopeKind::Exception, method, id);
    put_exception_body(out, text, kind);
}

/// The protocol id of TTHeader Streaming.
const THRIFT_STRUCT: u8 = 0x10;
