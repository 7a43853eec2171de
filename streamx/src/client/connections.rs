//! The connections of a channel: one that all streams share, and those of unary calls.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{Mutex as Gate, watch};

use super::backoff::Backoff;
use super::endpoint::Endpoint;
use crate::call::{Exchange, Open, Opening};
use crate::counters::{Counters, Meter};
use crate::transport::{StreamClient, UnaryClient, stream_client, unary_client};
use crate::{Code, Error, Limits, Result};

/// How long a dial may take, unless the channel says otherwise.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How many connections wait for the next unary call, and for how long; the numbers of Kitex's long pool.
const IDLE: usize = 10;
const IDLE_FOR: Duration = Duration::from_secs(60);

/// All connections of one channel and its clones.
pub(crate) struct Connections(Arc<Inner>);

struct Inner {
    endpoint: Endpoint,
    limits: Arc<Limits>,
    connect_timeout: Duration,
    meter: Arc<Meter>,
    /// What servers see of this side.
    caller: Arc<str>,
    streams: Mutex<Vec<StreamClient>>,
    unary: Mutex<Unary>,
    /// Held while dialing for streams: calls that need a connection at the same moment share one.
    gate: Gate<()>,
    /// Ends the reconnecting when the channel is dropped.
    alive: watch::Sender<()>,
}

#[derive(Default)]
struct Unary {
    /// Free connections, the one used last at the end.
    idle: Vec<(UnaryClient, Instant)>,
    /// The connection of a server that is known to multiplex.
    shared: Option<UnaryClient>,
}

impl Connections {
    pub(crate) fn new(endpoint: Endpoint, limits: Limits, connect_timeout: Duration, caller: &str) -> Self {
        Self(Arc::new(Inner {
            endpoint,
            limits: Arc::new(limits),
            connect_timeout,
            meter: Arc::default(),
            caller: caller.into(),
            streams: Mutex::default(),
            unary: Mutex::default(),
            gate: Gate::default(),
            alive: watch::Sender::new(()),
        }))
    }

    /// Makes a first connection, so that an address nobody listens at is found out now.
    pub(crate) async fn connect(&self) -> Result<()> {
        if self.0.endpoint.streams() {
            self.0.connected().await.map(drop)
        } else {
            let client = self.0.dial_unary().await?;
            lock(&self.0.unary).idle.push((client, Instant::now()));
            Ok(())
        }
    }
}

impl Open for Connections {
    fn open(&self, opening: Opening) -> BoxFuture<'static, Result<Exchange>> {
        let inner = &self.0;
        if !opening.mode.is_streaming() {
            if let Some(client) = inner.free_unary() {
                return std::future::ready(Ok(inner.open_unary(client, &opening))).boxed();
            }
            let inner = Arc::clone(inner);
            return Box::pin(async move {
                let client = inner.dial_unary().await?;
                Ok(inner.open_unary(client, &opening))
            });
        }
        if !inner.endpoint.streams() {
            let text = format!("{} carries unary calls only; streams need ttheader://", inner.endpoint);
            return std::future::ready(Err(Error::new(Code::InvalidArgument, text))).boxed();
        }
        // A connection may end between the look and the opening; then nothing was sent, and a new one is made.
        if let Some(Ok(exchange)) = inner.free_stream().map(|client| client.open(&opening)) {
            return std::future::ready(Ok(exchange)).boxed();
        }
        let inner = Arc::clone(inner);
        Box::pin(async move { inner.connected().await?.open(&opening) })
    }

    fn counters(&self) -> Counters {
        self.0.meter.snapshot()
    }
}

impl Inner {
    /// A connection that takes one more stream. The first one is filled before the next is looked at: the more
    /// streams share a connection, the more frames share a write.
    fn free_stream(&self) -> Option<StreamClient> {
        let mut clients = lock(&self.streams);
        clients.retain(StreamClient::is_open);
        clients.iter().find(|client| client.streams() < self.limits.max_streams).cloned()
    }

    /// As [`free_stream`](Self::free_stream), dialing if there is none.
    fn connected(self: &Arc<Self>) -> BoxFuture<'static, Result<StreamClient>> {
        let inner = Arc::clone(self);
        Box::pin(async move {
            let _one_at_a_time = inner.gate.lock().await;
            if let Some(client) = inner.free_stream() {
                return Ok(client);
            }
            let socket = inner.dial().await?;
            let (client, ended) = stream_client(
                socket,
                Arc::clone(&inner.limits),
                Arc::clone(&inner.meter),
                Arc::clone(&inner.caller),
            );
            lock(&inner.streams).push(client.clone());
            tokio::spawn(reconnect(Arc::downgrade(&inner), inner.alive.subscribe(), ended));
            Ok(client)
        })
    }

    async fn dial(&self) -> Result<crate::transport::Socket> {
        let Self { endpoint, connect_timeout, .. } = self;
        let dial = endpoint.dial(&self.limits);
        tokio::time::timeout(*connect_timeout, dial).await.unwrap_or_else(|_| {
            let text = format!("cannot connect to {endpoint}: no answer within {connect_timeout:?}");
            Err(Error::transport(text).retryable())
        })
    }

    async fn dial_unary(&self) -> Result<UnaryClient> {
        let socket = self.dial().await?;
        let (limits, meter) = (Arc::clone(&self.limits), Arc::clone(&self.meter));
        Ok(unary_client(socket, self.endpoint.framing(), limits, meter, Arc::clone(&self.caller)))
    }

    fn free_unary(&self) -> Option<UnaryClient> {
        let mut unary = lock(&self.unary);
        if let Some(shared) = &unary.shared {
            if shared.is_open() && shared.in_flight() < self.limits.max_streams {
                return Some(shared.clone());
            }
            if !shared.is_open() {
                unary.shared = None;
            }
        }
        unary.idle.retain(|(client, since)| client.is_open() && since.elapsed() < IDLE_FOR);
        unary.idle.pop().map(|(client, _)| client)
    }

    fn open_unary(self: &Arc<Self>, client: UnaryClient, opening: &Opening) -> Exchange {
        let (inner, returned) = (Arc::downgrade(self), client.clone());
        client.open(opening, Box::new(move || give_back(&inner, returned)))
    }
}

/// A unary call is over: its connection is free for the next one.
fn give_back(inner: &Weak<Inner>, client: UnaryClient) {
    let Some(inner) = inner.upgrade() else { return };
    if !client.is_open() || client.in_flight() > 0 {
        return;
    }
    let mut unary = lock(&inner.unary);
    if client.multiplexes() {
        unary.shared.get_or_insert(client);
    } else if unary.idle.len() < IDLE {
        unary.idle.push((client, Instant::now()));
    }
}

/// Waits for the connection to end and makes a new one, with growing pauses, so that the next call finds it. A call
/// that cannot wait dials for itself; then there is nothing to do here. Nor is there if no call has used the connection:
/// a server closes those that stay silent, and would have to do so for ever.
async fn reconnect(inner: Weak<Inner>, mut alive: watch::Receiver<()>, ended: impl Future<Output = bool>) {
    tokio::select! {
        used = ended => if !used { return },
        _ = alive.changed() => return,
    }
    let mut backoff = Backoff::new();
    loop {
        tokio::select! {
            () = tokio::time::sleep(backoff.next()) => {}
            _ = alive.changed() => return,
        }
        let Some(inner) = inner.upgrade() else { return };
        match inner.connected().await {
            Ok(_) => return,
            Err(error) => tracing::debug!(%error, "cannot reconnect yet"),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
