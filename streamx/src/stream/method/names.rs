//! Where calls are opened and where handlers are called.

use std::sync::Arc;

use futures::future::BoxFuture;

use crate::call::middleware::Around;
use crate::call::{Context, Exchange, Handler, Method, MethodName, Mode};
use crate::client::{Call, Channel, Opened, Options, Prepared};
use crate::stream::half::{Exception, Owner};
use crate::{Error, Result};

/// What a method is without its types.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    name: MethodName,
    /// The documentation, for the schema.
    pub(super) doc: &'static str,
}

/// The wire names and the documentation of a method. The service has its namespace before its name, with a dot between.
pub const fn names(service: &'static str, method: &'static str, doc: &'static str) -> Names {
    let mut dot = service.len();
    while dot > 0 && service.as_bytes()[dot - 1] != b'.' {
        dot -= 1;
    }
    let (namespace, service) = service.split_at(dot);
    let namespace = match namespace.split_at_checked(dot.saturating_sub(1)) {
        Some((namespace, _)) => namespace,
        None => "",
    };
    Names { name: MethodName { namespace, service, method }, doc }
}

impl Names {
    pub(super) fn caller(&'static self, exception: Exception) -> Owner {
        Owner::Caller { name: &self.name, exception }
    }

    /// The namespace of the service; empty if it has none.
    pub(super) fn namespace(&self) -> &'static str {
        self.name.namespace
    }

    /// The wire name of the method.
    pub(super) fn wire(&self) -> &'static str {
        self.name.method
    }

    /// Names the method in the text of an error.
    pub(super) fn name(&self, error: Error) -> Error {
        error.in_method(self.name.service, self.name.method)
    }

    /// A call; nothing happens before its first poll. What fails while it is opened names the method.
    pub(super) fn open<T, F>(
        &'static self,
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
        &'static self,
        mode: Mode,
        channel: &Channel,
        start: impl FnOnce(Prepared) -> BoxFuture<'static, Result<T>> + Send + 'static,
    ) -> Call<T> {
        let prepared = Prepared { channel: channel.clone(), name: &self.name, mode, options: Options::new() };
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
        Method { name: self.wire(), mode, takes_context, handler: Arc::new(Function(handle)) }
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
