//! Which connections a channel has.

use std::time::Duration;

use crate::{Code, Error, Result};

/// How many connections wait for the next call, and for how long; the numbers of Kitex's long pool
/// (Kitex v0.16.3, `internal/client/option.go`).
const MAX_IDLE: usize = 10;
const IDLE: Duration = Duration::from_secs(60);

/// Which connections a channel has, and how long they live: what
/// [`ChannelBuilder::pool`](super::ChannelBuilder::pool) takes.
///
/// ```
/// use std::time::Duration;
/// use streamx::{Channel, Pool};
///
/// # fn main() -> streamx::Result<()> {
/// let pool = Pool::long().idle_timeout(Duration::from_secs(20)).max_age(Duration::from_secs(600));
/// let channel = Channel::builder("ttheader://127.0.0.1:8888").pool(pool).connect_lazy()?;
/// # let _ = channel;
/// # Ok(())
/// # }
/// ```
///
/// | pool | a stream | a unary call |
/// |---|---|---|
/// | [`default`](Self::default) | shares one connection with all others | has a connection to itself, which the next one uses again; shares one once the server has shown that it is a streamx server |
/// | [`mux(n)`](Self::mux) | shares one of `n` connections, taken in turn | shares one of `n` connections, taken in turn |
/// | [`long()`](Self::long) | has a connection to itself, which the next one uses again | the same |
/// | [`short()`](Self::short) | has a new connection to itself, which ends with it | the same |
///
/// Streams and unary calls never share a connection: a server takes a connection for the one or the other (Kitex
/// v0.16.3, spec section 5). So each of the two has connections of its own, `n` or as many as it needs. Over gRPC a unary
/// call is a stream like any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    pub(super) kind: Kind,
    idle_timeout: Option<Duration>,
    pub(super) max_age: Option<Duration>,
    pub(super) max_idle: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Default,
    Mux(usize),
    Long,
    Short,
}

impl Default for Pool {
    /// What a channel has that sets no pool: one connection that all streams share, and for unary calls what is known
    /// to suit the server.
    ///
    /// A Kitex server answers the unary calls of one connection one after another, so there each call has a connection
    /// to itself; a streamx server is recognised by its first TTHeader answer, and from then on unary calls share one
    /// connection too.
    fn default() -> Self {
        Self::new(Kind::Default)
    }
}

impl Pool {
    /// `connections` connections that are shared, and taken in turn. They are made one by one, by the first calls.
    ///
    /// A connection that is lost is replaced. While one cannot be made those that are there carry all calls, and the next
    /// attempt follows after a pause that grows from 1 s to 2 min. When each carries `max_streams` calls (see
    /// [`Limits`](crate::Limits::max_streams)) a further one is made, which closes when it is idle.
    ///
    /// Unary calls share connections too, whatever the server is. Toward a Kitex server this saves connections and
    /// costs time: it answers the calls of one connection one after another, unless it is set up with
    /// `WithMuxTransport`.
    ///
    /// 0 is an error when the channel is made.
    pub fn mux(connections: usize) -> Self {
        Self::new(Kind::Mux(connections))
    }

    /// One call at a time on each connection; the next call uses a connection again, the one made last first.
    ///
    /// A call that finds none free makes one, without a bound on how many there are. Kitex calls this a long
    /// connection pool. A slow stream then holds up no other, and gets real back-pressure also from a peer that has
    /// no flow control. A connection is free once its call is over, also while the handle of the call is still there.
    pub fn long() -> Self {
        Self::new(Kind::Long)
    }

    /// A new connection for each call, which closes when the call is over. Kitex calls this a short connection.
    ///
    /// When a stream is cancelled its connection closes right behind the reset, and a Kitex server may then see the
    /// loss of the connection (12013) in place of the reason (spec section 3.8).
    pub fn short() -> Self {
        Self::new(Kind::Short)
    }

    /// Closes a connection that carried no call for so long.
    ///
    /// Default: 1 minute where a connection carries one call at a time, as Kitex has it, and never for those that are
    /// shared. Unused connections are looked for four times in that time, so one closes after `timeout` to one and a
    /// half times as much.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// Uses no connection for new calls that is older than this; those it carries run to their end. Default: never.
    ///
    /// Each connection has an age of its own, up to a tenth shorter, so that those made together are not replaced
    /// together. It lets calls reach servers that have joined behind a load balancer.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// How many connections of one call at a time are kept while nobody uses them. Default 10, as Kitex; no meaning for
    /// connections that are shared.
    #[must_use]
    pub fn max_idle(mut self, connections: usize) -> Self {
        self.max_idle = connections;
        self
    }

    fn new(kind: Kind) -> Self {
        Self { kind, idle_timeout: None, max_age: None, max_idle: MAX_IDLE }
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.kind == Kind::Mux(0) {
            let text = "Pool::mux(0) has no connection: it takes 1 or more";
            return Err(Error::new(Code::InvalidArgument, text));
        }
        Ok(())
    }

    /// After how long without a call a connection is closed.
    pub(super) fn idle(&self, shared: bool) -> Duration {
        self.idle_timeout.unwrap_or(if shared { Duration::MAX } else { IDLE })
    }

    /// How often to look for connections whose time is over.
    pub(super) fn look_every(&self) -> Duration {
        let shortest = self.idle(false).min(self.max_age.unwrap_or(Duration::MAX));
        (shortest / 4).max(Duration::from_millis(1))
    }
}
