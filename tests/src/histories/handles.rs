//! The handles of both sides of a stream, in every mode and however they were taken apart.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use streamx::{Error, Metadata, Result, client};

use super::op::Half;
use crate::probe::Note;

/// Whatever one side holds of a stream.
pub(super) enum Handles {
    /// Not there yet, or not any more.
    None,
    Opening(BoxFuture<'static, Result<Self>>),
    Bidi(client::Bidi<Note, Note>),
    Halves(Option<client::Sender<Note>>, Option<client::Streaming<Note>>),
    Up(client::ClientStream<Note, Note>),
    Answer(Option<BoxFuture<'static, Result<Note>>>),
    Served(streamx::Bidi<Note, Note>),
    ServedHalves(Option<streamx::Sender<Note>>, Option<streamx::Streaming<Note>>),
}

impl Handles {
    pub(super) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Note>>> {
        match self {
            Self::Bidi(bidi) => bidi.poll_recv(cx),
            Self::Halves(_, Some(rx)) => rx.poll_recv(cx),
            Self::Served(bidi) => bidi.poll_recv(cx),
            Self::ServedHalves(_, Some(rx)) => rx.poll_recv(cx),
            Self::Answer(Some(answer)) => {
                let polled = answer.as_mut().poll(cx).map_ok(Some);
                if polled.is_ready() {
                    *self = Self::Answer(None);
                }
                polled
            }
            _ => missing(),
        }
    }

    /// Makes a future of `send`, polls it once, and drops it.
    pub(super) fn poll_send(&mut self, note: &Note, cx: &mut Context<'_>) -> Poll<Result<()>> {
        match self {
            Self::Bidi(bidi) => Pin::new(&mut bidi.send(note)).poll(cx),
            Self::Halves(Some(tx), _) => Pin::new(&mut tx.send(note)).poll(cx),
            Self::Up(stream) => Pin::new(&mut stream.send(note)).poll(cx),
            Self::Served(bidi) => Pin::new(&mut bidi.send(note)).poll(cx),
            Self::ServedHalves(Some(tx), _) => Pin::new(&mut tx.send(note)).poll(cx),
            _ => missing(),
        }
    }

    pub(super) fn poll_header(&mut self, cx: &mut Context<'_>) -> Poll<Result<Metadata>> {
        match self {
            Self::Bidi(bidi) => pin!(bidi.header()).poll(cx),
            Self::Halves(_, Some(rx)) => pin!(rx.header()).poll(cx),
            Self::Up(stream) => pin!(stream.header()).poll(cx),
            _ => missing(),
        }
    }

    pub(super) fn poll_trailer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Metadata>> {
        match self {
            Self::Bidi(bidi) => pin!(bidi.trailer()).poll(cx),
            Self::Halves(_, Some(rx)) => pin!(rx.trailer()).poll(cx),
            _ => missing(),
        }
    }

    pub(super) fn can_send(&self) -> bool {
        matches!(
            self,
            Self::Bidi(_)
                | Self::Halves(Some(_), _)
                | Self::Up(_)
                | Self::Served(_)
                | Self::ServedHalves(Some(_), _)
        )
    }

    pub(super) fn can_recv(&self) -> bool {
        matches!(
            self,
            Self::Bidi(_)
                | Self::Halves(_, Some(_))
                | Self::Answer(Some(_))
                | Self::Served(_)
                | Self::ServedHalves(_, Some(_))
        )
    }

    /// Says that no more comes; false if that cannot be said.
    pub(super) fn close_send(&mut self) -> Result<bool> {
        let done = |closed: Option<Result<()>>| closed.unwrap_or_else(|| Err(Error::other("it had to wait")));
        match self {
            Self::Bidi(bidi) => done(bidi.close_send().now_or_never())?,
            Self::Halves(tx, _) => match tx.take() {
                Some(tx) => done(tx.close_send().now_or_never())?,
                None => return Ok(false),
            },
            Self::Up(_) => {
                let Self::Up(stream) = std::mem::replace(self, Self::None) else { return Ok(false) };
                let reply = stream.close_send().now_or_never();
                let reply = reply.unwrap_or_else(|| Err(Error::other("it had to wait")))?;
                *self = Self::Answer(Some(reply.recv().boxed()));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// False if there is nothing to cancel.
    pub(super) fn cancel(&mut self, reason: &str) -> bool {
        match self {
            Self::Bidi(bidi) => bidi.cancel(reason),
            Self::Halves(_, Some(rx)) => rx.cancel(reason),
            Self::Halves(Some(tx), _) => tx.cancel(reason),
            Self::Up(stream) => stream.cancel(reason),
            _ => return false,
        }
        true
    }

    pub(super) fn split(&mut self) {
        *self = match std::mem::replace(self, Self::None) {
            Self::Bidi(bidi) => {
                let (tx, rx) = bidi.split();
                Self::Halves(Some(tx), Some(rx))
            }
            Self::Served(bidi) => {
                let (tx, rx) = bidi.split();
                Self::ServedHalves(Some(tx), Some(rx))
            }
            other => other,
        };
    }

    /// Drops a half; false if it is not there.
    pub(super) fn drop_half(&mut self, half: Half) -> bool {
        if half == Half::Both {
            return !matches!(
                std::mem::replace(self, Self::None),
                Self::None | Self::Halves(None, None) | Self::Answer(None)
            );
        }
        self.split();
        match (self, half) {
            (Self::Halves(tx, _), Half::Tx) => tx.take().is_some(),
            (Self::ServedHalves(tx, _), Half::Tx) => tx.take().is_some(),
            (Self::Halves(_, rx), Half::Rx) => rx.take().is_some(),
            (Self::ServedHalves(_, rx), Half::Rx) => rx.take().is_some(),
            _ => false,
        }
    }
}

fn missing<T>() -> Poll<Result<T>> {
    Poll::Ready(Err(Error::other("the handle or this half of it is not there")))
}
