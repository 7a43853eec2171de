//! What has arrived for one stream and was not taken yet.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed, Ordering::SeqCst};
use std::task::{self, Poll, Waker};

use bytes::Bytes;

use super::lock;
use super::turns::{Turn, Turns};
use crate::{Error, Metadata, Result};

#[cfg(test)]
mod tests;

/// What a queued message costs beside its bytes, so that empty messages cannot be queued for free.
const OVERHEAD: usize = 32;
/// A payload smaller than this that has to queue is copied, because as a slice it pins a whole read buffer.
const COPY_BELOW: usize = 4 << 10;
/// So is one that would pin more than so many times its size: the buffer of a large message.
const PINS_AT_MOST: usize = 8;

/// The inbox of one stream: filled by the connection task, emptied by one receiver.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    /// A receiver finds something. Changed under the lock, looked at without.
    ready: AtomicBool,
    /// The receiver has found nothing when it looked last. Changed by the receiver, looked at under the lock.
    waits: AtomicBool,
    /// The caller is gone: the handler must not be polled any more.
    gone: AtomicBool,
}

/// What a receiver knows of its inbox. One that takes the last message is noted as waiting for the next at once: when it
/// comes back and finds nothing, it needs no lock to wait.
#[derive(Debug, Default)]
pub(crate) struct Receiver {
    /// What it was noted with, if it left nothing.
    noted: Option<Waker>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Bytes>,
    /// What is queued costs so much of the budgets.
    bytes: usize,
    /// The message at the front was handed to a receiver that waited for it, and costs nothing.
    handed: bool,
    /// How many at the front of the queue own their bytes.
    owned: usize,
    end: Option<Result<()>>,
    /// Who received last.
    receiver: Option<Waker>,
    /// The receiver is to be woken.
    parked: bool,
    /// The turn the receiver was given when it was woken last.
    turn: Turn,
    /// The task that polls the handler; woken when the handler must be dropped.
    handler: Option<Waker>,
    /// Where the connection task polls the handler, if it does.
    place: Option<usize>,
    /// Nobody receives: what arrives is dropped.
    deaf: bool,
    header: Option<Metadata>,
    /// Boxed, because an idle stream has none.
    trailer: Option<Box<Metadata>>,
    /// Why the call is over for its handler: the caller is gone, or the handler has returned.
    over: Option<Error>,
    /// Those who wait for a header, a trailer or the end.
    watchers: Vec<Waker>,
}

/// What a receiver got.
pub(crate) struct Received {
    pub(crate) message: Result<Option<Bytes>>,
    /// How many bytes of budget became free.
    pub(crate) freed: usize,
    /// The turn that ends with this.
    pub(crate) turn: Turn,
    /// What is still queued costs so much.
    pub(crate) queued: usize,
    /// Nothing more will arrive behind what is queued.
    pub(crate) is_last: bool,
}

impl Inbox {
    /// Adds a message, and wakes a receiver that waits; it gets a turn. A handler that the connection task polls needs
    /// none, for that task writes after it: its place is returned, to be polled.
    ///
    /// A small message that a receiver waits for is not counted as queued: it is as good as taken. What any other costs
    /// of the budgets is `charge`d, along with what is queued already, before a receiver can take it: a budget is never
    /// given back before it is taken.
    pub(crate) fn push(
        &self,
        payload: Bytes,
        turns: &Turns,
        charge: impl FnOnce(usize, usize),
    ) -> Option<usize> {
        let state = &mut *lock(&self.state);
        if state.end.is_some() || state.deaf {
            return None;
        }
        let parked = std::mem::take(&mut state.parked);
        let waits = parked && self.waits.load(Relaxed);
        state.handed |= waits && state.queue.is_empty() && payload.len() < COPY_BELOW;
        if !state.handed || !state.queue.is_empty() {
            let cost = payload.len() + OVERHEAD;
            charge(cost, state.bytes);
            state.bytes += cost;
        }
        state.queue.push_back(payload);
        self.ready.store(true, Relaxed);
        let receiver = state.receiver.as_ref().filter(|_| parked)?;
        if let (Some(place), Some(handler)) = (state.place, &state.handler)
            && receiver.will_wake(handler)
        {
            return Some(place);
        }
        // One that is busy with the message before comes when it comes.
        if waits && state.turn != turns.current() {
            state.turn = turns.begin();
        }
        receiver.wake_by_ref();
        None
    }

    /// The header has arrived.
    pub(crate) fn set_header(&self, header: Metadata) {
        let mut state = lock(&self.state);
        state.header.get_or_insert(header);
        wake_all(state.take_watchers());
    }

    /// The trailer has arrived; the end follows.
    pub(crate) fn set_trailer(&self, trailer: Metadata) {
        lock(&self.state).trailer = Some(Box::new(trailer));
    }

    pub(crate) fn poll_header(&self, cx: &task::Context<'_>) -> Poll<Result<Metadata>> {
        let state = &mut *lock(&self.state);
        match (&state.header, &state.end) {
            (Some(header), _) => Poll::Ready(Ok(header.clone())),
            (None, Some(end)) => Poll::Ready(end.clone().map(|()| Metadata::default())),
            (None, None) => state.watch(cx),
        }
    }

    pub(crate) fn poll_trailer(&self, cx: &task::Context<'_>) -> Poll<Result<Metadata>> {
        let state = &mut *lock(&self.state);
        match (&state.end, &state.trailer) {
            (None, _) => state.watch(cx),
            (Some(_), Some(trailer)) => Poll::Ready(Ok((**trailer).clone())),
            (Some(end), None) => Poll::Ready(end.clone().map(|()| Metadata::default())),
        }
    }

    /// Waits until the call is over for its handler.
    pub(crate) fn poll_over(&self, cx: &task::Context<'_>) -> Poll<Error> {
        let state = &mut *lock(&self.state);
        match &state.over {
            Some(error) => Poll::Ready(error.clone()),
            None => state.watch(cx),
        }
    }

    /// Nothing more will arrive. What is queued is still delivered; the first end stays.
    pub(crate) fn end(&self, end: Result<()>, turns: &Turns) -> Option<Waker> {
        let state = &mut *lock(&self.state);
        if state.end.is_some() {
            return None;
        }
        state.end = Some(end);
        wake_all(state.take_watchers());
        self.wake_receiver(state, turns)
    }

    /// The caller is gone: what is queued is dropped, the receiver fails with `error`, the handler is to be dropped.
    /// The wakers of both and the bytes that became free.
    pub(crate) fn abandon(&self, error: Error, turns: &Turns) -> ([Option<Waker>; 2], usize) {
        let state = &mut *lock(&self.state);
        self.gone.store(true, SeqCst);
        let freed = state.clear();
        state.over = Some(error.clone());
        state.end = Some(Err(error));
        wake_all(state.take_watchers());
        ([self.wake_receiver(state, turns), state.handler.take()], freed)
    }

    /// Nobody will receive any more: what is queued is dropped. The turn that ends with it, the bytes that became free,
    /// and whether more could have come.
    pub(crate) fn abandon_queue(&self) -> (Turn, usize, bool) {
        let state = &mut *lock(&self.state);
        state.receiver = None;
        state.parked = false;
        state.deaf = true;
        (state.turn.take(), state.clear(), state.end.is_none())
    }

    /// Ends with `error` unless there is an end already, and drops what is queued: the reader is too far behind.
    pub(crate) fn fail(&self, error: Error, turns: &Turns) -> (Option<Waker>, usize) {
        let state = &mut *lock(&self.state);
        let freed = state.clear();
        state.over.get_or_insert_with(|| error.clone());
        state.end = Some(Err(error));
        wake_all(state.take_watchers());
        (self.wake_receiver(state, turns), freed)
    }

    #[inline(always)]
    pub(crate) fn poll(&self, receiver: &mut Receiver, cx: &task::Context<'_>) -> Poll<Received> {
        // What arrives after this look wakes the receiver that is noted.
        let noted = |waker: &Waker| waker.will_wake(cx.waker());
        if !self.ready.load(Relaxed) && receiver.noted.as_ref().is_some_and(noted) {
            self.waits.store(true, Relaxed);
            return Poll::Pending;
        }
        self.take(receiver, cx)
    }

    #[inline(never)]
    fn take(&self, receiver: &mut Receiver, cx: &task::Context<'_>) -> Poll<Received> {
        let state = &mut *lock(&self.state);
        let message = match state.queue.pop_front() {
            Some(payload) => Ok(Some(payload)),
            None => match &state.end {
                Some(end) => end.clone().map(|()| None),
                None => {
                    self.note(state, receiver, cx.waker());
                    self.waits.store(true, Relaxed);
                    return Poll::Pending;
                }
            },
        };
        let freed = match &message {
            Ok(Some(payload)) if !std::mem::take(&mut state.handed) => payload.len() + OVERHEAD,
            _ => 0,
        };
        state.bytes -= freed;
        state.owned = state.owned.saturating_sub(1);
        self.waits.store(false, Relaxed);
        if state.queue.is_empty() && state.end.is_none() {
            self.note(state, receiver, cx.waker());
        } else {
            receiver.noted = None;
        }
        let (queued, is_last) = (state.bytes, state.end.is_some());
        Poll::Ready(Received { message, freed, turn: state.turn.take(), queued, is_last })
    }

    /// The receiver leaves nothing, and is woken by what comes next.
    fn note(&self, state: &mut State, receiver: &mut Receiver, waker: &Waker) {
        for known in [&mut state.receiver, &mut receiver.noted] {
            match known {
                Some(known) => known.clone_from(waker),
                none => *none = Some(waker.clone()),
            }
        }
        state.parked = true;
        self.ready.store(false, Relaxed);
    }

    /// There is an end.
    fn wake_receiver(&self, state: &mut State, turns: &Turns) -> Option<Waker> {
        self.ready.store(true, Relaxed);
        let waker = state.receiver.take().filter(|_| std::mem::take(&mut state.parked))?;
        if state.turn.is_none() && self.waits.load(Relaxed) {
            state.turn = turns.begin();
        }
        Some(waker)
    }

    /// Says what wakes the handler when its caller is gone.
    pub(crate) fn register(&self, handler: &Waker) {
        lock(&self.state).handler = Some(handler.clone());
    }

    /// Says where the connection task polls the handler, and whether it does at all. For that task.
    pub(crate) fn set_place(&self, place: Option<usize>) {
        lock(&self.state).place = place;
    }

    /// Whether the caller is gone, so that the handler must not be polled any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(SeqCst)
    }

    /// Takes the turn without receiving: a handler is about to be polled, and its turn ends with the poll.
    pub(crate) fn take_turn(&self) -> Turn {
        lock(&self.state).turn.take()
    }

    /// Copies small payloads that are still queued out of the read buffer of this size they are slices of.
    pub(crate) fn unpin_small(&self, buffer: usize) {
        let below = COPY_BELOW.max(buffer / PINS_AT_MOST);
        let state = &mut *lock(&self.state);
        let start = state.owned;
        for payload in state.queue.iter_mut().skip(start).filter(|payload| payload.len() < below) {
            *payload = Bytes::copy_from_slice(payload);
        }
        state.owned = state.queue.len();
    }

    /// Why nothing more will arrive, if that is a failure.
    pub(crate) fn failure(&self) -> Option<Error> {
        lock(&self.state).end.clone().and_then(Result::err)
    }

    pub(crate) fn queued(&self) -> usize {
        lock(&self.state).bytes
    }

    pub(crate) fn is_over(&self) -> bool {
        let state = lock(&self.state);
        state.end.is_some() && state.queue.is_empty()
    }
}

/// All are woken under the locks of whoever found out, which no waker of an executor needs.
fn wake_all(wakers: Vec<Waker>) {
    for waker in wakers {
        waker.wake();
    }
}

impl State {
    fn watch<T>(&mut self, cx: &task::Context<'_>) -> Poll<T> {
        if !self.watchers.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.watchers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    fn take_watchers(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.watchers)
    }

    fn clear(&mut self) -> usize {
        self.queue = VecDeque::new();
        self.owned = 0;
        self.handed = false;
        std::mem::take(&mut self.bytes)
    }
}
