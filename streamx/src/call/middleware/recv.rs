//! Around each message that is received on a stream.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures::future::BoxFuture;

use super::{AnyMessage, Closure, Opening};
use crate::Result;

/// Around each message that is received on a stream, and around its end.
///
/// On a client these are what `recv` returns, and the response of a client-streaming call, which is followed by the end;
/// on a server what `recv` returns, and the request of a server-streaming call.
///
/// ```
/// use streamx::Result;
/// use streamx::middleware::{AnyMessage, Opening, RecvMiddleware, RecvNext, async_trait};
///
/// struct Log;
///
/// #[async_trait]
/// impl RecvMiddleware for Log {
///     async fn around(&self, call: &Opening, next: RecvNext<'_>) -> Result<Option<AnyMessage<'static>>> {
///         let message = next.run().await?;
///         match &message {
///             Some(message) => println!("{} receives {message:?}", call.method()),
///             None => println!("{} has ended", call.method()),
///         }
///         Ok(message)
///     }
/// }
/// # let _ = streamx::Channel::builder("ttheader://localhost:1").with_stream_recv_middleware(Log);
/// ```
#[async_trait]
pub trait RecvMiddleware: Send + Sync + 'static {
    /// Gives the next message, another one, or the end, which is `None`. It is called once for each message and once
    /// for the end, and not again after it has given the end. On a client, an end that it gives before the server has
    /// ended the call cancels the call.
    ///
    /// # Errors
    ///
    /// What `recv` returns from then on. On a client this cancels the call; on a server the handler decides.
    ///
    /// # Dropping
    ///
    /// When the future of `recv` is dropped, as `tokio::select!` does, this is not: the next `recv` goes on where it
    /// waits. It is dropped with the handle.
    async fn around(&self, call: &Opening, next: RecvNext<'_>) -> Result<Option<AnyMessage<'static>>>;
}

/// What a [`RecvMiddleware`] is around: the middlewares behind it, and receiving.
#[derive(Clone, Copy)]
pub struct RecvNext<'a> {
    pub(super) rest: &'a [Arc<dyn RecvMiddleware>],
    pub(super) call: &'a Opening,
    pub(super) end: &'a dyn Arrive,
}

impl RecvNext<'_> {
    /// Waits for the next message; `None` is the end. It can be called again, to leave a message out.
    ///
    /// # Errors
    ///
    /// Those of `recv`, or of a middleware behind this one.
    ///
    /// # Dropping
    ///
    /// Its future, before it is ready, has taken no message unless a middleware behind this one has.
    pub async fn run(&self) -> Result<Option<AnyMessage<'static>>> {
        match self.rest.split_first() {
            Some((first, rest)) => first.around(self.call, RecvNext { rest, ..*self }).await,
            None => poll_fn(|cx| self.end.poll_recv(cx)).await,
        }
    }
}

impl fmt::Debug for RecvNext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvNext").field("rest", &self.rest.len()).finish_non_exhaustive()
    }
}

/// Where messages arrive, behind all middlewares.
pub(crate) trait Arrive: Send + Sync {
    /// The next message; `None` is the end.
    fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<Result<Option<AnyMessage<'static>>>>;
}

impl<F> RecvMiddleware for Closure<F>
where
    F: for<'a> Fn(&'a Opening, RecvNext<'a>) -> BoxFuture<'a, Result<Option<AnyMessage<'static>>>>
        + Send
        + Sync
        + 'static,
{
    fn around<'closure, 'call, 'next, 'future>(
        &'closure self,
        call: &'call Opening,
        next: RecvNext<'next>,
    ) -> BoxFuture<'future, Result<Option<AnyMessage<'static>>>>
    where
        'closure: 'future,
        'call: 'future,
        'next: 'future,
    {
        (self.0)(call, next)
    }
}
