//! How long one message is waited for.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Sleep, sleep};

use super::Incoming;
use super::duration::go;
use crate::{Code, Error, Metadata, Result};

/// The messages that arrive, each of which is waited for so long at most.
pub(crate) struct Patient {
    incoming: Box<dyn Incoming>,
    timeout: Duration,
    keep_open: bool,
    /// Runs while a message is waited for.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    /// When the time is over the call is reset; with `keep_open` it goes on instead, and may be received from again.
    pub(crate) fn new(incoming: Box<dyn Incoming>, timeout: Duration, keep_open: bool) -> Self {
        Self { incoming, timeout, keep_open, timer: None }
    }

    /// With the code and the text of Kitex v0.16.3 (spec 3.7).
    fn error(&self) -> Error {
        let Self { timeout, keep_open, .. } = self;
        let timeout = go(*timeout);
        let text = format!(
            "stream Recv timeout, timeout config={{Timeout:{timeout} DisableCancelRemote:{keep_open}}}"
        );
        let error = Error::new(Code::DeadlineExceeded, text).with_kitex_code(12014);
        if *keep_open { error.retryable() } else { error }
    }
}

impl Incoming for Patient {
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        let polled = self.incoming.poll_message(cx);
        if polled.is_ready() {
            self.timer = None;
            return polled;
        }
        let timeout = self.timeout;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(timeout)));
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.timer = None;
        let error = self.error();
        if !self.keep_open {
            self.incoming.reset(error.clone());
        }
        Poll::Ready(Err(error))
    }

    fn poll_header(&mut self, cx: &mut Context<'_>) -> Poll<Result<Metadata>> {
        self.incoming.poll_header(cx)
    }

    fn poll_trailer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Metadata>> {
        self.incoming.poll_trailer(cx)
    }

    fn reset(&mut self, error: Error) {
        self.incoming.reset(error);
    }

    fn is_over(&self) -> bool {
        self.incoming.is_over()
    }
}
