//! The server: its builder, accepting connections, draining them.
//!
//! A handler, the future of a method, starts with its call. When it returns the call ends, with its answer or its error;
//! a panic is an error of the call, and the server goes on. When the caller gives up or its connection is lost, the
//! handler is dropped wherever it waits.

mod accept;
mod address;
mod shutdown;

pub use address::Addr;
pub use shutdown::{CutOff, ShutdownHandle};

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::call::Service;
use crate::call::middleware::{Middlewares, register};
use crate::call::router::{OnDrain, Router};
use crate::counters::{Counters, Meter};
#[cfg(feature = "tls")]
use crate::tls::{self, Replaceable};
use crate::transport::{Accept, Serve, Stop};
#[cfg(feature = "grpc")]
use crate::transport::{Compression, GrpcServerSettings};
use crate::{Code, Error, Limits, Result};
use accept::Listener;
use shutdown::Asked;

/// How long running calls may go on after a shutdown was asked for.
const DRAIN: Duration = Duration::from_secs(5);

/// A server; see [`Server::builder`].
///
/// ```
/// # #[derive(streamx::Message, Clone, Debug, Default)]
/// # struct Line { #[field(1)] text: String }
/// # #[streamx::service]
/// # trait Echo { async fn echo(&self, line: Line) -> streamx::Result<Line>; }
/// # struct Parrot;
/// # impl Echo for Parrot { async fn echo(&self, line: Line) -> streamx::Result<Line> { Ok(line) } }
/// # #[tokio::main]
/// # async fn main() -> streamx::Result<()> {
/// use streamx::{Limits, Server};
///
/// let server = Server::builder()
///     .add_service(EchoServer::new(Parrot))
///     .limits(Limits::default().max_streams(256))
///     .bind("127.0.0.1:0")
///     .await?;
/// println!("serving at {}", server.local_addr());
/// # let ctrl_c = async {};
/// server.serve_with_shutdown(ctrl_c).await
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Server;

/// Sets up a server. Does nothing before `bind` or `serve`.
pub struct ServerBuilder {
    services: Vec<Service>,
    limits: Limits,
    recv_timeout: Option<Duration>,
    keep_open: bool,
    drain: Duration,
    middlewares: Middlewares,
    tls: Option<Arc<dyn Accept>>,
    #[cfg(feature = "grpc")]
    grpc: GrpcServerSettings,
    describe: Option<Describe>,
}

/// Makes the services that describe all others.
pub(crate) type Describe = fn(&[Service]) -> Vec<Service>;

/// What the connections of a server serve.
struct Serving {
    router: Arc<Router>,
    limits: Arc<Limits>,
    on_drain: Vec<OnDrain>,
}

/// A server that listens, and serves once [`serve`](Self::serve) is awaited.
///
/// # Dropping
///
/// Closes the port. Dropping the future of `serve` also ends every connection at once.
pub struct BoundServer {
    listener: Listener,
    limits: Arc<Limits>,
    meter: Arc<Meter>,
    router: Arc<Router>,
    drain: Duration,
    shutdown: ShutdownHandle,
    tls: Option<Arc<dyn Accept>>,
    #[cfg(feature = "grpc")]
    grpc: GrpcServerSettings,
    on_drain: Vec<OnDrain>,
}

impl Server {
    /// A server of one or several services on one port. Which protocol a client speaks is seen from its first bytes:
    /// TTHeader Streaming, unary Thrift in every framing ([`guide::unary`](crate::guide::unary)), and gRPC with messages in
    /// protobuf or in Thrift.
    ///
    /// Which service a call reaches is said at [`add_service`](ServerBuilder::add_service).
    pub fn builder() -> ServerBuilder {
        ServerBuilder {
            services: Vec::new(),
            limits: Limits::default(),
            recv_timeout: None,
            keep_open: false,
            drain: DRAIN,
            middlewares: Middlewares::default(),
            tls: None,
            #[cfg(feature = "grpc")]
            grpc: GrpcServerSettings::default(),
            describe: None,
        }
    }
}

impl ServerBuilder {
    /// Adds a service: `TestServiceServer::new(Echo)`.
    ///
    /// Services are told apart by their full names, the namespace and the name: `echo.v1.Echo` and `echo.v2.Echo` are two.
    /// The same full name twice is an error of [`bind`](Self::bind).
    ///
    /// * Over gRPC with protobuf a call has the full name, and reaches that service only. A service without a namespace is
    ///   reached in every package in which there is no other one of its name, and a call without a package reaches the only
    ///   service of the name.
    /// * Over gRPC with Thrift, as in Kitex, the name without the package is enough while it is that of one service only; of
    ///   several the package says which, the namespace itself or what Kitex sends of it, its last part in lower case. Two
    ///   whose last parts are equal cannot be told apart for Kitex.
    /// * In a TTHeader there is the name without the namespace, to which streamx clients add theirs; of several services
    ///   with that name this says which. A call that names a service which is not known goes to the only service that has
    ///   the method, as in Kitex.
    /// * Framed and Buffered messages, and calls in a TTHeader that name no service, go to the first service added that has
    ///   the method.
    ///
    /// Where a call has a name that several services have and nothing else (a Kitex client says no more in a TTHeader), it
    /// is for the one without a namespace, else for the only one that has the method; else it fails with
    /// [`Code::Unimplemented`] and a text that names them all.
    #[must_use]
    pub fn add_service(mut self, service: impl Into<Service>) -> Self {
        self.services.push(service.into());
        self
    }

    /// The bounds on what clients can make this server hold or wait for.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How long each `recv` of a handler may wait for its caller; so may the request of a server-streaming method. It does
    /// nothing to unary methods. Default: for ever.
    ///
    /// When the time is over `recv` fails with an error that [`is_timeout`](crate::Error::is_timeout) (Kitex code 12014),
    /// again on every later call; see [`keep_open`](Self::keep_open). The caller is told nothing yet: the handler goes on,
    /// and may send. A handler that returns the error, as `?` does, ends the call with it. Then the caller has an error
    /// that `is_timeout` and whose [`side`](crate::Error::side) is the server; a Kitex client sees code 12001 with the text.
    ///
    /// The time runs from the first `recv` that finds no message, and anew after each message: a future of `recv` that is
    /// dropped, as `tokio::select!` does, does not stop it.
    #[must_use]
    pub fn recv_timeout(mut self, timeout: Duration) -> Self {
        self.recv_timeout = Some(timeout);
        self
    }

    /// Whether a handler may call `recv` again after a [`recv_timeout`](Self::recv_timeout); the error
    /// [`is_retryable`](crate::Error::is_retryable) then. Default false.
    #[must_use]
    pub fn keep_open(mut self, keep_open: bool) -> Self {
        self.keep_open = keep_open;
        self
    }

    /// How long running calls may go on after a shutdown was asked for. Default 5 s, as Kitex.
    #[must_use]
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain = timeout;
        self
    }

    /// Serves TLS, every protocol over it, and nothing without it: what a port serves is said once. A client that speaks
    /// no TLS is refused with a line in the log. A program that wants both binds two servers.
    ///
    /// Takes a [`tls::Server`], or a [`tls::Replaceable`] of one. The
    /// handshake is part of [`first_frame_timeout`](Limits::first_frame_timeout); one that fails costs its own connection
    /// only, and the log says why.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: impl Into<Replaceable<tls::Server>>) -> Self {
        self.tls = Some(Arc::new(tls.into()));
        self
    }

    /// How the answers of gRPC calls are compressed for clients that take it. Default: as the client compresses its
    /// requests, or not at all. A message is sent as it is where compressing makes it no shorter, as with less than
    /// 512 bytes.
    #[cfg(feature = "grpc")]
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.grpc.compression = Some(compression);
        self
    }

    /// After how long without a byte from a client a gRPC connection is asked whether it is there still. Default 2 h, as
    /// grpc-go; [`Duration::MAX`] asks never. When no answer comes within
    /// [`keepalive_timeout`](Self::keepalive_timeout) the connection and its calls end.
    ///
    /// How often a client may ask is [`min_ping_interval`](Limits::min_ping_interval) of the limits.
    #[cfg(feature = "grpc")]
    #[must_use]
    pub fn keepalive(mut self, interval: Duration) -> Self {
        self.grpc.pings.interval = interval;
        self
    }

    /// How long the answer to a [`keepalive`](Self::keepalive) may take. Default 20 s.
    #[cfg(feature = "grpc")]
    #[must_use]
    pub fn keepalive_timeout(mut self, timeout: Duration) -> Self {
        self.grpc.pings.timeout = timeout;
        self
    }

    /// How old a gRPC connection becomes, give or take a tenth, so that clients behind a load balancer find other servers.
    /// Default: as old as its client wants. Its client is told (GOAWAY) and makes further calls elsewhere; those that
    /// run go on for [`max_connection_age_grace`](Self::max_connection_age_grace). Connections of other protocols have no
    /// such word, and stay.
    #[cfg(feature = "grpc")]
    #[must_use]
    pub fn max_connection_age(mut self, age: Duration) -> Self {
        self.grpc.age.most = age;
        self
    }

    /// How long calls go on on a connection that has reached its [`max_connection_age`](Self::max_connection_age), before
    /// they end with [`Code::Unavailable`]. Default: for ever.
    #[cfg(feature = "grpc")]
    #[must_use]
    pub fn max_connection_age_grace(mut self, grace: Duration) -> Self {
        self.grpc.age.grace = grace;
        self
    }

    register!();

    /// Listens at `host:port` or `unix:/path`; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// The address cannot be listened at, two services have one full name, or two methods of one service one wire name.
    pub async fn bind(mut self, address: impl AsRef<str>) -> Result<BoundServer> {
        let (drain, shutdown, tls) = (self.drain, ShutdownHandle::new(), self.tls.take());
        #[cfg(feature = "grpc")]
        let grpc = self.grpc;
        let Serving { router, limits, on_drain } = self.serving()?;
        let listener = Listener::bind(address.as_ref()).await?;
        Ok(BoundServer {
            listener,
            limits,
            router,
            meter: Arc::default(),
            drain,
            shutdown,
            tls,
            #[cfg(feature = "grpc")]
            grpc,
            on_drain,
        })
    }

    /// What connections in this process serve.
    pub(crate) fn serving_in_process(self) -> Result<(Arc<Router>, Arc<Limits>)> {
        if self.tls.is_some() {
            let text = "the server was given certificates, but it is in the process of its client: \
                        there is no TLS without a socket";
            return Err(Error::new(Code::InvalidArgument, text));
        }
        let Serving { router, limits, on_drain: _ } = self.serving()?;
        Ok((router, limits))
    }

    fn serving(mut self) -> Result<Serving> {
        if let Some(describe) = self.describe {
            self.services.extend(describe(&self.services));
        }
        let mut router = Router::default();
        let middlewares = Arc::new(self.middlewares);
        let on_drain = self.services.iter().filter_map(|service| service.on_drain.clone()).collect();
        for service in self.services {
            // The time limit is next to the wire, so that middlewares and observers see what it does.
            let service = service.surrounded(&middlewares);
            router.add(match self.recv_timeout {
                Some(timeout) => service.bound_recv(timeout, self.keep_open),
                None => service,
            })?;
        }
        Ok(Serving { router: Arc::new(router), limits: Arc::new(self.limits), on_drain })
    }

    /// Without placements that look at the real clock; see [`Service::by_no_clock`].
    pub(crate) fn by_no_clock(mut self) -> Self {
        self.services = self.services.into_iter().map(Service::by_no_clock).collect();
        self
    }

    /// [`bind`](Self::bind) and [`BoundServer::serve`].
    ///
    /// # Errors
    ///
    /// Those of `bind`; once it listens it serves for ever.
    pub async fn serve(self, address: impl AsRef<str>) -> Result<()> {
        self.bind(address).await?.serve().await
    }

    /// Adds the services that this makes of all services of the server.
    pub(crate) fn describe(mut self, describe: Describe) -> Self {
        self.describe = Some(describe);
        self
    }

    fn middlewares(mut self, add: impl FnOnce(&mut Middlewares)) -> Self {
        add(&mut self.middlewares);
        self
    }
}

impl BoundServer {
    /// Where the server listens: what follows the scheme in a client's URL.
    pub fn local_addr(&self) -> Addr {
        self.listener.address()
    }

    /// Reads what the connections of this server have done and hold: a function that can be kept and called while the
    /// server runs, from anywhere.
    pub fn counters(&self) -> impl Fn() -> Counters + Send + Sync + Clone + use<> {
        let meter = Arc::clone(&self.meter);
        move || meter.snapshot()
    }

    /// What ends this server, from anywhere and at any time, and says what that has cut off.
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        self.shutdown.clone()
    }

    /// Serves for ever, or until it is [shut down](Self::shutdown_handle).
    ///
    /// # Errors
    ///
    /// None at present: what goes wrong with a connection ends that connection, and accepting goes on.
    pub async fn serve(self) -> Result<()> {
        self.serve_with_shutdown(std::future::pending()).await
    }

    /// Serves until `shutdown` is ready or the server is [shut down](Self::shutdown_handle). Then the port closes,
    /// new calls on open connections are refused in a way the client may retry, running ones go on for at most the
    /// drain timeout, and the rest end with an error (Kitex code 12013). It returns when every connection has closed:
    /// at most 1 s after that. A handler that was cut off and takes a [`Context`](crate::Context) may still be running
    /// then, for at most `cancel_grace` of [`Limits`]: what it needs is to stay as long.
    ///
    /// What was cut off is in the log and in [`ShutdownHandle::cut_off`]; [`ShutdownHandle::cut`] cuts off at once.
    ///
    /// # Errors
    ///
    /// As [`serve`](Self::serve).
    pub async fn serve_with_shutdown(self, shutdown: impl Future<Output = ()>) -> Result<()> {
        #[cfg(feature = "grpc")]
        let grpc = self.grpc;
        let Self { listener, limits, meter, router, drain, shutdown: handle, tls, on_drain, .. } = self;
        let stop = watch::Sender::new(Stop::No);
        let serve = Serve {
            router: Arc::clone(&router),
            limits,
            meter,
            stop: stop.subscribe(),
            tls,
            #[cfg(feature = "grpc")]
            grpc,
        };
        tokio::select! {
            () = listener.accept(&serve) => {}
            () = shutdown => {}
            () = handle.asked(Asked::Drain) => {}
        }
        on_drain.iter().for_each(|action| action());
        drop((listener, serve));
        stop.send_replace(Stop::Drain);
        // Every connection holds a receiver until it has ended.
        let when = tokio::select! {
            biased;
            () = stop.closed() => return Ok(()),
            () = handle.asked(Asked::Cut) => "before the end of the drain timeout, as was asked for",
            () = tokio::time::sleep(drain) => "at the end of the drain timeout",
        };
        let cut_off = handle.note(&router);
        let calls: usize = cut_off.iter().map(|cut| cut.calls).sum();
        let methods = cut_off.iter().map(CutOff::to_string).collect::<Vec<_>>().join(", ");
        tracing::warn!(calls, methods, ?drain, "calls were cut off {when}");
        stop.send_replace(Stop::Now);
        stop.closed().await;
        Ok(())
    }
}

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder").field("services", &self.services).finish_non_exhaustive()
    }
}

impl fmt::Debug for BoundServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundServer").field("local_addr", &self.local_addr()).finish_non_exhaustive()
    }
}
