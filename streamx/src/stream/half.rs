//! One direction of a call with its message type: what every handle, on both sides, is made of.
//!
//! Encoding and decoding are function pointers, so that handles ask nothing of their types: that a type is a message
//! is checked once, where the method is described.

use std::any::Any;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};

use super::Lends;
use super::passing::{Erase, Inward, Outward, Shared};
use crate::call::middleware::Around;
use crate::call::{Format, Incoming, MethodName, Outgoing};
use crate::codec::{self, Message, protobuf};
use crate::{Code, Error, Metadata, Result};

/// Writes a message to the end of a buffer.
pub(crate) type Encoder<T> = fn(&T, &mut BytesMut) -> Result<()>;
/// Reads a message.
pub(crate) type Decoder<T> = fn(Bytes) -> Result<T>;

/// Gives an error of a call the type of the declared exception that came with it, in a service of this namespace.
pub(crate) type Exception = fn(&str, Error) -> Error;

/// What can be done with a message of a stream.
#[allow(missing_debug_implementations, reason = "only generated code holds it")]
pub struct Codec<T> {
    pub(super) encode: Encoder<T>,
    pub(super) decode: Decoder<T>,
    pub(super) erase: Erase<T>,
}

impl<T: Any + Send + Sync> Codec<T> {
    pub(crate) const fn new(encode: Encoder<T>, decode: Decoder<T>) -> Self {
        Self { encode, decode, erase: Erase::NEW }
    }
}

impl<T> Clone for Codec<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Codec<T> {}

/// What can be done with a message in each format.
pub(crate) struct Codecs<T> {
    thrift: Codec<T>,
    protobuf: Codec<T>,
}

impl<T: Message + Any> Codecs<T> {
    pub(crate) const NEW: Self = Self {
        thrift: Codec::new(codec::encode, codec::decode),
        protobuf: Codec::new(protobuf::encode, protobuf::decode),
    };
}

impl<T> Codecs<T> {
    /// Of the messages of a call.
    pub(crate) fn of(&self, format: Format) -> Codec<T> {
        match format {
            Format::Thrift => self.thrift,
            Format::Protobuf => self.protobuf,
        }
    }
}

/// Whose half it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner {
    /// A handler: its end is the end of the call, so dropping a half means nothing.
    Handler,
    /// The caller of this method: dropping a half before its end cancels the call.
    Caller { name: &'static MethodName, exception: Exception },
}

impl Owner {
    fn name(self, error: Error) -> Error {
        match self {
            Self::Handler => error,
            Self::Caller { name: MethodName { namespace, service, method }, exception } => {
                exception(namespace, error).in_method(service, method)
            }
        }
    }

    /// The reset of a half that was dropped.
    fn dropped(self) -> Error {
        self.cancelled("the caller gave up the call: it dropped a handle before the end".to_owned())
    }

    /// The reset of a call that a middleware has ended for its caller.
    fn ended(self) -> Error {
        self.cancelled("the caller gave up the call: a middleware ended its stream".to_owned())
    }

    /// A reset, with the code of a Kitex client that cancels (v0.16.3, 12007).
    fn cancelled(self, reason: String) -> Error {
        self.name(Error::new(Code::Cancelled, reason).with_kitex_code(12007))
    }

    fn is_caller(self) -> bool {
        matches!(self, Self::Caller { .. })
    }
}

/// Where messages leave.
pub(super) struct Drain<T> {
    outgoing: Box<dyn Outgoing>,
    encode: Encoder<T>,
    owner: Owner,
}

impl<T> Drain<T> {
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.outgoing.poll_ready(cx).map_err(|error| self.owner.name(error))
    }

    pub(super) fn put(&mut self, message: &T, last: bool) -> Result<()> {
        let encode = self.encode;
        self.outgoing.put(&mut |buffer| encode(message, buffer), last).map_err(|error| self.owner.name(error))
    }
}

/// The messages that leave.
pub(crate) struct Tx<T> {
    drain: Drain<T>,
    finished: bool,
    through: Option<Box<Outward<T>>>,
}

impl<T> Tx<T> {
    /// With no middleware around its messages.
    pub(crate) fn new(outgoing: Box<dyn Outgoing>, encode: Encoder<T>, owner: Owner) -> Self {
        Self { drain: Drain { outgoing, encode, owner }, finished: false, through: None }
    }

    /// With these around them.
    pub(crate) fn around(
        around: Option<Arc<Around>>,
        outgoing: Box<dyn Outgoing>,
        form: Codec<T>,
        owner: Owner,
    ) -> Self {
        let Codec { encode, erase, .. } = form;
        let Some(around) = around.filter(|around| !around.middlewares.send.is_empty()) else {
            return Self::new(outgoing, encode, owner);
        };
        let outgoing = Shared::new(outgoing);
        let drain = Drain { outgoing: Box::new(outgoing.clone()), encode, owner };
        let through = Some(Box::new(Outward::new(around, erase, drain)));
        let mut half = Self::new(Box::new(outgoing), encode, owner);
        half.through = through;
        half
    }

    /// Whether no middleware is around its messages: then they go by [`poll_ready`](Self::poll_ready) and
    /// [`put`](Self::put).
    pub(super) fn is_direct(&self) -> bool {
        self.through.is_none()
    }

    /// Waits for room for a message.
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.check()?;
        self.drain.poll_ready(cx)
    }

    /// Sends a message; `last` says that no further one follows.
    pub(super) fn put(&mut self, message: &T, last: bool) -> Result<()> {
        self.check()?;
        self.drain.put(message, last)?;
        self.finished = last;
        Ok(())
    }

    /// Sends a message once there is room for it.
    pub(crate) async fn send(&mut self, message: &T, last: bool) -> Result<()>
    where
        T: Sync,
    {
        if self.is_direct() {
            poll_fn(|cx| self.poll_ready(cx)).await?;
            return self.put(message, last);
        }
        // What a handler sends last shares a write with its end. A client's end is said once it is known that no middleware
        // sends another message.
        let is_caller = self.drain.owner.is_caller();
        self.pass(message, last && !is_caller).await?;
        if last && is_caller {
            self.finish();
        }
        Ok(())
    }

    /// Sends a message through the middlewares.
    pub(super) async fn pass<H: Lends<T>>(&mut self, message: H, last: bool) -> Result<()> {
        self.check()?;
        let Some(through) = &mut self.through else { return Ok(()) };
        let message = through.erase(message.lend());
        through.send(message, last).await.map_err(|error| self.drain.owner.name(error))
    }

    /// As a `futures::Sink`: waits until a message can be taken; with middlewares, until the one before is sent.
    pub(crate) fn poll_sink(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        match &mut self.through {
            Some(_) => self.check().map_or_else(|error| Poll::Ready(Err(error)), |()| self.poll_flush(cx)),
            None => self.poll_ready(cx),
        }
    }

    /// As a `futures::Sink`: takes a message.
    pub(crate) fn start(&mut self, message: T) -> Result<()> {
        self.check()?;
        match &mut self.through {
            Some(through) => through.start(message),
            None => self.put(&message, false),
        }
    }

    /// As a `futures::Sink`: waits until what was taken is in the send buffer.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        match &mut self.through {
            Some(through) => through.poll(cx).map_err(|error| self.drain.owner.name(error)),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Says that no further message follows, after what a sink has taken. That the call is over already is no failure.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let flushed = ready!(self.poll_flush(cx));
        self.finish();
        Poll::Ready(flushed.or_else(|error| if error.is_closed() { Ok(()) } else { Err(error) }))
    }

    /// As [`poll_close`](Self::poll_close).
    pub(crate) async fn close(&mut self) -> Result<()> {
        poll_fn(|cx| self.poll_close(cx)).await
    }

    fn finish(&mut self) {
        if !self.finished {
            self.finished = true;
            self.drain.outgoing.finish();
        }
    }

    /// Gives up the call for this reason.
    pub(crate) fn cancel(&mut self, reason: String) {
        self.drain.outgoing.reset(self.drain.owner.cancelled(reason));
    }

    fn check(&self) -> Result<()> {
        if !self.finished {
            return Ok(());
        }
        Err(self.drain.owner.name(Error::closed("nothing can be sent after `close_send`")))
    }
}

impl<T> Drop for Tx<T> {
    fn drop(&mut self) {
        if self.drain.owner.is_caller() && !self.finished {
            self.drain.outgoing.reset(self.drain.owner.dropped());
        }
    }
}

/// Where messages arrive.
pub(super) struct Source<T> {
    incoming: Box<dyn Incoming>,
    decode: Decoder<T>,
    owner: Owner,
}

impl<T> Source<T> {
    #[inline]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<T>>> {
        Poll::Ready(match ready!(self.incoming.poll_message(cx)) {
            Ok(Some(bytes)) => (self.decode)(bytes).map(Some).map_err(|error| self.owner.name(error)),
            Ok(None) => Ok(None),
            Err(error) => Err(self.owner.name(error)),
        })
    }

    /// Gives up a call that is not over. A handler ends its call by returning.
    fn give_up(&mut self, error: impl FnOnce(Owner) -> Error) {
        if self.owner.is_caller() && !self.incoming.is_over() {
            self.incoming.reset(error(self.owner));
        }
    }
}

/// The messages that arrive.
pub(crate) struct Rx<T> {
    source: Source<T>,
    end: Option<Result<(), Error>>,
    through: Option<Box<Inward<T>>>,
}

impl<T> Rx<T> {
    /// With no middleware around its messages.
    pub(crate) fn new(incoming: Box<dyn Incoming>, decode: Decoder<T>, owner: Owner) -> Self {
        Self { source: Source { incoming, decode, owner }, end: None, through: None }
    }

    /// With these around them.
    pub(crate) fn around(
        around: Option<Arc<Around>>,
        incoming: Box<dyn Incoming>,
        form: Codec<T>,
        owner: Owner,
    ) -> Self {
        let Codec { decode, erase, .. } = form;
        let Some(around) = around.filter(|around| !around.middlewares.recv.is_empty()) else {
            return Self::new(incoming, decode, owner);
        };
        let incoming = Shared::new(incoming);
        let source = Source { incoming: Box::new(incoming.clone()), decode, owner };
        let through = Some(Box::new(Inward::new(around, erase, source)));
        let mut half = Self::new(Box::new(incoming), decode, owner);
        half.through = through;
        half
    }

    /// The next message, `None` at the end, or the failure; the last two again on every later call.
    pub(crate) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<T>>> {
        if let Some(end) = &self.end {
            return Poll::Ready(end.clone().map(|()| None));
        }
        let received = ready!(match &mut self.through {
            None => self.source.poll(cx),
            Some(through) => through.poll(cx),
        });
        // A message goes as it is: most of what is received is one.
        if matches!(received, Ok(Some(_))) {
            return Poll::Ready(received);
        }
        Poll::Ready(self.settle(received.map(drop)).map(|()| None))
    }

    /// Remembers the end or the failure of the call.
    #[cold]
    fn settle(&mut self, end: Result<()>) -> Result<()> {
        let end = end.map_err(|error| self.source.owner.name(error));
        match &end {
            Ok(()) if self.through.is_some() => self.source.give_up(Owner::ended),
            Ok(()) => {}
            // A wait that was too long, and may be tried again.
            Err(error) if error.is_retryable() && !self.source.incoming.is_over() => return end,
            Err(error) => self.source.give_up(|_| error.clone()),
        }
        self.end = Some(end.clone());
        end
    }

    pub(crate) async fn recv(&mut self) -> Result<Option<T>> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// What the other side said before its first message.
    pub(crate) async fn header(&mut self) -> Result<Metadata> {
        let Source { incoming, owner, .. } = &mut self.source;
        poll_fn(|cx| incoming.poll_header(cx)).await.map_err(|error| owner.name(error))
    }

    /// What the other side said with its end.
    pub(crate) async fn trailer(&mut self) -> Result<Metadata> {
        let Source { incoming, owner, .. } = &mut self.source;
        poll_fn(|cx| incoming.poll_trailer(cx)).await.map_err(|error| owner.name(error))
    }

    /// Gives up the call for this reason.
    pub(crate) fn cancel(&mut self, reason: String) {
        self.source.incoming.reset(self.source.owner.cancelled(reason));
    }

    /// As an item of a `futures::Stream`: a failure once, then the end.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        if self.end.is_some() {
            return Poll::Ready(None);
        }
        self.poll_recv(cx).map(Result::transpose)
    }

    /// The only message of the call, once the call has ended well.
    pub(crate) async fn only(&mut self) -> Result<T> {
        let Some(message) = self.recv().await? else {
            let text = "the server ended the call without a response";
            return Err(self.source.owner.name(Error::protocol(text)));
        };
        if self.recv().await?.is_some() {
            return Err(self.source.owner.name(Error::protocol("the server sent more than one response")));
        }
        Ok(message)
    }
}

impl<T> Drop for Rx<T> {
    fn drop(&mut self) {
        if self.end.is_none() {
            self.source.give_up(Owner::dropped);
        }
    }
}
