//! What leaves a client.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Sink;

use crate::stream::{Payload, Sending, Tx};
use crate::{Error, Result};

/// The messages a client sends on a bidirectional call that was split with [`Bidi::split`](super::Bidi::split). It is a
/// [`Sink`] too, and closing that is [`close_send`](Self::close_send).
///
/// ```
/// # #[derive(streamx::Message, Clone, Debug, Default)]
/// # struct Line { #[field(1)] text: String }
/// use streamx::{Result, client};
///
/// async fn greet(mut lines: client::Sender<Line>) -> Result<()> {
///     for text in ["hello", "goodbye"] {
///         lines.send(Line { text: text.into() }).await?;
///     }
///     lines.close_send().await
/// }
/// ```
///
/// # Dropping
///
/// Without [`close_send`](Self::close_send), and before the call is over, this cancels the call: the server is told at
/// once, and never sees a clean end that was not meant.
pub struct Sender<Req> {
    tx: Tx<Req>,
}

impl<Req> Sender<Req> {
    pub(crate) fn new(tx: Tx<Req>) -> Self {
        Self { tx }
    }

    /// Sends a message: a `Req`, a `&Req` or an `Arc<Req>`. Waits for room in the send buffer,
    /// and for the reader of a streamx peer that is behind ([`Limits`](crate::Limits)); never until the message is read.
    ///
    /// # Errors
    ///
    /// The server has ended the call (`is_closed()`): the outcome is what `recv` of the other half returns. Or the call
    /// failed. Or nothing was sent and the stream goes on: the message is larger than `max_message_size` or nested too deep,
    /// or the reader of the server took nothing for `send_stall_timeout` (`is_timeout()`).
    pub fn send<'a, M: Payload<Req>>(&'a mut self, message: M) -> Sending<'a, Req, M::Held>
    where
        M::Held: 'a,
    {
        Sending::new(&mut self.tx, message.hold())
    }

    /// Says that no more comes. Never fails because the server was faster.
    ///
    /// # Errors
    ///
    /// A middleware has failed with a message that the handle as a [`Sink`] was given before. What else went wrong is the
    /// outcome, which `recv` of the other half returns.
    pub async fn close_send(mut self) -> Result<()> {
        self.tx.close().await
    }

    /// Gives up the whole call, as dropping the handle does, and says why: the server sees the text, and so does what
    /// is done with this call from now on. Nothing happens when the call is over.
    pub fn cancel(&mut self, reason: impl Into<String>) {
        self.tx.cancel(reason.into());
    }
}

/// Closing is [`close_send`](Sender::close_send).
impl<Req> Sink<Req> for Sender<Req> {
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

impl<Req> fmt::Debug for Sender<Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}
