//! The half of a stream that arrives.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::client::Given;
use super::stream::{Peer, Stream};
use crate::call::Incoming;
use crate::wire::grpc::prefix::PREFIX;
use crate::{Error, Metadata, Result};

pub(super) struct Receiving {
    pub(super) peer: Arc<Peer>,
    pub(super) stream: Arc<Stream>,
    /// Of a client: what its handles keep, and how they give up the call.
    pub(super) given: Option<Arc<Given>>,
}

impl Receiving {
    /// The peer may send more, once that is worth telling.
    fn took(&self, message: &Bytes) {
        let cost = message.len() + PREFIX;
        let unread = self.stream.unread.fetch_sub(cost, SeqCst) - cost;
        let used = self.stream.used.load(SeqCst);
        if used >= self.peer.threshold && unread <= used / 2 {
            self.stream.ring();
        }
    }
}

impl Incoming for Receiving {
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        let received = ready!(self.stream.inbox.poll(cx));
        self.peer.freed(received.freed);
        self.peer.link.turns.end(received.turn);
        if let Ok(Some(message)) = &received.message {
            self.took(message);
        }
        Poll::Ready(received.message)
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
