//! The half of a stream that leaves.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::Sleep;

use super::client::{Cancellable, Hold};
use super::{Peer, Stream};
use crate::call::{Encode, Outgoing};
use crate::transport::outbox::{LARGE, Share};
use crate::transport::{check_size, encode_into, failure, lock};
use crate::wire::ttheader::connection::Over;
use crate::wire::ttheader::{flow, frame};
use crate::{Code, Error, Result};

/// After so many messages in a row a sender waits once, so that a handler that sends in a loop lets its connection see
/// a reset, and others run.
const BURST: u32 = 128;

pub(crate) struct Sending {
    pub(super) peer: Arc<Peer>,
    pub(super) stream: Arc<Stream>,
    /// Keeps the connection of a client open.
    pub(super) hold: Option<Arc<Hold>>,
    child: Option<Arc<Cancellable>>,
    pub(super) share: Share,
    /// Messages sent since the sender was made to wait last.
    burst: u32,
    /// The last message was large, so the next one is encoded outside the lock.
    pub(super) large: bool,
    /// What all messages have cost.
    spent: u64,
    /// While the peer's reader is behind.
    stall: Option<Stall>,
}

impl Sending {
    pub(super) fn new(
        peer: Arc<Peer>,
        stream: Arc<Stream>,
        hold: Option<Arc<Hold>>,
        child: Option<Arc<Cancellable>>,
    ) -> Self {
        Self {
            peer,
            stream,
            hold,
            child,
            share: Share::default(),
            burst: 0,
            large: false,
            spent: 0,
            stall: None,
        }
    }

    /// Waits until the reader of the peer has taken more, within a bound.
    fn poll_allowance(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if self.stream.allowance.poll(self.spent, cx).is_ready() {
            self.stall = None;
            return Poll::Ready(Ok(()));
        }
        let limit = self.peer.limits().send_stall_timeout;
        let stall = self.stall.get_or_insert_with(|| {
            self.peer.link.meter.send_pauses.add(1);
            Stall { timer: Box::pin(tokio::time::sleep(limit)), total: self.stream.allowance.total() }
        });
        ready!(stall.poll(&self.stream, limit, cx));
        self.stall = None;
        let reader = if self.hold.is_some() { "the server" } else { "the client" };
        let text = format!(
            "the message was not sent: {reader} has read nothing of this stream for {limit:?} (limit send_stall_timeout)"
        );
        Poll::Ready(Err(Error::new(Code::DeadlineExceeded, text)))
    }

    fn put_frame(&mut self, payload: Payload<'_>, last: bool) -> Result<()> {
        let Self { peer, stream, share, burst, large, spent, .. } = self;
        let limit = peer.limits().max_message_size;
        let is_client = self.hold.is_some();
        // The machine is asked for the first message and for the last one.
        let mut machine = (last || !stream.flows.load(Relaxed)).then(|| lock(&peer.machine));
        let permit = machine
            .as_mut()
            .map(|machine| if stream.is_in(machine) { machine.send(stream.id) } else { Err(Over) });
        let permit = permit.transpose();
        let permit = permit.map_err(|_| failure::over(&stream.inbox, is_client))?;
        let mut outbox = lock(&peer.link.outbox);
        outbox.check_open()?;
        match permit {
            Some(permit) => {
                stream.flows.store(true, Relaxed);
                if permit.header_first {
                    stream.put_header(&mut outbox);
                }
            }
            None if stream.flows.load(Relaxed) => {}
            None => {
                // It has just ended: whoever ends it says why before the machine is free again.
                drop(outbox);
                drop(lock(&peer.machine));
                return Err(failure::over(&stream.inbox, is_client));
            }
        }
        let mark = stream.head.begin(&mut outbox.open);
        let written = match payload {
            Payload::Encode(encode) => encode_into(&mut outbox.open, mark, encode, limit)
                .inspect(|_| frame::end(&mut outbox.open, mark)),
            Payload::Large(bytes) => check_size(bytes.len(), limit).inspect(|&size| {
                frame::end_before(&mut outbox.open, mark, size);
                outbox.seal_with(bytes);
            }),
        };
        let size = written.inspect_err(|_| outbox.open.truncate(mark))?;
        *burst += 1;
        *large = size >= LARGE;
        *spent += flow::cost(size);
        outbox.framed();
        outbox.charge(share, size);
        if last && !is_client {
            // The trailer of a server follows when its handler has returned, with the pairs it has set.
            let flush = outbox.hold();
            drop(outbox);
            drop(machine);
            peer.link.act(flush);
            return Ok(());
        }
        if last && machine.as_mut().is_some_and(|machine| machine.finish(stream.id)) {
            stream.put_closing_trailer(&mut outbox);
        }
        drop(machine);
        peer.link.apply_flush_rule(outbox);
        Ok(())
    }
}

/// A wait for the reader of the peer.
struct Stall {
    timer: Pin<Box<Sleep>>,
    /// What might be sent when the timer was set.
    total: u64,
}

impl Stall {
    /// Ready when the reader has taken nothing for so long.
    fn poll(&mut self, stream: &Stream, limit: Duration, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let total = stream.allowance.total();
            if std::mem::replace(&mut self.total, total) == total {
                return Poll::Ready(());
            }
            self.timer.set(tokio::time::sleep(limit));
        }
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
        if self.burst >= BURST {
            self.burst = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.stream.allowance.covers(self.spent) {
            self.stall = None;
        } else {
            ready!(self.poll_allowance(cx))?;
        }
        let link = &self.peer.link;
        if link.has_room() {
            return Poll::Ready(Ok(()));
        }
        let call = Arc::as_ptr(&self.stream).addr();
        let room = lock(&link.outbox).poll_room(call, &self.share, &link.limits, cx);
        if room.is_pending() && self.stream.allowance.poll_over(cx).is_ready() {
            // The peer may take nothing for long. There is nothing to wait for, and `put` says why.
            return Poll::Ready(Ok(()));
        }
        room
    }

    fn put(&mut self, encode: Encode<'_>, last: bool) -> Result<()> {
        let payload = if self.large {
            let mut scratch = BytesMut::with_capacity(LARGE);
            encode(&mut scratch)?;
            Payload::Large(scratch.freeze())
        } else {
            Payload::Encode(encode)
        };
        self.put_frame(payload, last)
    }

    fn finish(&mut self) {
        if self.hold.is_none() {
            return;
        }
        let mut machine = lock(&self.peer.machine);
        if !machine.finish(self.stream.id) {
            return;
        }
        let flush = self.peer.write(|outbox| self.stream.put_closing_trailer(outbox));
        drop(machine);
        self.peer.link.act(flush);
    }

    fn reset(&mut self, error: Error) {
        if self.hold.is_some() {
            self.peer.give_up(&self.stream, self.child.as_deref(), error);
        }
    }
}
