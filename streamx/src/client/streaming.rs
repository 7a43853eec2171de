//! What arrives at a client.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;

use crate::stream::Rx;
use crate::{Metadata, Result};

/// The messages a server sends, as its caller receives them.
///
/// A server-streaming call gives one, and [`Bidi::split`](super::Bidi::split). It is a [`Stream`] too, of `Result<Res>`.
///
/// ```
/// # #[derive(streamx::Message, Clone, Debug, Default)]
/// # struct Tick { #[field(1)] number: i64 }
/// use streamx::{Result, client};
///
/// async fn last(mut ticks: client::Streaming<Tick>) -> Result<Option<Tick>> {
///     let mut last = None;
///     while let Some(tick) = ticks.recv().await? {
///         last = Some(tick);
///     }
///     Ok(last)
/// }
/// ```
///
/// # Dropping
///
/// Before the end of the call this cancels it: the server is told at once. After the end it does nothing.
pub struct Streaming<Res> {
    rx: Rx<Res>,
}

impl<Res> Streaming<Res> {
    pub(crate) fn new(rx: Rx<Res>) -> Self {
        Self { rx }
    }

    /// The next message; `None` once the server has ended the call well, and again on every later call.
    ///
    /// A future of it may be dropped at any time, as `tokio::select!` does: no message is lost.
    ///
    /// # Errors
    ///
    /// The call failed: the handler said so, the connection is lost, or bytes that do not decode arrived. The same error
    /// is returned on every later call. Messages that arrived before come first.
    pub async fn recv(&mut self) -> Result<Option<Res>> {
        self.rx.recv().await
    }

    /// What the server said before its first message with `set_header`: waits for it, and is empty if the call ended well
    /// without one. It can be asked for again and again.
    ///
    /// # Errors
    ///
    /// The call failed without a header.
    pub async fn header(&mut self) -> Result<Metadata> {
        self.rx.header().await
    }

    /// What the server said with the end of the call with `set_trailer`: waits for that end, and is empty if there was
    /// nothing. It can be asked for again and again, and messages can still be received after it.
    ///
    /// A server that waits for this side to close, or to send, is waited for too.
    ///
    /// # Errors
    ///
    /// The call failed without a trailer. A failure that came with one is what [`recv`](Self::recv) returns.
    pub async fn trailer(&mut self) -> Result<Metadata> {
        self.rx.trailer().await
    }

    /// [`recv`](Self::recv) for those who write futures by hand.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Res>>> {
        self.rx.poll_recv(cx)
    }

    /// Gives up the whole call, as dropping the handle does, and says why: the server sees the text, and so does what
    /// is done with this call from now on. Nothing happens when the call is over.
    pub fn cancel(&mut self, reason: impl Into<String>) {
        self.rx.cancel(reason.into());
    }
}

/// A failure is one `Err`, and then the stream ends, so that `collect` and `for_each` end too.
impl<Res> Stream for Streaming<Res> {
    type Item = Result<Res>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Res>>> {
        self.rx.poll_next(cx)
    }
}

impl<Res> fmt::Debug for Streaming<Res> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streaming").finish_non_exhaustive()
    }
}
