//! A method of one request, with one answer or none.

use std::sync::Arc;

use bytes::BytesMut;

use super::asking::{Asking, Running, Telling, encode_bytes};
use super::names::Names;
use super::{Alone, Answer, Arguments, Outcome, Passes, Results, Returned, Runs};
use crate::call::middleware::{AnyMessage, Opening};
use crate::call::{Format, Incoming, Method, Mode};
use crate::client::{Call, Channel, Dial, Opened, Told};
use crate::stream::half::{Encoder, Owner, Rx, Tx};
use crate::{Code, Error, Metadata, Result};

/// A method with one answer.
pub struct Unary<A: Arguments, R: Outcome> {
    pub(super) names: Names,
    pub(super) arguments: A,
    pub(super) results: Results<R>,
}

impl<A: Arguments, R: Outcome> Unary<A, R> {
    /// The method with these wire names and documentation.
    pub const fn new(names: Names, arguments: A, results: Results<R>) -> Self {
        Self { names, arguments, results }
    }

    /// Calls it.
    pub fn call(&'static self, channel: &Channel, values: A::Values) -> Call<Answer<R>>
    where
        A::Values: Send + Sync + 'static,
        R::Ok: Send,
    {
        self.names.prepare(Mode::Unary, channel, move |mut prepared| {
            Box::pin(async move {
                let told = prepared.told();
                if prepared.has_unary_middleware() {
                    let request = self.arguments.wrap(values);
                    let answer = prepared.pass(request, |dial| Asking { method: self, dial, told }).await;
                    return answer.and_then(self.results.take).map_err(|error| self.names.name(error));
                }
                let (dial, call) = prepared.dial().map_err(|error| self.names.name(error))?;
                let request = |format| (format, &self.arguments, self.names.wire(), &values);
                self.ask(&dial, call, encode, request, told.as_ref()).await
            })
        })
    }

    /// Opens the call, sends the request, and waits for the answer. When the server has certainly not seen it, because
    /// it was about to leave, it is sent once more if that is possible, as grpc-go does.
    pub(super) async fn ask<Q: Sync>(
        &'static self,
        dial: &Dial,
        call: Opening,
        encode: Encoder<Q>,
        request: impl Fn(Format) -> Q,
        told: Option<&Told>,
    ) -> Result<R::Ok> {
        let opened = dial.open(call.clone()).await.map_err(|error| self.names.name(error))?;
        let format = opened.exchange.format;
        let unseen = match self.ask_once(opened, encode, &request(format), told).await {
            Err(error) if error.is_retryable() && error.code() == Code::Unavailable => error,
            done => return done,
        };
        match dial.open(call).await {
            Ok(opened) => self.ask_once(opened, encode, &request(format), told).await,
            Err(_) => Err(unseen),
        }
    }

    async fn ask_once<Q: Sync>(
        &'static self,
        Opened { exchange, .. }: Opened,
        encode: Encoder<Q>,
        request: &Q,
        told: Option<&Told>,
    ) -> Result<R::Ok> {
        let results = self.results.of(exchange.format);
        let owner = self.names.caller(results.exception);
        let mut rx = Rx::new(exchange.incoming, results.decode, owner);
        let mut tx = Tx::new(exchange.outgoing, encode, owner);
        if let Err(error) = tx.send(request, true).await
            && !error.is_closed()
        {
            return Err(error);
        }
        // Of a call that is over already this is the outcome.
        let answer = rx.only().await?;
        let answer = answer.map_err(|error| self.names.name(error))?;
        if let Some(told) = told {
            _ = told.set((rx.header().await?, rx.trailer().await?));
        }
        Ok(answer)
    }

    /// Serves it with this function.
    pub fn handler<T, F>(&'static self, service: &Arc<T>, run: F) -> Method
    where
        T: Send + Sync + 'static,
        F: for<'a> Runs<'a, T, A::Values, Out = R> + Copy + Send + Sync + 'static,
        A::Values: Send + Sync + 'static,
        R: Send + Sync + 'static,
    {
        self.handler_with(service, Alone, run)
    }

    /// Serves it with this function, which is given the context like this.
    pub fn handler_with<T, P, F>(&'static self, service: &Arc<T>, passing: P, run: F) -> Method
    where
        T: Send + Sync + 'static,
        P: Passes<A::Values>,
        F: for<'a> Runs<'a, T, P::Arguments, Out = R> + Copy + Send + Sync + 'static,
        A::Values: Send + Sync + 'static,
        R: Send + Sync + 'static,
    {
        let service = Arc::clone(service);
        self.names.method(Mode::Unary, P::CONTEXT, move |exchange, context, around| {
            let service = Arc::clone(&service);
            Box::pin(async move {
                let results = self.results.of(exchange.format);
                let values = receive(&self.arguments, self.names, exchange.format, exchange.incoming).await?;
                if let Some(around) = around.filter(|around| !around.middlewares.unary.is_empty()) {
                    let (request, erase) = (self.arguments.wrap(values), results.erase);
                    let names = &self.names;
                    let handler =
                        Running { names, arguments: &self.arguments, service, passing, run, context, erase };
                    let answer = around.middlewares.unary(around.call.clone(), request, &handler).await;
                    let mut tx = Tx::new(exchange.outgoing, encode_bytes, Owner::Handler);
                    return tx.send(&(results.answer_any)(answer)?, true).await;
                }
                let mut tx = Tx::new(exchange.outgoing, results.encode, Owner::Handler);
                let outcome = run.run(&service, passing.pass(context, values)).await;
                tx.send(&(results.answer)(self.names.namespace(), outcome)?, true).await
            })
        })
    }
}

impl<T: Returned> Call<T> {
    /// Gives the header and the trailer beside the answer: of a unary method. A client-streaming one has them on its
    /// handles, and [`close_and_recv_with_metadata`](crate::client::ClientStream::close_and_recv_with_metadata); a oneway
    /// one has neither.
    pub fn with_metadata(self) -> Call<(T, Metadata, Metadata)> {
        self.and_metadata()
    }
}

/// A method without an answer.
pub struct Oneway<A: Arguments> {
    pub(super) names: Names,
    pub(super) arguments: A,
}

impl<A: Arguments> Oneway<A> {
    /// The method with these wire names and documentation.
    pub const fn new(names: Names, arguments: A) -> Self {
        Self { names, arguments }
    }

    /// Calls it: ready once the request is in the send buffer.
    pub fn call(&'static self, channel: &Channel, values: A::Values) -> Call<()>
    where
        A::Values: Send + Sync + 'static,
    {
        self.names.prepare(Mode::Oneway, channel, move |prepared| {
            Box::pin(async move {
                if prepared.has_unary_middleware() {
                    let request = self.arguments.wrap(values);
                    let answer = prepared.pass(request, |dial| Telling { method: self, dial }).await;
                    return answer.and_then(AnyMessage::take).map_err(|error| self.names.name(error));
                }
                let opened = prepared.open().await?;
                let request = (opened.exchange.format, &self.arguments, self.names.wire(), &values);
                self.tell(opened, encode, request).await
            })
        })
    }

    /// Sends the request over a call that is open.
    pub(super) async fn tell<Q: Sync>(
        &'static self,
        opened: Opened,
        encode: Encoder<Q>,
        request: Q,
    ) -> Result<()> {
        let mut tx = Tx::new(opened.exchange.outgoing, encode, self.names.caller(|_, error| error));
        tx.send(&request, true).await
    }

    /// Serves it with this function.
    pub fn handler<T, F>(&'static self, service: &Arc<T>, run: F) -> Method
    where
        T: Send + Sync + 'static,
        F: for<'a> Runs<'a, T, A::Values, Out = ()> + Copy + Send + Sync + 'static,
        A::Values: Send + Sync + 'static,
    {
        self.handler_with(service, Alone, run)
    }

    /// Serves it with this function, which is given the context like this.
    pub fn handler_with<T, P, F>(&'static self, service: &Arc<T>, passing: P, run: F) -> Method
    where
        T: Send + Sync + 'static,
        P: Passes<A::Values>,
        F: for<'a> Runs<'a, T, P::Arguments, Out = ()> + Copy + Send + Sync + 'static,
        A::Values: Send + Sync + 'static,
    {
        let service = Arc::clone(service);
        self.names.method(Mode::Oneway, P::CONTEXT, move |exchange, context, around| {
            let service = Arc::clone(&service);
            Box::pin(async move {
                let values = receive(&self.arguments, self.names, exchange.format, exchange.incoming).await?;
                if let Some(around) = around.filter(|around| !around.middlewares.unary.is_empty()) {
                    let request = self.arguments.wrap(values);
                    let (names, erase) = (&self.names, |_: &str, ()| Ok(AnyMessage::new(())));
                    let handler =
                        Running { names, arguments: &self.arguments, service, passing, run, context, erase };
                    let answer = around.middlewares.unary(around.call.clone(), request, &handler).await;
                    return answer.map(drop);
                }
                run.run(&service, passing.pass(context, values)).await;
                Ok(())
            })
        })
    }
}

/// What a unary call sends: in which format, the dictionaries of the arguments, the method for the text of a failure, the
/// values.
type Sent<'a, A> = (Format, &'static A, &'static str, &'a <A as Arguments>::Values);

fn encode<A: Arguments>((format, arguments, method, values): &Sent<'_, A>, out: &mut BytesMut) -> Result<()> {
    arguments.encode(*format, method, values, out)
}

/// The arguments of the call that a handler serves.
async fn receive<A: Arguments>(
    arguments: &A,
    names: Names,
    format: Format,
    incoming: Box<dyn Incoming>,
) -> Result<A::Values> {
    let mut rx = Rx::new(incoming, Ok, Owner::Handler);
    let Some(bytes) = rx.recv().await? else {
        return Err(Error::protocol("the caller ended the call without a request"));
    };
    arguments.decode(format, names.wire(), bytes)
}
