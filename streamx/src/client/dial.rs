//! Opening a call: once, or as often as its middlewares want.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;

use super::Channel;
use super::deadline::Deadline;
use super::options::Times;
use crate::call::Exchange;
use crate::call::middleware::{Around, Begin, Finish, Opening, observed};
use crate::{Code, Error, Result};

/// Who opens a call.
pub(crate) struct Dial {
    channel: Channel,
    times: Times,
    /// When the call has to be over, whatever its middlewares do.
    deadline: Option<Deadline>,
}

/// A call that is open.
pub(crate) struct Opened {
    pub(crate) exchange: Exchange,
    /// None when nothing is around its messages.
    pub(crate) around: Option<Arc<Around>>,
}

impl Dial {
    pub(super) fn new(channel: Channel, times: Times, deadline: Option<Deadline>) -> Self {
        Self { channel, times, deadline }
    }

    pub(super) fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }

    /// Opens a stream through its middlewares.
    pub(super) async fn stream(self, call: Opening) -> Result<Opened> {
        let middlewares = Arc::clone(self.channel.middlewares());
        if middlewares.stream.is_empty() {
            return self.open(call).await;
        }
        let deadline = self.deadline;
        let end = Dialing { dial: self, opened: Mutex::new(None) };
        let passed = middlewares.stream(call, &end);
        match deadline {
            Some(deadline) => deadline.bound(passed).await?,
            None => passed.await?,
        }
        let opened = end.opened().take();
        opened.ok_or_else(|| {
            Error::other("a stream middleware returned `Ok` without a stream: it calls `next.run`, or fails")
        })
    }

    /// Opens the call, beneath its middlewares.
    pub(crate) async fn open(&self, call: Opening) -> Result<Opened> {
        let middlewares = self.channel.middlewares();
        if middlewares.leaves_messages_alone() {
            let exchange = self.exchange(call).await?;
            return Ok(Opened { exchange, around: None });
        }
        let around = Around { middlewares: Arc::clone(middlewares), call: call.clone() };
        let around = Arc::new(around);
        if middlewares.observers.is_empty() {
            let exchange = self.exchange(call).await?;
            return Ok(Opened { exchange, around: Some(around) });
        }
        let mut finish = Finish::start(Arc::clone(&around));
        let exchange = self.exchange(call).await.inspect_err(|error| finish.tell(Err(error)))?;
        let exchange = observed(exchange, &around, Some(finish));
        Ok(Opened { exchange, around: Some(around) })
    }

    async fn exchange(&self, call: Opening) -> Result<Exchange> {
        let streaming = call.mode().is_streaming();
        let deadline = self.deadline_of(&call);
        let wait_for_ready = self.times.wait_for_ready.unwrap_or_default();
        let call = call.request(deadline.map(Deadline::timeout), wait_for_ready)?;
        let opening = self.channel.open(call);
        let exchange = match deadline {
            Some(deadline) => deadline.open(opening).await?,
            None => opening.await?,
        };
        Ok(if streaming { self.times.bound_recv(exchange) } else { exchange })
    }

    /// That of the call, unless a middleware has brought it forward.
    fn deadline_of(&self, call: &Opening) -> Option<Deadline> {
        let moved = call.deadline().map(|at| Deadline::inherited(at, call.mode()));
        self.deadline.into_iter().chain(moved).reduce(Deadline::min)
    }
}

/// What the middlewares of a stream are around.
struct Dialing {
    dial: Dial,
    opened: Mutex<Option<Opened>>,
}

impl Dialing {
    fn opened(&self) -> MutexGuard<'_, Option<Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives up a stream that nobody uses.
    fn keep(&self, opened: Option<Opened>) {
        let unused = std::mem::replace(&mut *self.opened(), opened);
        if let Some(Opened { mut exchange, .. }) = unused {
            let text = "the caller gave up the call: a middleware did not use its stream";
            exchange.incoming.reset(Error::new(Code::Cancelled, text).with_kitex_code(12007));
        }
    }
}

impl Begin for Dialing {
    fn begin(&self, call: Opening) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let opened = self.dial.open(call).await?;
            self.keep(Some(opened));
            Ok(())
        })
    }
}

/// The call was dropped, or a middleware failed.
impl Drop for Dialing {
    fn drop(&mut self) {
        self.keep(None);
    }
}
