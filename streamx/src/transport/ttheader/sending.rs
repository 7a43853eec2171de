//! The half of a stream that leaves.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};

use super::client::Hold;
use super::{Peer, Stream};
use crate::call::{Encode, Outgoing};
use crate::transport::lock;
use crate::transport::outbox::{Flush, LARGE, Share};
use crate::wire::ttheader::frame;
use crate::{Error, Result};

pub(crate) struct Sending {
    pub(super) peer: Arc<Peer>,
    pub(super) stream: Arc<Stream>,
    /// Keeps the connection of a client open.
    pub(super) hold: Option<Arc<Hold>>,
    pub(super) share: Share,
    /// The last message was large, so the next one is encoded outside the lock.
    pub(super) large: bool,
}

impl Sending {
    pub(super) fn new(peer: Arc<Peer>, stream: Arc<Stream>, hold: Option<Arc<Hold>>) -> Self {
        Self { peer, stream, hold, share: Share::default(), large: false }
    }

    fn put_frame(&mut self, payload: Payload<'_>, last: bool) -> Result<Flush> {
        let Self { peer, stream, share, large, .. } = self;
        let limit = peer.limits().max_message_size;
        let mut machine = lock(&peer.machine);
        let permit = machine.send(stream.id).map_err(|_| over(self.hold.is_some()))?;
        let mut outbox = lock(&peer.link.outbox);
        outbox.check_open()?;
        if permit.header_first {
            stream.answered.store(true, Relaxed);
            frame::put_header(&mut outbox.open, stream.id, stream.method, &[], &[]);
            outbox.framed();
        }
        let mark = stream.head.begin(&mut outbox.open);
        let start = outbox.open.len();
        let written = match payload {
            Payload::Encode(encode) => encode(&mut outbox.open)
                .and_then(|()| check_size(outbox.open.len() - start, limit))
                .map(|size| {
                    frame::end(&mut outbox.open, mark);
                    size
                }),
            Payload::Large(bytes) => check_size(bytes.len(), limit).map(|size| {
                frame::end_before(&mut outbox.open, mark, size);
                outbox.seal_with(bytes);
                size
            }),
        };
        let size = written.inspect_err(|_| outbox.open.truncate(mark))?;
        *large = size >= LARGE;
        outbox.framed();
        if last && machine.finish(stream.id) {
            frame::put_trailer(&mut outbox.open, stream.id, stream.method, &[], &[], None);
            outbox.framed();
        }
        outbox.charge(share, size);
        Ok(outbox.flush_rule(peer.link.turns.any()))
    }
}

enum Payload<'a> {
    /// To be encoded straight into the send buffer.
    Encode(Encode<'a>),
    /// Encoded already, outside the lock.
    Large(Bytes),
}

impl Outgoing for Sending {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let link = &self.peer.link;
        lock(&link.outbox).poll_room(self.stream.id, &self.share, &link.limits, cx)
    }

    fn put(&mut self, encode: Encode<'_>, last: bool) -> Result<()> {
        let flush = if self.large {
            let mut scratch = BytesMut::with_capacity(LARGE);
            encode(&mut scratch)?;
            self.put_frame(Payload::Large(scratch.freeze()), last)?
        } else {
            self.put_frame(Payload::Encode(encode), last)?
        };
        self.peer.link.act(flush);
        Ok(())
    }

    fn finish(&mut self) {
        let mut machine = lock(&self.peer.machine);
        if !machine.finish(self.stream.id) {
            return;
        }
        let flush = self.peer.write(|outbox| {
            frame::put_trailer(&mut outbox.open, self.stream.id, self.stream.method, &[], &[], None);
            outbox.framed();
        });
        drop(machine);
        self.peer.link.act(flush);
    }

    fn reset(&mut self, error: Error) {
        if self.hold.is_some() {
            self.peer.reset(&self.stream, &error);
        }
    }
}

fn check_size(size: usize, limit: usize) -> Result<usize> {
    if size <= limit {
        return Ok(size);
    }
    Err(Error::limit(format!(
        "the message has {size} bytes; at most {limit} may be sent (limit max_message_size)"
    )))
}

fn over(client: bool) -> Error {
    Error::closed(if client {
        "cannot send: the call is over, or close_send was called; if the server has ended it, `recv` has the outcome"
    } else {
        "cannot send: the call is over; the caller has reset it, or the handler has returned"
    })
}
