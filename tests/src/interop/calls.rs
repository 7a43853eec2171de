use std::future::Future;
use std::sync::Arc;

use streamx::Result;
use tokio::sync::watch;

/// How many streaming handlers of a server are alive and how many were cancelled.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) alive: i64,
    pub(super) cancelled: i64,
}

/// Counts streaming handlers, so that a test can ask whether the server has noticed that a caller is gone.
#[derive(Clone, Debug)]
pub(super) struct Calls(Arc<watch::Sender<Tally>>);

impl Calls {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Tally::default())))
    }

    /// Runs a handler. It counts as cancelled when it is dropped before its end, or ends because its caller is gone.
    pub(super) async fn counted<T>(&self, handler: impl Future<Output = Result<T>>) -> Result<T> {
        self.0.send_modify(|tally| tally.alive += 1);
        let mut leaving = Leaving { calls: self, cancelled: true };
        let outcome = handler.await;
        leaving.cancelled = outcome.as_ref().is_err_and(streamx::Error::is_cancelled);
        outcome
    }

    /// Waits until at least so many handlers were cancelled and so many are alive.
    pub(super) async fn reached(&self, cancelled: i64, alive: i64) -> Tally {
        let mut tally = self.0.subscribe();
        let reached = tally.wait_for(|tally| tally.cancelled >= cancelled && tally.alive >= alive).await;
        *reached.expect("the sender lives as long as self")
    }
}

struct Leaving<'a> {
    calls: &'a Calls,
    cancelled: bool,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        // A handler that panicked was not cancelled.
        let cancelled = self.cancelled && !std::thread::panicking();
        self.calls.0.send_modify(|tally| {
            tally.alive -= 1;
            tally.cancelled += i64::from(cancelled);
        });
    }
}
