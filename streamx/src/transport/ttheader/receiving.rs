//! The half of a stream that arrives.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::client::{Cancellable, Hold};
use super::{Peer, Stream};
use crate::call::Incoming;
use crate::{Error, Metadata, Result};

pub(crate) struct Receiving {
    pub(super) peer: Arc<Peer>,
    pub(super) stream: Arc<Stream>,
    /// Keeps the connection of a client open.
    pub(super) hold: Option<Arc<Hold>>,
    /// What the call whose handler has made this one cancels.
    pub(super) child: Option<Arc<Cancellable>>,
}

impl Incoming for Receiving {
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        let received = ready!(self.stream.inbox.poll(cx));
        if received.freed > 0 {
            self.peer.freed(received.freed);
        }
        self.peer.link.turns.end(received.turn);
        Poll::Ready(received.message)
    }

    fn poll_header(&mut self, cx: &mut Context<'_>) -> Poll<Result<Metadata>> {
        self.stream.inbox.poll_header(cx)
    }

    fn poll_trailer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Metadata>> {
        self.stream.inbox.poll_trailer(cx)
    }

    fn reset(&mut self, error: Error) {
        if self.hold.is_some() {
            self.peer.give_up(&self.stream, self.child.as_deref(), error);
        }
    }

    fn is_over(&self) -> bool {
        self.stream.inbox.is_over()
    }
}

impl Drop for Receiving {
    /// What nobody will take any more is not kept, and nobody waits for a turn that will not come.
    fn drop(&mut self) {
        let (turn, freed) = self.stream.inbox.abandon_queue();
        if freed > 0 {
            self.peer.freed(freed);
        }
        self.peer.link.turns.end(turn);
    }
}
