//! What the streams of one connection share with its connection task: the send buffer, the writer and the wakers.

use std::fmt;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use super::lock;
use super::outbox::{Flush, Glance, Outbox};
use super::task_waker::TaskWaker;
use super::turns::{Turn, Turns};
use super::writer::Writer;
use crate::call::peer::Peer;
use crate::counters::Meter;
use crate::{Error, Limits, Result};

/// How often in a row the connection task finds nothing more to write, and turns still running, before it writes what
/// there is.
const PATIENCE: u32 = 32;

/// How long the connection task has waited for turns.
#[derive(Default)]
pub(crate) struct Patience {
    looks: u32,
    /// How much there was to write at the last look: while it grows somebody is sending.
    held: usize,
}

pub(crate) struct Link {
    pub(crate) outbox: Mutex<Outbox>,
    pub(crate) turns: Turns,
    pub(crate) waker: Arc<TaskWaker>,
    pub(crate) peer: Peer,
    pub(crate) limits: Arc<Limits>,
    pub(crate) meter: Arc<Meter>,
    /// What can be seen of the outbox without its lock.
    glance: Arc<Glance>,
    /// The socket takes no more: the connection task goes on when it does.
    stalled: AtomicBool,
    /// Bytes written so far, to see whether a stall makes progress.
    written: AtomicU64,
    /// Handlers whose callers are gone and that may still do something.
    graced: AtomicUsize,
    shutdown: AtomicBool,
    cut: OnceLock<Error>,
}

impl Link {
    pub(crate) fn new(
        socket: Box<dyn AsyncWrite + Send + Unpin>,
        peer: Peer,
        limits: Arc<Limits>,
        meter: Arc<Meter>,
    ) -> Self {
        let outbox = Outbox::new(Writer::new(socket));
        Self {
            glance: outbox.glance(),
            outbox: Mutex::new(outbox),
            turns: Turns::new(),
            waker: TaskWaker::new(),
            peer,
            limits,
            meter,
            stalled: AtomicBool::new(false),
            written: AtomicU64::new(0),
            graced: AtomicUsize::new(0),
            shutdown: AtomicBool::new(false),
            cut: OnceLock::new(),
        }
    }

    /// Whether so little is buffered that no budget can be full; saves a look at the outbox.
    pub(crate) fn has_room(&self) -> bool {
        self.glance.level() < self.limits.stream_send_buffer.min(self.limits.connection_send_buffer)
    }

    /// See [`Outbox::is_clogged`].
    pub(crate) fn is_clogged(&self, cx: &Context<'_>) -> bool {
        self.glance.level() > self.limits.connection_send_buffer
            && lock(&self.outbox).is_clogged(&self.limits, cx)
    }

    /// Whether one more handler whose caller is gone may go on for a while. Such handlers do not count as calls, so they
    /// are bounded here: as many as calls.
    pub(crate) fn begin_grace(&self) -> bool {
        let more = |graced| (graced < self.limits.max_streams).then_some(graced + 1);
        self.graced.fetch_update(Relaxed, Relaxed, more).is_ok()
    }

    pub(crate) fn end_grace(&self) {
        self.graced.fetch_sub(1, Relaxed);
    }

    /// Why no further call may begin beside `running` ones, of `handlers` that have not ended. A handler whose caller is
    /// gone is no call any more, for the client does not count it; but it may not want to end.
    pub(crate) fn is_full(&self, running: usize, handlers: usize, what: &str) -> Option<Error> {
        let limit = self.limits.max_streams;
        if running >= limit {
            let text = format!("{limit} {what} run on this connection already (limit max_streams)");
            return Some(Error::limit(text));
        }
        let over = handlers.saturating_sub(running);
        (over >= limit.saturating_mul(2)).then(|| {
            let text = format!(
                "{over} handlers of this connection go on although their {what} are over (limit max_streams)"
            );
            Error::limit(text)
        })
    }

    /// Does what the flush rule says, after something was appended, and gives up the lock for it.
    #[inline(always)]
    pub(crate) fn apply_flush_rule(&self, mut outbox: MutexGuard<'_, Outbox>) {
        let flush = outbox.flush_rule(self.turns.any());
        let writer = if flush == Flush::Now { outbox.take_writer() } else { None };
        drop(outbox);
        match flush {
            Flush::Now => self.write_out(writer),
            Flush::Held => {}
            Flush::HeldAndWake => self.wake_task(),
        }
    }

    /// Does what [`Outbox::flush_rule`] said. Not to be called with the outbox locked.
    pub(crate) fn act(&self, flush: Flush) {
        match flush {
            Flush::Now => self.flush(),
            Flush::Held => {}
            Flush::HeldAndWake => self.wake_task(),
        }
    }

    /// Ends the turn of a handler; the last one out writes.
    pub(crate) fn end_turn(&self, turn: Turn) {
        if turn.is_none() || !self.turns.end(turn) {
            return;
        }
        let mut outbox = lock(&self.outbox);
        let writer = if self.glance.is_task_running() { None } else { outbox.take_writer() };
        drop(outbox);
        self.write_out(writer);
    }

    /// Writes what is buffered, unless somebody is writing, who then takes it along.
    pub(crate) fn flush(&self) {
        let writer = lock(&self.outbox).take_writer();
        self.write_out(writer);
    }

    fn write_out(&self, writer: Option<Box<Writer>>) {
        if writer.is_some_and(|writer| self.write(writer).is_pending()) {
            // The socket may have become writable before anybody could see the stall.
            self.wake_task();
        }
    }

    /// Goes on with a write that the socket could not take. Called by the connection task.
    pub(crate) fn resume(&self) {
        if self.is_stalled() && self.stalled.swap(false, SeqCst) {
            let writer = lock(&self.outbox).take_stalled();
            let _pending = writer.map(|writer| self.write(writer));
        }
    }

    pub(crate) fn is_stalled(&self) -> bool {
        self.stalled.load(SeqCst)
    }

    pub(crate) fn written(&self) -> u64 {
        self.written.load(SeqCst)
    }

    pub(crate) fn wake_task(&self) {
        self.waker.wake_task();
    }

    /// The begin of a poll of the connection task: what is sent from now on it writes.
    ///
    /// # Errors
    ///
    /// The connection was closed.
    pub(crate) fn task_begins(&self) -> Result<()> {
        self.glance.task_begins();
        self.closed().map_or(Ok(()), Err)
    }

    /// The end of a poll of the connection task: writes what is buffered, or leaves it to the turns that run.
    /// True when the task has to look again soon.
    pub(crate) fn task_ends(&self, patience: &mut Patience) -> bool {
        let mut outbox = lock(&self.outbox);
        outbox.task_ends();
        let held = outbox.len();
        let grown = std::mem::replace(&mut patience.held, held) != held;
        if held == 0 {
            patience.looks = 0;
            return false;
        }
        if self.turns.any() {
            patience.looks = if grown { 0 } else { patience.looks + 1 };
            if patience.looks < PATIENCE {
                return true;
            }
            self.turns.new_epoch();
        }
        *patience = Patience::default();
        let writer = outbox.take_writer();
        drop(outbox);
        let _pending = writer.map(|writer| self.write(writer));
        false
    }

    /// Ends the connection: nothing more is written, waiting senders fail with `error`, the task is woken to end.
    pub(crate) fn close(&self, error: Error) {
        let waiting = lock(&self.outbox).close(error);
        for (_, waker) in waiting {
            waker.wake();
        }
        self.wake_task();
    }

    /// Closes the socket now; handles of streams, which hold the link, may be kept for long.
    pub(crate) fn hang_up(&self) {
        let writer = lock(&self.outbox).hang_up();
        drop(writer);
    }

    /// Everything that was sent is written.
    pub(crate) fn is_drained(&self) -> bool {
        lock(&self.outbox).is_drained()
    }

    pub(crate) fn closed(&self) -> Option<Error> {
        self.glance.closed().cloned()
    }

    /// Asks the connection task to end once everything is written.
    pub(crate) fn shut_down(&self) {
        self.shutdown.store(true, SeqCst);
        self.wake_task();
    }

    /// Ends every call with this error, which their callers are told, and then the connection.
    pub(crate) fn cut(&self, error: Error) {
        // Who cuts first says why.
        let _first = self.cut.set(error);
        self.shut_down();
    }

    /// Why every call has to end.
    pub(crate) fn is_cut(&self) -> Option<&Error> {
        self.cut.get()
    }

    pub(crate) fn is_shutting_down(&self) -> bool {
        self.shutdown.load(SeqCst)
    }

    /// Writes batch after batch until nobody wants more, or the socket takes no more: then the connection task is
    /// woken when it does.
    fn write(&self, mut writer: Box<Writer>) -> Poll<()> {
        let mut waiting = Vec::new();
        loop {
            let all = match writer.poll_write(|| self.waker.task()) {
                Poll::Ready(Ok(all)) => all,
                Poll::Ready(Err(error)) => {
                    let text = format!("the connection broke while writing: {error}");
                    self.close(Error::transport(text).with_kitex_code(12006).with_source(error));
                    return Poll::Ready(());
                }
                Poll::Pending => {
                    self.written.store(writer.total(), SeqCst);
                    lock(&self.outbox).stall(writer);
                    self.stalled.store(true, SeqCst);
                    return Poll::Pending;
                }
            };
            self.meter.writes.add(1);
            if !all {
                continue;
            }
            self.meter.frames_sent.add(writer.batch.frames);
            let next = lock(&self.outbox).batch_written(writer, &mut waiting);
            for (_, waker) in waiting.drain(..) {
                waker.wake();
            }
            match next {
                Some(next) => writer = next,
                None => break,
            }
        }
        if self.is_shutting_down() {
            // It waits for this; a handle that has left its handler may write last.
            self.wake_task();
        }
        Poll::Ready(())
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("outbox", &self.outbox)
            .field("turns", &self.turns)
            .finish_non_exhaustive()
    }
}
