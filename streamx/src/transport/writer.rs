//! What writes a batch to the socket. There is one for each connection, and it is moved about: to own it is the right
//! to write.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

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

    /// Writes some of the batch. True when that was the rest of it, and it has left. The waker is asked for only when
    /// the socket takes nothing, which is rare.
    pub(crate) fn poll_write(&mut self, waker: impl FnOnce() -> Waker) -> Poll<io::Result<bool>> {
        let mut written = self.poll_step(Waker::noop());
        if written.is_pending() {
            written = self.poll_step(&waker());
        }
        written
    }

    fn poll_step(&mut self, waker: &Waker) -> Poll<io::Result<bool>> {
        let whole = self.batch.len();
        if self.done < whole {
            let written = ready!(self.poll_some(waker))?;
            self.done += written;
            self.total += written as u64;
        }
        if self.done < whole {
            return Poll::Ready(Ok(false));
        }
        // TLS takes bytes that the socket below has not taken yet. Nobody else would bring them on their way.
        ready!(Pin::new(&mut self.socket).poll_flush(&mut Context::from_waker(waker)))?;
        self.done = 0;
        Poll::Ready(Ok(true))
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

impl Drop for Writer {
    /// Says goodbye where the socket has a way to: a TLS peer can then tell the end from a connection that was cut.
    fn drop(&mut self) {
        // Nobody waits for a socket that takes no more.
        let _said = Pin::new(&mut self.socket).poll_shutdown(&mut Context::from_waker(Waker::noop()));
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::task::Wake;

    use super::*;

    /// Takes every byte at once, as TLS does, and lets them leave when the socket below has room.
    #[derive(Clone, Default)]
    struct Buffering(Arc<Mutex<Below>>);

    #[derive(Default)]
    struct Below {
        taken: usize,
        left: usize,
        room: usize,
        is_shut: bool,
        waker: Option<Waker>,
    }

    impl AsyncWrite for Buffering {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            self.0.lock().unwrap().taken += bytes.len();
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            let below = &mut *self.0.lock().unwrap();
            below.left = below.taken.min(below.room);
            if below.left == below.taken {
                return Poll::Ready(Ok(()));
            }
            below.waker = Some(cx.waker().clone());
            Poll::Pending
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.0.lock().unwrap().is_shut = true;
            Poll::Ready(Ok(()))
        }
    }

    struct Task;

    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn a_batch_is_written_when_it_has_left_the_socket() {
        let socket = Buffering::default();
        let mut writer = Writer::new(Box::new(socket.clone()));
        writer.batch.open.extend_from_slice(&[7; 1000]);
        let waker = Waker::from(Arc::new(Task));
        assert!(writer.poll_write(|| waker.clone()).is_pending());
        let waits = socket.0.lock().unwrap().waker.take();
        assert!(waits.is_some_and(|waits| waits.will_wake(&waker)), "the one who waits is woken");

        socket.0.lock().unwrap().room = 1000;
        assert!(matches!(writer.poll_write(|| waker.clone()), Poll::Ready(Ok(true))));
        let below = socket.0.lock().unwrap();
        assert_eq!((below.taken, below.left), (1000, 1000), "each byte once");
        assert_eq!(writer.total(), 1000);
    }

    #[test]
    fn a_writer_that_is_dropped_says_goodbye() {
        let socket = Buffering::default();
        drop(Writer::new(Box::new(socket.clone())));
        assert!(socket.0.lock().unwrap().is_shut);
    }
}
