//! A call that sends many messages and gets one answer.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Sink;

use crate::stream::{Payload, Rx, Sending, Tx};
use crate::{Error, Metadata, Result};

/// A client-streaming call: the messages `Req` that are sent, and then the answer `Res`.
///
/// It is a [`Sink`] of `Req` too; closing that says that no more comes, and the answer is still to be had.
///
/// ```
/// # #[derive(streamx::Message, Clone, Debug, Default)]
/// # struct Number { #[field(1)] value: i64 }
/// use streamx::{Result, client};
///
/// async fn sum(mut numbers: client::ClientStream<Number, Number>) -> Result<i64> {
///     for value in 0..3 {
///         numbers.send(Number { value }).await?;
///     }
///     Ok(numbers.close_and_recv().await?.value)
/// }
/// ```
///
/// # Dropping
///
/// Before the end of the call this cancels it: the server is told at once.
pub struct ClientStream<Req, Res> {
    tx: Tx<Req>,
    rx: Rx<Res>,
}

impl<Req, Res> ClientStream<Req, Res> {
    pub(crate) fn new(tx: Tx<Req>, rx: Rx<Res>) -> Self {
        Self { tx, rx }
    }

    /// As [`Sender::send`](super::Sender::send); the outcome of a call that is over is what
    /// [`close_and_recv`](Self::close_and_recv) returns.
    ///
    /// # Errors
    ///
    /// As [`Sender::send`](super::Sender::send).
    pub fn send<'a, M: Payload<Req>>(&'a mut self, message: M) -> Sending<'a, Req, M::Held>
    where
        M::Held: 'a,
    {
        Sending::new(&mut self.tx, message.hold())
    }

    /// Says that no more comes and waits for the answer and the end of the call. Dropping its future cancels the call.
    ///
    /// # Errors
    ///
    /// As [`Reply::recv`].
    pub async fn close_and_recv(self) -> Result<Res> {
        self.close_send().await?.recv().await
    }

    /// As [`close_and_recv`](Self::close_and_recv), with the header and the trailer beside the answer.
    ///
    /// # Errors
    ///
    /// As [`Reply::recv`].
    pub async fn close_and_recv_with_metadata(self) -> Result<(Res, Metadata, Metadata)> {
        let mut reply = self.close_send().await?;
        let answer = reply.rx.only().await?;
        Ok((answer, reply.header().await?, reply.trailer().await?))
    }

    /// As [`Streaming::header`](super::Streaming::header).
    ///
    /// # Errors
    ///
    /// As [`Streaming::header`](super::Streaming::header).
    pub async fn header(&mut self) -> Result<Metadata> {
        self.rx.header().await
    }

    /// As [`Streaming::cancel`](super::Streaming::cancel).
    pub fn cancel(&mut self, reason: impl Into<String>) {
        self.rx.cancel(reason.into());
    }

    /// Says that no more comes; the answer is read from what it returns. Never fails because the server was faster.
    ///
    /// # Errors
    ///
    /// A middleware has failed with a message that the handle as a [`Sink`] was given before. What else went wrong is the
    /// outcome, which [`Reply::recv`] returns.
    pub async fn close_send(mut self) -> Result<Reply<Res>> {
        self.tx.close().await?;
        Ok(Reply { rx: self.rx })
    }
}

/// Closing says that no more comes.
impl<Req, Res> Sink<Req> for ClientStream<Req, Res> {
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

impl<Req, Res> fmt::Debug for ClientStream<Req, Res> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientStream").finish_non_exhaustive()
    }
}

/// The answer of a client-streaming call that sends no more.
///
/// # Dropping
///
/// Before the end of the call this cancels it: the server is told at once.
pub struct Reply<Res> {
    rx: Rx<Res>,
}

impl<Res> Reply<Res> {
    /// As [`Streaming::cancel`](super::Streaming::cancel).
    pub fn cancel(&mut self, reason: impl Into<String>) {
        self.rx.cancel(reason.into());
    }

    /// As [`Streaming::header`](super::Streaming::header).
    ///
    /// # Errors
    ///
    /// As [`Streaming::header`](super::Streaming::header).
    pub async fn header(&mut self) -> Result<Metadata> {
        self.rx.header().await
    }

    /// As [`Streaming::trailer`](super::Streaming::trailer).
    ///
    /// # Errors
    ///
    /// As [`Streaming::trailer`](super::Streaming::trailer).
    pub async fn trailer(&mut self) -> Result<Metadata> {
        self.rx.trailer().await
    }

    /// Waits for the answer and the end of the call. Dropping its future cancels the call.
    ///
    /// # Errors
    ///
    /// The call failed, also after the answer was sent; or the server ended it without an answer.
    pub async fn recv(mut self) -> Result<Res> {
        self.rx.only().await
    }
}

impl<Res> fmt::Debug for Reply<Res> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}
