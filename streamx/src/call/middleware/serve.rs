//! A server's middlewares around the handler of a call.

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;

use super::observer::{Finish, observed};
use super::stream::Begin;
use super::{Around, Middlewares, Opening};
use crate::call::{Context, Exchange, Handler, Mode};
use crate::{Error, Result};

/// A handler with middlewares around it.
pub(crate) struct Surrounded {
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) mode: Mode,
    pub(crate) middlewares: Arc<Middlewares>,
}

impl Handler for Surrounded {
    fn handle(&self, exchange: Exchange, context: Context) -> BoxFuture<'static, Result<()>> {
        let Self { handler, mode, middlewares } = self;
        let call = Opening::serving(&context, *mode);
        let around = Arc::new(Around { middlewares: Arc::clone(middlewares), call });
        let handler = Arc::clone(handler);
        Box::pin(async move {
            if around.middlewares.observers.is_empty() {
                return run(handler, exchange, context, around).await;
            }
            let mut finish = Finish::start(Arc::clone(&around));
            let exchange = observed(exchange, &around, None);
            let result = run(handler, exchange, context, around).await;
            finish.tell(result.as_ref().map(drop));
            result
        })
    }
}

async fn run(
    handler: Arc<dyn Handler>,
    exchange: Exchange,
    context: Context,
    around: Arc<Around>,
) -> Result<()> {
    let (middlewares, call) = (Arc::clone(&around.middlewares), &around.call);
    if middlewares.stream.is_empty() || !call.mode().is_streaming() {
        return handler.handle_around(around, exchange, context).await;
    }
    let end = Serving { handler, exchange: Mutex::new(Some(exchange)), context, middlewares };
    end.middlewares.stream(call.clone(), &end).await?;
    if call.mode() == Mode::ClientStream && end.take().is_some() {
        let text = "a stream middleware returned `Ok` instead of the handler, and so without the response";
        return Err(Error::other(text));
    }
    Ok(())
}

struct Serving {
    handler: Arc<dyn Handler>,
    /// None once the handler runs.
    exchange: Mutex<Option<Exchange>>,
    context: Context,
    middlewares: Arc<Middlewares>,
}

impl Serving {
    fn take(&self) -> Option<Exchange> {
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Begin for Serving {
    fn begin(&self, call: Opening) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let Some(exchange) = self.take() else {
                return Err(Error::other("a stream middleware of a server can run the handler only once"));
            };
            let context = self.context.reopened(&call);
            let call = call.with_context(context.clone());
            let around = Arc::new(Around { middlewares: Arc::clone(&self.middlewares), call });
            let handler = self.handler.handle_around(around, exchange, context.clone());
            context.within(handler).await
        })
    }
}
