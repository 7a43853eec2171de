//! The connection task: the one that owns a socket.
//!
//! One read a poll, every complete frame cut and delivered, the handlers that live here polled, what they sent
//! written at once, then sleep. What other tasks send meanwhile they write themselves or leave to this task
//! (see [`super::turns`]).

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, Sleep};

use super::handlers::{Handlers, Running};
use super::link::{Link, Patience};
use super::overdue::{For, Waits, Watch};
use crate::call::child::{Child, Children};
use crate::error::Kind;
use crate::wire::detect::is_tls_alert;
use crate::{Error, Result};

/// The usual read buffer: small enough for the first-level cache.
const READ_BUFFER: usize = 16 << 10;
/// A large frame gets room as its bytes arrive, never more than this ahead of what has arrived already.
const READ_AHEAD: usize = 64 << 10;

/// How often the task looks again for those that have woken it meanwhile before it lets other tasks run.
const ROUNDS: u32 = 8;

/// What a protocol does with the bytes of a connection.
pub(crate) trait Protocol: Send + Unpin + 'static {
    /// Cuts every whole frame from the input and delivers it. Returns how many bytes must be there before it is
    /// worth looking again. An error ends the connection.
    fn receive(&mut self, input: &mut BytesMut, out: &mut Deliveries) -> Result<usize>;

    /// The read buffer is needed again. When somebody still holds a slice of it, its size is `pinned`, and messages that
    /// are queued and small beside it are copied out.
    fn settle(&mut self, pinned: Option<usize>);

    /// The peer has closed the connection, or it broke: ends every call on it with `error`.
    fn lost(&mut self, error: &Error, out: &mut Deliveries);

    /// Ends every call with `error`, and tells the peer.
    fn cut(&mut self, _error: &Error, _out: &mut Deliveries) {}

    /// How the end of the input reads to this side.
    fn closed_by_peer(&self, mid_frame: bool) -> Error;

    /// Whether the socket is to be left unread for now, because the only reader is behind.
    fn is_behind(&self) -> bool;

    /// No call is running.
    fn is_idle(&self) -> bool;

    /// Whether the peer has to speak first, and soon.
    const EXPECTS_FIRST_FRAME: bool;
}

/// What one read set in motion.
#[derive(Default)]
pub(crate) struct Deliveries {
    pub(crate) wakers: Vec<Waker>,
    /// The places of handlers that got messages and are polled here.
    pub(crate) places: Vec<usize>,
    pub(crate) started: Vec<Running>,
    /// Calls that handlers have made whose own calls are over, and why.
    pub(crate) cancelled: Vec<(Arc<dyn Child>, Error)>,
}

impl Deliveries {
    /// The caller of a handler is gone: so are the calls it has made.
    pub(crate) fn cancel(&mut self, children: &Children, reason: &Error) {
        self.cancelled.extend(children.end(reason).into_iter().map(|child| (child, reason.clone())));
    }

    /// Tells everybody what has happened. The calls of a handler end before it finds out, because it may end them in
    /// its own way.
    pub(crate) fn announce(&mut self) {
        for (child, reason) in self.cancelled.drain(..) {
            child.cancel(&reason);
        }
        for waker in self.wakers.drain(..) {
            waker.wake();
        }
    }
}

pub(crate) struct Connection<P: Protocol> {
    link: Arc<Link>,
    /// What wakes this task, as it was told last.
    waker: Waker,
    protocol: P,
    socket: Box<dyn AsyncRead + Send + Unpin>,
    input: BytesMut,
    /// How large the read buffer was made, of which `input` is what is left.
    buffer: usize,
    need: usize,
    handlers: Handlers,
    out: Deliveries,
    patience: Patience,
    /// Every call was ended by this side.
    is_cut: bool,
    watch: Watch,
    pause: Option<Pin<Box<Sleep>>>,
    seen_frame: bool,
    born: Instant,
}

impl<P: Protocol> Connection<P> {
    /// A connection that exists since `born` and whose first bytes, read to recognise the protocol, are `input`.
    pub(crate) fn new(
        link: Arc<Link>,
        protocol: P,
        socket: Box<dyn AsyncRead + Send + Unpin>,
        input: BytesMut,
        born: Instant,
    ) -> Self {
        let handlers = Handlers::new(Arc::clone(&link.waker));
        link.meter.connections.add(1);
        link.meter.connections_opened.add(1);
        Self {
            link,
            waker: Waker::noop().clone(),
            protocol,
            socket,
            need: usize::from(input.is_empty()),
            buffer: input.capacity(),
            input,
            handlers,
            out: Deliveries::default(),
            patience: Patience::default(),
            is_cut: false,
            watch: Watch::default(),
            pause: None,
            seen_frame: !P::EXPECTS_FIRST_FRAME,
            born,
        }
    }

    /// One poll's work. An error ends the connection.
    fn work(&mut self, cx: &mut Context<'_>) -> Result<Next> {
        self.link.resume();
        if let Some(error) = self.link.is_cut().filter(|_| !self.is_cut) {
            self.is_cut = true;
            self.protocol.cut(error, &mut self.out);
            self.out.announce();
        }
        self.handlers.poll(&mut self.out.places);
        if self.is_paused(cx) {
            return Ok(Next::Sleep);
        }
        if self.input.len() >= self.need && !self.input.is_empty() {
            self.deliver()?;
        }
        loop {
            self.make_room();
            let room = self.input.capacity() - self.input.len();
            let read = pin!(self.socket.read_buf(&mut self.input)).poll(cx);
            let read = match read {
                Poll::Pending => return Ok(Next::Sleep),
                Poll::Ready(Ok(0)) => {
                    self.link.closed().map_or(Ok(()), Err)?;
                    if is_tls_alert(&self.input) {
                        let text = "the peer answered with a TLS alert: it serves TLS only, and this connection has none";
                        return Err(Error::transport(text).with_kitex_code(12004));
                    }
                    return Err(self.protocol.closed_by_peer(!self.input.is_empty()));
                }
                Poll::Ready(Ok(read)) => read,
                Poll::Ready(Err(error)) => {
                    let text = format!("the connection broke: {error}");
                    return Err(Error::transport(text).with_kitex_code(12004).with_source(error));
                }
            };
            self.link.meter.reads.add(1);
            self.watch.progress = true;
            if self.input.len() >= self.need {
                self.deliver()?;
                if read == room {
                    // There is more, but those who were woken go first: it keeps queues short and batches large.
                    return Ok(Next::Again);
                }
                if self.is_paused(cx) {
                    return Ok(Next::Sleep);
                }
            }
        }
    }

    /// Delivers every whole frame of the input, wakes the receivers and polls the handlers that are here.
    fn deliver(&mut self) -> Result<()> {
        let before = self.input.len();
        let received = self.protocol.receive(&mut self.input, &mut self.out);
        self.seen_frame |= self.input.len() < before;
        for running in self.out.started.drain(..) {
            self.handlers.start(running);
        }
        self.out.announce();
        self.handlers.poll(&mut self.out.places);
        self.need = received?;
        Ok(())
    }

    /// Makes the read buffer ready: the one that is there when nobody holds a slice of it, else a new one.
    fn make_room(&mut self) {
        let missing = self.need.saturating_sub(self.input.len());
        let enough = if missing > READ_BUFFER {
            missing.min(self.input.len().max(READ_AHEAD))
        } else {
            missing.max(READ_BUFFER / 4)
        };
        let room = if self.input.is_empty() { enough.max(READ_BUFFER) } else { enough };
        let free = self.input.capacity() - self.input.len();
        if free >= room && !self.is_oversized() {
            return;
        }
        if self.is_oversized() {
            self.protocol.settle(Some(self.buffer));
            self.input = BytesMut::with_capacity(READ_BUFFER);
            self.buffer = READ_BUFFER;
            return;
        }
        if self.input.try_reclaim(room) {
            self.protocol.settle(None);
            return;
        }
        // Those who were just woken have not taken their messages yet. The rest of the buffer gives them time: by the
        // next read they have, and nothing needs to be copied.
        if free >= enough {
            return;
        }
        self.protocol.settle(Some(self.buffer));
        self.input.reserve(room.max(READ_BUFFER.saturating_sub(self.input.len())));
        self.buffer = self.input.capacity();
    }

    /// A buffer that a large frame has left behind.
    fn is_oversized(&self) -> bool {
        self.input.is_empty() && self.need <= READ_BUFFER && self.input.capacity() > 4 * READ_AHEAD
    }

    /// Leaves the socket unread while the peer takes no answers, and while the only reader is behind; the latter at
    /// most `lone_stream_pause` at a time.
    fn is_paused(&mut self, cx: &mut Context<'_>) -> bool {
        if self.link.is_clogged(cx) {
            return true;
        }
        if !self.protocol.is_behind() {
            self.pause = None;
            return false;
        }
        let limits = &self.link.limits;
        let pause = self.pause.get_or_insert_with(|| {
            self.link.meter.receive_pauses.add(1);
            Box::pin(tokio::time::sleep(limits.lone_stream_pause))
        });
        if pause.as_mut().poll(cx).is_pending() {
            return true;
        }
        self.pause = None;
        false
    }

    /// Watches over a frame that does not get finished and a peer that takes nothing.
    fn check_time(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let limits = &self.link.limits;
        let waits = if self.link.is_stalled() {
            Some(Waits::new(For::Room, limits.write_stall_timeout, self.link.written()))
        } else if !self.seen_frame {
            let waits = Waits::new(For::FirstFrame, limits.first_frame_timeout, 0);
            Some(Waits { spent: self.born.elapsed(), ..waits })
        } else if !self.input.is_empty() && self.pause.is_none() {
            Some(Waits::new(For::RestOfFrame, limits.frame_timeout, 0))
        } else {
            None
        };
        self.watch.check(waits, cx)
    }

    fn end(&mut self, error: &Error) {
        self.link.close(error.clone());
        self.protocol.lost(error, &mut self.out);
        self.out.started.clear();
        self.out.announce();
    }

    /// Whether the task has nothing left to do after it was asked to end.
    fn is_finished(&self) -> bool {
        self.link.is_shutting_down() && (self.is_cut || self.protocol.is_idle()) && self.link.is_drained()
    }
}

enum Next {
    Sleep,
    Again,
}

impl<P: Protocol> Future for Connection<P> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut rounds = 0;
        loop {
            this.link.waker.begin(&mut this.waker, cx.waker());
            let worked = this.link.task_begins().and_then(|()| {
                let next = this.work(cx)?;
                this.check_time(cx)?;
                Ok(next)
            });
            let again = this.link.task_ends(&mut this.patience);
            let next = match worked {
                Ok(next) => next,
                Err(error) => {
                    match error.kind() {
                        Kind::Protocol | Kind::Limit => tracing::info!(%error, "closed a connection"),
                        _ => tracing::debug!(%error, "a connection ends"),
                    }
                    this.end(&error);
                    this.handlers.disperse();
                    return Poll::Ready(());
                }
            };
            if this.is_finished() {
                this.end(&Error::closed("the connection was closed on this side"));
                this.handlers.disperse();
                return Poll::Ready(());
            }
            let slept = this.link.waker.end() && !this.handlers.any_woken();
            if slept && !again && matches!(next, Next::Sleep) {
                return Poll::Pending;
            }
            rounds += 1;
            if again || matches!(next, Next::Again) || rounds >= ROUNDS {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }
}

impl<P: Protocol> Drop for Connection<P> {
    /// Nothing is left to end unless the task was dropped before its time: its runtime was shut down.
    fn drop(&mut self) {
        let gone = || Error::transport("the runtime that drove the connection was shut down");
        self.end(&self.link.closed().unwrap_or_else(gone));
        self.link.hang_up();
        self.link.meter.connections.sub(1);
    }
}
