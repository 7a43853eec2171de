//! A server and a channel with a pool, for the tests of connections.

use std::time::Duration;

use streamx::client;
use streamx::{Bidi, Channel, Context, Limits, Message, Pool, Result, Server, Service};
use tokio::task::JoinHandle;

use crate::probe::{Handlers, Note, ProbeClient, ProbeServer};
use crate::rig::{eventually, settle, soon};

pub const SECOND: Duration = Duration::from_secs(1);
pub const HOUR: Duration = Duration::from_secs(3600);

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Port {
    #[field(1)]
    pub number: i64,
}

/// Says from which port of the client a call came: calls with the same one share a connection.
#[streamx::service]
pub trait Ports {
    #[bidi]
    async fn stream(&self, ctx: Context, stream: Bidi<Port, Port>) -> Result<()>;
}

#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Clerk;

impl Ports for Clerk {
    async fn stream(&self, ctx: Context, mut stream: Bidi<Port, Port>) -> Result<()> {
        let number = ctx.peer_addr().map_or(0, |address| address.port().into());
        while stream.recv().await?.is_some() {
            stream.send(Port { number }).await?;
        }
        Ok(())
    }
}

/// A server, and a channel to it that has made no connection yet.
#[derive(Debug)]
#[non_exhaustive]
pub struct Place {
    pub channel: Channel,
    pub probe: ProbeClient,
    pub ports: PortsClient,
    pub handlers: Handlers,
    pub server: JoinHandle<Result<()>>,
    pub address: String,
}

pub async fn place(pool: Pool) -> Place {
    with_limits(pool, Limits::default()).await
}

pub async fn with_limits(pool: Pool, limits: Limits) -> Place {
    start("ttheader", pool, limits).await
}

/// As [`place`], with a channel of this scheme.
pub async fn over(scheme: &str, pool: Pool) -> Place {
    start(scheme, pool, Limits::default()).await
}

async fn start(scheme: &str, pool: Pool, limits: Limits) -> Place {
    let handlers = Handlers::default();
    let (address, server) = serve("127.0.0.1:0", &handlers).await;
    let channel = Channel::builder(format!("{scheme}://{address}")).pool(pool).limits(limits);
    let channel = channel.connect_lazy().unwrap();
    let (probe, ports) = (ProbeClient::new(channel.clone()), PortsClient::new(channel.clone()));
    Place { channel, probe, ports, handlers, server, address }
}

/// Serves at an address as soon as it is free.
pub async fn serve(address: &str, handlers: &Handlers) -> (String, JoinHandle<Result<()>>) {
    let service = Service::from(ProbeServer::new(handlers.clone()));
    let bind =
        || Server::builder().add_service(service.clone()).add_service(PortsServer::new(Clerk)).bind(address);
    let mut bound = bind().await;
    while bound.is_err() {
        tokio::task::yield_now().await;
        bound = bind().await;
    }
    let server = bound.unwrap();
    (server.local_addr().to_string(), tokio::spawn(server.serve()))
}

impl Place {
    pub fn connections(&self) -> u64 {
        self.channel.counters().connections
    }

    pub fn made(&self) -> u64 {
        self.channel.counters().connections_opened
    }

    pub async fn comes_to(&self, connections: u64) {
        eventually(|| self.connections() == connections).await;
    }

    /// No call is left, here or in a handler.
    pub async fn at_rest(&self) {
        let rest = || {
            let now = self.channel.counters();
            (now.streams, now.queued_bytes, self.handlers.alive()) == (0, 0, 0)
        };
        eventually(rest).await;
    }

    /// Nothing is left of the channel.
    pub async fn ends(self) {
        let Self { channel, probe, ports, server, .. } = self;
        assert_eq!(soon(channel.shutdown(HOUR)).await, 0);
        assert_eq!((channel.counters().connections, channel.counters().streams), (0, 0));
        drop((probe, ports));
        server.abort();
        let _cancelled = server.await;
    }

    pub async fn stream(&self) -> (client::Bidi<Port, Port>, i64) {
        let mut stream = soon(self.ports.stream()).await.unwrap();
        let port = port(&mut stream).await;
        (stream, port)
    }

    pub async fn waiting(&self, calls: usize) -> Vec<JoinHandle<Result<Note>>> {
        let begun = self.handlers.alive();
        let tasks = (0..).take(calls).map(|number| tokio::spawn(self.probe.wait(Note::number(number))));
        let tasks: Vec<_> = tasks.collect();
        eventually(|| self.handlers.alive() == begun + calls).await;
        tasks
    }
}

pub async fn port(stream: &mut client::Bidi<Port, Port>) -> i64 {
    stream.send(Port::default()).await.unwrap();
    soon(stream.recv()).await.unwrap().unwrap().number
}

pub async fn finish(stream: &mut client::Bidi<Port, Port>) {
    stream.close_send().await.unwrap();
    assert_eq!(soon(stream.recv()).await.unwrap(), None);
}

/// Moves a clock that stands, and lets everybody see it.
pub async fn pass(time: Duration) {
    let step = Duration::from_millis(500);
    for _ in 0..time.as_millis() / step.as_millis() {
        tokio::time::advance(step).await;
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
    settle().await;
}
