//! A call that was made and is not open yet.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;

use super::Channel;
use super::deadline::Deadline;
use super::dial::{Dial, Opened};
use super::options::{Options, Told};
use crate::call::middleware::{Answer, AnyMessage, Middlewares, Opening, register};
use crate::call::{Context, MethodName, Mode};
use crate::{Metadata, Result};

/// What a method of a generated client returns: a future of the answer, or of the handle of a stream.
///
/// Nothing happens before its first poll. It never waits for the peer to accept a stream: a stream is ready when the
/// connection is, a server-streaming one when its request is in the send buffer.
///
/// One that its server has certainly not seen is made once more (gRPC's transparent retry): a unary call in every protocol, a
/// stream over gRPC, as long as nothing has come from the server and at most 64 KiB were sent, which are sent again.
///
/// # Options
///
/// Its methods set what is sent before the first message. They are for a call that was not polled yet, and do nothing
/// to another. A mistake, such as an empty key, is what awaiting the call returns.
///
/// ```
/// # #[derive(streamx::Message, Clone, Debug, Default)]
/// # struct Request { #[field(1)] message: String }
/// use streamx::{Result, client};
///
/// async fn as_user(call: client::Call<Request>, user: &str) -> Result<Request> {
///     call.persistent("user", user).transient("attempt", "1").await
/// }
/// ```
///
/// A call that is made in a handler takes over what the handler was called with: the persistent metainfo, and the time
/// that is left of its [`deadline`](Context::deadline). It does so
/// when the client's method is called, in the handler's own future; a future given to `tokio::spawn` is none of its own,
/// and there [`context`](Self::context) says whose call it is.
///
/// # Dropping
///
/// Before it is ready this cancels the call at once, and the handler sees it. A streamx server is told. Others have no
/// word for it in unary Thrift: the connection is closed, or, where it is shared with other calls all the same
/// ([`Pool::mux`](super::Pool::mux)), the handler runs to its end, and its answer is dropped when it comes.
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<T>(State<T>);

enum State<T> {
    New(Prepared, Start<T>),
    Running(BoxFuture<'static, Result<T>>),
    /// It was ready, and never is again.
    Done,
}

/// Opens a call and makes of it what awaiting it gives.
type Start<T> = Box<dyn FnOnce(Prepared) -> BoxFuture<'static, Result<T>> + Send>;

/// All that a call is before it is opened.
pub(crate) struct Prepared {
    pub(crate) channel: Channel,
    pub(crate) name: &'static MethodName,
    pub(crate) mode: Mode,
    pub(crate) options: Options,
}

impl Prepared {
    /// Opens the call. What fails names the method.
    pub(crate) async fn open(self) -> Result<Opened> {
        let (&MethodName { service, method, .. }, mode) = (self.name, self.mode);
        let opened = match self.dial() {
            Ok((dial, call)) if mode.is_streaming() => dial.stream(call).await,
            Ok((dial, call)) => dial.open(call).await,
            Err(mistake) => Err(mistake),
        };
        opened.map_err(|error| error.in_method(service, method))
    }

    /// Whether a unary call goes by [`pass`](Self::pass).
    pub(crate) fn has_unary_middleware(&self) -> bool {
        !self.channel.middlewares().unary.is_empty()
    }

    /// Passes a unary call through its middlewares to the end that is made for it.
    pub(crate) async fn pass<E: Answer>(
        self,
        request: AnyMessage<'static>,
        end: impl FnOnce(Dial) -> E,
    ) -> Result<AnyMessage<'static>> {
        let middlewares = Arc::clone(self.channel.middlewares());
        let (dial, call) = self.dial()?;
        let deadline = dial.deadline();
        let end = end(dial);
        let passed = middlewares.unary(call, request, &end);
        match deadline {
            Some(deadline) => deadline.bound(passed).await,
            None => passed.await,
        }
    }

    /// What the call begins with, and who opens it.
    pub(crate) fn dial(self) -> Result<(Dial, Opening)> {
        let Self { channel, name, mode, options } = self;
        let times = options.times(channel.times());
        let deadline = options.deadline(times.timeout, mode);
        let call = options.opening(name, mode, deadline.map(Deadline::at))?;
        Ok((Dial::new(channel, times, deadline), call))
    }

    /// Who wants to be told the header and the trailer.
    pub(crate) fn told(&mut self) -> Option<Told> {
        self.options.told()
    }
}

/// Middlewares of one call are inside those of its channel.
impl<T> Call<T> {
    register!();

    fn middlewares(mut self, add: impl FnOnce(&mut Middlewares)) -> Self {
        if let State::New(prepared, _) = &mut self.0 {
            add(prepared.channel.middlewares_mut());
        }
        self
    }
}

impl<T> Call<T> {
    pub(crate) fn new(
        prepared: Prepared,
        start: impl FnOnce(Prepared) -> BoxFuture<'static, Result<T>> + Send + 'static,
    ) -> Self {
        Self(State::New(prepared, Box::new(start)))
    }

    /// Sends a value with the call that travels the whole chain of calls behind it (Kitex:
    /// `metainfo.WithPersistentValue`). The server reads it with [`Context::persistent`].
    ///
    /// The last value of a key counts, also before one that is inherited. An empty value is not sent, and so ends an
    /// inherited one.
    pub fn persistent(self, key: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.with(|options| options.persistent(key.as_ref(), value.as_ref()))
    }

    /// Sends a value with the call that travels one hop (Kitex: `metainfo.WithValue`). The server reads it with
    /// [`Context::transient`].
    ///
    /// The last value of a key counts; an empty one is not sent.
    pub fn transient(self, key: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.with(|options| options.transient(key.as_ref(), value.as_ref()))
    }

    /// Sends a pair with the call whose key is the one on the wire. A streamx server reads it with
    /// [`Context::metadata`], a Kitex server in a header handler.
    ///
    /// The last value of a key counts; an empty one is not sent. Over gRPC keys are in lower case, and the text of one that
    /// ends in `-bin` travels in base64.
    pub fn metadata(self, key: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.with(|options| options.metadata(key.as_ref(), value.as_ref()))
    }

    /// As [`metadata`](Self::metadata), with a value that may be any bytes, under a key that ends in `-bin`; a server
    /// reads it with [`Metadata::get_bin`]. They travel over gRPC alone. Over any other protocol, whose values are taken
    /// for text, the call fails: send a text there, as base64, or put them into a message.
    pub fn metadata_bin(self, key: impl AsRef<str>, value: impl Into<Bytes>) -> Self {
        let value = value.into();
        self.with(|options| options.metadata_bin(key.as_ref(), value))
    }

    /// How long the whole call may take, from its first poll on: connecting, sending, and all that is received. The
    /// server is told, and reads it with [`Context::deadline`].
    ///
    /// When the time is over before the call is, the call is reset, also when nobody polls it, and everything that is
    /// pending or done with it from then on fails with an error that [`is_timeout`](crate::Error::is_timeout) (Kitex code
    /// 12015); messages that were not taken yet are dropped.
    ///
    /// The default is that of [`ChannelBuilder::timeout`](super::ChannelBuilder::timeout), and [`Duration::MAX`] lifts it. A
    /// call that is made in a handler never takes longer than the handler's caller waits. The handler of a unary call over
    /// `ttheader://` is ended by a streamx server at that moment too.
    ///
    /// Kitex v0.16.3 does not tell its servers about the deadlines of streams; they learn of one when it has passed.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|options| options.timeout(timeout))
    }

    /// How long each `recv` of a stream may wait, also the one inside `close_and_recv`. It does nothing to a unary call.
    ///
    /// When the time is over `recv` fails with an error that [`is_timeout`](crate::Error::is_timeout) (Kitex code 12014),
    /// and the call is reset; see [`keep_open`](Self::keep_open). The time runs from the first `recv` that finds no message,
    /// and anew after each message: a future of `recv` that is dropped, as `tokio::select!` does, does not stop it.
    ///
    /// The default is that of [`ChannelBuilder::recv_timeout`](super::ChannelBuilder::recv_timeout), and [`Duration::MAX`]
    /// lifts it.
    pub fn recv_timeout(self, timeout: Duration) -> Self {
        self.with(|options| options.recv_timeout(timeout))
    }

    /// Whether a stream goes on after a [`recv_timeout`](Self::recv_timeout): nothing is sent, the error
    /// [`is_retryable`](crate::Error::is_retryable), and `recv` may be called again (Kitex: `DisableCancelRemote`). The
    /// default is that of [`ChannelBuilder::keep_open`](super::ChannelBuilder::keep_open), which is false.
    pub fn keep_open(self, keep_open: bool) -> Self {
        self.with(|options| options.keep_open(keep_open))
    }

    /// Whether the call waits while no connection can be made, in place of failing: it dials, with pauses of 1 s to
    /// 2 min while that fails, until it succeeds or the [`timeout`](Self::timeout) of the call has passed. The word is
    /// that of gRPC.
    ///
    /// It waits for a connection only. What fails on a connection fails the call. The default is that of
    /// [`ChannelBuilder::wait_for_ready`](super::ChannelBuilder::wait_for_ready), else false.
    pub fn wait_for_ready(self, wait: bool) -> Self {
        self.with(|options| options.wait_for_ready(wait))
    }

    /// Makes this a call of the handler with that context, wherever it is made: it takes over its persistent metainfo and
    /// the time that is left.
    pub fn context(self, context: &Context) -> Self {
        self.with(|options| options.inherit(Some(context.clone())))
    }

    /// Makes this a call of no handler: it takes over nothing.
    pub fn detached(self) -> Self {
        self.with(|options| options.inherit(None))
    }

    fn with(mut self, set: impl FnOnce(&mut Options)) -> Self {
        if let State::New(prepared, _) = &mut self.0 {
            set(&mut prepared.options);
        }
        self
    }
}

impl<T: Send + 'static> Call<T> {
    /// Asks for the header and the trailer too, of those that tell them.
    pub(crate) fn and_metadata(self) -> Call<(T, Metadata, Metadata)> {
        Call(match self.0 {
            State::New(mut prepared, start) => {
                let told = prepared.options.tell();
                let start = move |prepared| with_metadata(start(prepared), told);
                State::New(prepared, Box::new(start))
            }
            State::Running(future) => State::Running(with_metadata(future, Told::default())),
            State::Done => State::Done,
        })
    }
}

fn with_metadata<T: Send + 'static>(
    future: BoxFuture<'static, Result<T>>,
    told: Told,
) -> BoxFuture<'static, Result<(T, Metadata, Metadata)>> {
    Box::pin(async move {
        let value = future.await?;
        let (header, trailer) = told.get().cloned().unwrap_or_default();
        Ok((value, header, trailer))
    })
}

impl<T> Future for Call<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Result<T>> {
        let mut future = match std::mem::replace(&mut self.0, State::Done) {
            State::New(prepared, start) => start(prepared),
            State::Running(future) => future,
            State::Done => return Poll::Pending,
        };
        let polled = future.as_mut().poll(cx);
        if polled.is_pending() {
            self.0 = State::Running(future);
        }
        polled
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}
