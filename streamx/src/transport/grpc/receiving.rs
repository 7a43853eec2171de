//! The half of a stream that arrives.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::client::Given;
use super::compression;
use super::stream::{Peer, Stream};
use crate::call::Incoming;
use crate::transport::inbox::Receiver;
use crate::wire::grpc::prefix;
use crate::{Error, Metadata, Result, Side};

pub(super) struct Receiving {
    peer: Arc<Peer>,
    stream: Arc<Stream>,
    /// Of a client: what its handles keep, and how they give up the call.
    given: Option<Arc<Given>>,
    receiver: Receiver,
}

impl Receiving {
    pub(super) fn new(peer: Arc<Peer>, stream: Arc<Stream>, given: Option<Arc<Given>>) -> Self {
        Self { peer, stream, given, receiver: Receiver::default() }
    }

    /// What is in a message that was taken.
    fn open(&self, message: Bytes) -> Result<Bytes> {
        self.took(message.len());
        let (is_compressed, message) = prefix::open(message);
        if !is_compressed {
            return Ok(message);
        }
        // Here, and not in the connection task, which others wait for.
        let opened = match self.stream.compression.get() {
            Some(compression) => compression.unpack(&message, self.peer.limits().max_message_size),
            None => Err(compression::unnamed()),
        };
        let peer = if self.peer.is_client { Side::Server } else { Side::Client };
        opened.map_err(|error| error.with_side(peer))
    }

    /// The peer may send more, once that is worth telling.
    fn took(&self, cost: usize) {
        let unread = self.stream.unread.fetch_sub(cost, SeqCst) - cost;
        let used = self.stream.used.load(SeqCst);
        if used >= self.peer.threshold && unread <= used / 2 {
            self.stream.ring();
        }
    }
}

impl Incoming for Receiving {
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        let received = ready!(self.stream.inbox.poll(&mut self.receiver, cx));
        self.peer.freed(received.freed);
        self.peer.link.turns.end(received.turn);
        Poll::Ready(match received.message {
            Ok(Some(message)) => self.open(message).map(Some),
            other => other,
        })
    }

    fn poll_header(&mut self, cx: &mut Context<'_>) -> Poll<Result<Metadata>> {
        self.stream.inbox.poll_header(cx)
    }

    fn poll_trailer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Metadata>> {
        self.stream.inbox.poll_trailer(cx)
    }

    fn reset(&mut self, error: Error) {
        if let Some(given) = &self.given {
            given.give_up(error);
        }
    }

    fn is_over(&self) -> bool {
        self.stream.inbox.is_over()
    }
}

impl Drop for Receiving {
    /// What nobody will take any more is not kept, and the peer need not wait for it.
    fn drop(&mut self) {
        let (turn, freed, more) = self.stream.inbox.abandon_queue();
        self.peer.freed(freed);
        self.peer.link.turns.end(turn);
        self.stream.deaf.store(true, SeqCst);
        if more {
            self.stream.ring();
        }
    }
}
