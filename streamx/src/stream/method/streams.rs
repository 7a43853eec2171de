//! The three streaming modes.

use std::sync::Arc;

use super::names::Names;
use super::shape::Whole;
use super::{
    Alone, FarBidi, FarSender, FarStreaming, IsBidi, IsSender, IsStreaming, Nothing, Outcome, Passes,
    Response, Runs,
};
use crate::Error;
use crate::call::{Method, Mode};
use crate::client::{self, Call, Channel, Opened};
use crate::stream::half::{Owner, Rx, Tx};

/// A method that takes a stream and gives one answer.
pub struct ClientStream<H: IsStreaming, R: Outcome> {
    pub(super) names: Names,
    pub(super) requests: Whole<H::In>,
    pub(super) response: Response<R>,
}

impl<H: IsStreaming, R: Outcome> ClientStream<H, R> {
    /// The method with these wire names and documentation.
    pub const fn new(names: Names, requests: Whole<H::In>, response: Response<R>) -> Self {
        Self { names, requests, response }
    }

    /// Calls it.
    pub fn call(&'static self, channel: &Channel) -> Call<FarStreaming<H, R>> {
        self.names.open(Mode::ClientStream, channel, async |Opened { exchange, around }| {
            let format = exchange.format;
            let owner = self.names.caller(self.response.exception);
            let tx = Tx::around(around.clone(), exchange.outgoing, self.requests.codecs.of(format), owner);
            let rx = Rx::around(around, exchange.incoming, self.response.codecs.of(format), owner);
            Ok(client::ClientStream::new(tx, rx))
        })
    }

    /// Serves it with this function.
    pub fn handler<T, F>(&'static self, service: &Arc<T>, run: F) -> Method
    where
        T: Send + Sync + 'static,
        F: for<'a> Runs<'a, T, (H,), Out = R> + Copy + Send + Sync + 'static,
        H: Send,
        R::Ok: Send + Sync,
    {
        self.handler_with(service, Alone, run)
    }

    /// Serves it with this function, which is given the context like this.
    pub fn handler_with<T, P, F>(&'static self, service: &Arc<T>, passing: P, run: F) -> Method
    where
        T: Send + Sync + 'static,
        P: Passes<(H,)>,
        F: for<'a> Runs<'a, T, P::Arguments, Out = R> + Copy + Send + Sync + 'static,
        H: Send,
        R::Ok: Send + Sync,
    {
        let service = Arc::clone(service);
        self.names.method(Mode::ClientStream, P::CONTEXT, move |exchange, context, around| {
            let service = Arc::clone(&service);
            Box::pin(async move {
                let (format, outgoing) = (exchange.format, exchange.outgoing);
                let mut tx =
                    Tx::around(around.clone(), outgoing, self.response.codecs.of(format), Owner::Handler);
                let stream = H::over(exchange.incoming, self.requests.codecs.of(format), around);
                let response = run
                    .run(&service, passing.pass(context, (stream,)))
                    .await
                    .result()
                    .map_err(|failure| (self.response.error)(format, self.names.namespace(), failure))?;
                tx.send(&response, true).await
            })
        })
    }
}

/// A method that takes one request and answers with a stream.
pub struct ServerStream<Q, H: IsSender, R> {
    pub(super) names: Names,
    pub(super) request: Whole<Q>,
    pub(super) responses: Whole<H::Out>,
    pub(super) end: Nothing<R>,
}

impl<Q, H: IsSender, R> ServerStream<Q, H, R> {
    /// The method with these wire names and documentation.
    pub const fn new(names: Names, request: Whole<Q>, responses: Whole<H::Out>, end: Nothing<R>) -> Self {
        Self { names, request, responses, end }
    }

    /// Calls it. The request is sent before the call is ready.
    pub fn call(&'static self, channel: &Channel, request: Q) -> Call<FarSender<H>>
    where
        Q: Send + Sync + 'static,
    {
        self.names.open(Mode::ServerStream, channel, async move |Opened { exchange, around }| {
            let format = exchange.format;
            let owner = self.names.caller(self.end.exception);
            let rx = Rx::around(around.clone(), exchange.incoming, self.responses.codecs.of(format), owner);
            let mut tx = Tx::around(around, exchange.outgoing, self.request.codecs.of(format), owner);
            tx.send(&request, true).await?;
            Ok(client::Streaming::new(rx))
        })
    }

    /// Serves it with this function, which starts once the request is here. What a caller sends besides is ignored,
    /// as a Kitex server does (v0.16.3).
    pub fn handler<T, F>(&'static self, service: &Arc<T>, run: F) -> Method
    where
        T: Send + Sync + 'static,
        F: for<'a> Runs<'a, T, (Q, H), Out = R> + Copy + Send + Sync + 'static,
        H: Send,
    {
        self.handler_with(service, Alone, run)
    }

    /// Serves it with this function, which is given the context like this.
    pub fn handler_with<T, P, F>(&'static self, service: &Arc<T>, passing: P, run: F) -> Method
    where
        T: Send + Sync + 'static,
        P: Passes<(Q, H)>,
        F: for<'a> Runs<'a, T, P::Arguments, Out = R> + Copy + Send + Sync + 'static,
        H: Send,
    {
        let service = Arc::clone(service);
        self.names.method(Mode::ServerStream, P::CONTEXT, move |exchange, context, around| {
            let service = Arc::clone(&service);
            Box::pin(async move {
                let (format, incoming) = (exchange.format, exchange.incoming);
                let mut rx =
                    Rx::around(around.clone(), incoming, self.request.codecs.of(format), Owner::Handler);
                let stream = H::over(exchange.outgoing, self.responses.codecs.of(format), around);
                let Some(request) = rx.recv().await? else {
                    return Err(Error::protocol("the caller ended the call without a request"));
                };
                let outcome = run.run(&service, passing.pass(context, (request, stream))).await;
                (self.end.end)(format, self.names.namespace(), outcome)
            })
        })
    }
}

/// A method that takes a stream and answers with one.
pub struct Bidi<H: IsBidi, R> {
    pub(super) names: Names,
    pub(super) messages: (Whole<H::In>, Whole<H::Out>),
    pub(super) end: Nothing<R>,
}

impl<H: IsBidi, R> Bidi<H, R> {
    /// The method with these wire names and documentation.
    pub const fn new(names: Names, messages: (Whole<H::In>, Whole<H::Out>), end: Nothing<R>) -> Self {
        Self { names, messages, end }
    }

    /// Calls it.
    pub fn call(&'static self, channel: &Channel) -> Call<FarBidi<H>> {
        self.names.open(Mode::Bidi, channel, async |Opened { exchange, around }| {
            let format = exchange.format;
            let owner = self.names.caller(self.end.exception);
            let tx = Tx::around(around.clone(), exchange.outgoing, self.messages.0.codecs.of(format), owner);
            let rx = Rx::around(around, exchange.incoming, self.messages.1.codecs.of(format), owner);
            Ok(client::Bidi::new(tx, rx))
        })
    }

    /// Serves it with this function.
    pub fn handler<T, F>(&'static self, service: &Arc<T>, run: F) -> Method
    where
        T: Send + Sync + 'static,
        F: for<'a> Runs<'a, T, (H,), Out = R> + Copy + Send + Sync + 'static,
        H: Send,
    {
        self.handler_with(service, Alone, run)
    }

    /// Serves it with this function, which is given the context like this.
    pub fn handler_with<T, P, F>(&'static self, service: &Arc<T>, passing: P, run: F) -> Method
    where
        T: Send + Sync + 'static,
        P: Passes<(H,)>,
        F: for<'a> Runs<'a, T, P::Arguments, Out = R> + Copy + Send + Sync + 'static,
        H: Send,
    {
        let service = Arc::clone(service);
        self.names.method(Mode::Bidi, P::CONTEXT, move |exchange, context, around| {
            let service = Arc::clone(&service);
            Box::pin(async move {
                let format = exchange.format;
                let codecs = (self.messages.0.codecs.of(format), self.messages.1.codecs.of(format));
                let stream = H::over(exchange, codecs, around);
                let outcome = run.run(&service, passing.pass(context, (stream,))).await;
                (self.end.end)(format, self.names.namespace(), outcome)
            })
        })
    }
}
