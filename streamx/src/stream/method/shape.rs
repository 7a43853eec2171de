//! The handles of a method, and what the other side holds.

use std::sync::Arc;

use super::Outcome;
use crate::call::middleware::Around;
use crate::call::{Exchange, Incoming, Outgoing};
use crate::client;
use crate::codec::{Message, Value};
use crate::schema::Type;
use crate::stream::half::{Codec, Codecs, Owner, Rx, Tx};
use crate::stream::{Bidi, Sender, Streaming};

/// A message on its own: how it is written and read, and its type.
pub struct Whole<T> {
    pub(in crate::stream) codecs: Codecs<T>,
    pub(super) schema: fn() -> Type,
}

impl<T: Message> Whole<T> {
    pub(super) const NEW: Self = Self { codecs: Codecs::NEW, schema: <T as Value>::schema };
}

/// A message of one direction.
pub const fn whole<T: Message>() -> Whole<T> {
    Whole::NEW
}

/// The messages of both directions.
pub const fn bidi<In: Message, Out: Message>() -> (Whole<In>, Whole<Out>) {
    (Whole::NEW, Whole::NEW)
}

/// The handle of a `#[client_stream]` method.
#[diagnostic::on_unimplemented(
    message = "`#[client_stream]` takes a `Streaming<_>`, not a `{Self}`",
    label = "write `(&self, stream: Streaming<Request>) -> Result<Response>`"
)]
pub trait IsStreaming: Sized {
    /// The message.
    type In;

    /// The handle over one direction of a call.
    fn over(incoming: Box<dyn Incoming>, form: Codec<Self::In>, around: Option<Arc<Around>>) -> Self;
}

impl<T> IsStreaming for Streaming<T> {
    type In = T;

    fn over(incoming: Box<dyn Incoming>, form: Codec<T>, around: Option<Arc<Around>>) -> Self {
        Self::new(Rx::around(around, incoming, form, Owner::Handler))
    }
}

/// The handle of a `#[server_stream]` method.
#[diagnostic::on_unimplemented(
    message = "`#[server_stream]` takes a `Sender<_>`, not a `{Self}`",
    label = "write `(&self, request: Request, stream: Sender<Response>) -> Result<()>`"
)]
pub trait IsSender: Sized {
    /// The message.
    type Out;

    /// The handle over one direction of a call.
    fn over(outgoing: Box<dyn Outgoing>, form: Codec<Self::Out>, around: Option<Arc<Around>>) -> Self;
}

impl<T> IsSender for Sender<T> {
    type Out = T;

    fn over(outgoing: Box<dyn Outgoing>, form: Codec<T>, around: Option<Arc<Around>>) -> Self {
        Self::new(Tx::around(around, outgoing, form, Owner::Handler))
    }
}

/// The handle of a `#[bidi]` method.
#[diagnostic::on_unimplemented(
    message = "`#[bidi]` takes a `Bidi<_, _>`, not a `{Self}`",
    label = "write `(&self, stream: Bidi<Request, Response>) -> Result<()>`"
)]
pub trait IsBidi: Sized {
    /// The message that arrives.
    type In;
    /// The message that leaves.
    type Out;

    /// The handle over both directions of a call.
    fn over(
        exchange: Exchange,
        forms: (Codec<Self::In>, Codec<Self::Out>),
        around: Option<Arc<Around>>,
    ) -> Self;
}

impl<In, Out> IsBidi for Bidi<In, Out> {
    type In = In;
    type Out = Out;

    fn over(
        exchange: Exchange,
        (requests, responses): (Codec<In>, Codec<Out>),
        around: Option<Arc<Around>>,
    ) -> Self {
        let tx = Tx::around(around.clone(), exchange.outgoing, responses, Owner::Handler);
        Self::new(tx, Rx::around(around, exchange.incoming, requests, Owner::Handler))
    }
}

/// What the caller of a `#[client_stream]` method holds.
pub type FarStreaming<H, R> = client::ClientStream<<H as IsStreaming>::In, <R as Outcome>::Ok>;

/// What the caller of a `#[server_stream]` method holds.
pub type FarSender<H> = client::Streaming<<H as IsSender>::Out>;

/// What the caller of a `#[bidi]` method holds.
pub type FarBidi<H> = client::Bidi<<H as IsBidi>::In, <H as IsBidi>::Out>;
