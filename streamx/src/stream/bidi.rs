//! Both directions of a call, in a handler.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{Sink, Stream};

use super::half::{Rx, Tx};
use super::sending::{Payload, Sending};
use super::{Sender, Streaming};
use crate::{Error, Result};

/// The messages `In` a caller sends and the messages `Out` a handler answers with, in any order.
///
/// A method marked `#[bidi]` takes one. It is a [`Stream`] of `Result<In>` and a [`Sink`] of `Out` too.
///
/// ```
/// # #[derive(streamx::Message, Clone, Debug, Default)]
/// # struct Line { #[field(1)] text: String }
/// use streamx::{Bidi, Result};
///
/// async fn echo(mut lines: Bidi<Line, Line>) -> Result<()> {
///     while let Some(line) = lines.recv().await? {
///         lines.send(line).await?;
///     }
///     Ok(())
/// }
/// ```
///
/// # Dropping
///
/// Does nothing to the call: it ends when the handler does.
pub struct Bidi<In, Out> {
    tx: Tx<Out>,
    rx: Rx<In>,
}

impl<In, Out> Bidi<In, Out> {
    pub(super) fn new(tx: Tx<Out>, rx: Rx<In>) -> Self {
        Self { tx, rx }
    }

    /// As [`Streaming::recv`].
    ///
    /// # Errors
    ///
    /// As [`Streaming::recv`].
    pub async fn recv(&mut self) -> Result<Option<In>> {
        self.rx.recv().await
    }

    /// As [`Streaming::poll_recv`].
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<In>>> {
        self.rx.poll_recv(cx)
    }

    /// As [`Sender::send`].
    ///
    /// # Errors
    ///
    /// As [`Sender::send`].
    pub fn send<'a, M: Payload<Out>>(&'a mut self, message: M) -> Sending<'a, Out, M::Held>
    where
        M::Held: 'a,
    {
        Sending::new(&mut self.tx, message.hold())
    }

    /// Both directions on their own, to be used at the same time.
    pub fn split(self) -> (Sender<Out>, Streaming<In>) {
        (Sender::new(self.tx), Streaming::new(self.rx))
    }
}

/// A failure is one `Err`, and then the stream ends.
impl<In, Out> Stream for Bidi<In, Out> {
    type Item = Result<In>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<In>>> {
        self.rx.poll_next(cx)
    }
}

/// Closing only flushes: the end of the handler is the end of the stream.
impl<In, Out> Sink<Out> for Bidi<In, Out> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.tx.poll_sink(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Out) -> Result<()> {
        self.tx.start(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.tx.poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.tx.poll_flush(cx)
    }
}

impl<In, Out> fmt::Debug for Bidi<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bidi").finish_non_exhaustive()
    }
}
