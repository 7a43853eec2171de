//! `send`: by value, by reference or shared.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::future::BoxFuture;

use super::half::Tx;
use crate::Result;

/// What can be given to `send` of a handle that sends `T`: a `T`, a `&T` or an `Arc<T>`.
#[diagnostic::on_unimplemented(
    message = "this stream sends `{T}`, not `{Self}`",
    label = "not a `{T}`",
    note = "`send` takes a `{T}`, a `&{T}` or an `Arc<{T}>`"
)]
pub trait Payload<T> {
    /// How the message is held until there is room for it.
    type Held: Lends<T>;

    /// The message as it is held.
    fn hold(self) -> Self::Held;
}

/// Something that has a `T`.
pub trait Lends<T>: Send {
    /// The `T`.
    fn lend(&self) -> &T;
}

impl<T: Send> Payload<T> for T {
    type Held = T;

    fn hold(self) -> T {
        self
    }
}

impl<'a, T: Sync> Payload<T> for &'a T {
    type Held = &'a T;

    fn hold(self) -> &'a T {
        self
    }
}

impl<T: Send + Sync> Payload<T> for Arc<T> {
    type Held = Self;

    fn hold(self) -> Self {
        self
    }
}

impl<T: Send> Lends<T> for T {
    fn lend(&self) -> &T {
        self
    }
}

impl<T: Sync> Lends<T> for &T {
    fn lend(&self) -> &T {
        self
    }
}

impl<T: Send + Sync> Lends<T> for Arc<T> {
    fn lend(&self) -> &T {
        self
    }
}

/// The future of `send`.
///
/// It waits until there is room in the send buffer, then encodes the message into it. It does not wait until the peer
/// has the message.
///
/// # Dropping
///
/// Before it is ready nothing of the message has been sent, and the stream goes on. A middleware around the message may
/// have sent it and still wait; see [`SendMiddleware`](crate::middleware::SendMiddleware).
#[must_use = "nothing is sent until this is awaited"]
pub struct Sending<'a, T, H>(State<'a, T, H>);

enum State<'a, T, H> {
    Direct { tx: &'a mut Tx<T>, message: Option<H> },
    Through(BoxFuture<'a, Result<()>>),
}

impl<'a, T, H: Lends<T> + 'a> Sending<'a, T, H> {
    pub(crate) fn new(tx: &'a mut Tx<T>, message: H) -> Self {
        Self(if tx.is_direct() {
            State::Direct { tx, message: Some(message) }
        } else {
            State::Through(Box::pin(tx.pass(message, false)))
        })
    }
}

// No message is ever pinned: it is only borrowed while it is encoded.
impl<T, H> Unpin for Sending<'_, T, H> {}

impl<T, H: Lends<T>> Future for Sending<'_, T, H> {
    type Output = Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        match &mut self.get_mut().0 {
            State::Direct { tx, message } => {
                let ready = ready!(tx.poll_ready(cx));
                let Some(message) = message.take() else { return Poll::Pending };
                Poll::Ready(ready.and_then(|()| tx.put(message.lend(), false)))
            }
            State::Through(future) => future.as_mut().poll(cx),
        }
    }
}

impl<T, H> fmt::Debug for Sending<'_, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").finish_non_exhaustive()
    }
}
