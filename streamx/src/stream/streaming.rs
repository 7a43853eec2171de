//! What arrives at a handler.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;

use super::half::Rx;
use crate::Result;

/// The messages a caller sends, as a handler receives them.
///
/// A method marked `#[client_stream]` takes one; [`Bidi::split`](crate::Bidi::split) gives one. It is a
/// [`Stream`] too, of `Result<T>`.
///
/// ```
/// # #[derive(streamx::Message, Clone, Debug, Default)]
/// # struct Number { #[field(1)] value: i64 }
/// use streamx::{Result, Streaming};
///
/// async fn sum(mut numbers: Streaming<Number>) -> Result<Number> {
///     let mut value = 0;
///     while let Some(number) = numbers.recv().await? {
///         value += number.value;
///     }
///     Ok(Number { value })
/// }
/// ```
///
/// # Dropping
///
/// Does nothing to the call: what arrives from then on is dropped, and the call ends when the handler does.
pub struct Streaming<T> {
    pub(super) rx: Rx<T>,
}

impl<T> Streaming<T> {
    pub(super) fn new(rx: Rx<T>) -> Self {
        Self { rx }
    }

    /// The next message; `None` once the caller has said that it sends no more, and again on every later call.
    ///
    /// A future of it may be dropped at any time, as `tokio::select!` does: no message is lost.
    ///
    /// # Errors
    ///
    /// The call failed: the caller gave it up, its connection is lost, bytes that do not decode arrived, or none came within
    /// the [`recv_timeout`](crate::server::ServerBuilder::recv_timeout) of the server. The same error is returned on every
    /// later call, but for a timeout of a server that keeps streams open. Messages that arrived before come first.
    pub async fn recv(&mut self) -> Result<Option<T>> {
        self.rx.recv().await
    }

    /// [`recv`](Self::recv) for those who write futures by hand.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<T>>> {
        self.rx.poll_recv(cx)
    }
}

/// A failure is one `Err`, and then the stream ends, so that `collect` and `for_each` end too.
impl<T> Stream for Streaming<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        self.rx.poll_next(cx)
    }
}

impl<T> fmt::Debug for Streaming<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streaming").finish_non_exhaustive()
    }
}
