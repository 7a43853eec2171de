//! How long one message is waited for.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::time::{Sleep, sleep};

use super::duration::go;
use super::middleware::Around;
use super::{Context, Exchange, Handler, Incoming, Service};
use crate::{Code, Error, Metadata, Result, Side};

/// The messages that arrive, each of which is waited for so long at most.
pub(crate) struct Patient {
    incoming: Box<dyn Incoming>,
    timeout: Duration,
    keep_open: bool,
    /// Who waits.
    side: Side,
    /// Runs while a message is waited for.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    /// When the time of a caller is over the call is reset; with `keep_open` it goes on instead, and may be received from
    /// again.
    pub(crate) fn caller(incoming: Box<dyn Incoming>, timeout: Duration, keep_open: bool) -> Self {
        Self { incoming, timeout, keep_open, side: Side::Client, timer: None }
    }

    /// When the time of a handler is over nothing more is received; with `keep_open` it may be tried again. The end of the
    /// handler is the end of the call in any case.
    fn handler(incoming: Box<dyn Incoming>, timeout: Duration, keep_open: bool) -> Self {
        Self { side: Side::Server, ..Self::caller(incoming, timeout, keep_open) }
    }

    /// On a client with the text of Kitex v0.16.3 (spec 3.7), whose servers have no such limit; with its code on both
    /// sides.
    fn error(&self) -> Error {
        let Self { timeout, keep_open, side, .. } = self;
        let text = match side {
            Side::Client => format!(
                "stream Recv timeout, timeout config={{Timeout:{} DisableCancelRemote:{keep_open}}}",
                go(*timeout)
            ),
            Side::Server => {
                format!("the caller sent no message within {timeout:?} (recv_timeout of the server)")
            }
        };
        let error = Error::new(Code::DeadlineExceeded, text).with_kitex_code(12014).with_side(*side);
        if *keep_open { error.retryable() } else { error }
    }
}

impl Incoming for Patient {
    fn poll_message(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<Option<Bytes>>> {
        let polled = self.incoming.poll_message(cx);
        if polled.is_ready() {
            self.timer = None;
            return polled;
        }
        let timeout = self.timeout;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(timeout)));
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.timer = None;
        let error = self.error();
        if !self.keep_open {
            self.incoming.reset(error.clone());
        }
        Poll::Ready(Err(error))
    }

    fn poll_header(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<Metadata>> {
        self.incoming.poll_header(cx)
    }

    fn poll_trailer(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<Metadata>> {
        self.incoming.poll_trailer(cx)
    }

    fn reset(&mut self, error: Error) {
        self.incoming.reset(error);
    }

    fn is_over(&self) -> bool {
        self.incoming.is_over()
    }
}

impl Service {
    /// Bounds how long the handlers of streams wait for each message.
    pub(crate) fn bound_recv(mut self, timeout: Duration, keep_open: bool) -> Self {
        for method in self.methods.iter_mut().filter(|method| method.mode.is_streaming()) {
            let handler = Arc::clone(&method.handler);
            method.handler = Arc::new(Bounded { handler, timeout, keep_open });
        }
        self
    }
}

/// A handler that is given a [`Patient`] to receive from.
struct Bounded {
    handler: Arc<dyn Handler>,
    timeout: Duration,
    keep_open: bool,
}

impl Bounded {
    fn bound(&self, exchange: Exchange) -> Exchange {
        let incoming = Patient::handler(exchange.incoming, self.timeout, self.keep_open);
        Exchange { incoming: Box::new(incoming), ..exchange }
    }
}

impl Handler for Bounded {
    fn handle(&self, exchange: Exchange, context: Context) -> BoxFuture<'static, Result<()>> {
        self.handler.handle(self.bound(exchange), context)
    }

    fn handle_around(
        &self,
        around: Arc<Around>,
        exchange: Exchange,
        context: Context,
    ) -> BoxFuture<'static, Result<()>> {
        self.handler.handle_around(around, self.bound(exchange), context)
    }
}
