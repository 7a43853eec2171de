//! The connections of a channel: made when a call needs one, kept by the rules of its [`Pool`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{Notify, watch};
#[cfg(feature = "grpc")]
use tokio::time::Instant;

use super::connecting::{Dialed, Dialer, Together};
use super::endpoint::{Endpoint, Scheme};
use super::group::Group;
use super::grouped::{Grouped, Groups};
#[cfg(feature = "grpc")]
use super::once_more::once_more;
use super::pool::{Kind, Pool};
use super::upkeep;
use crate::call::{Exchange, NewCall, Open};
use crate::counters::{Counters, Meter};
use crate::transport::{Calling, Socket, StreamClient, UnaryClient};
#[cfg(feature = "grpc")]
use crate::transport::{GrpcClient, GrpcSettings};
use crate::{Code, Error, Limits, Result, Side};

/// How long a dial may take, unless the channel says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a server may take to read that its calls are cut off.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// All connections of one channel and its clones.
pub(crate) struct Connections(Arc<Inner>);

/// What is set on a channel about its connections.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) limits: Limits,
    pub(super) connect_timeout: Duration,
    pub(super) pool: Pool,
    /// What servers see of this side.
    pub(super) caller: String,
    /// Whether servers are told by a reset that a stream is given up.
    pub(super) resets: bool,
    #[cfg(feature = "grpc")]
    pub(super) grpc: GrpcSettings,
}

pub(super) struct Inner {
    pub(super) dialer: Dialer,
    pub(super) pool: Pool,
    limits: Arc<Limits>,
    meter: Arc<Meter>,
    caller: Arc<str>,
    resets: bool,
    #[cfg(feature = "grpc")]
    pub(super) grpc: GrpcSettings,
    groups: Mutex<Groups>,
    /// A connection was made, and was there when a call needed it.
    dialed: Notify,
    /// Every connection holds a receiver until it has ended.
    alive: watch::Sender<()>,
    /// Tells those that wait that the channel is shut down. What looks after the connections ends then, and when this
    /// is dropped.
    over: watch::Sender<bool>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            connect_timeout: CONNECT_TIMEOUT,
            pool: Pool::default(),
            caller: String::new(),
            resets: true,
            #[cfg(feature = "grpc")]
            grpc: GrpcSettings::default(),
        }
    }
}

impl Connections {
    pub(super) fn new(endpoint: Endpoint, settings: Settings) -> Self {
        let Settings { limits, connect_timeout, pool, caller, resets, .. } = settings;
        let groups = Groups::new(pool.kind);
        let over = watch::Sender::new(false);
        Self(Arc::new(Inner {
            dialer: Dialer { endpoint, connect_timeout, over: over.subscribe() },
            pool,
            limits: Arc::new(limits),
            meter: Arc::default(),
            caller: caller.into(),
            resets,
            #[cfg(feature = "grpc")]
            grpc: settings.grpc,
            groups: Mutex::new(groups),
            dialed: Notify::new(),
            alive: watch::Sender::new(()),
            over,
        }))
    }

    /// Makes a first connection, so that an address nobody listens at is found out now.
    pub(super) async fn connect(&self) -> Result<()> {
        match self.0.dialer.endpoint.scheme() {
            Scheme::TTHeader => self.0.connect::<StreamClient>(false).await,
            Scheme::Unary(_) => self.0.connect::<UnaryClient>(false).await,
            #[cfg(feature = "grpc")]
            Scheme::Grpc(_) => self.0.connect::<GrpcClient>(false).await,
        }
    }
}

impl Open for Connections {
    fn open(&self, call: NewCall) -> BoxFuture<'static, Result<Exchange>> {
        let endpoint = &self.0.dialer.endpoint;
        match endpoint.scheme() {
            #[cfg(feature = "grpc")]
            Scheme::Grpc(_) if call.mode.is_streaming() => self.0.open_twice(call),
            #[cfg(feature = "grpc")]
            Scheme::Grpc(_) => self.0.open::<GrpcClient>(call),
            _ if !call.mode.is_streaming() => self.0.open::<UnaryClient>(call),
            Scheme::TTHeader => self.0.open::<StreamClient>(call),
            Scheme::Unary(_) => {
                let text =
                    format!("{endpoint} carries unary calls only; streams need ttheader:// or grpc://");
                std::future::ready(Err(Error::new(Code::InvalidArgument, text))).boxed()
            }
        }
    }

    fn counters(&self) -> Counters {
        self.0.meter.snapshot()
    }

    fn shutdown(&self, timeout: Duration) -> BoxFuture<'static, usize> {
        Arc::clone(&self.0).shutdown(timeout).boxed()
    }
}

impl Inner {
    fn open<C: Grouped>(self: &Arc<Self>, call: NewCall) -> BoxFuture<'static, Result<Exchange>> {
        if let Some(opened) = self.open_now::<C>(&call, false) {
            return std::future::ready(opened).boxed();
        }
        let inner = Arc::clone(self);
        Box::pin(async move {
            if call.wait_for_ready {
                inner.open_patiently::<C>(&call).await
            } else {
                inner.open_dialing::<C>(&call).await
            }
        })
    }

    /// Opens a stream, and once more if its server has certainly not seen it. A unary call has its request, and does
    /// that itself.
    #[cfg(feature = "grpc")]
    fn open_twice(self: &Arc<Self>, mut call: NewCall) -> BoxFuture<'static, Result<Exchange>> {
        let begun = Instant::now();
        let (first, inner) = (self.open::<GrpcClient>(call.clone()), Arc::clone(self));
        Box::pin(async move {
            let exchange = first.await?;
            Ok(once_more(exchange, move || {
                call.timeout = call.timeout.map(|timeout| timeout.saturating_sub(begun.elapsed()));
                inner.open::<GrpcClient>(call)
            }))
        })
    }

    /// Opens a call on a connection that is there. It happens under the lock, as retiring does, so that no connection
    /// is retired between being found and being used.
    fn open_now<C: Grouped>(&self, call: &NewCall, any: bool) -> Option<Result<Exchange>> {
        let mut groups = self.groups();
        if let Err(over) = groups.check_open() {
            return Some(Err(over));
        }
        C::group(&mut groups).open(&self.pool, self.limits.max_streams, any, call)
    }

    async fn open_dialing<C: Grouped>(self: &Arc<Self>, call: &NewCall) -> Result<Exchange> {
        let opened = if C::group(&mut self.groups()).shares_dials() {
            self.dialer.within(self.open_sharing::<C>(call)).await
        } else {
            self.dialer.within(self.open_alone::<C>(call)).await
        };
        match opened {
            // One connection more was wanted, but those that are there serve too.
            Err(error) => self.open_now::<C>(call, true).unwrap_or(Err(error)),
            Ok(exchange) => {
                self.dialed.notify_waiters();
                Ok(exchange)
            }
        }
    }

    /// Waits with all others that need a connection, until there is one for this call.
    async fn open_sharing<C: Grouped>(self: &Arc<Self>, call: &NewCall) -> Result<Exchange> {
        let mut is_lost = false;
        loop {
            let dial = {
                let mut groups = self.groups();
                groups.check_open()?;
                let group = C::group(&mut groups);
                if let Some(opened) = group.open(&self.pool, self.limits.max_streams, false, call) {
                    return opened;
                }
                if is_lost {
                    // A server that closes every connection at once would be dialed without a pause.
                    return Err(self.dialer.failed("the connection was lost before a call could use it"));
                }
                self.dial(group, true)
            };
            // Others may have used it, so that a further one is needed.
            is_lost = !self.dialer.dialed(dial).await?.get();
        }
    }

    /// Makes a connection that is for this call first. Nobody waits for that dial but the call, so it is part of the
    /// call.
    async fn open_alone<C: Grouped>(self: &Arc<Self>, call: &NewCall) -> Result<Exchange> {
        let socket = self.dialer.endpoint.dial().await?;
        self.begin::<C, _>(socket, |group, client| group.open_new(client, &self.pool, call))?
    }

    /// Tries until it succeeds. Between its attempts it waits, with all others, for a connection.
    async fn open_patiently<C: Grouped>(self: &Arc<Self>, call: &NewCall) -> Result<Exchange> {
        let mut over = self.over.subscribe();
        loop {
            match self.open_dialing::<C>(call).await {
                Err(error) if error.is_retryable() => {
                    tracing::debug!(%error, "a call waits for a connection")
                }
                done => return done,
            }
            let dialed = self.dialed.notified();
            let mut attempts = C::group(&mut self.groups()).attempts.join(|waiting| {
                tokio::spawn(upkeep::attempt::<C>(Arc::clone(self), waiting));
            });
            tokio::select! {
                _ = attempts.changed() => {}
                () = dialed => {}
                _ = over.wait_for(|over| *over) => {}
            }
        }
    }

    /// Makes a connection unless there are as many as calls share. One `for_call` is there for a call that waits.
    pub(super) async fn connect<C: Grouped>(self: &Arc<Self>, for_call: bool) -> Result<()> {
        let connect = async {
            let dial = {
                let mut groups = self.groups();
                groups.check_open()?;
                let group = C::group(&mut groups);
                if group.is_complete() {
                    return Ok(());
                }
                group.shares_dials().then(|| self.dial(group, for_call))
            };
            if let Some(dial) = dial {
                return self.dialer.dialed(dial).await.map(drop);
            }
            let socket = self.dialer.endpoint.dial().await?;
            self.begin::<C, _>(socket, |group, client| group.add(client, &self.pool, for_call)).map(drop)
        };
        self.dialer.within(connect).await?;
        self.dialed.notify_waiters();
        Ok(())
    }

    /// Joins the dial for calls that share connections, or starts it. It goes on when the calls that wait for it do not:
    /// the next one then finds the connection.
    fn dial<C: Grouped>(self: &Arc<Self>, group: &mut Group<C>, for_call: bool) -> watch::Receiver<Dialed> {
        group.dial.join(|done| {
            let (dialer, inner) = (self.dialer.clone(), Arc::downgrade(self));
            tokio::spawn(async move {
                let socket = dialer.dial().await;
                let Some(inner) = inner.upgrade() else { return };
                let made = socket.and_then(|socket| {
                    inner.begin::<C, _>(socket, |group, client| {
                        group.dial = Together::default();
                        group.add(client, &inner.pool, for_call)
                    })
                });
                if made.is_err() {
                    let groups = &mut *inner.groups();
                    let group = C::group(groups);
                    group.dial = Together::default();
                    group.make_do();
                }
                done.send_replace(Some(made));
            });
        })
    }

    /// Starts a connection and hands it to its group.
    fn begin<C: Grouped, T>(
        self: &Arc<Self>,
        socket: Socket,
        give: impl FnOnce(&mut Group<C>, C) -> T,
    ) -> Result<T> {
        let mut groups = self.groups();
        groups.check_open()?;
        let (client, cutter) = C::start(socket, self);
        groups.cutters.retain(|cutter| !cutter.is_gone());
        groups.cutters.push(cutter);
        let given = give(C::group(&mut groups), client);
        if !groups.are_empty() && !std::mem::replace(&mut groups.looking, true) {
            tokio::spawn(upkeep::look(Arc::downgrade(self), self.over.subscribe(), self.pool.look_every()));
        }
        Ok(given)
    }

    /// Replaces a connection that streams share when it is lost.
    pub(super) fn look_after<C: Grouped>(
        self: &Arc<Self>,
        ended: impl Future<Output = bool> + Send + 'static,
    ) {
        if matches!(self.pool.kind, Kind::Default | Kind::Mux(_)) {
            tokio::spawn(upkeep::reconnect::<C>(Arc::downgrade(self), self.over.subscribe(), ended));
        }
    }

    pub(super) fn calling(&self) -> Calling {
        Calling {
            limits: Arc::clone(&self.limits),
            meter: Arc::clone(&self.meter),
            caller: Arc::clone(&self.caller),
            resets: self.resets,
            alive: self.alive.subscribe(),
        }
    }

    /// Closes the connections whose time is over. False when none is left to be looked after.
    pub(super) fn look(&self) -> bool {
        let groups = &mut *self.groups();
        groups.look(&self.pool);
        groups.looking = !groups.are_empty();
        groups.looking
    }

    /// See [`Channel::shutdown`](super::Channel::shutdown).
    async fn shutdown(self: Arc<Self>, timeout: Duration) -> usize {
        {
            // Under the lock, so that no call is opened behind it.
            let groups = &mut *self.groups();
            groups.over = true;
            groups.retire_all();
        }
        self.over.send_replace(true);
        if tokio::time::timeout(timeout, self.alive.closed()).await.is_ok() {
            return 0;
        }
        let calls = self.meter.streams.get();
        tracing::warn!(calls, endpoint = %self.dialer.endpoint, "cut off the calls that a channel had when it was shut down");
        let text = "the channel was shut down before the call had ended";
        let error = Error::new(Code::Cancelled, text).with_kitex_code(12013).with_side(Side::Client);
        self.groups().cutters.iter().for_each(|cutter| cutter.cut(error.clone()));
        if tokio::time::timeout(LAST_WORDS, self.alive.closed()).await.is_err() {
            self.groups().cutters.iter().for_each(|cutter| cutter.close(error.clone()));
            self.alive.closed().await;
        }
        usize::try_from(calls).unwrap_or(usize::MAX)
    }

    fn groups(&self) -> MutexGuard<'_, Groups> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
