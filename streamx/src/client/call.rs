//! A call that was made and is not open yet.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::future::BoxFuture;

use crate::Result;

/// What a method of a generated client returns: a future of the answer, or of the handle of a stream.
///
/// Nothing happens before its first poll. It never waits for the peer to accept a stream: a stream is ready when the
/// connection is, a server-streaming one when its request is in the send buffer.
///
/// # Dropping
///
/// Before it is ready this cancels the call at once.
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<T> {
    /// `None` once it was ready.
    future: Option<BoxFuture<'static, Result<T>>>,
}

impl<T> Call<T> {
    pub(crate) fn new(future: impl Future<Output = Result<T>> + Send + 'static) -> Self {
        Self { future: Some(Box::pin(future)) }
    }
}

impl<T> Future for Call<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let Some(future) = &mut self.future else { return Poll::Pending };
        let outcome = ready!(future.as_mut().poll(cx));
        self.future = None;
        Poll::Ready(outcome)
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}
