//! Around each message that is sent on a stream.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures::future::BoxFuture;

use super::{AnyMessage, Closure, Opening};
use crate::Result;

/// Around each message that is sent on a stream.
///
/// On a client these are what `send` is given, and the request of a server-streaming call; on a server what `send` is
/// given, and the response of a client-streaming call. A unary call has a [`UnaryMiddleware`](super::UnaryMiddleware).
///
/// ```
/// use streamx::Result;
/// use streamx::middleware::{AnyMessage, Opening, SendMiddleware, SendNext, async_trait};
///
/// struct Log;
///
/// #[async_trait]
/// impl SendMiddleware for Log {
///     async fn around(&self, call: &Opening, message: AnyMessage<'_>, next: SendNext<'_>) -> Result<()> {
///         println!("{} sends {message:?}", call.method());
///         next.run(message).await
///     }
/// }
/// # let _ = streamx::Channel::builder("ttheader://localhost:1").with_stream_send_middleware(Log);
/// ```
#[async_trait]
pub trait SendMiddleware: Send + Sync + 'static {
    /// Sends the message, another one, several or none: each with [`next.run`](SendNext::run).
    ///
    /// # Errors
    ///
    /// What `send` returns. The stream goes on.
    ///
    /// # Dropping
    ///
    /// When the future of `send` is dropped before it is ready, this is dropped where it waits: what `next` was ready
    /// with is sent, and nothing else.
    async fn around(&self, call: &Opening, message: AnyMessage<'_>, next: SendNext<'_>) -> Result<()>;
}

/// What a [`SendMiddleware`] is around: the middlewares behind it, and sending.
#[derive(Clone, Copy)]
pub struct SendNext<'a> {
    pub(super) rest: &'a [Arc<dyn SendMiddleware>],
    pub(super) call: &'a Opening,
    /// The end of the handler follows this message.
    pub(super) last: bool,
    pub(super) end: &'a dyn Leave,
}

impl SendNext<'_> {
    /// Sends a message: waits until there is room in the send buffer and encodes it there. It can be called again, for a
    /// further message.
    ///
    /// # Errors
    ///
    /// Those of `send`, of a middleware behind this one, or the message is not of the type that the stream carries.
    ///
    /// # Dropping
    ///
    /// Its future, before it is ready, has sent nothing unless a middleware behind this one has.
    pub async fn run(&self, message: AnyMessage<'_>) -> Result<()> {
        match self.rest.split_first() {
            Some((first, rest)) => first.around(self.call, message, SendNext { rest, ..*self }).await,
            None => poll_fn(|cx| self.end.poll_send(cx, &message, self.last)).await,
        }
    }
}

impl fmt::Debug for SendNext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendNext").field("rest", &self.rest.len()).finish_non_exhaustive()
    }
}

/// Where messages leave, behind all middlewares.
pub(crate) trait Leave: Send + Sync {
    /// Sends the message once there is room for it; `last` says that the end of the handler follows.
    fn poll_send(&self, cx: &mut Context<'_>, message: &AnyMessage<'_>, last: bool) -> Poll<Result<()>>;
}

impl<F> SendMiddleware for Closure<F>
where
    F: for<'a> Fn(&'a Opening, AnyMessage<'a>, SendNext<'a>) -> BoxFuture<'a, Result<()>>
        + Send
        + Sync
        + 'static,
{
    fn around<'closure, 'call, 'message, 'next, 'future>(
        &'closure self,
        call: &'call Opening,
        message: AnyMessage<'message>,
        next: SendNext<'next>,
    ) -> BoxFuture<'future, Result<()>>
    where
        'closure: 'future,
        'call: 'future,
        'message: 'future,
        'next: 'future,
    {
        (self.0)(call, message, next)
    }
}
