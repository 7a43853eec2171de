//! What writes a batch to the socket. There is one for each connection, and it is moved about: to own it is the right
//! to write.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncWrite;

pub(crate) struct Writer {
    socket: Box<dyn AsyncWrite + Send + Unpin>,
    pub(crate) batch: Batch,
    /// How much of the batch is written.
    done: usize,
    /// Bytes written so far, to see whether a stall makes progress.
    total: u64,
}

/// Everything that has to be written next.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Goes before `open`.
    pub(crate) sealed: Vec<Bytes>,
    pub(crate) open: BytesMut,
    pub(crate) frames: usize,
}

impl Writer {
    pub(crate) fn new(socket: Box<dyn AsyncWrite + Send + Unpin>) -> Self {
        Self { socket, batch: Batch::default(), done: 0, total: 0 }
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Writes some of the batch. True when that was the rest of it. The waker is asked for only when the socket takes
    /// nothing, which is rare.
    pub(crate) fn poll_write(&mut self, waker: impl FnOnce() -> Waker) -> Poll<io::Result<bool>> {
        let mut written = self.poll_some(Waker::noop());
        if written.is_pending() {
            written = self.poll_some(&waker());
        }
        written.map_ok(|written| {
            self.done += written;
            self.total += written as u64;
            let all = self.done == self.batch.len();
            if all {
                self.done = 0;
            }
            all
        })
    }

    fn poll_some(&mut self, waker: &Waker) -> Poll<io::Result<usize>> {
        let cx = &mut Context::from_waker(waker);
        let socket = Pin::new(&mut self.socket);
        let written = if self.batch.sealed.is_empty() {
            socket.poll_write(cx, &self.batch.open[self.done..])
        } else {
            socket.poll_write_vectored(cx, &self.batch.slices(self.done))
        };
        match written {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            other => other,
        }
    }
}

impl Batch {
    fn len(&self) -> usize {
        self.open.len() + self.sealed.iter().map(Bytes::len).sum::<usize>()
    }

    /// All but the first `skip` bytes.
    fn slices(&self, mut skip: usize) -> Vec<IoSlice<'_>> {
        let mut slices = Vec::with_capacity(self.sealed.len() + 1);
        for piece in self.sealed.iter().map(|piece| &**piece).chain([&*self.open]) {
            let skipped = skip.min(piece.len());
            skip -= skipped;
            if skipped < piece.len() {
                slices.push(IoSlice::new(&piece[skipped..]));
            }
        }
        slices
    }
}
