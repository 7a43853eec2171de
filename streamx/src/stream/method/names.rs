//! Where calls are opened and where handlers are called.

use std::sync::Arc;

use futures::future::BoxFuture;

use crate::call::middleware::Around;
use crate::call::{Context, Exchange, Handler, Method, Mode};
use crate::client::{Call, Channel, Opened, Options, Prepared};
use crate::stream::half::Owner;
use crate::{Error, Result};

/// What a method is without its types.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    pub(super) service: &'static str,
    pub(super) method: &'static str,
    /// The documentation, for the schema.
    pub(super) doc: &'static str,
}

/// The wire names and the documentation of a method.
pub const fn names(service: &'static str, method: &'static str, doc: &'static str) -> Names {
    Names { service, method, doc }
}

impl Names {
    pub(super) fn caller(&self, exception: fn(Error) -> Error) -> Owner {
        Owner::Caller { service: self.service, method: self.method, exception }
    }

    /// Names the method in the text of an error.
    pub(super) fn name(&self, error: Error) -> Error {
        error.in_method(self.service, self.method)
    }

    /// A call; nothing happens before its first poll. What fails while it is opened names the method.
    pub(super) fn open<T, F>(
        self,
        mode: Mode,
        channel: &Channel,
        then: impl FnOnce(Opened) -> F + Send + 'static,
    ) -> Call<T>
    where
        T: 'static,
        F: Future<Output = Result<T>> + Send,
    {
        self.prepare(mode, channel, |prepared| Box::pin(async move { then(prepared.open().await?).await }))
    }

    /// As [`open`](Self::open), for a call that may be opened more than once.
    pub(super) fn prepare<T>(
        self,
        mode: Mode,
        channel: &Channel,
        start: impl FnOnce(Prepared) -> BoxFuture<'static, Result<T>> + Send + 'static,
    ) -> Call<T> {
        let Self { service, method, .. } = self;
        let prepared = Prepared { channel: channel.clone(), service, method, mode, options: Options::new() };
        Call::new(prepared, start)
    }

    /// The method as a server knows it.
    pub(super) fn method(
        self,
        mode: Mode,
        takes_context: bool,
        handle: impl Fn(Exchange, Context, Option<Arc<Around>>) -> BoxFuture<'static, Result<()>>
        + Send
        + Sync
        + 'static,
    ) -> Method {
        Method { name: self.method, mode, takes_context, handler: Arc::new(Function(handle)) }
    }
}

struct Function<F>(F);

impl<F> Handler for Function<F>
where
    F: Fn(Exchange, Context, Option<Arc<Around>>) -> BoxFuture<'static, Result<()>> + Send + Sync + 'static,
{
    fn handle(&self, exchange: Exchange, context: Context) -> BoxFuture<'static, Result<()>> {
        (self.0)(exchange, context, None)
    }

    fn handle_around(
        &self,
        around: Arc<Around>,
        exchange: Exchange,
        context: Context,
    ) -> BoxFuture<'static, Result<()>> {
        (self.0)(exchange, context, Some(around))
    }
}
