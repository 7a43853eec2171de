//! Connections in memory that fail when a test says so.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use std::{fmt, io};

use tokio::time::Instant;

use super::pipe::{Pipe, Reader, Writer};
use crate::call::peer::Peer;
use crate::client::{ChannelBuilder, Memory};
use crate::counters::Meter;
use crate::server::ServerBuilder;
use crate::transport::Socket;
use crate::{Channel, Counters, Limits, Server, Service, Side};

/// A network in memory between a client and an implementation, whose faults are those that the test asks for.
///
/// Client and server are the real ones, as with [`Channel::in_process`]: only the bytes between them are not sent by
/// TCP. Delays are by tokio's clock, so a test with paused time does not wait for them.
///
/// ```
/// # use streamx::{Bidi, Message, Result};
/// # #[derive(Message, Clone, Debug, Default, PartialEq)]
/// # struct Line { #[field(1)] text: String }
/// # #[streamx::service]
/// # trait Echo {
/// #     #[bidi]
/// #     async fn echo(&self, lines: Bidi<Line, Line>) -> Result<()>;
/// # }
/// # struct Parrot;
/// # impl Echo for Parrot {
/// #     async fn echo(&self, mut lines: Bidi<Line, Line>) -> Result<()> {
/// #         while let Some(line) = lines.recv().await? {
/// #             lines.send(line).await?;
/// #         }
/// #         Ok(())
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// use std::time::Duration;
/// use streamx::testing::Network;
///
/// let network = Network::seeded(7);
/// network.delay(Duration::from_millis(1)..=Duration::from_millis(3)).split(5);
/// let client = EchoClient::new(network.channel(EchoServer::new(Parrot)));
///
/// let mut lines = client.echo().await?;
/// lines.send(Line { text: "hello".into() }).await?;
/// assert_eq!(lines.recv().await?, Some(Line { text: "hello".into() }));
///
/// network.cut();
/// let error = lines.recv().await.unwrap_err();
/// assert_eq!(error.code(), streamx::Code::Unavailable);
/// # Ok(())
/// # }
/// ```
///
/// Chance comes from the seed alone, and is drawn once for each write: a test on the current-thread runtime with paused
/// time sees the same pieces at the same moments each time it runs. For that the handlers of its services are polled in
/// tasks of their own unless the [`placement`](Service::placement) says otherwise, because the default one looks at the
/// real clock. What stays by chance is the pause before a channel reconnects by itself.
///
/// # Dropping
///
/// Means nothing to its connections, which go on as they are. Clones are handles to the same network.
#[derive(Clone)]
pub struct Network(Arc<Rules>);

/// What the connections of a network share with it.
pub(super) struct Rules(Mutex<State>);

struct State {
    chance: Chance,
    delay: RangeInclusive<Duration>,
    largest: usize,
    room: usize,
    held: bool,
    refused: bool,
    /// How many further bytes pass before every connection is cut.
    left: Option<usize>,
    limits: Limits,
    pipes: Vec<Weak<Pipe>>,
    /// Connections made so far.
    made: usize,
    server: Arc<Meter>,
    tap: Option<Tap>,
}

type Tap = Arc<Mutex<dyn FnMut(usize, Side, &[u8]) + Send>>;

/// What a network makes of bytes that are to pass.
pub(super) struct Passage {
    /// So many of them, at least one.
    pub(super) len: usize,
    pub(super) due: Instant,
    /// The connections are cut behind them.
    pub(super) is_last: bool,
}

/// How many bytes may be under way in each direction, as on a connection of [`Channel::in_process`].
const ROOM: usize = 64 << 10;

impl Default for Network {
    fn default() -> Self {
        Self::seeded(0)
    }
}

impl Network {
    /// A network without faults, whose chance is that of the seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Rules(Mutex::new(State {
            chance: Chance(seed),
            delay: Duration::ZERO..=Duration::ZERO,
            largest: usize::MAX,
            room: ROOM,
            held: false,
            refused: false,
            left: None,
            limits: Limits::default(),
            pipes: Vec::new(),
            made: 0,
            server: Arc::default(),
            tap: None,
        }))))
    }

    /// A channel to an implementation at the other end of this network. Each call makes a server of its own.
    ///
    /// # Panics
    ///
    /// As [`Channel::in_process`].
    pub fn channel(&self, service: impl Into<Service>) -> Channel {
        let limits = self.0.lock().limits.clone();
        let server = Server::builder().add_service(service).limits(limits.clone());
        match self.channel_builder(server).limits(limits).connect_lazy() {
            Ok(channel) => channel,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`channel`](Self::channel), with options of both sides: a channel to this server at the other end of this
    /// network. Each side has the limits of its builder.
    ///
    /// ```
    /// # #[derive(streamx::Message, Clone, Debug, Default)]
    /// # struct Line { #[field(1)] text: String }
    /// # #[streamx::service]
    /// # trait Echo { async fn echo(&self, line: Line) -> streamx::Result<Line>; }
    /// # struct Parrot;
    /// # impl Echo for Parrot { async fn echo(&self, line: Line) -> streamx::Result<Line> { Ok(line) } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> streamx::Result<()> {
    /// use streamx::testing::Network;
    /// use streamx::{Pool, Server};
    ///
    /// let network = Network::seeded(7);
    /// let server = Server::builder().add_service(EchoServer::new(Parrot));
    /// let channel = network.channel_builder(server).pool(Pool::short()).connect_lazy()?;
    /// let client = EchoClient::new(channel);
    /// # client.echo(Line::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// What is said of the server of [`ServerBuilder::in_process`] holds for this one too.
    #[must_use]
    pub fn channel_builder(&self, server: ServerBuilder) -> ChannelBuilder {
        let rules = Arc::clone(&self.0);
        let meter = Arc::clone(&rules.lock().server);
        ChannelBuilder::over_memory(server.by_no_clock().serving_in_process().map(|(router, limits)| {
            Memory { router, limits, meter, connect: Box::new(move || Rules::connect(&rules)) }
        }))
    }

    /// The limits of both sides of the channels that [`channel`](Self::channel) makes from now on.
    pub fn limits(&self, limits: Limits) -> &Self {
        self.change(|state| state.limits = limits)
    }

    /// How long each piece takes that is sent from now on: a time from this range, by chance. Pieces arrive in their
    /// order all the same.
    pub fn delay(&self, range: RangeInclusive<Duration>) -> &Self {
        self.change(|state| state.delay = range)
    }

    /// Breaks what is written from now on into pieces of 1 to `largest` bytes, by chance; each arrives in a read of its
    /// own.
    pub fn split(&self, largest: usize) -> &Self {
        self.change(|state| state.largest = largest.max(1))
    }

    /// How many bytes may be under way in each direction of a connection before its writer has to wait: 64 KiB unless
    /// this is called.
    pub fn room(&self, bytes: usize) -> &Self {
        self.change(|state| state.room = bytes.max(1))
    }

    /// From now on nothing arrives, in no direction. Nothing is lost either.
    pub fn hold(&self) -> &Self {
        self.hold_or_release(true)
    }

    /// Lets arrive what was kept back by [`hold`](Self::hold).
    pub fn release(&self) -> &Self {
        self.hold_or_release(false)
    }

    /// Closes every connection, as when the process of the other side ends: what is under way arrives, then both sides
    /// see the end. Further calls make a new connection.
    pub fn cut(&self) -> &Self {
        self.each_pipe(Pipe::close)
    }

    /// Cuts as [`cut`](Self::cut) does, but behind so many further bytes, both directions counted: usually in the middle
    /// of a message.
    pub fn cut_after(&self, bytes: usize) -> &Self {
        if bytes == 0 {
            return self.cut();
        }
        self.change(|state| state.left = Some(bytes))
    }

    /// Breaks every connection: what is under way is lost, and both sides fail at once. Further calls make a new
    /// connection.
    pub fn reset(&self) -> &Self {
        self.each_pipe(Pipe::break_off)
    }

    /// Whether new connections fail from now on. Those that are there go on.
    pub fn refuse(&self, refuse: bool) -> &Self {
        self.change(|state| state.refused = refuse)
    }

    /// Shows each piece as it is sent to `tap`: the number of the connection, from 0 on, the side it comes from, and its
    /// bytes. For tests of the bytes themselves; replaces an earlier one.
    pub fn tap(&self, tap: impl FnMut(usize, Side, &[u8]) + Send + 'static) -> &Self {
        self.change(|state| state.tap = Some(Arc::new(Mutex::new(tap))))
    }

    /// What the servers at the other end have done and hold; [`Channel::counters`] is the same of the client.
    pub fn server_counters(&self) -> Counters {
        self.0.lock().server.snapshot()
    }

    fn hold_or_release(&self, held: bool) -> &Self {
        self.change(|state| state.held = held);
        self.each_pipe(|pipe| pipe.hold(held))
    }

    fn change(&self, change: impl FnOnce(&mut State)) -> &Self {
        change(&mut self.0.lock());
        self
    }

    fn each_pipe(&self, act: impl Fn(&Pipe)) -> &Self {
        self.0.each_pipe(act);
        self
    }
}

impl Rules {
    /// The two ends of a new connection, that of the client first.
    fn connect(rules: &Arc<Self>) -> io::Result<(Socket, Socket)> {
        let mut state = rules.lock();
        if state.refused {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let connection = state.made;
        state.made += 1;
        state.pipes.retain(|pipe| pipe.strong_count() > 0);
        let held = state.held;
        let mut pipe = || {
            let pipe = Arc::new(Pipe::default());
            pipe.hold(held);
            state.pipes.push(Arc::downgrade(&pipe));
            pipe
        };
        let (there, back) = (pipe(), pipe());
        drop(state);
        let end = |from: &Arc<Pipe>, to: Arc<Pipe>, side| {
            let writer = Writer::new(to, Arc::clone(rules), connection, side);
            Socket::Made(Box::new(Reader::new(Arc::clone(from))), Box::new(writer), Peer::default())
        };
        Ok((end(&back, Arc::clone(&there), Side::Client), end(&there, Arc::clone(&back), Side::Server)))
    }

    pub(super) fn room(&self) -> usize {
        self.lock().room
    }

    /// Decides how many of so many bytes pass now, and when they arrive.
    pub(super) fn pass(&self, bytes: usize) -> Passage {
        let State { chance, delay, largest, left, .. } = &mut *self.lock();
        let mut len = bytes.min(left.unwrap_or(usize::MAX));
        if *largest < usize::MAX {
            len = len.min(chance.up_to(*largest as u64 - 1) as usize + 1);
        }
        let range = delay.end().saturating_sub(*delay.start());
        let by_chance = chance.up_to(u64::try_from(range.as_micros()).unwrap_or(u64::MAX));
        let due = Instant::now() + *delay.start() + Duration::from_micros(by_chance);
        if let Some(left) = left {
            *left -= len;
        }
        let is_last = *left == Some(0);
        if is_last {
            *left = None;
        }
        Passage { len, due, is_last }
    }

    /// Bytes have been sent.
    pub(super) fn passed(&self, connection: usize, side: Side, bytes: &[u8], is_last: bool) {
        let tap = self.lock().tap.clone();
        if let Some(tap) = tap {
            tap.lock().unwrap_or_else(PoisonError::into_inner)(connection, side, bytes);
        }
        if is_last {
            self.each_pipe(Pipe::close);
        }
    }

    fn each_pipe(&self, act: impl Fn(&Pipe)) {
        let pipes: Vec<_> = self.lock().pipes.iter().filter_map(Weak::upgrade).collect();
        for pipe in pipes {
            act(&pipe);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Numbers by chance, always the same after the same seed (SplitMix64).
struct Chance(u64);

impl Chance {
    /// A number from 0 to `most`.
    fn up_to(&mut self, most: u64) -> u64 {
        if most == 0 {
            return 0;
        }
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // The remainder favours small numbers by less than anybody can notice.
        most.checked_add(1).map_or(mixed, |numbers| mixed % numbers)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.lock();
        f.debug_struct("Network")
            .field("delay", &state.delay)
            .field("largest", &state.largest)
            .field("held", &state.held)
            .field("refused", &state.refused)
            .field("left", &state.left)
            .finish_non_exhaustive()
    }
}
