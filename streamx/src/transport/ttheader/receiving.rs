//! The half of a stream that arrives.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::client::{Cancellable, Hold};
use super::{Peer, Stream};
use crate::call::Incoming;
use crate::transport::inbox::Receiver;
use crate::wire::ttheader::flow::{self, Flow};
use crate::{Error, Metadata, Result};

pub(crate) struct Receiving {
    pub(super) peer: Arc<Peer>,
    pub(super) stream: Arc<Stream>,
    /// Keeps the connection of a client open.
    pub(super) hold: Option<Arc<Hold>>,
    /// What the call whose handler has made this one cancels.
    pub(super) child: Option<Arc<Cancellable>>,
    receiver: Receiver,
    /// What the messages cost that were taken since the peer was told last.
    taken: u64,
    /// When that was.
    told: Option<Instant>,
}

/// A sender that waits is told so often that its reader takes something, however little.
const TELL_EVERY: Duration = Duration::from_secs(1);

impl Receiving {
    pub(super) fn new(
        peer: Arc<Peer>,
        stream: Arc<Stream>,
        hold: Option<Arc<Hold>>,
        child: Option<Arc<Cancellable>>,
    ) -> Self {
        Self { peer, stream, hold, child, receiver: Receiver::default(), taken: 0, told: None }
    }

    /// Tells the peer that it may send more, once that is worth a frame. So much is `queued` still.
    fn took(&mut self, message: &Bytes, queued: usize) {
        self.taken += flow::cost(message.len());
        let window = u64::from(self.stream.window);
        let worth = self.taken > window / 2 || (self.taken + queued as u64 >= window && self.is_overdue());
        if worth && self.stream.counted.load(Relaxed) {
            let credit = u32::try_from(self.taken).unwrap_or(flow::EVERYTHING);
            self.taken = 0;
            self.told = Some(Instant::now());
            self.peer.tell(&self.stream, Flow::Credit(credit));
        }
    }

    /// Whether the peer, which must be waiting, was told long ago.
    fn is_overdue(&self) -> bool {
        self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY)
    }
}

impl Incoming for Receiving {
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        let received = ready!(self.stream.inbox.poll(&mut self.receiver, cx));
        if received.freed > 0 {
            self.peer.freed(received.freed);
        }
        self.peer.link.turns.end(received.turn);
        if let (Ok(Some(message)), false) = (&received.message, received.is_last) {
            self.took(message, received.queued);
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
        let (turn, freed, more) = self.stream.inbox.abandon_queue();
        if freed > 0 {
            self.peer.freed(freed);
        }
        self.peer.link.turns.end(turn);
        // The client of a handler that reads no further need not wait for it. A client that drops this resets the call.
        if more && self.hold.is_none() && self.stream.counted.load(Relaxed) {
            self.peer.tell(&self.stream, Flow::Credit(flow::EVERYTHING));
        }
    }
}
