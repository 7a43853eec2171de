//! What carries the calls of a client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use super::connections::{Connections, Settings};
use super::endpoint::{Endpoint, Memory};
use super::options::Times;
use super::pool::Pool;
use crate::call::middleware::{Middlewares, register};
use crate::call::router::Router;
use crate::call::{Exchange, NewCall, Open, Service};
use crate::counters::Counters;
#[cfg(feature = "tls")]
use crate::tls::{self, Replaceable};
#[cfg(feature = "grpc")]
use crate::transport::Compression;
use crate::transport::{Connect, Socket};
use crate::{Code, Error, Limits, Result};

/// Connections to one address. Cheap to clone; all clones share the connections.
///
/// The `connect` of a generated client makes one. With a channel of its own a client takes options, and several clients
/// share the connections:
///
/// ```
/// # #[derive(streamx::Message, Clone, Debug, Default)]
/// # struct Line { #[field(1)] text: String }
/// # #[streamx::service]
/// # trait Echo { async fn echo(&self, line: Line) -> streamx::Result<Line>; }
/// # fn main() -> streamx::Result<()> {
/// use streamx::{Channel, Limits};
///
/// let limits = Limits::default().max_message_size(1 << 20);
/// let channel = Channel::builder("ttheader://127.0.0.1:8888").limits(limits).connect_lazy()?;
/// let client = EchoClient::new(channel.clone());
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
///
/// All streams go over one connection, until it carries `max_streams` of them. A unary call goes over a connection of
/// its own, which the next call uses again; with a TTHeader unary calls share one connection too, as soon as the
/// server has shown that it is a streamx server (a Kitex server answers the calls of one connection one by one). A
/// [`Pool`] changes that.
///
/// A connection that is lost ends its calls with an error, and where streams share it a new one is made, with pauses of
/// 1 s to 2 min while that fails. A call that finds no connection dials at once. Dialing takes at most 3 s, or
/// [`connect_timeout`](ChannelBuilder::connect_timeout); when it fails the call fails, and the next one dials again.
///
/// The page [`connections`](crate::guide::connections) of the guide says more.
///
/// # Dropping
///
/// The connections close when the last clone, the last client and the last handle of a stream are dropped. To let
/// running calls end first and know when they have, there is [`shutdown`](Self::shutdown).
#[derive(Clone)]
pub struct Channel {
    connections: Arc<dyn Open>,
    times: Times,
    middlewares: Arc<Middlewares>,
}

/// Sets up a [`Channel`]. Does nothing before `connect` or the first call after `connect_lazy`.
#[derive(Debug)]
pub struct ChannelBuilder {
    to: To,
    settings: Settings,
    times: Times,
    middlewares: Middlewares,
    /// Set if and only if the URL asks for TLS.
    tls: Option<Arc<dyn Connect>>,
}

impl Channel {
    /// Connects to `ttheader://host:port`, `grpc://host:port` or `grpc+thrift://host:port`; to `framed://host:port`,
    /// `buffered://host:port`, `ttheader+unframed://host:port`, `framed+nonstrict://host:port` or
    /// `buffered+nonstrict://host:port` for unary calls only ([`guide::unary`](crate::guide::unary)); or to a socket,
    /// `ttheader://unix:/path`.
    /// With TLS these are `ttheader+tls://` and so on, which need `ChannelBuilder::tls` (feature `tls`).
    ///
    /// # Errors
    ///
    /// The URL is none of these, or nobody listens there.
    pub async fn connect(url: impl AsRef<str>) -> Result<Self> {
        Self::builder(url).connect().await
    }

    /// A channel with other than the default options.
    pub fn builder(url: impl AsRef<str>) -> ChannelBuilder {
        ChannelBuilder::to(To::Url(url.as_ref().to_owned()))
    }

    /// A channel to a service in this process, without a network and through the same code: an in-memory connection,
    /// both connection tasks, and the codec.
    ///
    /// Calls need a tokio runtime, as over a network. For options of either side there is
    /// [`ServerBuilder::in_process`](crate::server::ServerBuilder::in_process).
    ///
    /// # Panics
    ///
    /// If two methods of the service have one wire name, which only `#[cfg]` can bring about.
    pub fn in_process(service: impl Into<Service>) -> Self {
        let mut router = Router::default();
        if let Err(error) = router.add(service.into()) {
            panic!("{error}");
        }
        let server = Memory {
            router: Arc::new(router),
            limits: Arc::default(),
            meter: Arc::default(),
            connect: Box::new(|| Ok(Socket::pair())),
        };
        let connections = Connections::new(Endpoint::memory(server), Settings::default());
        Self { connections: Arc::new(connections), times: Times::default(), middlewares: Arc::default() }
    }

    /// A channel over anything that opens calls.
    #[cfg(test)]
    pub(crate) fn over(open: impl Open) -> Self {
        Self { connections: Arc::new(open), times: Times::default(), middlewares: Arc::default() }
    }

    /// What the connections of this channel have done and hold.
    pub fn counters(&self) -> Counters {
        self.connections.counters()
    }

    /// Ends the channel and all its clones, and lets the calls that run end first.
    ///
    /// From now on a call fails with an error that [`is_closed`](crate::Error::is_closed); so does one that waits for
    /// a connection. Those that run go on for at most `timeout`; then they are cut off: the server is told as by a
    /// cancel, and here they fail with an error that [`is_cancelled`](crate::Error::is_cancelled). It is ready when
    /// every connection has closed, at most 1 s after that, and gives how many calls were cut off: 0 if all have
    /// ended in time.
    ///
    /// Called again while it waits, for example with [`Duration::ZERO`], it cuts off at the end of the earlier time.
    ///
    /// # Dropping
    ///
    /// Dropping the future after its first poll cuts off nothing. No call can be made, and those that run go on to
    /// their end.
    pub async fn shutdown(&self, timeout: Duration) -> usize {
        self.connections.shutdown(timeout).await
    }

    /// The default times of its calls.
    pub(super) fn times(&self) -> Times {
        self.times
    }

    /// What is around its calls.
    pub(super) fn middlewares(&self) -> &Arc<Middlewares> {
        &self.middlewares
    }

    pub(super) fn middlewares_mut(&mut self) -> &mut Middlewares {
        Arc::make_mut(&mut self.middlewares)
    }

    /// Opens a call.
    pub(crate) fn open(&self, call: NewCall) -> BoxFuture<'static, Result<Exchange>> {
        self.connections.open(call)
    }
}

impl ChannelBuilder {
    fn to(to: To) -> Self {
        Self {
            to,
            settings: Settings::default(),
            times: Times::default(),
            middlewares: Middlewares::default(),
            tls: None,
        }
    }

    /// A channel to a server in this process. What is wrong with that server is an error of `connect`.
    pub(crate) fn over_memory(server: Result<Memory>) -> Self {
        Self::to(To::Memory(server.map(Endpoint::memory)))
    }

    /// The bounds on what a server can make this side hold or wait for.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// The name of this side, which servers see in the path of a cancel and of a unary call: usually that of the
    /// service that makes the calls. None by default.
    #[must_use]
    pub fn caller(mut self, name: impl Into<String>) -> Self {
        self.settings.caller = name.into();
        self
    }

    /// How the requests of gRPC calls are compressed; the server answers in the same way if it follows grpc-go or streamx.
    /// Default: not at all. A server that does not know the algorithm fails every call, with
    /// [`Code::Unimplemented`](crate::Code::Unimplemented). A message is sent as it is where compressing makes it no shorter,
    /// as with less than 512 bytes. Other protocols compress nothing.
    #[cfg(feature = "grpc")]
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.settings.grpc.compression = Some(compression);
        self
    }

    /// After how long without a byte from the server a gRPC connection is asked whether it is there still, while it has
    /// calls. Default: never, TCP keepalive finds a machine that is gone. When no answer comes within
    /// [`keepalive_timeout`](Self::keepalive_timeout) the connection and its calls end with
    /// [`Code::Unavailable`](crate::Code::Unavailable).
    ///
    /// Servers of gRPC, and of streamx, end the connection of a client that asks more often than every 5 min, unless
    /// theirs is set otherwise. Other protocols have no such question.
    #[cfg(feature = "grpc")]
    #[must_use]
    pub fn keepalive(mut self, interval: Duration) -> Self {
        self.settings.grpc.pings.interval = interval;
        self
    }

    /// How long the answer to a [`keepalive`](Self::keepalive) may take. Default 20 s.
    #[cfg(feature = "grpc")]
    #[must_use]
    pub fn keepalive_timeout(mut self, timeout: Duration) -> Self {
        self.settings.grpc.pings.timeout = timeout;
        self
    }

    /// Whether a connection without calls is asked, too. Default false. Servers want 2 h between such pings, unless theirs is
    /// set otherwise.
    #[cfg(feature = "grpc")]
    #[must_use]
    pub fn keepalive_while_idle(mut self, while_idle: bool) -> Self {
        self.settings.grpc.pings.while_idle = while_idle;
        self
    }

    /// How long a call may take that sets no [`timeout`](super::Call::timeout) of its own. Default: for ever.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.times.timeout = Some(timeout);
        self
    }

    /// How long each `recv` of a stream may wait that sets no [`recv_timeout`](super::Call::recv_timeout) of its own.
    /// Default: for ever.
    #[must_use]
    pub fn recv_timeout(mut self, timeout: Duration) -> Self {
        self.times.recv_timeout = Some(timeout);
        self
    }

    /// Whether streams go on after a `recv_timeout` that set no [`keep_open`](super::Call::keep_open) of their own. Default
    /// false.
    #[must_use]
    pub fn keep_open(mut self, keep_open: bool) -> Self {
        self.times.keep_open = Some(keep_open);
        self
    }

    /// How long dialing may take; a call that has to wait for it fails then, and may be made again. Default 3 s.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// Which connections the channel has. Default: one that all streams share, see [`Pool::default`].
    #[must_use]
    pub fn pool(mut self, pool: Pool) -> Self {
        self.settings.pool = pool;
        self
    }

    /// Whether calls wait while no connection can be made, in place of failing, that do not
    /// [say so](super::Call::wait_for_ready) themselves. Default false. [`connect`](Self::connect) does not wait.
    #[must_use]
    pub fn wait_for_ready(mut self, wait: bool) -> Self {
        self.times.wait_for_ready = Some(wait);
        self
    }

    /// Keeps resets away from servers that know none: a Kitex server before v0.15.0 closes the connection when it gets
    /// one, and with it every other stream (spec section 13; so does v0.14.1).
    ///
    /// A stream that is given up then ends with an error in its last frame: `Recv` of its handler gives the messages
    /// that were sent before, and then fails. When this side has said before that it sends no more, nothing can be
    /// sent, and the handler goes on. The path of a cancel does not travel.
    #[must_use]
    pub fn without_resets(mut self) -> Self {
        self.settings.resets = false;
        self
    }

    /// Speaks TLS with a server whose URL begins with `ttheader+tls://` or `framed+tls://`, and trusts the certificates
    /// that this says. The handshake is part of dialing and of its time.
    ///
    /// Takes a [`tls::Client`], or a [`tls::Replaceable`] of one. A URL
    /// without `+tls` is then an error, and so is one with it where this was not called.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: impl Into<Replaceable<tls::Client>>) -> Self {
        self.tls = Some(Arc::new(tls.into()));
        self
    }

    register!();

    /// Makes the first connection now.
    ///
    /// # Errors
    ///
    /// The URL is not one of [`Channel::connect`], nobody listens there, or the TLS handshake fails.
    pub async fn connect(self) -> Result<Channel> {
        let (connections, channel) = self.connections()?;
        connections.connect().await?;
        Ok(channel(connections))
    }

    /// Makes the first connection with the first call, which fails if nobody listens.
    ///
    /// # Errors
    ///
    /// The URL is not one of [`Channel::connect`].
    pub fn connect_lazy(self) -> Result<Channel> {
        let (connections, channel) = self.connections()?;
        Ok(channel(connections))
    }

    /// The connections, and the channel that they become.
    fn connections(self) -> Result<(Connections, impl FnOnce(Connections) -> Channel)> {
        let Self { to, settings, times, middlewares, tls } = self;
        let caller = &settings.caller;
        if caller.contains(',') || caller.len() > LONGEST_NAME {
            let text =
                format!("`{caller}` cannot be the name of a caller: it has a comma, or more than 255 bytes");
            return Err(Error::new(Code::InvalidArgument, text));
        }
        settings.pool.check()?;
        let connections = Connections::new(to.endpoint(tls)?, settings);
        let middlewares = Arc::new(middlewares);
        Ok((connections, move |connections| Channel {
            connections: Arc::new(connections),
            times,
            middlewares,
        }))
    }

    fn middlewares(mut self, add: impl FnOnce(&mut Middlewares)) -> Self {
        add(&mut self.middlewares);
        self
    }
}

/// Where a channel is to connect to. What is wrong with it is an error of `connect`.
#[derive(Debug)]
enum To {
    Url(String),
    /// A server in this process.
    Memory(Result<Endpoint>),
}

impl To {
    fn endpoint(self, tls: Option<Arc<dyn Connect>>) -> Result<Endpoint> {
        match self {
            Self::Url(url) => Endpoint::parse(&url, tls),
            Self::Memory(_) if tls.is_some() => {
                let text = "the channel was given certificates, but its server is in the same process: \
                            there is no TLS without a socket";
                Err(Error::new(Code::InvalidArgument, text))
            }
            Self::Memory(endpoint) => endpoint,
        }
    }
}

/// Of the name of a caller.
const LONGEST_NAME: usize = 255;

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").finish_non_exhaustive()
    }
}
