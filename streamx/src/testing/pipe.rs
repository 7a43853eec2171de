//! One direction of a connection in memory: the bytes that are under way, and what becomes of them.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::network::Rules;
use crate::Side;

/// What a reader and a writer share.
#[derive(Default)]
pub(super) struct Pipe(Mutex<State>);

#[derive(Default)]
struct State {
    pieces: VecDeque<Piece>,
    /// How many bytes are under way.
    level: usize,
    held: bool,
    end: Option<End>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// Bytes that arrive together.
struct Piece {
    due: Instant,
    bytes: Bytes,
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    /// What is under way arrives, and then the end.
    Closed,
    /// What was under way is lost.
    Broken,
}

impl Pipe {
    /// Keeps back what is under way, or lets it arrive again.
    pub(super) fn hold(&self, held: bool) {
        let mut state = self.lock();
        state.held = held;
        state.wake();
    }

    /// Takes no more bytes. What is under way arrives, and then the end.
    pub(super) fn close(&self) {
        self.end(End::Closed);
    }

    /// Loses what is under way; both ends fail.
    pub(super) fn break_off(&self) {
        self.end(End::Broken);
    }

    fn end(&self, end: End) {
        let mut state = self.lock();
        if state.end != Some(End::Broken) {
            state.end = Some(end);
        }
        if end == End::Broken {
            state.pieces.clear();
            state.level = 0;
        }
        state.wake();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&mut self) {
        for waker in self.reader.take().into_iter().chain(self.writer.take()) {
            waker.wake();
        }
    }
}

/// The end where bytes arrive.
pub(super) struct Reader {
    pipe: Arc<Pipe>,
    /// Runs until the next piece is due.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Reader {
    pub(super) fn new(pipe: Arc<Pipe>) -> Self {
        Self { pipe, timer: None }
    }

    fn is_due(timer: &mut Option<Pin<Box<Sleep>>>, due: Instant, cx: &mut Context<'_>) -> bool {
        if due <= Instant::now() {
            *timer = None;
            return true;
        }
        let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if timer.deadline() != due {
            timer.as_mut().reset(due);
        }
        timer.as_mut().poll(cx).is_ready()
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { pipe, timer } = &mut *self;
        let mut state = pipe.lock();
        if state.end == Some(End::Broken) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let due = state.pieces.front().map(|piece| piece.due);
        let arrived = !state.held && due.map_or(state.end.is_some(), |due| Self::is_due(timer, due, cx));
        if !arrived {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if let Some(piece) = state.pieces.front_mut() {
            let taken = piece.bytes.len().min(out.remaining());
            out.put_slice(&piece.bytes[..taken]);
            piece.bytes.advance(taken);
            if piece.bytes.is_empty() {
                state.pieces.pop_front();
            }
            state.level -= taken;
            if let Some(writer) = state.writer.take() {
                writer.wake();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.pipe.lock();
        state.pieces.clear();
        state.level = 0;
        state.end.get_or_insert(End::Closed);
        state.wake();
    }
}

/// The end that bytes leave from.
pub(super) struct Writer {
    pipe: Arc<Pipe>,
    rules: Arc<Rules>,
    connection: usize,
    side: Side,
}

impl Writer {
    pub(super) fn new(pipe: Arc<Pipe>, rules: Arc<Rules>, connection: usize, side: Side) -> Self {
        Self { pipe, rules, connection, side }
    }

    fn poll_room(&self, cx: &Context<'_>) -> Poll<io::Result<usize>> {
        let mut state = self.pipe.lock();
        match state.end {
            Some(End::Closed) => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Some(End::Broken) => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            None => {}
        }
        let room = self.rules.room().saturating_sub(state.level);
        if room == 0 {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(room))
    }
}

impl AsyncWrite for Writer {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let room = ready!(self.poll_room(cx))?;
        let passage = self.rules.pass(bytes.len().min(room));
        let taken = &bytes[..passage.len];
        {
            let mut state = self.pipe.lock();
            // Pieces do not overtake each other.
            let before = state.pieces.back().map_or(passage.due, |piece| piece.due);
            let due = passage.due.max(before);
            state.pieces.push_back(Piece { due, bytes: Bytes::copy_from_slice(taken) });
            state.level += taken.len();
            if let Some(reader) = state.reader.take() {
                reader.wake();
            }
        }
        self.rules.passed(self.connection, self.side, taken, passage.is_last);
        Poll::Ready(Ok(taken.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pipe.close();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.pipe.close();
    }
}
