//! The seam between the typed half and the bytes half of the crate.
//!
//! Above it are messages and no sockets, below it bytes and no messages. One call is a pair of objects, one per
//! direction. A message costs one virtual call: it is encoded straight into the connection's send buffer, and
//! decoded from a slice of its receive buffer.

pub(crate) mod child;
pub(crate) mod context;
pub(crate) mod duration;
pub mod middleware;
pub(crate) mod peer;
pub(crate) mod placement;
pub(crate) mod recv_timeout;
pub(crate) mod router;

pub use context::{Context, Protocol};
pub use peer::PeerIdentity;
pub use placement::Placement;
pub use router::Service;

pub(crate) use crate::schema::Mode;

use std::fmt;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;

use self::middleware::Around;
use crate::counters::Counters;
use crate::{Error, Metadata, Result};

/// Which method is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MethodName {
    /// The namespace of the service; empty if it has none.
    pub namespace: &'static str,
    /// The wire name of the service.
    pub service: &'static str,
    /// The wire name of the method.
    pub method: &'static str,
}

/// What a client asks a channel for.
///
/// What travels: for a streaming mode every message is the bare struct; for `Unary` and `Oneway` the one request
/// is the struct of arguments and the one response the struct of results (field 0 the value, others the declared
/// exceptions), both without a message envelope. In protobuf an argument or a value that is one message goes bare, and
/// exceptions are the end of the call, as those of a stream.
#[derive(Clone, Debug)]
pub(crate) struct NewCall {
    /// The namespace of the service; empty if it has none.
    pub namespace: &'static str,
    /// The wire name of the service.
    pub service: &'static str,
    /// The wire name of the method.
    pub method: &'static str,
    /// How the method is called.
    pub mode: Mode,
    /// What travels before the first message, as it is on the wire.
    pub strings: Vec<(Box<str>, Box<str>)>,
    /// So do these, whose values may be no text; over gRPC alone.
    pub binary: Vec<(Box<str>, Bytes)>,
    /// The call whose handler makes this one, and whose end is its end.
    pub parent: Option<Context>,
    /// How long the call may take; the peer is told.
    pub timeout: Option<Duration>,
    /// Whether it waits for a connection while none can be made.
    pub wait_for_ready: bool,
}

/// Writes one message to the end of the buffer it is given; on failure the buffer is cut back.
pub(crate) type Encode<'a> = &'a mut dyn FnMut(&mut BytesMut) -> Result<()>;

/// The messages that leave.
///
/// Dropping does nothing: the typed handle decides whether it has to [`reset`](Self::reset).
pub trait Outgoing: Send + Sync {
    /// Waits for room in the byte budgets, and for the reader of a peer that says what it takes. Fails when the call is
    /// over, and when that reader takes nothing for too long.
    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<()>>;

    /// Writes one message now, whatever the budget, which may go negative. `last` says that no further message of
    /// this side follows: it saves a write, and [`finish`](Self::finish) need not be called.
    /// Fails with an `is_closed()` error when the call is over, with the failure of `encode`, or because the
    /// message is too large; in all three cases nothing of it is on the wire and the stream goes on.
    fn put(&mut self, encode: Encode<'_>, last: bool) -> Result<()>;

    /// Says that no further message follows. Nothing to do when the call is over or it was said before; never fails.
    /// On a server it does nothing: the end of the handler is the end of the call.
    fn finish(&mut self);

    /// Gives up the whole call: on a client the peer is told (a reset), and both directions fail with `error`.
    /// Nothing to do when the call is over.
    fn reset(&mut self, error: Error);
}

/// The messages that arrive.
///
/// Dropping does nothing: the typed handle decides whether it has to [`reset`](Self::reset).
pub trait Incoming: Send + Sync {
    /// The next message; `None` once the other side has finished, a failure once it has failed, both again on every
    /// later call. Messages that arrived before a failure come first.
    fn poll_message(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<Option<Bytes>>>;

    /// What the other side said before its first message, again on every later call: empty if the call ended well
    /// without it, the failure if it failed without it.
    fn poll_header(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<Metadata>>;

    /// What the other side said with its end, again on every later call, also when that was a failure; the failure if
    /// the call failed without it. Messages that were not read do not matter.
    fn poll_trailer(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<Metadata>>;

    /// As [`Outgoing::reset`].
    fn reset(&mut self, error: Error);

    /// Whether the call is over, so that giving it up needs no reset.
    fn is_over(&self) -> bool;
}

/// What the messages of a call are encoded in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "hidden: chosen by the transport, read by the handles")]
pub enum Format {
    /// Thrift binary.
    Thrift,
    /// Protobuf: of gRPC alone.
    Protobuf,
}

/// Both directions of one call.
#[allow(clippy::exhaustive_structs, reason = "hidden: made by the transport, taken apart by the handles")]
pub struct Exchange {
    /// What messages are encoded in, both ways.
    pub format: Format,
    /// What arrives.
    pub incoming: Box<dyn Incoming>,
    /// What leaves.
    pub outgoing: Box<dyn Outgoing>,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}

/// One method of a server. The future it returns is the handler: it is polled by the connection or in a task of its
/// own, and dropped when the caller is gone. When it ends the call ends: normally with `Ok`, or with the error.
pub trait Handler: Send + Sync + 'static {
    /// Starts the handler of one call.
    fn handle(&self, exchange: Exchange, context: Context) -> BoxFuture<'static, Result<()>>;

    /// As [`handle`](Self::handle), with middlewares around the messages. One that knows no messages has none.
    fn handle_around(
        &self,
        around: Arc<Around>,
        exchange: Exchange,
        context: Context,
    ) -> BoxFuture<'static, Result<()>> {
        drop(around);
        self.handle(exchange, context)
    }
}

/// A method as a server knows it.
#[derive(Clone)]
#[allow(clippy::exhaustive_structs, reason = "hidden: made by generated code of the same version")]
pub struct Method {
    /// The wire name.
    pub name: &'static str,
    /// How it is called.
    pub mode: Mode,
    /// Whether its functions take the context of the call, so that they can do something when the caller is gone.
    pub takes_context: bool,
    /// What is called.
    pub handler: Arc<dyn Handler>,
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Method").field("name", &self.name).field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// What carries the calls of a client.
pub(crate) trait Open: Send + Sync + 'static {
    /// Opens a call. Waits for a connection if there is none, never for the peer's answer.
    fn open(&self, call: NewCall) -> BoxFuture<'static, Result<Exchange>>;

    /// What the connections have done and hold.
    fn counters(&self) -> Counters;

    /// Opens no more calls, waits at most so long until those that run are over, and cuts off the rest. How many
    /// those were.
    fn shutdown(&self, timeout: Duration) -> BoxFuture<'static, usize>;
}
