//! A method of one request, with one answer or none.

use std::convert::identity;
use std::sync::Arc;

use super::names::Names;
use super::{Alone, Answer, Arguments, Outcome, Passes, Results, Returned, Runs};
use crate::call::{Method, Mode};
use crate::client::{Call, Channel};
use crate::stream::half::{Owner, Rx, Tx};
use crate::{Error, Metadata};

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
        self.names.open(Mode::Unary, channel, async move |exchange, told| {
            let mut rx = Rx::new(exchange.incoming, self.results.decode, self.names.caller(identity));
            let mut tx = Tx::new(exchange.outgoing, encode, self.names.caller(identity));
            tx.send(&(&self.arguments, self.names.method, values), true).await?;
            let answer = rx.only().await?;
            let answer = answer.map_err(|error| error.in_method(self.names.service, self.names.method))?;
            if let Some(told) = told {
                _ = told.set((rx.header().await?, rx.trailer().await?));
            }
            Ok(answer)
        })
    }

    /// Serves it with this function.
    pub fn handler<T, F>(&'static self, service: &Arc<T>, run: F) -> Method
    where
        T: Send + Sync + 'static,
        F: for<'a> Runs<'a, T, A::Values, Out = R> + Copy + Send + Sync + 'static,
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
        R: Send + Sync + 'static,
    {
        let service = Arc::clone(service);
        self.names.method(Mode::Unary, P::CONTEXT, move |exchange, context| {
            let service = Arc::clone(&service);
            Box::pin(async move {
                let mut tx = Tx::new(exchange.outgoing, self.results.encode, Owner::Handler);
                let mut rx = Rx::new(exchange.incoming, Ok, Owner::Handler);
                let Some(bytes) = rx.recv().await? else { return Err(no_request()) };
                let values = self.arguments.decode(self.names.method, &bytes)?;
                drop(bytes);
                let outcome = run.run(&service, passing.pass(context, values)).await;
                tx.send(&(self.results.answer)(outcome)?, true).await
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
        self.names.open(Mode::Oneway, channel, async move |exchange, _| {
            let mut tx = Tx::new(exchange.outgoing, encode, self.names.caller(identity));
            tx.send(&(&self.arguments, self.names.method, values), true).await
        })
    }

    /// Serves it with this function.
    pub fn handler<T, F>(&'static self, service: &Arc<T>, run: F) -> Method
    where
        T: Send + Sync + 'static,
        F: for<'a> Runs<'a, T, A::Values, Out = ()> + Copy + Send + Sync + 'static,
    {
        self.handler_with(service, Alone, run)
    }

    /// Serves it with this function, which is given the context like this.
    pub fn handler_with<T, P, F>(&'static self, service: &Arc<T>, passing: P, run: F) -> Method
    where
        T: Send + Sync + 'static,
        P: Passes<A::Values>,
        F: for<'a> Runs<'a, T, P::Arguments, Out = ()> + Copy + Send + Sync + 'static,
    {
        let service = Arc::clone(service);
        self.names.method(Mode::Oneway, P::CONTEXT, move |exchange, context| {
            let service = Arc::clone(&service);
            Box::pin(async move {
                let mut rx = Rx::new(exchange.incoming, Ok, Owner::Handler);
                let Some(bytes) = rx.recv().await? else { return Err(no_request()) };
                let values = self.arguments.decode(self.names.method, &bytes)?;
                drop(bytes);
                run.run(&service, passing.pass(context, values)).await;
                Ok(())
            })
        })
    }
}

/// What a unary call sends: the dictionaries of the arguments, the method for the text of a failure, the values.
type Sent<A> = (&'static A, &'static str, <A as Arguments>::Values);

fn encode<A: Arguments>(
    (arguments, method, values): &Sent<A>,
    out: &mut bytes::BytesMut,
) -> crate::Result<()> {
    arguments.encode(method, values, out)
}

fn no_request() -> Error {
    Error::protocol("the caller ended the call without a request")
}
