//! The send buffer of a connection: one per connection, filled by all its streams under a short lock.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};

use super::writer::{Batch, Writer};
use crate::limits::Limits;
use crate::{Error, Result};

/// A buffer above this is written although others are about to add to it (half the high-water mark of 64 KiB).
const WRITE_ABOVE: usize = 32 << 10;
/// A message that was this large suggests that the next one is too: it is then encoded outside the lock and becomes
/// a segment of its own.
pub(crate) const LARGE: usize = 64 << 10;
/// A buffer that had to grow beyond this is not kept.
const KEEP: usize = 256 << 10;

/// Who waits when it is the connection task: the address of no call.
const CONNECTION_TASK: usize = 0;

/// What to do after something was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Flush {
    /// Write at once, in the task that sent.
    Now,
    /// Somebody else is about to write.
    Held,
    /// As `Held`, and the connection task must be woken to look after it, should nobody write.
    HeldAndWake,
}

/// What one stream has in the buffer; kept by the stream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Share {
    batch: u64,
    bytes: usize,
}

/// What is looked at without the lock of the outbox; it changes under it, but for the begin of a poll.
#[derive(Default)]
pub(crate) struct Glance {
    /// How many bytes are buffered and in flight.
    level: AtomicUsize,
    /// The connection task is in its poll and flushes at its end.
    task_running: AtomicBool,
    closed: OnceLock<Error>,
}

impl Glance {
    /// How many bytes are buffered. A moment old at worst.
    pub(crate) fn level(&self) -> usize {
        self.level.load(Relaxed)
    }

    /// The connection task begins a poll, and looks at the outbox when it ends it. A sender that does not see it yet
    /// writes, or wakes the task, for nothing.
    pub(crate) fn task_begins(&self) {
        self.task_running.store(true, Relaxed);
    }

    pub(crate) fn is_task_running(&self) -> bool {
        self.task_running.load(Relaxed)
    }

    pub(crate) fn closed(&self) -> Option<&Error> {
        self.closed.get()
    }
}

pub(crate) struct Outbox {
    glance: Arc<Glance>,
    /// What is being filled. Behind `sealed` on the wire.
    pub(crate) open: BytesMut,
    sealed: Vec<Bytes>,
    sealed_bytes: usize,
    /// How many bytes the writer has taken and not written yet.
    in_flight: usize,
    /// Counts the times the writer has taken everything; what a stream put in an older batch has left the buffer.
    batch: u64,
    frames: usize,
    writer: Seat,
    /// Whoever has the writer has to look here again.
    again: bool,
    task_woken: bool,
    /// A sender has written since the connection task ran last. The next one leaves it to the task: it is not alone,
    /// or sends in a loop, and a write per message would cost more than everything else.
    written_in_place: bool,
    /// Those who wait for room, each by the address of its call: the ids of a peer may repeat.
    waiting: Vec<(usize, Waker)>,
}

/// Where the writer is.
enum Seat {
    Here(Box<Writer>),
    /// Somebody writes.
    Taken,
    /// The socket took no more in the middle of a batch.
    Stalled(Box<Writer>),
    /// The socket is closed.
    Gone,
}

impl Outbox {
    pub(crate) fn new(writer: Writer) -> Self {
        Self {
            glance: Arc::default(),
            open: BytesMut::new(),
            sealed: Vec::new(),
            sealed_bytes: 0,
            in_flight: 0,
            batch: 0,
            frames: 0,
            writer: Seat::Here(Box::new(writer)),
            again: false,
            task_woken: false,
            written_in_place: false,
            waiting: Vec::new(),
        }
    }

    pub(crate) fn check_open(&self) -> Result<()> {
        self.glance.closed().cloned().map_or(Ok(()), Err)
    }

    /// One more frame was appended to `open`.
    pub(crate) fn framed(&mut self) {
        self.frames += 1;
    }

    /// Appends bytes, whatever they are.
    #[cfg(feature = "grpc")]
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.open.extend_from_slice(bytes);
        self.note_level();
    }

    /// So many frames are about to be appended.
    #[cfg(feature = "grpc")]
    pub(crate) fn announce(&mut self, frames: usize) {
        self.frames += frames;
    }

    /// Adds a large piece without copying it. What was in `open` goes before it.
    pub(crate) fn seal_with(&mut self, piece: Bytes) {
        let before = self.open.split().freeze();
        self.sealed_bytes += before.len() + piece.len();
        self.sealed.push(before);
        self.sealed.push(piece);
    }

    /// Notes that a stream has added so many bytes.
    pub(crate) fn charge(&self, share: &mut Share, bytes: usize) {
        if share.batch != self.batch {
            *share = Share { batch: self.batch, bytes: 0 };
        }
        share.bytes += bytes;
    }

    /// Waits until the stream and the connection have room left. A message may be sent while any room is left.
    pub(crate) fn poll_room(
        &mut self,
        call: usize,
        share: &Share,
        limits: &Limits,
        cx: &Context<'_>,
    ) -> Poll<Result<()>> {
        self.check_open()?;
        let of_stream = match self.batch - share.batch {
            0 => share.bytes,
            1 if self.in_flight > 0 => share.bytes,
            _ => 0,
        };
        // With a limit of nothing there is room while nothing is buffered.
        if of_stream < limits.stream_send_buffer.max(1)
            && self.len() + self.in_flight < limits.connection_send_buffer.max(1)
        {
            return Poll::Ready(Ok(()));
        }
        self.wait(call, cx);
        Poll::Pending
    }

    /// Whether the peer takes so little that nothing more should be read that may have to be answered: answers that
    /// nobody asks for room for have filled the buffer beyond what senders may. Then `cx` is woken by the next write.
    pub(crate) fn is_clogged(&mut self, limits: &Limits, cx: &Context<'_>) -> bool {
        let clogged = self.len() + self.in_flight
            > limits.connection_send_buffer.saturating_add(limits.max_message_size);
        if clogged {
            self.wait(CONNECTION_TASK, cx);
        }
        clogged
    }

    fn wait(&mut self, who: usize, cx: &Context<'_>) {
        match self.waiting.iter_mut().find(|(waiting, _)| *waiting == who) {
            Some((_, waker)) => waker.clone_from(cx.waker()),
            None => self.waiting.push((who, cx.waker().clone())),
        }
    }

    pub(crate) fn glance(&self) -> Arc<Glance> {
        Arc::clone(&self.glance)
    }

    fn note_level(&self) {
        self.glance.level.store(self.len() + self.in_flight, Relaxed);
    }

    /// The flush rule, after something was appended; `turns` says whether anybody is about to add more.
    pub(crate) fn flush_rule(&mut self, turns: bool) -> Flush {
        self.note_level();
        if self.len() >= WRITE_ABOVE {
            Flush::Now
        } else if self.glance.is_task_running() {
            Flush::Held
        } else if !turns && !self.written_in_place && self.frames <= 1 {
            // Alone. With others the task is woken already, and on several threads some of them are still to come.
            self.written_in_place = true;
            Flush::Now
        } else {
            self.hold()
        }
    }

    /// Holds what was appended until the connection task looks, because more follows at once.
    pub(crate) fn hold(&mut self) -> Flush {
        self.note_level();
        if self.glance.is_task_running() || std::mem::replace(&mut self.task_woken, true) {
            return Flush::Held;
        }
        Flush::HeldAndWake
    }

    /// The connection task ends its poll: what is added from now on it sees when it is woken.
    pub(crate) fn task_ends(&mut self) {
        self.glance.task_running.store(false, Relaxed);
        self.task_woken = false;
        self.written_in_place = false;
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len() + self.sealed_bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn is_drained(&self) -> bool {
        self.is_empty() && self.in_flight == 0
    }

    /// The writer, with everything in its batch that is here. `None` when there is nothing to write, or somebody writes,
    /// who then looks here again.
    pub(crate) fn take_writer(&mut self) -> Option<Box<Writer>> {
        if self.is_empty() {
            return None;
        }
        self.again = true;
        match std::mem::replace(&mut self.writer, Seat::Taken) {
            Seat::Here(writer) => self.next_batch(writer),
            other => {
                self.writer = other;
                None
            }
        }
    }

    /// The writer that has stalled, to go on.
    pub(crate) fn take_stalled(&mut self) -> Option<Box<Writer>> {
        match std::mem::replace(&mut self.writer, Seat::Taken) {
            Seat::Stalled(writer) => Some(writer),
            other => {
                self.writer = other;
                None
            }
        }
    }

    /// The socket takes no more.
    pub(crate) fn stall(&mut self, writer: Box<Writer>) {
        if matches!(self.writer, Seat::Taken) {
            self.writer = Seat::Stalled(writer);
        }
    }

    /// The batch is written. The senders that wait for room are added to `waiting`, to be woken. Returns the writer with
    /// the next batch, if somebody wants more to be written.
    pub(crate) fn batch_written(
        &mut self,
        mut writer: Box<Writer>,
        waiting: &mut Vec<(usize, Waker)>,
    ) -> Option<Box<Writer>> {
        self.in_flight = 0;
        let batch = &mut writer.batch;
        batch.sealed.clear();
        if batch.open.capacity() > KEEP {
            batch.open = BytesMut::new();
        } else {
            batch.open.clear();
        }
        self.note_level();
        waiting.append(&mut self.waiting);
        self.next_batch(writer)
    }

    /// Moves everything into the batch of the writer, whose buffers are empty and are kept for the next time. `None`,
    /// and the writer stays here, when there is nothing that anybody wants to have written.
    fn next_batch(&mut self, mut writer: Box<Writer>) -> Option<Box<Writer>> {
        let wanted = std::mem::take(&mut self.again) || self.len() >= WRITE_ABOVE;
        if self.is_empty() || !wanted || self.glance.closed().is_some() {
            if matches!(self.writer, Seat::Taken) {
                self.writer = Seat::Here(writer);
            }
            return None;
        }
        let Batch { sealed, open, frames } = &mut writer.batch;
        std::mem::swap(&mut self.open, open);
        std::mem::swap(&mut self.sealed, sealed);
        *frames = std::mem::take(&mut self.frames);
        self.in_flight = open.len() + std::mem::take(&mut self.sealed_bytes);
        self.batch += 1;
        Some(writer)
    }

    /// Closes the socket. Somebody who writes right now closes it afterwards.
    #[must_use = "to be dropped without the lock"]
    pub(crate) fn hang_up(&mut self) -> Option<Box<Writer>> {
        match std::mem::replace(&mut self.writer, Seat::Gone) {
            Seat::Here(writer) | Seat::Stalled(writer) => Some(writer),
            Seat::Taken | Seat::Gone => None,
        }
    }

    /// Nothing more will be written. The senders that wait are returned, to be woken.
    pub(crate) fn close(&mut self, error: Error) -> Vec<(usize, Waker)> {
        // The first error stays.
        let _first = self.glance.closed.set(error);
        self.open = BytesMut::new();
        self.sealed = Vec::new();
        self.sealed_bytes = 0;
        self.in_flight = 0;
        std::mem::take(&mut self.waiting)
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("buffered", &self.len())
            .field("in_flight", &self.in_flight)
            .field("closed", &self.glance.closed())
            .finish_non_exhaustive()
    }
}
