//! The machine of one connection: which frames mean what for which stream (spec sections 3 and 4).
//!
//! It holds no bytes and does no I/O. Whoever owns it cuts frames, hands them to [`receive`](Connection::receive)
//! and does what the [`Event`] says; before it writes a frame it asks here whether the frame may be written.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use bytes::Bytes;
use foldhash::fast::RandomState;

use super::flow::Flow;
use super::frame::{Details, Frame, FrameKind, SERVICE_KEY};
use super::half::{Half, Step};
use super::header::{Ints, Strings};
use super::outcome::Outcome;
use crate::Side;
use crate::wire::Violation;

/// The streams of one connection. `S` is what the owner attaches to a stream.
pub(crate) struct Connection<S> {
    side: Side,
    /// The id that was given out last; a client's.
    last: i32,
    streams: HashMap<i32, Stream<S>, RandomState>,
}

struct Stream<S> {
    slot: S,
    sending: Half,
    receiving: Half,
}

/// What an arriving frame means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<'a, S> {
    /// Server: a new stream. The owner [`accept`](Connection::accept)s it, or refuses it by writing a header and a
    /// trailer with an exception.
    Opened(Opened),
    /// Server: a second header frame for a live stream. That stream ends with an exception, and is forgotten here;
    /// the connection lives.
    Duplicate { id: i32, slot: S },
    /// Client: the application header.
    Header { slot: &'a S, strings: Strings, private: Ints },
    /// One message.
    Message { slot: &'a S, payload: Bytes },
    /// What a streamx peer says about what it takes.
    Flow { slot: &'a S, flow: Flow },
    /// Server: the client has said that no more comes.
    Finished { slot: &'a S },
    /// Server: the client's last word is an error. Its direction ends with it, the stream lives until the handler
    /// ends.
    Failed { slot: &'a S, outcome: Outcome },
    /// The call is over and forgotten. `answer`: one empty trailer is to be written now, which frees the stream at
    /// servers that wait for it. `strings` are those of a trailer.
    Ended { slot: S, id: i32, outcome: Outcome, answer: bool, strings: Strings },
    /// The peer's message is above the limit, so the stream ends and is forgotten. Client: a reset is to be written,
    /// and behind it an empty trailer if `more`. Server: a trailer with an exception, and before it the header if
    /// `more`.
    TooLarge { slot: S, size: usize, more: bool },
    /// Nothing happens.
    Ignored,
}

/// A stream that a client wants to open.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) id: i32,
    pub(crate) method: String,
    /// Empty if the client named none.
    pub(crate) service: String,
    /// The other string keys; `None` if the frame has no section of them.
    pub(crate) strings: Option<Strings>,
    pub(crate) private: Ints,
}

/// A data frame may be written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Permit {
    /// Server: after the header frame, which is to be written before it, now and never again.
    pub(crate) header_first: bool,
}

/// Nothing may be written: the stream is gone, or this side has finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Over;

impl<S> Connection<S> {
    /// The machine of the side that makes calls.
    pub(crate) fn client() -> Self {
        Self::new(Side::Client)
    }

    /// The machine of the side that serves them.
    pub(crate) fn server() -> Self {
        Self::new(Side::Server)
    }

    fn new(side: Side) -> Self {
        Self { side, last: 0, streams: HashMap::default() }
    }

    /// Client: begins a stream. Its header frame is to be written now. Ids go up from 1, wrap around, and leave out
    /// 0 and those of live streams.
    pub(crate) fn open(&mut self, slot: impl FnOnce(i32) -> S) -> (i32, &S) {
        loop {
            self.last = self.last.wrapping_add(1);
            if self.last != 0 && !self.streams.contains_key(&self.last) {
                break;
            }
        }
        let id = self.last;
        let stream = Stream { slot: slot(id), sending: Half::Open, receiving: Half::Fresh };
        (id, &self.streams.entry(id).insert_entry(stream).into_mut().slot)
    }

    /// Client: whether a stream was ever opened.
    pub(crate) fn has_opened(&self) -> bool {
        self.last != 0
    }

    /// Server: the stream of an [`Event::Opened`] lives.
    pub(crate) fn accept(&mut self, id: i32, slot: S) {
        self.streams.insert(id, Stream { slot, sending: Half::Fresh, receiving: Half::Open });
    }

    /// A frame has arrived. A violation ends the connection.
    #[inline(always)]
    pub(crate) fn receive(&mut self, frame: Frame) -> Result<Event<'_, S>, Violation> {
        if frame.kind == FrameKind::Data && frame.excess == 0 {
            return Ok(match self.streams.get(&frame.id) {
                Some(Stream { slot, receiving, .. }) if receiving.step(frame.kind) != Step::Ignored => {
                    Event::Message { slot, payload: frame.payload }
                }
                _ => Event::Ignored,
            });
        }
        self.receive_other(frame)
    }

    /// A frame has arrived that is no message.
    #[inline(never)]
    fn receive_other(&mut self, frame: Frame) -> Result<Event<'_, S>, Violation> {
        let Frame { id, kind, details, flow, payload, excess } = frame;
        if let Some(flow) = flow {
            return Ok(match self.streams.get(&id) {
                Some(Stream { slot, .. }) => Event::Flow { slot, flow },
                None => Event::Ignored,
            });
        }
        let Entry::Occupied(mut entry) = self.streams.entry(id) else {
            return Ok(match (self.side, kind) {
                (Side::Server, FrameKind::Header) => Event::Opened(Opened::read(id, details)),
                _ => Event::Ignored,
            });
        };
        if excess > 0 && kind != FrameKind::Meta {
            let Stream { slot, sending, .. } = entry.remove();
            let more = match self.side {
                Side::Client => sending != Half::Done,
                Side::Server => sending == Half::Fresh,
            };
            return Ok(Event::TooLarge { slot, size: excess, more });
        }
        match entry.get().receiving.step(kind) {
            Step::To(half) => entry.get_mut().receiving = half,
            Step::Ignored => return Ok(Event::Ignored),
            Step::Twice if self.side == Side::Server => {
                return Ok(Event::Duplicate { id, slot: entry.remove().slot });
            }
            Step::Twice => return Err(Violation::header(format!("stream[{id}] already set header"))),
        }
        let details = details.map_or_else(Details::default, |details| *details);
        Ok(match (kind, self.side) {
            (FrameKind::Trailer, Side::Server) => {
                let slot = &entry.into_mut().slot;
                match Outcome::of_trailer(&details, &payload, 12001) {
                    Outcome::Ok => Event::Finished { slot },
                    outcome => Event::Failed { slot, outcome },
                }
            }
            (FrameKind::Trailer, Side::Client) => {
                let Stream { slot, sending, .. } = entry.remove();
                let outcome = Outcome::of_trailer(&details, &payload, 12004);
                let strings = details.strings.unwrap_or_default();
                Event::Ended { slot, id, outcome, answer: sending != Half::Done, strings }
            }
            (FrameKind::Rst, side) => {
                let Stream { slot, sending, .. } = entry.remove();
                let answer = side == Side::Client && sending != Half::Done;
                let outcome = Outcome::of_rst(&details, &payload);
                Event::Ended { slot, id, outcome, answer, strings: Strings::new() }
            }
            (FrameKind::Header, Side::Client) => {
                let strings = details.strings.unwrap_or_default();
                Event::Header { slot: &entry.into_mut().slot, strings, private: details.private }
            }
            // A server's streams begin with their header, so the step above finds it twice.
            (FrameKind::Header, Side::Server) | (FrameKind::Meta | FrameKind::Data, _) => Event::Ignored,
        })
    }

    /// May a data frame be written now?
    pub(crate) fn send(&mut self, id: i32) -> Result<Permit, Over> {
        let stream = self.streams.get_mut(&id).filter(|stream| stream.sending != Half::Done).ok_or(Over)?;
        let header_first = stream.sending == Half::Fresh;
        stream.sending = Half::Open;
        Ok(Permit { header_first })
    }

    /// Client: sends no more. True when an empty trailer must be written now; false when it was before, or the call
    /// is over.
    pub(crate) fn finish(&mut self, id: i32) -> bool {
        let Some(stream) = self.streams.get_mut(&id) else { return false };
        std::mem::replace(&mut stream.sending, Half::Done) != Half::Done
    }

    /// Client: gives up the call, which is forgotten. `None` when it is over already. Else a reset is to be written,
    /// and behind it, if the flag says so, an empty trailer.
    pub(crate) fn reset(&mut self, id: i32) -> Option<(S, bool)> {
        let stream = self.streams.remove(&id)?;
        Some((stream.slot, stream.sending != Half::Done))
    }

    /// Server: the handler has ended, and the stream is forgotten. `None` when the client has reset it: nothing may
    /// be written. Else a trailer is to be written, and before it, if the flag says so, the header.
    pub(crate) fn end(&mut self, id: i32) -> Option<(S, bool)> {
        let stream = self.streams.remove(&id)?;
        Some((stream.slot, stream.sending == Half::Fresh))
    }

    /// What is attached to a stream, if it lives.
    pub(crate) fn slot(&self, id: i32) -> Option<&S> {
        self.streams.get(&id).map(|stream| &stream.slot)
    }

    /// What is attached to the streams that live.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &S> {
        self.streams.values().map(|stream| &stream.slot)
    }

    /// The connection is lost: every stream, forgotten.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = S> {
        self.streams.drain().map(|(_, stream)| stream.slot)
    }

    /// How many streams live.
    pub(crate) fn len(&self) -> usize {
        self.streams.len()
    }
}

#[cfg(test)]
impl<S> Connection<S> {
    /// A client that has given out this id last.
    pub(crate) fn client_after(last: i32) -> Self {
        Self { last, ..Self::client() }
    }
}

impl<S> fmt::Debug for Connection<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("side", &self.side)
            .field("streams", &self.len())
            .finish_non_exhaustive()
    }
}

impl Opened {
    fn read(id: i32, details: Option<Box<Details>>) -> Self {
        let Details { method, mut strings, private } =
            details.map_or_else(Details::default, |details| *details);
        let service = strings.as_mut().and_then(|strings| {
            let place = strings.iter().position(|(key, _)| **key == *SERVICE_KEY)?;
            Some(strings.remove(place).1.into_string())
        });
        Self { id, method, service: service.unwrap_or_default(), strings, private }
    }
}
