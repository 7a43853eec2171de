//! The moment a call has to be over, wherever it is then and whether or not anybody polls it.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::task::AtomicWaker;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::call::duration::timed_out;
use crate::call::{Encode, Exchange, Incoming, Mode, Outgoing};
use crate::{Code, Error, Metadata, Result, Side};

/// The end of the time of one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    at: Instant,
    /// What was left of it when the call began.
    timeout: Duration,
    /// That of the call, which the error speaks of.
    mode: Mode,
}

impl Deadline {
    /// So long after this moment; none if that is beyond what can be counted.
    pub(super) fn after(timeout: Duration, mode: Mode) -> Option<Self> {
        Some(Self { at: Instant::now().checked_add(timeout)?, timeout, mode })
    }

    /// That of a handler whose call has to be over then.
    pub(super) fn inherited(at: std::time::Instant, mode: Mode) -> Self {
        let at = Instant::from_std(at);
        Self { at, timeout: at.saturating_duration_since(Instant::now()), mode }
    }

    /// The earlier of both.
    pub(super) fn min(self, other: Self) -> Self {
        if other.at < self.at { other } else { self }
    }

    pub(super) fn timeout(self) -> Duration {
        self.timeout
    }

    pub(super) fn at(self) -> std::time::Instant {
        self.at.into_std()
    }

    /// Opens a call that is reset when the time is over.
    pub(super) async fn open(self, opening: impl Future<Output = Result<Exchange>>) -> Result<Exchange> {
        Ok(self.guard(self.bound(opening).await?))
    }

    /// Waits for this until then.
    pub(super) async fn bound<T>(self, future: impl Future<Output = Result<T>>) -> Result<T> {
        if self.is_past() {
            return Err(self.error());
        }
        timeout_at(self.at, future).await.map_err(|_| self.error())?
    }

    fn guard(self, Exchange { format, incoming, outgoing }: Exchange) -> Exchange {
        let incoming = Arc::new(Mutex::new(incoming));
        let expiry = Arc::new(Expiry { deadline: self, error: OnceLock::new(), sender: AtomicWaker::new() });
        let watch = tokio::spawn(watch(Arc::downgrade(&incoming), Arc::clone(&expiry))).abort_handle();
        let arriving = Arriving { incoming, expiry: Arc::clone(&expiry), watch: Watch(watch) };
        Exchange { format, incoming: Box::new(arriving), outgoing: Box::new(Leaving { outgoing, expiry }) }
    }

    fn is_past(self) -> bool {
        Instant::now() >= self.at
    }

    fn error(self) -> Error {
        timed_out(self.timeout, self.mode)
    }
}

/// What both halves of a call know of its deadline.
struct Expiry {
    deadline: Deadline,
    /// Set when the call was reset.
    error: OnceLock<Error>,
    /// Waits for room to send.
    sender: AtomicWaker,
}

impl Expiry {
    fn check(&self) -> Result<()> {
        self.error.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Resets a call that is not over yet.
    fn expire(&self, incoming: &mut dyn Incoming) {
        if !incoming.is_over() {
            let error = self.error.get_or_init(|| self.deadline.error());
            incoming.reset(error.clone());
            self.sender.wake();
        }
    }
}

/// Waits for the deadline in a task of its own, because nobody may be polling the call.
async fn watch(incoming: Weak<Mutex<Box<dyn Incoming>>>, expiry: Arc<Expiry>) {
    sleep_until(expiry.deadline.at).await;
    if let Some(incoming) = incoming.upgrade() {
        expiry.expire(&mut **lock(&incoming));
    }
}

/// Dropping it ends the waiting.
struct Watch(AbortHandle);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The messages that arrive until then. The one half ends the waiting for both: when it is dropped, the call is over.
struct Arriving {
    incoming: Arc<Mutex<Box<dyn Incoming>>>,
    expiry: Arc<Expiry>,
    watch: Watch,
}

impl Arriving {
    /// The call has failed if this is still pending at the deadline, even if the waiting task has yet to run. So it has if
    /// the server was first to give it up: grpc-go resets the stream then, and says no more.
    fn poll<T>(&self, mut poll: impl FnMut(&mut dyn Incoming) -> Poll<Result<T>>) -> Poll<Result<T>> {
        let mut incoming = lock(&self.incoming);
        let deadline = self.expiry.deadline;
        match poll(&mut **incoming) {
            Poll::Pending if deadline.is_past() => {
                self.expiry.expire(&mut **incoming);
                poll(&mut **incoming)
            }
            Poll::Ready(Err(error)) if is_given_up(&error) && deadline.is_past() => {
                Poll::Ready(Err(self.expiry.error.get_or_init(|| deadline.error()).clone()))
            }
            polled => polled,
        }
    }
}

impl Incoming for Arriving {
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        let polled = self.poll(|incoming| incoming.poll_message(cx));
        if matches!(polled, Poll::Ready(Ok(None) | Err(_))) {
            self.watch.0.abort();
        }
        polled
    }

    fn poll_header(&mut self, cx: &mut Context<'_>) -> Poll<Result<Metadata>> {
        self.poll(|incoming| incoming.poll_header(cx))
    }

    fn poll_trailer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Metadata>> {
        self.poll(|incoming| incoming.poll_trailer(cx))
    }

    fn reset(&mut self, error: Error) {
        lock(&self.incoming).reset(error);
    }

    fn is_over(&self) -> bool {
        lock(&self.incoming).is_over()
    }
}

/// The messages that leave until then.
struct Leaving {
    outgoing: Box<dyn Outgoing>,
    expiry: Arc<Expiry>,
}

impl Outgoing for Leaving {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        // Registered before the look, so that no reset falls between both.
        self.expiry.sender.register(cx.waker());
        self.expiry.check()?;
        self.outgoing.poll_ready(cx)
    }

    fn put(&mut self, encode: Encode<'_>, last: bool) -> Result<()> {
        self.expiry.check()?;
        self.outgoing.put(encode, last)
    }

    fn finish(&mut self) {
        self.outgoing.finish();
    }

    fn reset(&mut self, error: Error) {
        self.outgoing.reset(error);
    }
}

/// Whether the server has given up a call.
fn is_given_up(error: &Error) -> bool {
    error.code() == Code::Cancelled && error.side() == Side::Server
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use crate::stream::fake::Line;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_gives_up_a_call_at_its_deadline_is_no_other_reason() {
        for (passed, code) in [(1, Code::DeadlineExceeded), (0, Code::Cancelled)] {
            let (line, time) = (Line::default(), Duration::from_millis(1));
            let mut exchange = Deadline::after(time, Mode::Bidi).unwrap().guard(line.caller().exchange());
            line.handler().end(Err(Error::new(Code::Cancelled, "not wanted").with_side(Side::Server)));
            tokio::time::advance(time * passed).await;
            let error = poll_fn(|cx| exchange.incoming.poll_message(cx)).await.unwrap_err();
            assert_eq!((error.code(), error.is_timeout()), (code, passed == 1), "{error}");
        }
    }
}
