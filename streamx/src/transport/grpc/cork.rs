//! The socket as HTTP/2 sees it. What it writes goes into the send buffer of the connection, and the connection task
//! writes that once after it has let HTTP/2 work: as many frames as there are in one write.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::stream::Peer;
use crate::transport::link::Link;
use crate::transport::lock;
use crate::wire::grpc::frames::{Frames, Seen};

/// A buffer that holds so much is written at once.
const WRITE_AT: usize = 64 << 10;

pub(super) struct Cork {
    reader: Box<dyn AsyncRead + Send + Unpin>,
    /// What was read to recognise the protocol.
    first: BytesMut,
    link: Arc<Link>,
    peer: Arc<Peer>,
    frames: Frames,
}

impl Cork {
    pub(super) fn new(reader: Box<dyn AsyncRead + Send + Unpin>, first: BytesMut, peer: Arc<Peer>) -> Self {
        let frames = Frames::of(peer.is_client);
        Self { reader, first, link: Arc::clone(&peer.link), peer, frames }
    }

    /// Notes what the peer has sent.
    fn heard(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.peer.heard.fetch_add(1, Relaxed);
            let peer = &self.peer;
            self.frames.pass(bytes, |seen| match seen {
                Seen::Ping => _ = peer.pings.fetch_add(1, Relaxed),
                Seen::HeaderList(size) => peer.reads.store(size, Relaxed),
            });
        }
    }

    /// Takes what fits: everything, or nothing while the peer takes nothing. The connection task is woken by the
    /// socket then, and lets HTTP/2 try again.
    fn take(&self, pieces: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut outbox = lock(&self.link.outbox);
        if outbox.len() >= WRITE_AT {
            drop(outbox);
            self.link.flush();
            if self.link.is_stalled() {
                return Poll::Pending;
            }
            outbox = lock(&self.link.outbox);
        }
        if let Err(error) = outbox.check_open() {
            return Poll::Ready(Err(io::Error::new(ErrorKind::BrokenPipe, error)));
        }
        for piece in pieces {
            outbox.append(piece);
        }
        Poll::Ready(Ok(pieces.iter().map(|piece| piece.len()).sum()))
    }
}

impl AsyncRead for Cork {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.first.is_empty() {
            let length = this.first.len().min(buf.remaining());
            let piece = this.first.split_to(length);
            buf.put_slice(&piece);
            this.heard(&piece);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.reader).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            this.link.meter.reads.add(1);
            this.heard(&buf.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Cork {
    fn poll_write(self: Pin<&mut Self>, _cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.take(&[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.take(pieces)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// The connection task does it.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// The connection task closes the socket when everything is written.
    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
