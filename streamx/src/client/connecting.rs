//! How sockets are made, and how calls wait together for what a task of its own does for them. A call that waits may be
//! left unpolled, so it holds nothing that another call needs.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;

use super::endpoint::Endpoint;
use crate::transport::Socket;
use crate::{Error, Result};

pub(super) const SHUT_DOWN: &str = "the channel was shut down; no call is made on it any more";

/// Makes the sockets of a channel. Does not keep the channel alive.
#[derive(Clone)]
pub(super) struct Dialer {
    pub(super) endpoint: Endpoint,
    pub(super) connect_timeout: Duration,
    /// The channel is shut down, or dropped when this is closed.
    pub(super) over: watch::Receiver<bool>,
}

/// Whether a call has used a connection that was made for calls.
#[derive(Clone, Debug, Default)]
pub(super) struct Used(Arc<AtomicBool>);

/// How a dial ended that calls share; none until it has.
pub(super) type Dialed = Option<Result<Used>>;

/// What a task does for several calls, as long as it keeps the sender.
pub(super) struct Together<T>(Weak<watch::Sender<T>>);

impl Dialer {
    pub(super) async fn dial(&self) -> Result<Socket> {
        self.within(self.endpoint.dial()).await
    }

    /// Gives up when it takes longer than dialing may, or when the channel is over.
    pub(super) async fn within<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let Self { connect_timeout, over, .. } = self;
        let mut over = over.clone();
        tokio::select! {
            biased;
            _ = over.wait_for(|over| *over) => Err(Error::closed(SHUT_DOWN)),
            done = tokio::time::timeout(*connect_timeout, work) => done.unwrap_or_else(|_| {
                Err(self.failed(format_args!("no answer within {connect_timeout:?}")))
            }),
        }
    }

    /// Waits for a dial that calls share.
    pub(super) async fn dialed(&self, mut dial: watch::Receiver<Dialed>) -> Result<Used> {
        let dialed = dial.wait_for(Option::is_some).await.ok().and_then(|dialed| dialed.clone());
        dialed.unwrap_or_else(|| Err(self.failed("the runtime of the call that dialed has ended")))
    }

    pub(super) fn failed(&self, why: impl std::fmt::Display) -> Error {
        Error::transport(format!("cannot connect to {}: {why}", self.endpoint)).retryable()
    }
}

impl Used {
    pub(super) fn get(&self) -> bool {
        self.0.load(Relaxed)
    }

    pub(super) fn set(&self) {
        self.0.store(true, Relaxed);
    }
}

impl<T: Default> Together<T> {
    /// Waits for what is under way, else for what this starts.
    pub(super) fn join(&mut self, start: impl FnOnce(Arc<watch::Sender<T>>)) -> watch::Receiver<T> {
        if let Some(under_way) = self.0.upgrade() {
            return under_way.subscribe();
        }
        let (started, waits) = watch::channel(T::default());
        let started = Arc::new(started);
        self.0 = Arc::downgrade(&started);
        start(started);
        waits
    }
}

impl<T> Default for Together<T> {
    /// Nothing is under way.
    fn default() -> Self {
        Self(Weak::new())
    }
}
