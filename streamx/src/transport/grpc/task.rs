//! The connection task of gRPC: has HTTP/2 work, moves what leaves and arrives between it and the streams, polls the
//! handlers that live here, and writes what has come of it at once.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker};

use h2::PingPong;
use tokio::time::Instant;

use super::keepalive::{Age, Aging, Due, Keepalive, Pings};
use super::slot::Slot;
use super::stream::{CONNECTION, Peer};
use crate::error::Kind;
use crate::transport::connection::Deliveries;
use crate::transport::handlers::Handlers;
use crate::transport::link::{Link, Patience};
use crate::transport::overdue::{For, Waits, Watch};
use crate::transport::task_waker::{PlaceWaker, Woken};
use crate::{Error, Result};

/// How often the task looks again for those that have woken it meanwhile before it lets other tasks run.
const ROUNDS: u32 = 8;

/// How often it lets others run that are about to send before it has HTTP/2 write without them.
const PATIENCE: u32 = 8;

/// One of the two sides of a connection.
pub(in crate::transport) trait Role: Send + Unpin + 'static {
    /// Has HTTP/2 read and write, and begins new streams. Ready when the connection has ended.
    fn drive(&mut self, streams: &mut Streams, out: &mut Deliveries, cx: &mut Context<'_>) -> Poll<Error>;

    /// Does what there is to do for a stream. False when nothing is left of it.
    fn attend(&mut self, slot: &mut Slot, out: &mut Deliveries) -> Result<bool>;

    /// Ends every call with `error`; the connection is lost.
    fn lost(&mut self, streams: &mut Streams, error: &Error, out: &mut Deliveries);

    /// Ends every call with `error`, and tells the peer.
    fn cut(&mut self, streams: &mut Streams, error: &Error, out: &mut Deliveries);

    /// The connection is to end: says so to the peer.
    fn shut_down(&mut self);

    /// Whether a connection that is to end has nothing left to do.
    fn is_idle(&self, streams: &Streams) -> bool;

    /// Whether both sides have shown that they speak HTTP/2.
    fn is_ready(&self) -> bool;

    /// What sends pings, once: when there is one.
    fn pings(&mut self) -> Option<PingPong>;
}

/// The streams of a connection.
pub(in crate::transport) struct Streams {
    slots: Vec<Option<Slot>>,
    free: Vec<usize>,
    woken: Arc<Woken>,
}

impl Streams {
    /// Adds a stream that is made with what wakes the task for it.
    pub(super) fn add(&mut self, make: impl FnOnce(Arc<PlaceWaker>) -> Slot) {
        let place = self.free.pop().unwrap_or(self.slots.len());
        let slot = Some(make(PlaceWaker::new(place, Arc::clone(&self.woken))));
        match self.slots.get_mut(place) {
            Some(free) => *free = slot,
            None => self.slots.push(slot),
        }
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.slots.iter_mut().flatten()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.free.len() == self.slots.len()
    }
}

pub(in crate::transport) struct Task<R: Role> {
    link: Arc<Link>,
    peer: Arc<Peer>,
    role: R,
    streams: Streams,
    handlers: Handlers,
    out: Deliveries,
    /// What wakes this task, as it was told last.
    waker: Waker,
    /// The places that a round looks at; kept for its memory.
    pass: Vec<usize>,
    /// How often others were let go first since the task has worked last.
    waited: u32,
    patience: Patience,
    /// The peer was told that the connection ends.
    is_ending: bool,
    /// Every call was ended by this side.
    is_cut: bool,
    watch: Watch,
    pings: Option<PingPong>,
    keepalive: Keepalive,
    aging: Aging,
    born: Instant,
}

impl<R: Role> Task<R> {
    pub(super) fn new(peer: Arc<Peer>, role: R, born: Instant, pings: Pings, age: Age) -> Self {
        let link = Arc::clone(&peer.link);
        link.meter.connections.add(1);
        link.meter.connections_opened.add(1);
        let woken = Arc::clone(&peer.woken);
        Self {
            handlers: Handlers::new(Arc::clone(&link.waker)),
            link,
            peer,
            role,
            streams: Streams { slots: Vec::new(), free: Vec::new(), woken },
            out: Deliveries::default(),
            waker: Waker::noop().clone(),
            pass: Vec::new(),
            waited: 0,
            patience: Patience::default(),
            is_ending: false,
            is_cut: false,
            watch: Watch::default(),
            pings: None,
            keepalive: Keepalive::new(pings),
            aging: Aging::new(age),
            born,
        }
    }

    /// Whether others are to run first. A task that sends wakes this one, and a scheduler may poll that at once: then
    /// each message would be a write. So those that are ready get a turn, and those whose turns run (see
    /// [`turns`](crate::transport::turns)) end them.
    fn lets_others_go_first(&mut self, cx: &Context<'_>) -> bool {
        let wait = self.waited == 0 || (self.link.turns.any() && self.waited < PATIENCE);
        if wait {
            self.waited += 1;
            cx.waker().wake_by_ref();
        } else {
            if self.waited == PATIENCE && self.link.turns.any() {
                self.link.turns.new_epoch();
            }
            self.waited = 0;
        }
        wait
    }

    /// One poll's work. An error ends the connection. True when there is more to do.
    fn work(&mut self) -> Result<bool> {
        let was_stalled = self.link.is_stalled();
        self.link.resume();
        if was_stalled && !self.link.is_stalled() {
            self.drive_soon();
        }
        if self.link.is_shutting_down() && !std::mem::replace(&mut self.is_ending, true) {
            self.role.shut_down();
            self.drive_soon();
        }
        if let Some(error) = self.link.is_cut().filter(|_| !self.is_cut) {
            self.is_cut = true;
            self.role.cut(&mut self.streams, error, &mut self.out);
            self.announce();
        }
        for _ in 0..ROUNDS {
            let drive = self.attend_woken()?;
            self.handlers.poll(&mut self.out.places);
            if drive {
                self.drive()?;
            }
            if !self.streams.woken.any() && !self.handlers.any_woken() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn drive_soon(&self) {
        std::task::Wake::wake_by_ref(&self.peer.bell);
    }

    /// Has HTTP/2 work, which wakes the streams that something has happened to.
    fn drive(&mut self) -> Result<()> {
        self.peer.bell.begin();
        let waker = Waker::from(Arc::clone(&self.peer.bell));
        let cx = &mut Context::from_waker(&waker);
        let driven = self.role.drive(&mut self.streams, &mut self.out, cx);
        self.announce();
        match driven {
            Poll::Pending => Ok(()),
            Poll::Ready(error) => {
                // What has arrived before the end comes before it.
                self.attend_woken()?;
                Err(self.link.closed().unwrap_or(error))
            }
        }
    }

    /// Looks at every stream that was woken. True when HTTP/2 was, too.
    fn attend_woken(&mut self) -> Result<bool> {
        let mut drive = false;
        let mut pass = std::mem::take(&mut self.pass);
        self.streams.woken.swap(&mut pass);
        for place in pass.drain(..) {
            if place == CONNECTION {
                drive = true;
                continue;
            }
            // A waker may outlive its stream.
            let Some(seat) = self.streams.slots.get_mut(place) else { continue };
            let Some(slot) = seat else { continue };
            slot.begin();
            if !self.role.attend(slot, &mut self.out)? {
                slot.settle(&self.peer);
                *seat = None;
                self.streams.free.push(place);
            }
        }
        self.pass = pass;
        self.announce();
        Ok(drive)
    }

    /// Tells everybody what has happened. The calls of a handler end before it finds out, because it may end them in
    /// its own way.
    fn announce(&mut self) {
        for running in self.out.started.drain(..) {
            self.handlers.start(running);
        }
        for (child, reason) in self.out.cancelled.drain(..) {
            child.cancel(&reason);
        }
        for waker in self.out.wakers.drain(..) {
            waker.wake();
        }
    }

    /// Watches over a peer that does not speak HTTP/2 and one that takes nothing.
    fn check_time(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let limits = &self.link.limits;
        let waits = if self.link.is_stalled() {
            Some(Waits::new(For::Room, limits.write_stall_timeout, self.link.written()))
        } else if !self.role.is_ready() {
            let waits = Waits::new(For::FirstFrame, limits.first_frame_timeout, 0);
            Some(Waits { spent: self.born.elapsed(), ..waits })
        } else {
            None
        };
        self.watch.check(waits, cx)?;
        self.pings = self.pings.take().or_else(|| self.role.pings());
        if let Some(http) = &mut self.pings {
            let (has_calls, heard) = (self.peer.live() > 0, self.peer.heard.load(Relaxed));
            self.keepalive.check(http, has_calls, heard, cx)?;
        }
        match self.aging.check(cx) {
            Due::Nothing => {}
            Due::Leave => self.link.shut_down(),
            Due::Cut(error) => self.link.cut(error),
            Due::Close(error) => self.link.close(error),
        }
        Ok(())
    }

    fn end(&mut self, error: &Error) {
        self.link.close(error.clone());
        self.role.lost(&mut self.streams, error, &mut self.out);
        for slot in self.streams.iter_mut() {
            slot.settle(&self.peer);
        }
        self.streams.slots.clear();
        self.streams.free.clear();
        self.out.started.clear();
        self.announce();
    }

    /// Whether the task has nothing left to do after it was asked to end.
    fn is_finished(&self) -> bool {
        let is_done = (self.is_cut && self.streams.is_empty()) || self.role.is_idle(&self.streams);
        self.link.is_shutting_down() && is_done && !self.streams.woken.any() && self.link.is_drained()
    }
}

impl<R: Role> Future for Task<R> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.lets_others_go_first(cx) {
            return Poll::Pending;
        }
        let mut rounds = 0;
        loop {
            this.link.waker.begin(&mut this.waker, cx.waker());
            let worked = this.link.task_begins().and_then(|()| {
                let more = this.work()?;
                this.check_time(cx)?;
                Ok(more)
            });
            let again = this.link.task_ends(&mut this.patience);
            let ended = match worked {
                Ok(_) if this.is_finished() => Err(Error::closed("the connection was closed on this side")),
                other => other,
            };
            let more = match ended {
                Ok(more) => more,
                Err(error) => {
                    match error.kind() {
                        Kind::Protocol | Kind::Limit => tracing::info!(%error, "closed a connection"),
                        _ => tracing::debug!(%error, "a connection ends"),
                    }
                    // What HTTP/2 has said at its end.
                    this.link.flush();
                    this.end(&error);
                    this.handlers.disperse();
                    return Poll::Ready(());
                }
            };
            let slept =
                this.link.waker.end() && !this.streams.woken.any() && !this.handlers.any_woken() && !more;
            if slept && !again {
                return Poll::Pending;
            }
            rounds += 1;
            if again || rounds >= ROUNDS {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }
}

impl<R: Role> Drop for Task<R> {
    /// Nothing is left to end unless the task was dropped before its time: its runtime was shut down.
    fn drop(&mut self) {
        let gone = || Error::transport("the runtime that drove the connection was shut down");
        self.end(&self.link.closed().unwrap_or_else(gone));
        self.link.hang_up();
        self.link.meter.connections.sub(1);
    }
}
