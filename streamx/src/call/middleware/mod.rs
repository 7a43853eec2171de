//! Middleware: what is around calls and around their messages. And observers, who are told of both.
//!
//! | registered with | around | its type |
//! |---|---|---|
//! | `stream_middleware` | a stream: its opening on a client, its handler on a server | [`StreamMiddleware`] |
//! | `stream_send_middleware` | each message that is sent on a stream | [`SendMiddleware`] |
//! | `stream_recv_middleware` | each message that is received on a stream, and its end | [`RecvMiddleware`] |
//! | `unary_middleware` | a unary call, on a server its handler | [`UnaryMiddleware`] |
//! | `observer` | nothing: it is told of every call, beneath the middlewares | [`Observer`] |
//!
//! These methods are on [`ChannelBuilder`](crate::client::ChannelBuilder), for all calls of a channel, on
//! [`Call`](crate::client::Call), for one call, and on [`ServerBuilder`](crate::server::ServerBuilder). Each takes a closure
//! that returns a boxed future; its twin `with_…` takes a value of the type.
//!
//! The first that was registered is the outermost; those of a call are inside those of its channel. The `next` that a
//! middleware is given is all that is inside it: calling [`run`](SendNext::run) goes on, not calling it stops here.
//!
//! A message costs one allocation for each middleware it passes and one more or two for itself; without middlewares it
//! costs nothing.

mod message;
mod observer;
mod opening;
mod recv;
mod register;
mod reopened;
mod send;
mod serve;
mod stream;
mod unary;

pub use async_trait::async_trait;
pub use futures::future::BoxFuture;
pub use message::AnyMessage;
pub use observer::Observer;
pub use opening::Opening;
pub use recv::{RecvMiddleware, RecvNext};
pub use send::{SendMiddleware, SendNext};
pub use stream::{StreamMiddleware, StreamNext};
pub use unary::{UnaryMiddleware, UnaryNext};

pub(crate) use observer::{Finish, observed};
pub(crate) use opening::Pairs;
pub(crate) use recv::Arrive;
pub(crate) use register::register;
pub(crate) use send::Leave;
pub(crate) use serve::Surrounded;
pub(crate) use stream::Begin;
pub(crate) use unary::Answer;

use std::fmt;
use std::sync::Arc;

use crate::Result;

/// A closure in the place of a type.
pub(crate) struct Closure<F>(F);

/// As it is registered.
pub(crate) fn closure<F>(closure: F) -> Arc<Closure<F>> {
    Arc::new(Closure(closure))
}

/// All that was registered at one place, the outermost first.
#[derive(Clone, Default)]
pub(crate) struct Middlewares {
    pub(crate) stream: Vec<Arc<dyn StreamMiddleware>>,
    pub(crate) send: Vec<Arc<dyn SendMiddleware>>,
    pub(crate) recv: Vec<Arc<dyn RecvMiddleware>>,
    pub(crate) unary: Vec<Arc<dyn UnaryMiddleware>>,
    pub(crate) observers: Vec<Arc<dyn Observer>>,
}

impl Middlewares {
    pub(crate) fn is_empty(&self) -> bool {
        let Self { stream, send, recv, unary, observers } = self;
        stream.is_empty() && send.is_empty() && recv.is_empty() && unary.is_empty() && observers.is_empty()
    }

    /// Whether the messages of a call pass by, unseen.
    pub(crate) fn leaves_messages_alone(&self) -> bool {
        self.send.is_empty() && self.recv.is_empty() && self.observers.is_empty()
    }

    /// Passes a stream through all, to its end.
    pub(crate) async fn stream(&self, call: Opening, end: &dyn Begin) -> Result<()> {
        StreamNext { rest: &self.stream, end }.run(call).await
    }

    /// Passes a unary call through all, to its end.
    pub(crate) async fn unary(
        &self,
        call: Opening,
        request: AnyMessage<'_>,
        end: &dyn Answer,
    ) -> Result<AnyMessage<'static>> {
        UnaryNext { rest: &self.unary, end }.run(call, request).await
    }
}

impl fmt::Debug for Middlewares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Middlewares")
            .field("stream", &self.stream.len())
            .field("send", &self.send.len())
            .field("recv", &self.recv.len())
            .field("unary", &self.unary.len())
            .field("observers", &self.observers.len())
            .finish()
    }
}

/// What is around the messages of one call.
#[doc(hidden)]
#[derive(Debug)]
pub struct Around {
    pub(crate) middlewares: Arc<Middlewares>,
    /// As it was handed on.
    pub(crate) call: Opening,
}

impl Around {
    /// Passes a message that is sent through all, to its end.
    pub(crate) async fn send(&self, message: AnyMessage<'_>, last: bool, end: &dyn Leave) -> Result<()> {
        SendNext { rest: &self.middlewares.send, call: &self.call, last, end }.run(message).await
    }

    /// Receives a message through all, from their end.
    pub(crate) async fn recv(&self, end: &dyn Arrive) -> Result<Option<AnyMessage<'static>>> {
        RecvNext { rest: &self.middlewares.recv, call: &self.call, end }.run().await
    }

    fn tell(&self, event: impl Fn(&dyn Observer, &Opening)) {
        for observer in &self.middlewares.observers {
            event(&**observer, &self.call);
        }
    }
}
