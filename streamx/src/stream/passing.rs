//! The way of a message through middlewares, for handles that have some.
//!
//! What waits in a middleware waits inside the handle, not in the future of `recv` or of a sink, so that nothing is lost
//! when that is dropped. It shares its direction of the call with the handle, which can still ask for the header or
//! give up.

use std::any::Any;
use std::future::poll_fn;
use std::mem::take;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::future::BoxFuture;

use super::half::{Drain, Source};
use crate::call::middleware::{AnyMessage, Around, Arrive, Leave};
use crate::call::{Encode, Incoming, Outgoing};
use crate::{Error, Metadata, Result};

/// How messages lose their type on the way through middlewares, and get it back.
pub(super) struct Erase<T> {
    pub(super) wrap: fn(T) -> AnyMessage<'static>,
    pub(super) lend: for<'a> fn(&'a T) -> AnyMessage<'a>,
    pub(super) take: fn(AnyMessage<'static>) -> Result<T>,
    inlet: fn(Source<T>) -> Arc<dyn Arrive>,
    outlet: fn(Drain<T>) -> Arc<dyn Leave>,
}

impl<T: Any + Send + Sync> Erase<T> {
    pub(super) const NEW: Self = Self {
        wrap: AnyMessage::new,
        lend: |message| AnyMessage::of(message),
        take: AnyMessage::take,
        inlet: |source| Arc::new(Inlet(Mutex::new(source))),
        outlet: |drain| Arc::new(Outlet(Mutex::new(drain))),
    };
}

impl<T> Clone for Erase<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Erase<T> {}

/// Messages that arrive through middlewares.
pub(super) struct Inward<T> {
    around: Arc<Around>,
    inlet: Arc<dyn Arrive>,
    take: fn(AnyMessage<'static>) -> Result<T>,
    /// Locked by nobody: the lock makes the handle `Sync`.
    receiving: Mutex<Option<Receiving>>,
}

type Receiving = BoxFuture<'static, Result<Option<AnyMessage<'static>>>>;

impl<T> Inward<T> {
    /// From a source which the caller shares.
    pub(super) fn new(around: Arc<Around>, erase: Erase<T>, source: Source<T>) -> Self {
        let inlet = (erase.inlet)(source);
        Self { around, inlet, take: erase.take, receiving: Mutex::default() }
    }

    /// The next message; what is pending goes on where it waits.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<T>>> {
        let receiving = unlocked(&mut self.receiving);
        let future = receiving.get_or_insert_with(|| {
            let (around, inlet) = (Arc::clone(&self.around), Arc::clone(&self.inlet));
            Box::pin(async move { around.recv(&*inlet).await })
        });
        let received = ready!(future.as_mut().poll(cx));
        *receiving = None;
        Poll::Ready(received.and_then(|message| message.map(self.take).transpose()))
    }
}

/// Messages that leave through middlewares.
pub(super) struct Outward<T> {
    around: Arc<Around>,
    outlet: Arc<dyn Leave>,
    erase: Erase<T>,
    /// What a sink was given. Locked by nobody.
    sending: Mutex<Option<BoxFuture<'static, Result<()>>>>,
}

impl<T> Outward<T> {
    /// Into a drain which the caller shares.
    pub(super) fn new(around: Arc<Around>, erase: Erase<T>, drain: Drain<T>) -> Self {
        let outlet = (erase.outlet)(drain);
        Self { around, outlet, erase, sending: Mutex::default() }
    }

    /// A message as middlewares see it.
    pub(super) fn erase<'a>(&self, message: &'a T) -> AnyMessage<'a> {
        (self.erase.lend)(message)
    }

    /// Sends a message, after the one that a sink was given; `last` says that the end of the handler follows.
    pub(super) async fn send(&mut self, message: AnyMessage<'_>, last: bool) -> Result<()> {
        poll_fn(|cx| Self::poll_flush(&mut self.sending, cx)).await?;
        self.around.send(message, last, &*self.outlet).await
    }

    /// Waits until a message can be given to [`start`](Self::start).
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Self::poll_flush(&mut self.sending, cx)
    }

    /// Takes a message, which is sent while [`poll`](Self::poll) is pending.
    pub(super) fn start(&mut self, message: T) -> Result<()> {
        let sending = unlocked(&mut self.sending);
        if sending.is_some() {
            return Err(Error::other("`start_send` comes after a `poll_ready` that was ready"));
        }
        let (around, outlet) = (Arc::clone(&self.around), Arc::clone(&self.outlet));
        let message = (self.erase.wrap)(message);
        *sending = Some(Box::pin(async move { around.send(message, false, &*outlet).await }));
        Ok(())
    }

    fn poll_flush(
        sending: &mut Mutex<Option<BoxFuture<'static, Result<()>>>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<()>> {
        let sending = unlocked(sending);
        let Some(future) = sending else { return Poll::Ready(Ok(())) };
        let sent = ready!(future.as_mut().poll(cx));
        take(sending);
        Poll::Ready(sent)
    }
}

struct Inlet<T>(Mutex<Source<T>>);

impl<T: Any + Send + Sync> Arrive for Inlet<T> {
    fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<Result<Option<AnyMessage<'static>>>> {
        let polled = lock(&self.0).poll(cx);
        polled.map_ok(|message| message.map(AnyMessage::new))
    }
}

struct Outlet<T>(Mutex<Drain<T>>);

impl<T: Any + Send + Sync> Leave for Outlet<T> {
    fn poll_send(&self, cx: &mut Context<'_>, message: &AnyMessage<'_>, last: bool) -> Poll<Result<()>> {
        let message = message.read()?;
        let mut drain = lock(&self.0);
        ready!(drain.poll_ready(cx))?;
        Poll::Ready(drain.put(message, last))
    }
}

/// One direction of a call that the handle and its middlewares use.
pub(super) struct Shared<D: ?Sized>(Arc<Mutex<Box<D>>>);

impl<D: ?Sized> Shared<D> {
    pub(super) fn new(direction: Box<D>) -> Self {
        Self(Arc::new(Mutex::new(direction)))
    }
}

impl<D: ?Sized> Clone for Shared<D> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl Incoming for Shared<dyn Incoming> {
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        lock(&self.0).poll_message(cx)
    }

    fn poll_header(&mut self, cx: &mut Context<'_>) -> Poll<Result<Metadata>> {
        lock(&self.0).poll_header(cx)
    }

    fn poll_trailer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Metadata>> {
        lock(&self.0).poll_trailer(cx)
    }

    fn reset(&mut self, error: Error) {
        lock(&self.0).reset(error);
    }

    fn is_over(&self) -> bool {
        lock(&self.0).is_over()
    }
}

impl Outgoing for Shared<dyn Outgoing> {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        lock(&self.0).poll_ready(cx)
    }

    fn put(&mut self, encode: Encode<'_>, last: bool) -> Result<()> {
        lock(&self.0).put(encode, last)
    }

    fn finish(&mut self) {
        lock(&self.0).finish();
    }

    fn reset(&mut self, error: Error) {
        lock(&self.0).reset(error);
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unlocked<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}
