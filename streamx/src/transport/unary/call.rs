//! One unary call as its handler sees it: its context, its arguments, its answer.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{self, Poll, ready};
use std::time::Duration;

use bytes::Bytes;

use super::running::{Calls, Key};
use super::{MESSAGE_TYPE, leave};
use crate::call::child::Children;
use crate::call::context::{self, Facts};
use crate::call::{Encode, Incoming, Outgoing};
use crate::metadata::Value;
use crate::transport::connection::Deliveries;
use crate::transport::inbox::{Inbox, Receiver};
use crate::transport::link::Link;
use crate::transport::outbox::Share;
use crate::transport::{encode_into, lock};
use crate::wire::private;
use crate::wire::unary::{self, EnvelopeKind, Framing};
use crate::{Code, Error, Metadata, Result};

/// One call that is served.
pub(super) struct Call {
    pub(super) link: Arc<Link>,
    /// The calls of the connection, and where this one is among them.
    pub(super) calls: Arc<Calls>,
    pub(super) key: Key,
    pub(super) inbox: Inbox,
    /// Bytes of arguments that no handler of this connection has taken.
    pub(super) queued: Arc<AtomicUsize>,
    pub(super) framing: Framing,
    pub(super) method: &'static str,
    pub(super) sequence: i32,
    pub(super) oneway: bool,
    pub(super) answered: Mutex<bool>,
    pub(super) facts: Facts,
    /// How long its caller waits.
    pub(super) timeout: Option<Duration>,
    /// What the handler wants to travel with the answer.
    pub(super) backward: Mutex<Metadata>,
    /// The calls that the handler has made.
    pub(super) children: Children,
}

impl Call {
    /// The arguments were taken, or dropped.
    pub(super) fn freed(&self, bytes: usize) {
        self.queued.fetch_sub(bytes, Relaxed);
        self.link.meter.queued_bytes.sub(bytes);
    }

    /// The call is over, and its caller may make another one in its place. False when it was over before.
    pub(super) fn forget(&self) -> bool {
        let forgotten = self.calls.forget(self.key).is_some();
        self.link.meter.streams.sub(usize::from(forgotten));
        forgotten
    }

    /// The caller is gone: the handler is dropped, or is told.
    pub(super) fn abandon(&self, error: Error, out: &mut Deliveries) {
        out.cancel(&self.children, &error);
        let (wakers, freed) = self.inbox.abandon(error, &self.link.turns);
        out.wakers.extend(wakers.into_iter().flatten());
        self.freed(freed);
    }
}

impl context::Served for Call {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn set_header(&self, key: &str, value: Value) -> Result<()> {
        if !self.framing.has_header() {
            let text = "an answer without a TTHeader (Framed, Buffered) has no place for a header; \
                        the caller has to use ttheader://";
            return Err(Error::new(Code::FailedPrecondition, text));
        }
        if let Value::Bytes(_) = value {
            return Err(context::no_bytes(key));
        }
        context::add(&mut lock(&self.backward), key, value)
    }

    fn set_trailer(&self, key: &str, value: Value) -> Result<()> {
        self.set_header(key, value)
    }

    fn send_header(&self) -> Result<()> {
        Ok(())
    }

    fn children(&self) -> &Children {
        &self.children
    }

    fn poll_cancelled(&self, cx: &task::Context<'_>) -> Poll<Error> {
        self.inbox.poll_over(cx)
    }
}

/// The arguments.
pub(super) struct Request(pub(super) Arc<Call>);

impl Incoming for Request {
    fn poll_message(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<Option<Bytes>>> {
        let received = ready!(self.0.inbox.poll(&mut Receiver::default(), cx));
        self.0.freed(received.freed);
        self.0.link.turns.end(received.turn);
        Poll::Ready(received.message)
    }

    fn poll_header(&mut self, _cx: &mut task::Context<'_>) -> Poll<Result<Metadata>> {
        Poll::Ready(Ok(self.0.facts.metadata.clone()))
    }

    fn poll_trailer(&mut self, _cx: &mut task::Context<'_>) -> Poll<Result<Metadata>> {
        Poll::Ready(Ok(Metadata::default()))
    }

    fn reset(&mut self, _error: Error) {}

    fn is_over(&self) -> bool {
        self.0.inbox.is_over()
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let (turn, freed, _) = self.0.inbox.abandon_queue();
        self.0.freed(freed);
        self.0.link.turns.end(turn);
    }
}

/// The result.
pub(super) struct Answer(pub(super) Arc<Call>);

impl Outgoing for Answer {
    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<()>> {
        let link = &self.0.link;
        lock(&link.outbox).poll_room(Arc::as_ptr(&self.0).addr(), &Share::default(), &link.limits, cx)
    }

    fn put(&mut self, encode: Encode<'_>, _last: bool) -> Result<()> {
        let Call { link, framing, method, sequence, answered, backward, .. } = &*self.0;
        let backward = lock(backward).clone();
        let strings: Vec<_> = backward.iter().chain(leave(link)).collect();
        let answered = &mut *lock(answered);
        if std::mem::replace(answered, true) {
            return Err(Error::closed("the call has been answered"));
        }
        let mut outbox = lock(&link.outbox);
        outbox.check_open()?;
        let before = outbox.open.len();
        // The key shows a streamx client that calls may be multiplexed; a Kitex client ignores it.
        let ints = [(MESSAGE_TYPE, "2"), (private::CODE, "0")];
        let mark = unary::begin(
            &mut outbox.open,
            *framing,
            0,
            &strings,
            &ints,
            EnvelopeKind::Reply,
            method,
            *sequence,
        );
        if let Err(error) = encode_into(&mut outbox.open, before, encode, link.limits.max_message_size) {
            *answered = false;
            return Err(error);
        }
        unary::end(&mut outbox.open, mark);
        outbox.framed();
        // Before the answer is there to be seen: it frees the place for another call.
        self.0.forget();
        link.apply_flush_rule(outbox);
        Ok(())
    }

    fn finish(&mut self) {}

    fn reset(&mut self, _error: Error) {}
}
