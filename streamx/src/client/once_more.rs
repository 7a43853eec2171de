//! A stream that its server has certainly not seen is opened once more, which gRPC calls a transparent retry (its
//! proposal A6). Until the server has answered, both halves share the call, and what was sent is kept; then each half
//! takes its own direction, and nothing is between it and the connection any more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::call::{Encode, Exchange, Incoming, Outgoing};
use crate::{Code, Error, Metadata, Result};

/// So many bytes of messages are kept. A stream that has sent more before its server has answered is not opened again.
const KEPT: usize = 64 << 10;
/// What a message costs beside its bytes, so that empty ones are not kept for free.
const OVERHEAD: usize = 64;

/// A call of which `again` is a further attempt.
pub(super) fn once_more(
    exchange: Exchange,
    again: impl FnOnce() -> BoxFuture<'static, Result<Exchange>> + Send + 'static,
) -> Exchange {
    // Without a runtime nothing can be opened.
    let Ok(runtime) = Handle::try_current() else { return exchange };
    let Exchange { format, incoming, outgoing } = exchange;
    let call = Arc::new(Mutex::new(Call {
        incoming: Some(incoming),
        outgoing: Some(outgoing),
        stage: Stage::First(Box::new(again)),
        again: None,
        sent: Sent::default(),
        runtime,
        attempt: None,
        receiver: None,
        sender: None,
    }));
    let incoming = Box::new(Arriving { call: Arc::clone(&call), direct: None });
    Exchange { format, incoming, outgoing: Box::new(Leaving { call, direct: None }) }
}

/// Whether no server has seen a call that has ended with this.
fn is_unseen(error: &Error) -> bool {
    error.is_retryable() && error.code() == Code::Unavailable
}

/// What both halves share.
struct Call {
    /// Each until its half has taken it.
    incoming: Option<Box<dyn Incoming>>,
    outgoing: Option<Box<dyn Outgoing>>,
    stage: Stage,
    /// The second attempt is to begin.
    again: Option<Again>,
    sent: Sent,
    runtime: Handle,
    /// Opens the second attempt.
    attempt: Option<AbortHandle>,
    /// They wait for the second attempt.
    receiver: Option<Waker>,
    sender: Option<Waker>,
}

type Again = Box<dyn FnOnce() -> BoxFuture<'static, Result<Exchange>> + Send>;

enum Stage {
    /// The server has not answered yet.
    First(Again),
    /// It is opened once more.
    Between,
    /// It stays as it is.
    Settled,
    /// It was given up while it was opened once more.
    GivenUp(Error),
}

/// What was sent.
#[derive(Default)]
struct Sent {
    messages: Vec<Bytes>,
    cost: usize,
    /// No further message follows.
    is_finished: bool,
}

impl Call {
    /// The call goes on, or ends, as it is.
    fn settle(&mut self) {
        self.stage = Stage::Settled;
        self.sent = Sent::default();
        self.receiver.take().into_iter().chain(self.sender.take()).for_each(Waker::wake);
    }

    /// Whether what could not be put, because of `error`, is sent by the next attempt, which begins if it can.
    fn is_sent_again(&mut self, error: &Error) -> bool {
        let Some(incoming) = &mut self.incoming else { return false };
        match incoming.poll_header(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Err(outcome)) if is_unseen(&outcome) => {
                self.begin_again();
                true
            }
            Poll::Ready(_) => false,
            // It is over, and its outcome is about to be told.
            Poll::Pending => error.is_closed(),
        }
    }

    /// Whether the header of the server has come.
    fn is_answered(&mut self) -> bool {
        let cx = &mut Context::from_waker(Waker::noop());
        self.incoming.as_mut().is_some_and(|incoming| matches!(incoming.poll_header(cx), Poll::Ready(Ok(_))))
    }

    fn begin_again(&mut self) {
        if let Stage::First(again) = std::mem::replace(&mut self.stage, Stage::Between) {
            self.again = Some(again);
        }
    }

    /// Puts a message, and keeps it for the next attempt if there may be one.
    fn put(&mut self, message: Bytes, last: bool) -> Result<()> {
        if matches!(self.stage, Stage::First(_)) && self.is_answered() {
            self.settle();
        }
        match (&self.stage, &mut self.outgoing) {
            (Stage::GivenUp(error), _) => return Err(error.clone()),
            (Stage::First(_), Some(outgoing)) => {
                if let Err(error) = outgoing.put(&mut copy(&message), last)
                    && !self.is_sent_again(&error)
                {
                    return Err(error);
                }
            }
            (Stage::Settled, Some(outgoing)) => return outgoing.put(&mut copy(&message), last),
            (Stage::Between, _) | (_, None) => {}
        }
        self.sent.cost += message.len() + OVERHEAD;
        self.sent.messages.push(message);
        self.sent.is_finished |= last;
        if self.sent.cost > KEPT && matches!(self.stage, Stage::First(_)) {
            self.settle();
        }
        Ok(())
    }

    /// Gives up the call. What opens the second attempt is to be aborted, when the lock is free: it may be dropped at
    /// once.
    #[must_use]
    fn reset(&mut self, error: Error) -> Option<AbortHandle> {
        if matches!(self.stage, Stage::GivenUp(_)) {
            return None;
        }
        let between = matches!(self.stage, Stage::Between);
        self.settle();
        match (&mut self.incoming, &mut self.outgoing) {
            _ if between => self.stage = Stage::GivenUp(error),
            (Some(incoming), _) => incoming.reset(error),
            (None, Some(outgoing)) => outgoing.reset(error),
            (None, None) => {}
        }
        self.attempt.take()
    }
}

impl Drop for Call {
    /// Nobody is there for a second attempt.
    fn drop(&mut self) {
        abort(self.attempt.take());
    }
}

fn abort(attempt: Option<AbortHandle>) {
    if let Some(attempt) = attempt {
        attempt.abort();
    }
}

/// Begins the second attempt if that was decided; the lock is free, because the task may be dropped at once.
fn start(call: &Arc<Mutex<Call>>) {
    let mut locked = lock(call);
    let Some(again) = locked.again.take() else { return };
    let runtime = locked.runtime.clone();
    drop(locked);
    let attempt = Attempt(Arc::downgrade(call));
    let opening = again();
    let opening = runtime.spawn(async move { attempt.opened(opening.await) });
    let mut locked = lock(call);
    if matches!(locked.stage, Stage::Between) {
        locked.attempt = Some(opening.abort_handle());
    } else {
        // It was given up meanwhile, or has been opened.
        drop(locked);
        opening.abort();
    }
}

/// Encodes a message that is encoded.
fn copy(message: &Bytes) -> impl FnMut(&mut BytesMut) -> Result<()> {
    |out| {
        out.extend_from_slice(message);
        Ok(())
    }
}

impl Sent {
    /// Sends it on the second attempt.
    fn send(self, outgoing: &mut dyn Outgoing) -> Result<()> {
        let count = self.messages.len();
        for (index, message) in self.messages.into_iter().enumerate() {
            outgoing.put(&mut copy(&message), self.is_finished && index + 1 == count)?;
        }
        if self.is_finished {
            outgoing.finish();
        }
        Ok(())
    }
}

/// The second attempt. When it comes to nothing, which is when it is dropped, the outcome of the first stays.
struct Attempt(Weak<Mutex<Call>>);

impl Attempt {
    fn opened(self, opened: Result<Exchange>) {
        let Ok(mut exchange) = opened else { return };
        let Some(call) = self.0.upgrade() else {
            let text = "the caller gave up the call: it dropped a handle before the end";
            return exchange.incoming.reset(Error::new(Code::Cancelled, text).with_kitex_code(12007));
        };
        let call = &mut *lock(&call);
        if let Stage::GivenUp(error) = &call.stage {
            return exchange.incoming.reset(error.clone());
        }
        match std::mem::take(&mut call.sent).send(&mut *exchange.outgoing) {
            // The end of a call that is over is received.
            Err(error) if !error.is_closed() => exchange.incoming.reset(error),
            Ok(()) | Err(_) => {}
        }
        call.incoming = Some(exchange.incoming);
        call.outgoing = Some(exchange.outgoing);
        call.settle();
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let Some(call) = self.0.upgrade() else { return };
        let mut call = lock(&call);
        if matches!(call.stage, Stage::Between) {
            call.settle();
        }
    }
}

/// The messages that arrive.
struct Arriving {
    call: Arc<Mutex<Call>>,
    direct: Option<Box<dyn Incoming>>,
}

impl Arriving {
    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl Fn(&mut dyn Incoming, &mut Context<'_>) -> Poll<Result<T>>,
    ) -> Poll<Result<T>> {
        if let Some(direct) = &mut self.direct {
            return poll(&mut **direct, cx);
        }
        let mut locked = lock(&self.call);
        let call = &mut *locked;
        let incoming = match (&call.stage, &mut call.incoming) {
            (Stage::GivenUp(error), _) => return Poll::Ready(Err(error.clone())),
            (Stage::First(_) | Stage::Settled, Some(incoming)) => incoming,
            (Stage::Between, _) | (_, None) => {
                call.receiver = Some(cx.waker().clone());
                return Poll::Pending;
            }
        };
        let polled = ready!(poll(&mut **incoming, cx));
        if let (Stage::First(_), Err(error)) = (&call.stage, &polled)
            && is_unseen(error)
            // A server that has said anything has seen the call.
            && matches!(incoming.poll_header(cx), Poll::Ready(Err(_)))
        {
            call.receiver = Some(cx.waker().clone());
            call.begin_again();
            drop(locked);
            start(&self.call);
            return Poll::Pending;
        }
        call.settle();
        self.direct = call.incoming.take();
        Poll::Ready(polled)
    }
}

impl Incoming for Arriving {
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        self.poll(cx, |incoming, cx| incoming.poll_message(cx))
    }

    fn poll_header(&mut self, cx: &mut Context<'_>) -> Poll<Result<Metadata>> {
        self.poll(cx, |incoming, cx| incoming.poll_header(cx))
    }

    fn poll_trailer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Metadata>> {
        self.poll(cx, |incoming, cx| incoming.poll_trailer(cx))
    }

    fn reset(&mut self, error: Error) {
        match &mut self.direct {
            Some(direct) => direct.reset(error),
            None => {
                let attempt = lock(&self.call).reset(error);
                abort(attempt);
            }
        }
    }

    fn is_over(&self) -> bool {
        if let Some(direct) = &self.direct {
            return direct.is_over();
        }
        let call = lock(&self.call);
        match (&call.stage, &call.incoming) {
            (Stage::Between, _) | (_, None) => false,
            (Stage::GivenUp(_), _) => true,
            (Stage::First(_) | Stage::Settled, Some(incoming)) => incoming.is_over(),
        }
    }
}

impl Drop for Arriving {
    /// Nobody wants the answer of a second attempt, and what has arrived is not kept.
    fn drop(&mut self) {
        let mut call = lock(&self.call);
        if matches!(call.stage, Stage::First(_)) {
            call.settle();
        }
        let unread = call.incoming.take();
        drop(call);
        drop(unread);
    }
}

/// The messages that leave.
struct Leaving {
    call: Arc<Mutex<Call>>,
    direct: Option<Box<dyn Outgoing>>,
}

impl Leaving {
    /// Where messages go once the call stays as it is.
    fn direct(&mut self) -> Option<&mut dyn Outgoing> {
        if self.direct.is_none() {
            let mut call = lock(&self.call);
            if matches!(call.stage, Stage::Settled) {
                self.direct = call.outgoing.take();
            }
        }
        match &mut self.direct {
            Some(direct) => Some(&mut **direct),
            None => None,
        }
    }
}

impl Outgoing for Leaving {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if let Some(direct) = self.direct() {
            return direct.poll_ready(cx);
        }
        let call = &mut *lock(&self.call);
        match (&call.stage, &mut call.outgoing) {
            (Stage::GivenUp(error), _) => Poll::Ready(Err(error.clone())),
            (Stage::First(_) | Stage::Settled, Some(outgoing)) => outgoing.poll_ready(cx),
            (Stage::Between, _) | (_, None) => {
                call.sender = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn put(&mut self, encode: Encode<'_>, last: bool) -> Result<()> {
        if let Some(direct) = self.direct() {
            return direct.put(encode, last);
        }
        // No lock is held while it is encoded.
        let mut message = BytesMut::new();
        encode(&mut message)?;
        let put = lock(&self.call).put(message.freeze(), last);
        start(&self.call);
        put
    }

    fn finish(&mut self) {
        if let Some(direct) = self.direct() {
            return direct.finish();
        }
        let call = &mut *lock(&self.call);
        call.sent.is_finished = true;
        if let Some(outgoing) = &mut call.outgoing {
            outgoing.finish();
        }
    }

    fn reset(&mut self, error: Error) {
        match self.direct() {
            Some(direct) => direct.reset(error),
            None => {
                let attempt = lock(&self.call).reset(error);
                abort(attempt);
            }
        }
    }
}

fn lock(call: &Mutex<Call>) -> MutexGuard<'_, Call> {
    call.lock().unwrap_or_else(PoisonError::into_inner)
}
