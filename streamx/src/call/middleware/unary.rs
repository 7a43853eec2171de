//! Around a unary call.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;

use super::{AnyMessage, Closure, Opening};
use crate::Result;

/// Around a unary call, oneway ones included: on a client around all of it, on a server around its handler.
///
/// A client may make a call again, where that does no harm, by lending the request:
///
/// ```
/// use streamx::Result;
/// use streamx::middleware::{AnyMessage, Opening, UnaryMiddleware, UnaryNext, async_trait};
///
/// struct Again;
///
/// #[async_trait]
/// impl UnaryMiddleware for Again {
///     async fn around(
///         &self,
///         call: Opening,
///         request: AnyMessage<'_>,
///         next: UnaryNext<'_>,
///     ) -> Result<AnyMessage<'static>> {
///         match next.run(call.clone(), request.lend()).await {
///             Err(error) if error.is_retryable() => next.run(call, request).await,
///             answer => answer,
///         }
///     }
/// }
/// # let _ = streamx::Channel::builder("ttheader://localhost:1").with_unary_middleware(Again);
/// ```
#[async_trait]
pub trait UnaryMiddleware: Send + Sync + 'static {
    /// Gives the response: with [`next.run`](UnaryNext::run), with another request, or of its own.
    ///
    /// # Errors
    ///
    /// On a client the error of the call. On a server the error that the caller gets, as one of the handler. A declared
    /// exception passes here as an error too ([`exception`](crate::Error::exception)), and stays one if it is handed on.
    ///
    /// # Dropping
    ///
    /// With the call on a client. On a server with the handler, when the caller is gone.
    async fn around(
        &self,
        call: Opening,
        request: AnyMessage<'_>,
        next: UnaryNext<'_>,
    ) -> Result<AnyMessage<'static>>;
}

/// What a [`UnaryMiddleware`] is around: the middlewares behind it, and the call or the handler.
#[derive(Clone, Copy)]
pub struct UnaryNext<'a> {
    pub(super) rest: &'a [Arc<dyn UnaryMiddleware>],
    pub(super) end: &'a dyn Answer,
}

impl UnaryNext<'_> {
    /// Makes the call, or runs the handler, and gives the response. It can be called again: on a client with the
    /// request [lent](AnyMessage::lend); on a server each time with a request of its own, because a handler keeps it.
    ///
    /// # Errors
    ///
    /// The call or the handler failed; or a middleware behind this one says so; or the request is not of the type the
    /// method takes.
    ///
    /// # Dropping
    ///
    /// Its future, before it is ready: gives up the call, or drops the handler.
    pub async fn run(&self, call: Opening, request: AnyMessage<'_>) -> Result<AnyMessage<'static>> {
        match self.rest.split_first() {
            Some((first, rest)) => first.around(call, request, UnaryNext { rest, ..*self }).await,
            None => self.end.answer(call, request).await,
        }
    }
}

impl fmt::Debug for UnaryNext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnaryNext").field("rest", &self.rest.len()).finish_non_exhaustive()
    }
}

/// The call, behind all middlewares.
pub(crate) trait Answer: Send + Sync {
    /// Makes it, or runs its handler.
    fn answer<'a>(
        &'a self,
        call: Opening,
        request: AnyMessage<'a>,
    ) -> BoxFuture<'a, Result<AnyMessage<'static>>>;
}

impl<F> UnaryMiddleware for Closure<F>
where
    F: for<'a> Fn(Opening, AnyMessage<'a>, UnaryNext<'a>) -> BoxFuture<'a, Result<AnyMessage<'static>>>
        + Send
        + Sync
        + 'static,
{
    fn around<'closure, 'request, 'next, 'future>(
        &'closure self,
        call: Opening,
        request: AnyMessage<'request>,
        next: UnaryNext<'next>,
    ) -> BoxFuture<'future, Result<AnyMessage<'static>>>
    where
        'closure: 'future,
        'request: 'future,
        'next: 'future,
    {
        (self.0)(call, request, next)
    }
}
