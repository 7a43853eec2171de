//! Both directions of a call, at a client.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{Sink, Stream};

use super::{Sender, Streaming};
use crate::stream::{Payload, Rx, Sending, Tx};
use crate::{Error, Metadata, Result};

/// A bidirectional call: the messages `Req` that are sent and the messages `Res` that arrive, in any order.
///
/// It is a [`Stream`] of `Result<Res>` and a [`Sink`] of `Req` too, and closing that is [`close_send`](Self::close_send).
///
/// ```
/// # #[derive(streamx::Message, Clone, Debug, Default)]
/// # struct Line { #[field(1)] text: String }
/// use streamx::{Result, client};
///
/// async fn ask(mut lines: client::Bidi<Line, Line>) -> Result<Option<Line>> {
///     lines.send(Line { text: "who is there?".into() }).await?;
///     lines.close_send().await?;
///     lines.recv().await
/// }
/// ```
///
/// # Dropping
///
/// Before the end of the call this cancels it: the server is told at once. After the end it does nothing.
pub struct Bidi<Req, Res> {
    tx: Tx<Req>,
    rx: Rx<Res>,
}

impl<Req, Res> Bidi<Req, Res> {
    pub(crate) fn new(tx: Tx<Req>, rx: Rx<Res>) -> Self {
        Self { tx, rx }
    }

    /// As [`Streaming::recv`].
    ///
    /// # Errors
    ///
    /// As [`Streaming::recv`].
    pub async fn recv(&mut self) -> Result<Option<Res>> {
        self.rx.recv().await
    }

    /// As [`Streaming::poll_recv`].
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Res>>> {
        self.rx.poll_recv(cx)
    }

    /// As [`Streaming::header`].
    ///
    /// # Errors
    ///
    /// As [`Streaming::header`].
    pub async fn header(&mut self) -> Result<Metadata> {
        self.rx.header().await
    }

    /// As [`Streaming::trailer`].
    ///
    /// # Errors
    ///
    /// As [`Streaming::trailer`].
    pub async fn trailer(&mut self) -> Result<Metadata> {
        self.rx.trailer().await
    }

    /// As [`Streaming::cancel`].
    pub fn cancel(&mut self, reason: impl Into<String>) {
        self.rx.cancel(reason.into());
    }

    /// As [`Sender::send`].
    ///
    /// # Errors
    ///
    /// As [`Sender::send`]; after [`close_send`](Self::close_send) it fails with `is_closed()`, and the call goes on.
    pub fn send<'a, M: Payload<Req>>(&'a mut self, message: M) -> Sending<'a, Req, M::Held>
    where
        M::Held: 'a,
    {
        Sending::new(&mut self.tx, message.hold())
    }

    /// Says that no more comes; saying it again does nothing. Never fails because the server was faster.
    ///
    /// # Errors
    ///
    /// A middleware has failed with a message that the handle as a [`Sink`] was given before. What else went wrong is the
    /// outcome, which [`recv`](Self::recv) returns.
    pub async fn close_send(&mut self) -> Result<()> {
        self.tx.close().await
    }

    /// Both directions on their own, to be used at the same time. Each cancels the call when it is dropped before its
    /// end.
    pub fn split(self) -> (Sender<Req>, Streaming<Res>) {
        (Sender::new(self.tx), Streaming::new(self.rx))
    }
}

/// A failure is one `Err`, and then the stream ends.
impl<Req, Res> Stream for Bidi<Req, Res> {
    type Item = Result<Res>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Res>>> {
        self.rx.poll_next(cx)
    }
}

/// Closing is [`close_send`](Bidi::close_send).
impl<Req, Res> Sink<Req> for Bidi<Req, Res> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.tx.poll_sink(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Req) -> Result<()> {
        self.tx.start(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.tx.poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.tx.poll_close(cx)
    }
}

impl<Req, Res> fmt::Debug for Bidi<Req, Res> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bidi").finish_non_exhaustive()
    }
}
