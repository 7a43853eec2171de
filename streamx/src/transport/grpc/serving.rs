//! A call that a server serves, as its handler ends it or its time does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Waker;
use std::time::{Duration, Instant};

use h2::Reason;
use tokio::task::AbortHandle;

use super::stream::{End, Peer, Stream};
use super::trailers;
use crate::call::duration::timed_out;
use crate::call::router::Route;
use crate::transport::connection::Deliveries;
use crate::transport::handlers::Serving;
use crate::transport::inbox::Inbox;
use crate::transport::link::Link;
use crate::transport::lock;
use crate::{Code, Error, Result, Side};

/// One call that is served.
pub(super) struct Call {
    pub(super) peer: Arc<Peer>,
    pub(super) stream: Arc<Stream>,
    pub(super) route: Arc<Route>,
    pub(super) handlers: Arc<AtomicUsize>,
    /// How long the caller waits.
    pub(super) timeout: Option<Duration>,
    /// When it is certainly gone.
    pub(super) deadline: Option<Instant>,
}

/// A caller ends its call at its deadline, and says so. When that has not come after so long it is lost.
pub(super) const LATE: Duration = Duration::from_millis(500);

/// Ends a call on this side, with its trailers behind what the handler has sent, and with `inbox`. Gives the sender that
/// waits, and what `inbox` gives.
pub(super) fn end<T>(
    peer: &Peer,
    stream: &Stream,
    result: Result<(), &Error>,
    inbox: impl FnOnce() -> T,
) -> Option<(Option<Waker>, T)> {
    stream.finish(peer, |leaving| {
        if !leaving.header.is_empty() {
            leaving.start();
        }
        let trailers = trailers::trailers(result, &leaving.trailer, peer.room_for_trailers());
        leaving.end = Some(End::Trailers(trailers));
        inbox()
    })
}

/// Gives up a call that has ended and whose answer the peer does not take; `moved` is what it has taken. Nobody else waits
/// for that: the handler has returned.
pub(super) fn watch_over(peer: &Arc<Peer>, stream: &Arc<Stream>, mut moved: u64) -> AbortHandle {
    let limit = peer.limits().send_stall_timeout;
    let stream = Arc::downgrade(stream);
    let watch = tokio::spawn(async move {
        loop {
            tokio::time::sleep(limit).await;
            let Some(stream) = stream.upgrade() else { return };
            let mut leaving = lock(&stream.leaving);
            if leaving.end.is_none() {
                return;
            }
            if std::mem::replace(&mut moved, leaving.moved) != leaving.moved {
                continue;
            }
            leaving.reset.get_or_insert(Reason::CANCEL);
            drop(leaving);
            stream.ring();
            return tracing::info!(
                ?limit,
                "gave up an answer that the client does not read (limit send_stall_timeout)"
            );
        }
    });
    watch.abort_handle()
}

impl Serving for Call {
    fn link(&self) -> &Link {
        &self.peer.link
    }

    fn inbox(&self) -> &Inbox {
        &self.stream.inbox
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    fn expire(&self) {
        let stream = &*self.stream;
        let error = timed_out(self.timeout.unwrap_or_default(), self.route.method.mode);
        // As a cancel of the caller.
        let gone =
            Error::new(Code::Cancelled, error.message()).with_kitex_code(12015).with_side(Side::Client);
        let abandon = || stream.inbox.abandon(gone.clone(), &self.peer.link.turns);
        let Some((sender, (wakers, freed))) = end(&self.peer, stream, Err(&error), abandon) else { return };
        let mut out = Deliveries::default();
        out.wakers.extend(sender.into_iter().chain(wakers.into_iter().flatten()));
        out.cancel(&stream.children, &gone);
        self.peer.freed(freed);
        stream.ring();
        out.announce();
    }

    fn end(&self, result: Result<()>) {
        let stream = &*self.stream;
        if let Err(error) = &result {
            let (service, method) = (self.route.service, self.route.method.name);
            tracing::debug!(service, method, %error, "a handler failed");
        }
        let over = Error::closed("the handler has returned").with_kitex_code(12012).with_side(Side::Server);
        let fail = || stream.inbox.fail(over.clone(), &self.peer.link.turns);
        let ended = end(&self.peer, stream, result.as_ref().copied(), fail);
        let Some((sender, (waker, freed))) = ended else { return };
        let children = stream.children.end(&over);
        for waker in sender.into_iter().chain(waker) {
            waker.wake();
        }
        self.peer.freed(freed);
        stream.ring();
        for child in children {
            child.cancel(&over);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.handlers.fetch_sub(1, Relaxed);
    }
}
