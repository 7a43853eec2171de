//! The caller of a handler, played by a test.

use std::any::Any;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::call::Call;
use crate::call::context::Facts;
use crate::call::duration::go;
use crate::call::peer::Peer;
use crate::call::{Context, Protocol};
use crate::metadata::Value;
use crate::stream::method::{Codec, IsBidi, IsSender, IsStreaming};
use crate::{Bidi, Code, Error, Lends, Message, Metadata, Payload, Result, Sender, Side, Streaming, codec};

/// The caller of a handler under test: it sends `Req`, receives `Res`, and is gone when the test says so.
///
/// [`bidi`], [`client_stream`] and [`server_stream`] make one with the handle that the handler takes, [`unary`] one
/// without. The handler is called as the function it is:
///
/// ```
/// # use streamx::{Bidi, Context, Message, Result};
/// # #[derive(Message, Clone, Debug, Default, PartialEq)]
/// # struct Line { #[field(1)] text: String }
/// # #[streamx::service]
/// # trait Chat {
/// #     #[bidi]
/// #     async fn talk(&self, ctx: Context, lines: Bidi<Line, Line>) -> Result<()>;
/// # }
/// # struct Room;
/// # impl Chat for Room {
/// #     async fn talk(&self, ctx: Context, mut lines: Bidi<Line, Line>) -> Result<()> {
/// #         let user = ctx.persistent("user").unwrap_or("somebody");
/// #         while let Some(line) = lines.recv().await? {
/// #             lines.send(Line { text: format!("{user}: {}", line.text) }).await?;
/// #         }
/// #         Ok(())
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// use streamx::testing;
///
/// let (lines, mut caller) = testing::bidi::<Line, Line>();
/// let ctx = caller.persistent("user", "Ada").context();
/// caller.send(Line { text: "hello".into() });
/// caller.close_send();
///
/// Room.talk(ctx, lines).await?;
/// assert_eq!(caller.received(), [Line { text: "Ada: hello".into() }]);
/// # Ok(())
/// # }
/// ```
///
/// Nothing is bounded, so the test may send everything before the handler runs; or it goes along with the handler, in
/// `tokio::join!` or beside a task. Messages are encoded and decoded as on a connection. What the handler returns is what
/// its future gives, a panic is a panic of the test.
///
/// Unlike a server nothing here drops the handler of a caller that is gone: the test does, or awaits how it ends.
///
/// # Dropping
///
/// Cancels the call, as dropping a handle of a client does.
pub struct Caller<Req = (), Res = ()> {
    call: Arc<Call>,
    service: &'static str,
    method: &'static str,
    deadline: Option<Instant>,
    persistent: Metadata,
    transient: Metadata,
    metadata: Metadata,
    messages: PhantomData<fn(Req) -> Res>,
}

/// The handle of a `#[bidi]` method and its caller.
pub fn bidi<Req: Message + Any + Send + Sync, Res: Message + Any + Send + Sync>()
-> (Bidi<Req, Res>, Caller<Req, Res>) {
    let caller = Caller::new();
    (IsBidi::over(caller.call.exchange(), (form(), form()), None), caller)
}

/// The handle of a `#[client_stream]` method and its caller. The answer is what the method returns.
pub fn client_stream<Req: Message + Any + Send + Sync>() -> (Streaming<Req>, Caller<Req>) {
    let caller = Caller::new();
    (IsStreaming::over(caller.call.exchange().incoming, form(), None), caller)
}

/// The handle of a `#[server_stream]` method and its caller. The request is an argument of the method.
pub fn server_stream<Res: Message + Any + Send + Sync>() -> (Sender<Res>, Caller<(), Res>) {
    let caller = Caller::new();
    (IsSender::over(caller.call.exchange().outgoing, form(), None), caller)
}

fn form<T: Message + Any + Send + Sync>() -> Codec<T> {
    Codec::new(codec::encode, codec::decode)
}

/// The caller of a unary method that takes a [`Context`].
pub fn unary() -> Caller {
    Caller::new()
}

impl<Req, Res> Caller<Req, Res> {
    fn new() -> Self {
        Self {
            call: Arc::default(),
            service: "Service",
            method: "Method",
            deadline: None,
            persistent: Metadata::default(),
            transient: Metadata::default(),
            metadata: Metadata::default(),
            messages: PhantomData,
        }
    }

    /// The context of the call, with what was set on the caller before.
    pub fn context(&self) -> Context {
        self.call.context(Facts {
            namespace: "",
            service: self.service,
            method: self.method,
            protocol: Protocol::TTHeaderStreaming,
            peer: Peer::default(),
            deadline: self.deadline.map(Instant::into_std),
            persistent: self.persistent.clone(),
            transient: self.transient.clone(),
            metadata: self.metadata.clone(),
        })
    }

    /// What [`Context::service`] and [`Context::method`] say.
    pub fn calls(&mut self, service: &'static str, method: &'static str) -> &mut Self {
        (self.service, self.method) = (service, method);
        self
    }

    /// A value for [`Context::persistent`].
    pub fn persistent(&mut self, key: &str, value: &str) -> &mut Self {
        self.persistent.set(key, value);
        self
    }

    /// A value for [`Context::transient`].
    pub fn transient(&mut self, key: &str, value: &str) -> &mut Self {
        self.transient.set(key, value);
        self
    }

    /// A pair for [`Context::metadata`].
    pub fn metadata(&mut self, key: &str, value: &str) -> &mut Self {
        self.metadata.set(key, value);
        self
    }

    /// A pair for [`Context::metadata`] whose value is bytes.
    pub fn metadata_bin(&mut self, key: &str, value: impl Into<Bytes>) -> &mut Self {
        self.metadata.set(key, Value::Bytes(value.into()));
        self
    }

    /// How long the caller waits, from now on: it is what [`Context::deadline`] says, and inside a tokio runtime the call
    /// ends then, by tokio's clock.
    pub fn timeout(&mut self, timeout: Duration) -> &mut Self {
        let Some(deadline) = Instant::now().checked_add(timeout) else { return self };
        self.deadline = Some(deadline);
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(expire(Arc::downgrade(&self.call), deadline, timeout));
        }
        self
    }

    /// Runs a handler as a server does: the calls that it makes are calls of this one, and its return is the end of the
    /// call, for them and for every clone of the context. A handler that makes no calls can be awaited as it is.
    pub fn run<T>(&self, handler: impl Future<Output = T>) -> impl Future<Output = T> {
        let (call, mut context) = (Arc::clone(&self.call), Some(self.context()));
        async move {
            let mut handler = pin!(handler);
            let polled = poll_fn(|cx| Context::enter(&mut context, || handler.as_mut().poll(cx)));
            let returned = polled.await;
            call.returned();
            returned
        }
    }

    /// Gives up the call for this reason: `recv` and `send` of the handler fail with it, requests that it has not taken
    /// are dropped, and [`Context::cancelled`] is ready.
    pub fn cancel(&mut self, reason: impl Into<String>) {
        self.call.abandon(&reset(reason.into(), 12007));
    }

    /// Loses the connection of the call; as [`cancel`](Self::cancel), with the error that a handler gets then.
    pub fn disconnect(&mut self) {
        let text = "the call was cancelled because its connection ended: the client closed the connection";
        self.call.abandon(&reset(text.to_owned(), 12013));
    }

    /// Whether the caller has stopped reading: then a `send` of the handler waits.
    pub fn stop_reading(&mut self, stop: bool) {
        self.call.stop_reading(stop);
    }

    /// What the handler has set as its header so far.
    pub fn header(&self) -> Metadata {
        self.call.header()
    }

    /// Whether the header of a stream has left: with the first message, or with `send_header`. What is set later does
    /// not arrive, and `set_header` says so.
    pub fn has_header(&self) -> bool {
        self.call.has_header()
    }

    /// What the handler has set as its trailer so far.
    pub fn trailer(&self) -> Metadata {
        self.call.trailer()
    }
}

impl<Req: Message, Res> Caller<Req, Res> {
    /// Sends a request: a `Req`, a `&Req` or an `Arc<Req>`. It is there at once.
    ///
    /// # Panics
    ///
    /// If nothing can follow, after `close_send`, `fail` or `cancel`, or the message cannot be encoded.
    pub fn send<M: Payload<Req>>(&mut self, request: M) {
        let mut bytes = BytesMut::new();
        if let Err(error) = codec::encode(request.hold().lend(), &mut bytes) {
            panic!("the request cannot be sent: {error}");
        }
        self.call.request(bytes.freeze());
    }

    /// Sends bytes that are no message: the `recv` of the handler that comes to them fails.
    pub fn send_garbage(&mut self) {
        self.call.request(Bytes::from_static(b"\xff"));
    }

    /// Says that no more comes: behind what was sent, `recv` of the handler gives `None`.
    pub fn close_send(&mut self) {
        self.call.end_requests(Ok(()));
    }

    /// Ends what is sent with a failure: behind what was sent, `recv` of the handler fails with it. The handler can still
    /// send.
    pub fn fail(&mut self, error: Error) {
        self.call.end_requests(Err(error));
    }
}

impl<Req, Res: Message> Caller<Req, Res> {
    /// The next message that the handler sends; `None` once there is no other one and the handler has dropped its handle.
    ///
    /// # Panics
    ///
    /// If the message does not decode, which can only be a mistake of a hand-written [`Message`].
    pub async fn recv(&mut self) -> Option<Res> {
        poll_fn(|cx| self.call.poll_response(cx)).await.map(decode)
    }

    /// What the handler has sent and `recv` has not taken, without waiting.
    ///
    /// # Panics
    ///
    /// As [`recv`](Self::recv).
    pub fn received(&mut self) -> Vec<Res> {
        self.call.take_responses().into_iter().map(decode).collect()
    }
}

impl<Req, Res> Drop for Caller<Req, Res> {
    fn drop(&mut self) {
        self.cancel("the caller gave up the call: it dropped a handle before the end");
    }
}

fn decode<T: Message>(bytes: Bytes) -> T {
    let decoded: Result<T> = codec::decode(bytes);
    decoded.unwrap_or_else(|error| panic!("what the handler has sent does not decode: {error}"))
}

/// A reset as it arrives at a handler.
fn reset(text: String, kitex_code: i32) -> Error {
    Error::new(Code::Cancelled, text).with_kitex_code(kitex_code).with_side(Side::Client)
}

async fn expire(call: Weak<Call>, deadline: Instant, timeout: Duration) {
    tokio::time::sleep_until(deadline).await;
    if let Some(call) = call.upgrade() {
        call.abandon(&reset(format!("stream timeout, timeout in ctx: {}", go(timeout)), 12015));
    }
}

impl<Req, Res> fmt::Debug for Caller<Req, Res> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("service", &self.service)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
