//! Unary calls behind middlewares: the request and the answer have no type on their way.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;

use super::names::Names;
use super::outcome::Erase;
use super::{Arguments, Oneway, Outcome, Passes, Runs, Unary};
use crate::Result;
use crate::call::middleware::{self, AnyMessage, Opening};
use crate::call::{Context, Format};
use crate::client::{Dial, Told};

/// A unary call that a client makes.
pub(super) struct Asking<A: Arguments, R: Outcome + 'static> {
    pub(super) method: &'static Unary<A, R>,
    pub(super) dial: Dial,
    pub(super) told: Option<Told>,
}

impl<A: Arguments, R: Outcome> middleware::Answer for Asking<A, R>
where
    R::Ok: Send,
{
    fn answer<'a>(
        &'a self,
        call: Opening,
        request: AnyMessage<'a>,
    ) -> BoxFuture<'a, Result<AnyMessage<'static>>> {
        let Self { method, dial, told } = self;
        Box::pin(async move {
            let request = |format| (format, &method.arguments, method.names.wire(), &request);
            let value = method.ask(dial, call, encode, request, told.as_ref()).await?;
            Ok((method.results.wrap)(value))
        })
    }
}

/// A oneway call that a client makes.
pub(super) struct Telling<A: Arguments> {
    pub(super) method: &'static Oneway<A>,
    pub(super) dial: Dial,
}

impl<A: Arguments> middleware::Answer for Telling<A> {
    fn answer<'a>(
        &'a self,
        call: Opening,
        request: AnyMessage<'a>,
    ) -> BoxFuture<'a, Result<AnyMessage<'static>>> {
        let Self { method, dial } = self;
        Box::pin(async move {
            let opened = dial.open(call).await?;
            let request = (opened.exchange.format, &method.arguments, method.names.wire(), &request);
            method.tell(opened, encode, request).await?;
            Ok(AnyMessage::new(()))
        })
    }
}

/// What both send; see `Sent` of a call without middlewares.
type SentAny<'a, A> = (Format, &'static A, &'static str, &'a AnyMessage<'a>);

fn encode<A: Arguments>(
    (format, arguments, method, request): &SentAny<'_, A>,
    out: &mut BytesMut,
) -> Result<()> {
    arguments.encode_any(*format, method, request, out)
}

/// A unary or oneway call that a handler serves.
pub(super) struct Running<A: 'static, T, P, F, R> {
    pub(super) names: &'static Names,
    pub(super) arguments: &'static A,
    pub(super) service: Arc<T>,
    pub(super) passing: P,
    pub(super) run: F,
    pub(super) context: Context,
    pub(super) erase: Erase<R>,
}

impl<A, T, P, F, R> middleware::Answer for Running<A, T, P, F, R>
where
    A: Arguments,
    A::Values: Send,
    T: Send + Sync,
    P: Passes<A::Values>,
    F: for<'a> Runs<'a, T, P::Arguments, Out = R> + Send + Sync,
{
    fn answer<'a>(
        &'a self,
        call: Opening,
        request: AnyMessage<'a>,
    ) -> BoxFuture<'a, Result<AnyMessage<'static>>> {
        let Self { names, arguments, service, passing, run, context, erase } = self;
        Box::pin(async move {
            let values = arguments.take(request)?;
            let context = context.reopened(&call);
            let arguments = passing.pass(context.clone(), values);
            erase(names.namespace(), context.within(run.run(service, arguments)).await)
        })
    }
}

/// An answer that is encoded.
pub(super) fn encode_bytes(answer: &Bytes, out: &mut BytesMut) -> Result<()> {
    out.extend_from_slice(answer);
    Ok(())
}
