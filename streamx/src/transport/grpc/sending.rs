//! The half of a stream that leaves.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::time::Sleep;

use super::client::Given;
use super::compression::Compression;
use super::stream::{End, Peer, Stream};
use crate::call::{Encode, Outgoing};
use crate::transport::{encode_into, failure, lock};
use crate::wire::grpc::prefix;
use crate::{Code, Error, Result};

/// After so many messages in a row a sender waits once, so that others run.
const BURST: u32 = 128;

pub(super) struct Sending {
    pub(super) peer: Arc<Peer>,
    pub(super) stream: Arc<Stream>,
    /// Of a client: what its handles keep, and how they give up the call.
    given: Option<Arc<Given>>,
    compression: Option<Compression>,
    /// Messages sent since the sender was made to wait last.
    burst: u32,
    /// While the peer takes nothing, and what it had taken then.
    stall: Option<(Pin<Box<Sleep>>, u64)>,
}

impl Sending {
    pub(super) fn new(
        peer: Arc<Peer>,
        stream: Arc<Stream>,
        given: Option<Arc<Given>>,
        compression: Option<Compression>,
    ) -> Self {
        Self { peer, stream, given, compression, burst: 0, stall: None }
    }

    /// A message with its prefix, compressed. The lock of the stream is not held meanwhile.
    fn pack(&self, compression: Compression, encode: Encode<'_>) -> Result<BytesMut> {
        let mut message = BytesMut::new();
        self.write(&mut message, encode)?;
        compression.pack(&mut message)?;
        Ok(message)
    }

    /// Writes a message with its prefix to the end of a buffer.
    fn write(&self, out: &mut BytesMut, encode: Encode<'_>) -> Result<()> {
        let limit = self.peer.limits().max_message_size.min(u32::MAX as usize);
        let mark = prefix::begin(out);
        encode_into(out, mark, encode, limit)?;
        // It fits: the limit says so.
        let _fits = prefix::end(out, mark);
        Ok(())
    }

    /// Ready when the peer has taken nothing for too long.
    fn poll_stall(&mut self, moved: u64, cx: &mut Context<'_>) -> Poll<Error> {
        let limit = self.peer.limits().send_stall_timeout;
        let (timer, mark) = self.stall.get_or_insert_with(|| {
            self.peer.link.meter.send_pauses.add(1);
            (Box::pin(tokio::time::sleep(limit)), moved)
        });
        loop {
            ready!(timer.as_mut().poll(cx));
            if std::mem::replace(mark, moved) == moved {
                break;
            }
            timer.set(tokio::time::sleep(limit));
        }
        self.stall = None;
        let reader = if self.peer.is_client { "the server" } else { "the client" };
        let text = format!(
            "the message was not sent: {reader} has read nothing of this stream for {limit:?} (limit send_stall_timeout)"
        );
        Poll::Ready(Error::new(Code::DeadlineExceeded, text))
    }
}

impl Outgoing for Sending {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if self.burst >= BURST {
            self.burst = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut leaving = lock(&self.stream.leaving);
        let room = leaving.out.len() < self.peer.limits().stream_send_buffer.max(1);
        // When the call is over there is nothing to wait for, and `put` says why. A stream that has nothing to send itself
        // need not wait for others: it could not be told when they have sent.
        if !leaving.is_open() || leaving.out.is_empty() || (room && !self.peer.is_full()) {
            drop(leaving);
            self.stall = None;
            return Poll::Ready(Ok(()));
        }
        leaving.waiting = Some(cx.waker().clone());
        let moved = leaving.moved;
        drop(leaving);
        self.poll_stall(moved, cx).map(Err)
    }

    fn put(&mut self, encode: Encode<'_>, last: bool) -> Result<()> {
        let packed = self.compression.map(|compression| self.pack(compression, &mut *encode)).transpose()?;
        let (peer, stream) = (&self.peer, &self.stream);
        let mut leaving = lock(&stream.leaving);
        if !leaving.is_open() {
            drop(leaving);
            return Err(failure::over(&stream.inbox, peer.is_client));
        }
        let mark = leaving.out.len();
        match packed {
            Some(message) => leaving.out.extend_from_slice(&message),
            None => self.write(&mut leaving.out, encode)?,
        }
        peer.unsent.fetch_add(leaving.out.len() - mark, SeqCst);
        leaving.messages += 1;
        if !peer.is_client {
            leaving.start();
        } else if last {
            leaving.end = Some(End::Closed);
        }
        drop(leaving);
        stream.ring();
        self.burst += 1;
        Ok(())
    }

    fn finish(&mut self) {
        if !self.peer.is_client {
            return;
        }
        let mut leaving = lock(&self.stream.leaving);
        if leaving.is_open() {
            leaving.end = Some(End::Closed);
            drop(leaving);
            self.stream.ring();
        }
    }

    fn reset(&mut self, error: Error) {
        if let Some(given) = &self.given {
            given.give_up(error);
        }
    }
}
