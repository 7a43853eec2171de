//! A server and a client of [`Probe`](crate::probe::Probe) over TCP, and ways to wait for what happens without sleeping.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use streamx::client::ChannelBuilder;
use streamx::server::ServerBuilder;
use streamx::tls::{self, Replaceable};
use streamx::{Channel, Counters, Limits, Placement, Result, Server, Service};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::probe::{Handlers, Note, ProbeClient, ProbeServer};

/// How long anything may take that has to happen soon.
const SOON: Duration = Duration::from_secs(20);
/// Longer than anything waits on a clock that jumps.
const LONG: Duration = Duration::from_secs(2 * 3600);

/// What a [`Rig`] is made of.
#[derive(Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "tests fill in what they need")]
pub struct Setup {
    pub placement: Placement,
    pub server: Limits,
    pub client: Limits,
    /// With this both sides speak TLS.
    pub tls: Option<(Replaceable<tls::Server>, Replaceable<tls::Client>)>,
}

/// A server and a client.
pub struct Rig {
    pub client: ProbeClient,
    pub channel: Channel,
    pub handlers: Handlers,
    address: String,
    server: Arc<dyn Fn() -> Counters + Send + Sync>,
    serving: JoinHandle<Result<()>>,
}

impl Setup {
    pub fn placed(placement: Placement) -> Self {
        Self { placement, ..Self::default() }
    }

    /// Starts both sides; the client is connected.
    pub async fn start(self) -> Rig {
        self.start_around(|server| server, |channel| channel).await
    }

    /// As [`start`](Self::start), with builders that take further options.
    pub async fn start_around(
        self,
        server: impl FnOnce(ServerBuilder) -> ServerBuilder,
        channel: impl FnOnce(ChannelBuilder) -> ChannelBuilder,
    ) -> Rig {
        self.start_both("ttheader", server(Server::builder()), channel).await
    }

    /// As [`start`](Self::start), over gRPC with messages in protobuf.
    pub async fn start_over_grpc(self) -> Rig {
        self.start_over("grpc").await
    }

    /// As [`start`](Self::start), with a client of this scheme, which has no `+tls` of its own.
    pub async fn start_over(self, scheme: &str) -> Rig {
        self.start_both(scheme, Server::builder(), |channel| channel).await
    }

    /// As [`start`](Self::start), with another service on the same port.
    pub async fn start_with(self, other: impl Into<Service>) -> Rig {
        let other = other.into().placement(self.placement);
        self.start_both("ttheader", Server::builder().add_service(other), |channel| channel).await
    }

    async fn start_both(
        self,
        scheme: &str,
        server: ServerBuilder,
        options: impl FnOnce(ChannelBuilder) -> ChannelBuilder,
    ) -> Rig {
        let handlers = Handlers::default();
        let service = Service::from(ProbeServer::new(handlers.clone())).placement(self.placement);
        let mut server = server.add_service(service).limits(self.server);
        let (scheme, client_tls) = match self.tls {
            Some((server_tls, client_tls)) => {
                server = server.tls(server_tls);
                (format!("{scheme}+tls"), Some(client_tls))
            }
            None => (scheme.to_owned(), None),
        };
        let server = server.bind("127.0.0.1:0").await.expect("a free port");
        let (address, counters) = (server.local_addr().to_string(), server.counters());
        let serving = tokio::spawn(server.serve());
        let mut channel = Channel::builder(format!("{scheme}://{address}")).limits(self.client);
        if let Some(client_tls) = client_tls {
            channel = channel.tls(client_tls);
        }
        let channel = options(channel).connect().await.expect("the server listens");
        let client = ProbeClient::new(channel.clone());
        Rig { client, channel, handlers, address, server: Arc::new(counters), serving }
    }
}

impl Rig {
    pub async fn start() -> Self {
        Setup::default().start().await
    }

    /// `host:port` of the server.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What the server has done and holds.
    pub fn server(&self) -> Counters {
        (self.server)()
    }

    /// What the client has done and holds.
    pub fn client(&self) -> Counters {
        self.channel.counters()
    }

    /// One more client of the same server, with a connection of its own.
    pub async fn another_client(&self, limits: Limits) -> ProbeClient {
        let channel = Channel::builder(format!("ttheader://{}", self.address)).limits(limits);
        ProbeClient::new(channel.connect().await.expect("the server listens"))
    }

    /// Ends the server as if its process were killed.
    pub async fn kill_server(&mut self) {
        self.serving.abort();
        let _cancelled = (&mut self.serving).await;
    }

    /// Waits until no stream, handler or queued byte is left on either side.
    pub async fn at_rest(&self) {
        let rest = |now: Counters| (now.streams, now.handlers, now.queued_bytes) == (0, 0, 0);
        let is_at_rest = || rest(self.server()) && rest(self.client()) && self.handlers.alive() == 0;
        let state = || format!("{:#?} {:#?} {}", self.server(), self.client(), self.handlers.alive());
        eventually_or(is_at_rest, state).await;
    }

    /// Waits until what either side has sent has arrived at the other. A write is counted after it was made, so the
    /// other side may have it before.
    pub async fn all_arrived(&self) {
        let crossed = || {
            let (client, server) = (self.client(), self.server());
            client.frames_sent == server.frames_received && server.frames_sent == client.frames_received
        };
        eventually_or(crossed, || format!("{self:#?}")).await;
    }

    /// `count` streams of `echo`, each of which has echoed one note.
    pub async fn echoes(&self, count: usize) -> Vec<streamx::client::Bidi<Note, Note>> {
        let mut streams = Vec::with_capacity(count);
        for number in 0..count {
            let mut stream = self.client.echo().await.expect("a stream");
            echo(&mut stream, number.try_into().expect("a small number")).await;
            streams.push(stream);
        }
        streams
    }
}

impl fmt::Debug for Rig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rig").field("server", &self.server()).field("client", &self.client()).finish()
    }
}

/// Sends one note and gets it back.
pub async fn echo(stream: &mut streamx::client::Bidi<Note, Note>, number: i64) {
    let note = Note::of_size(number, 80);
    stream.send(&note).await.expect("the stream is open");
    assert_eq!(stream.recv().await.expect("the stream is open"), Some(note));
}

/// Lets others run until it is so.
///
/// # Panics
///
/// If it is not so after a long time, by the real clock, whatever the runtime's says.
pub async fn eventually(is_so: impl Fn() -> bool) {
    eventually_or(is_so, String::new).await;
}

/// As [`eventually`], with a text for the panic.
pub async fn eventually_or(is_so: impl Fn() -> bool, state: impl Fn() -> String) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < SOON, "it did not happen within {SOON:?}: {}", state());
        tokio::task::yield_now().await;
    }
}

/// Lets others run for a while: long enough that whatever is on its way arrives.
pub async fn settle() {
    for _ in 0..2_000 {
        tokio::task::yield_now().await;
    }
}

/// Streams that echo in tasks of their own, a given number of rounds whenever they are told to.
#[derive(Debug)]
pub struct Load {
    rounds: watch::Sender<u64>,
    done: Arc<AtomicUsize>,
    streams: usize,
}

impl Load {
    /// Starts `streams` streams.
    pub async fn start(rig: &Rig, streams: usize) -> Self {
        let (rounds, done) = (watch::Sender::new(0), Arc::new(AtomicUsize::new(0)));
        for mut stream in rig.echoes(streams).await {
            let (mut rounds, done) = (rounds.subscribe(), Arc::clone(&done));
            tokio::spawn(async move {
                let note = Note::of_size(1, 80);
                let mut past = 0;
                while let Ok(now) = rounds.wait_for(|now| *now > past).await.map(|now| *now) {
                    for _ in past..now {
                        stream.send(&note).await.expect("the stream is open");
                        let echoed = stream.recv().await.expect("the stream is open");
                        assert_eq!(echoed.as_ref(), Some(&note));
                    }
                    past = now;
                    done.fetch_add(1, Relaxed);
                }
            });
        }
        Self { rounds, done, streams }
    }

    /// Has every stream echo so many notes, one in flight each.
    pub async fn run(&self, rounds: u64) {
        self.done.store(0, Relaxed);
        self.rounds.send_modify(|now| *now += rounds);
        eventually(|| self.done.load(Relaxed) == self.streams).await;
    }
}

/// Gives up on what hangs.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, future).await.expect("it takes too long")
}

/// Waits for it with a clock that jumps whenever everybody waits; gives the time that has passed on it.
///
/// # Panics
///
/// If it waits for something that no clock brings.
pub async fn jumping<T>(future: impl Future<Output = T>) -> (T, Duration) {
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    let value = tokio::time::timeout(LONG, future).await.expect("it waits for ever");
    let took = start.elapsed();
    assert!(took < LONG, "nobody was woken");
    tokio::time::resume();
    (value, took)
}
