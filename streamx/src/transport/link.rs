//! What the streams of one connection share with its connection task: the send buffer, the writer and the wakers.

use std::fmt;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use super::lock;
use super::outbox::{Batch, Flush, Outbox};
use super::task_waker::TaskWaker;
use super::turns::{Turn, Turns};
use crate::counters::Meter;
use crate::{Error, Limits};

/// How often the connection task lets others run before it writes although turns are still running.
const PATIENCE: u32 = 8;

pub(crate) struct Link {
    pub(crate) outbox: Mutex<Outbox>,
    pub(crate) turns: Turns,
    pub(crate) waker: Arc<TaskWaker>,
    pub(crate) peer_addr: Option<SocketAddr>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) meter: Arc<Meter>,
    writer: Mutex<Writer>,
    /// How many bytes the outbox holds.
    level: Arc<AtomicUsize>,
    /// The socket takes no more: the connection task goes on when it does.
    stalled: AtomicBool,
    /// Bytes written so far, to see whether a stall makes progress.
    written: AtomicU64,
    shutdown: AtomicBool,
    cut: OnceLock<Error>,
}

struct Writer {
    socket: Pin<Box<dyn AsyncWrite + Send>>,
    batch: Batch,
    done: usize,
    /// Nothing more can be written.
    over: bool,
}

impl Link {
    pub(crate) fn new(
        socket: impl AsyncWrite + Send + 'static,
        peer_addr: Option<SocketAddr>,
        limits: Arc<Limits>,
        meter: Arc<Meter>,
    ) -> Self {
        let outbox = Outbox::default();
        Self {
            level: outbox.level(),
            outbox: Mutex::new(outbox),
            turns: Turns::new(),
            waker: TaskWaker::new(),
            peer_addr,
            limits,
            meter,
            writer: Mutex::new(Writer {
                socket: Box::pin(socket),
                batch: Batch::default(),
                done: 0,
                over: false,
            }),
            stalled: AtomicBool::new(false),
            written: AtomicU64::new(0),
            shutdown: AtomicBool::new(false),
            cut: OnceLock::new(),
        }
    }

    /// Whether so little is buffered that no budget can be full; saves a look at the outbox.
    pub(crate) fn has_room(&self) -> bool {
        self.level.load(Relaxed) < self.limits.stream_send_buffer.min(self.limits.connection_send_buffer)
    }

    /// See [`Outbox::is_clogged`].
    pub(crate) fn is_clogged(&self, cx: &Context<'_>) -> bool {
        self.level.load(Relaxed) > self.limits.connection_send_buffer
            && lock(&self.outbox).is_clogged(&self.limits, cx)
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
        let outbox = lock(&self.outbox);
        if !outbox.is_empty() && !outbox.is_task_running() {
            drop(outbox);
            self.flush();
        }
    }

    /// Writes what is buffered, unless somebody is writing, who then takes it along.
    pub(crate) fn flush(&self) {
        if lock(&self.outbox).take_writer() && self.write().is_pending() {
            // The socket may have become writable before anybody could see the stall.
            self.wake_task();
        }
    }

    /// Goes on with a write that the socket could not take. Called by the connection task.
    pub(crate) fn resume(&self) {
        if self.is_stalled() && self.stalled.swap(false, SeqCst) {
            let _pending = self.write();
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
    pub(crate) fn task_begins(&self) {
        lock(&self.outbox).task_begins();
    }

    /// The end of a poll of the connection task: writes what is buffered, or leaves it to the turns that run.
    /// True when the task has to look again soon.
    pub(crate) fn task_ends(&self, patience: &mut u32) -> bool {
        let mut outbox = lock(&self.outbox);
        outbox.task_ends();
        if outbox.is_empty() {
            *patience = 0;
            return false;
        }
        if self.turns.any() {
            if *patience < PATIENCE {
                *patience += 1;
                return true;
            }
            self.turns.new_epoch();
        }
        *patience = 0;
        let mine = outbox.take_writer();
        drop(outbox);
        if mine {
            let _pending = self.write();
        }
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
        let mut writer = lock(&self.writer);
        writer.over = true;
        writer.socket = Box::pin(tokio::io::sink());
    }

    /// Everything that was sent is written.
    pub(crate) fn is_drained(&self) -> bool {
        lock(&self.outbox).is_drained()
    }

    pub(crate) fn closed(&self) -> Option<Error> {
        lock(&self.outbox).check_open().err()
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
    /// woken when it does. The caller has taken the writer.
    fn write(&self) -> Poll<()> {
        let waker = self.waker.task();
        let cx = &mut Context::from_waker(&waker);
        let mut writer = lock(&self.writer);
        if writer.over {
            return Poll::Ready(());
        }
        loop {
            if writer.is_done() {
                let mut outbox = lock(&self.outbox);
                if !outbox.next_batch(&mut writer.batch) {
                    drop(outbox);
                    if self.is_shutting_down() {
                        // It waits for this; a handle that has left its handler may write last.
                        self.wake_task();
                    }
                    return Poll::Ready(());
                }
            }
            match writer.poll_write(cx) {
                Poll::Ready(Ok(n)) => {
                    self.meter.writes.add(1);
                    self.written.fetch_add(n as u64, SeqCst);
                    writer.done += n;
                    if writer.is_done() {
                        self.meter.frames_sent.add(writer.batch.frames);
                        writer.done = 0;
                        let waiting = lock(&self.outbox).batch_written(&mut writer.batch);
                        for (_, waker) in waiting {
                            waker.wake();
                        }
                    }
                }
                Poll::Ready(Err(error)) => {
                    writer.over = true;
                    drop(writer);
                    let text = format!("the connection broke while writing: {error}");
                    self.close(Error::transport(text).with_kitex_code(12006).with_source(error));
                    return Poll::Ready(());
                }
                Poll::Pending => {
                    self.stalled.store(true, SeqCst);
                    return Poll::Pending;
                }
            }
        }
    }
}

impl Writer {
    fn is_done(&self) -> bool {
        self.done == self.batch.open.len() + self.batch.sealed.iter().map(bytes::Bytes::len).sum::<usize>()
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let written = if self.batch.sealed.is_empty() {
            self.socket.as_mut().poll_write(cx, &self.batch.open[self.done..])
        } else {
            let mut skip = self.done;
            let mut slices = Vec::with_capacity(self.batch.sealed.len() + 1);
            for piece in self.batch.sealed.iter().map(|piece| &**piece).chain([&*self.batch.open]) {
                let skipped = skip.min(piece.len());
                skip -= skipped;
                if skipped < piece.len() {
                    slices.push(IoSlice::new(&piece[skipped..]));
                }
            }
            self.socket.as_mut().poll_write_vectored(cx, &slices)
        };
        match written {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            other => other,
        }
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
