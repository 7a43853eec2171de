//! Around a stream.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;

use super::{Closure, Opening};
use crate::Result;

/// Around a stream: on a client around its opening, on a server around its handler from start to end.
///
/// ```
/// use streamx::middleware::{Opening, StreamMiddleware, StreamNext, async_trait};
/// use streamx::{Code, Error, Result};
///
/// struct KnownUsers;
///
/// #[async_trait]
/// impl StreamMiddleware for KnownUsers {
///     async fn around(&self, call: Opening, next: StreamNext<'_>) -> Result<()> {
///         if call.persistent("user").is_none() {
///             return Err(Error::new(Code::Unauthenticated, "who are you?"));
///         }
///         next.run(call).await
///     }
/// }
/// # let _ = streamx::Server::builder().with_stream_middleware(KnownUsers);
/// ```
#[async_trait]
pub trait StreamMiddleware: Send + Sync + 'static {
    /// Opens or serves the stream with [`next.run`](StreamNext::run), or refuses it with an error.
    ///
    /// On a client `Ok` without a stream that was opened is an error. On a server `Ok` without the handler ends the
    /// stream without a message, unless it owes a response: then it is an error.
    ///
    /// # Errors
    ///
    /// On a client the error of the call; a stream that was opened before is cancelled. On a server the error that ends
    /// the stream, as one of its handler would.
    ///
    /// # Dropping
    ///
    /// With the call on a client. On a server with the handler, when the caller is gone.
    async fn around(&self, call: Opening, next: StreamNext<'_>) -> Result<()>;
}

/// What a [`StreamMiddleware`] is around: the middlewares behind it, and the opening or the handler.
#[derive(Clone, Copy)]
pub struct StreamNext<'a> {
    pub(super) rest: &'a [Arc<dyn StreamMiddleware>],
    pub(super) end: &'a dyn Begin,
}

impl StreamNext<'_> {
    /// On a client opens the stream, which waits for a connection and never for the peer; it can be called again after
    /// a failure, and the stream opened last is the one that is used. On a server runs the handler to its end, once.
    ///
    /// # Errors
    ///
    /// The stream cannot be opened, or the handler failed; or a middleware behind this one says so.
    ///
    /// # Dropping
    ///
    /// Its future, before it is ready: gives up the opening, or drops the handler.
    pub async fn run(&self, call: Opening) -> Result<()> {
        match self.rest.split_first() {
            Some((first, rest)) => first.around(call, StreamNext { rest, ..*self }).await,
            None => self.end.begin(call).await,
        }
    }
}

impl fmt::Debug for StreamNext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamNext").field("rest", &self.rest.len()).finish_non_exhaustive()
    }
}

/// The stream, behind all middlewares.
pub(crate) trait Begin: Send + Sync {
    /// Opens it, or serves it to its end.
    fn begin(&self, call: Opening) -> BoxFuture<'_, Result<()>>;
}

impl<F> StreamMiddleware for Closure<F>
where
    F: for<'a> Fn(Opening, StreamNext<'a>) -> BoxFuture<'a, Result<()>> + Send + Sync + 'static,
{
    fn around<'closure, 'next, 'future>(
        &'closure self,
        call: Opening,
        next: StreamNext<'next>,
    ) -> BoxFuture<'future, Result<()>>
    where
        'closure: 'future,
        'next: 'future,
    {
        (self.0)(call, next)
    }
}
