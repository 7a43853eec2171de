//! One direction of a call with its message type: what every handle, on both sides, is made of.
//!
//! Encoding and decoding are function pointers, so that handles ask nothing of their types: that a type is a message
//! is checked once, where the method is described.

use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};

use crate::call::{Incoming, Outgoing};
use crate::{Code, Error, Metadata, Result};

/// Writes a message to the end of a buffer.
pub(crate) type Encoder<T> = fn(&T, &mut BytesMut) -> Result<()>;
/// Reads a message.
pub(crate) type Decoder<T> = fn(Bytes) -> Result<T>;

/// Whose half it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner {
    /// A handler: its end is the end of the call, so dropping a half means nothing.
    Handler,
    /// The caller of this method: dropping a half before its end cancels the call.
    Caller {
        service: &'static str,
        method: &'static str,
        /// Gives an error the type of the declared exception that came with it.
        exception: fn(Error) -> Error,
    },
}

impl Owner {
    fn name(self, error: Error) -> Error {
        match self {
            Self::Handler => error,
            Self::Caller { service, method, exception } => exception(error).in_method(service, method),
        }
    }

    /// The reset of a half that was dropped.
    fn dropped(self) -> Error {
        self.cancelled("the caller gave up the call: it dropped a handle before the end".to_owned())
    }

    /// A reset, with the code of a Kitex client that cancels (v0.16.3, 12007).
    fn cancelled(self, reason: String) -> Error {
        self.name(Error::new(Code::Cancelled, reason).with_kitex_code(12007))
    }

    fn is_caller(self) -> bool {
        matches!(self, Self::Caller { .. })
    }
}

/// The messages that leave.
pub(crate) struct Tx<T> {
    outgoing: Box<dyn Outgoing>,
    encode: Encoder<T>,
    owner: Owner,
    finished: bool,
}

impl<T> Tx<T> {
    pub(crate) fn new(outgoing: Box<dyn Outgoing>, encode: Encoder<T>, owner: Owner) -> Self {
        Self { outgoing, encode, owner, finished: false }
    }

    /// Waits for room for a message.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.check()?;
        self.outgoing.poll_ready(cx).map_err(|error| self.owner.name(error))
    }

    /// Sends a message; `last` says that no further one follows.
    pub(crate) fn put(&mut self, message: &T, last: bool) -> Result<()> {
        self.check()?;
        let encode = self.encode;
        self.outgoing
            .put(&mut |buffer| encode(message, buffer), last)
            .map_err(|error| self.owner.name(error))?;
        self.finished = last;
        Ok(())
    }

    /// Sends a message once there is room for it.
    pub(crate) async fn send(&mut self, message: &T, last: bool) -> Result<()> {
        std::future::poll_fn(|cx| self.poll_ready(cx)).await?;
        self.put(message, last)
    }

    /// Says that no further message follows.
    pub(crate) fn finish(&mut self) {
        if !self.finished {
            self.finished = true;
            self.outgoing.finish();
        }
    }

    /// Gives up the call for this reason.
    pub(crate) fn cancel(&mut self, reason: String) {
        self.outgoing.reset(self.owner.cancelled(reason));
    }

    fn check(&self) -> Result<()> {
        if !self.finished {
            return Ok(());
        }
        Err(self.owner.name(Error::closed("nothing can be sent after `close_send`")))
    }
}

impl<T> Drop for Tx<T> {
    fn drop(&mut self) {
        if self.owner.is_caller() && !self.finished {
            self.outgoing.reset(self.owner.dropped());
        }
    }
}

/// The messages that arrive.
pub(crate) struct Rx<T> {
    incoming: Box<dyn Incoming>,
    decode: Decoder<T>,
    owner: Owner,
    end: Option<Result<(), Error>>,
}

impl<T> Rx<T> {
    pub(crate) fn new(incoming: Box<dyn Incoming>, decode: Decoder<T>, owner: Owner) -> Self {
        Self { incoming, decode, owner, end: None }
    }

    /// The next message, `None` at the end, or the failure; the last two again on every later call.
    pub(crate) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<T>>> {
        if let Some(end) = &self.end {
            return Poll::Ready(end.clone().map(|()| None));
        }
        let error = match ready!(self.incoming.poll_message(cx)) {
            Ok(Some(bytes)) => match (self.decode)(bytes) {
                Ok(message) => return Poll::Ready(Ok(Some(message))),
                Err(error) => {
                    let error = self.owner.name(error);
                    // A handler ends its call by returning the error.
                    if self.owner.is_caller() {
                        self.incoming.reset(error.clone());
                    }
                    error
                }
            },
            Ok(None) => {
                self.end = Some(Ok(()));
                return Poll::Ready(Ok(None));
            }
            Err(error) => {
                let error = self.owner.name(error);
                // A wait that was too long, and may be tried again.
                if error.is_retryable() && !self.incoming.is_over() {
                    return Poll::Ready(Err(error));
                }
                error
            }
        };
        self.end = Some(Err(error.clone()));
        Poll::Ready(Err(error))
    }

    pub(crate) async fn recv(&mut self) -> Result<Option<T>> {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// What the other side said before its first message.
    pub(crate) async fn header(&mut self) -> Result<Metadata> {
        std::future::poll_fn(|cx| self.incoming.poll_header(cx)).await.map_err(|error| self.owner.name(error))
    }

    /// What the other side said with its end.
    pub(crate) async fn trailer(&mut self) -> Result<Metadata> {
        std::future::poll_fn(|cx| self.incoming.poll_trailer(cx))
            .await
            .map_err(|error| self.owner.name(error))
    }

    /// Gives up the call for this reason.
    pub(crate) fn cancel(&mut self, reason: String) {
        self.incoming.reset(self.owner.cancelled(reason));
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
            return Err(self.owner.name(Error::protocol("the server ended the call without a response")));
        };
        if self.recv().await?.is_some() {
            return Err(self.owner.name(Error::protocol("the server sent more than one response")));
        }
        Ok(message)
    }
}

impl<T> Drop for Rx<T> {
    fn drop(&mut self) {
        if self.owner.is_caller() && self.end.is_none() && !self.incoming.is_over() {
            self.incoming.reset(self.owner.dropped());
        }
    }
}
