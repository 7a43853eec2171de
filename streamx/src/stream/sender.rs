//! What leaves a handler.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Sink;

use super::half::Tx;
use super::sending::{Payload, Sending};
use crate::{Error, Result};

/// The messages a handler sends to its caller.
///
/// A method marked `#[server_stream]` takes one; [`Bidi::split`](crate::Bidi::split) gives one. It is a [`Sink`] too.
/// The stream ends when the handler returns; there is nothing to close.
///
/// ```
/// # #[derive(streamx::Message, Clone, Debug, Default)]
/// # struct Number { #[field(1)] value: i64 }
/// use streamx::{Result, Sender};
///
/// async fn count(to: Number, mut numbers: Sender<Number>) -> Result<()> {
///     for value in 0..to.value {
///         numbers.send(Number { value }).await?;
///     }
///     numbers.send(&to).await                // by value or by reference
/// }
/// ```
///
/// # Dropping
///
/// Does nothing to the call: it ends when the handler does.
pub struct Sender<T> {
    pub(super) tx: Tx<T>,
}

impl<T> Sender<T> {
    pub(super) fn new(tx: Tx<T>) -> Self {
        Self { tx }
    }

    /// Sends a message: a `T`, a `&T` or an `Arc<T>`. Waits for room in the send buffer,
    /// and for the reader of a streamx peer that is behind ([`Limits`](crate::Limits)); never until the message is read.
    ///
    /// # Errors
    ///
    /// The call is over: `is_closed()`, or the reason it failed for. Or nothing was sent and the stream goes on: the message
    /// is larger than `max_message_size` or nested too deep, or the reader of the peer took nothing for `send_stall_timeout`
    /// (`is_timeout()`).
    pub fn send<'a, M: Payload<T>>(&'a mut self, message: M) -> Sending<'a, T, M::Held>
    where
        M::Held: 'a,
    {
        Sending::new(&mut self.tx, message.hold())
    }
}

/// Closing only flushes: the end of the handler is the end of the stream.
impl<T> Sink<T> for Sender<T> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.tx.poll_sink(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: T) -> Result<()> {
        self.tx.start(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.tx.poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.tx.poll_flush(cx)
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}
