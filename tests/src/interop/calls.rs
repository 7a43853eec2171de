use std::future::Future;
use std::sync::Arc;

use streamx::{Error, Result};
use tokio::sync::watch;

/// How many streaming handlers of a server are alive, how many were cancelled, and why the last one was.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) alive: i64,
    pub(super) cancelled: i64,
    pub(super) reason: String,
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
        let mut leaving = Leaving { calls: self, reason: Some("dropped".to_owned()) };
        let outcome = handler.await;
        leaving.reason = outcome.as_ref().err().filter(|error| error.is_cancelled()).map(reason);
        outcome
    }

    /// Waits until at least so many handlers were cancelled and so many are alive.
    pub(super) async fn reached(&self, cancelled: i64, alive: i64) -> Tally {
        let mut tally = self.0.subscribe();
        let reached = tally.wait_for(|tally| tally.cancelled >= cancelled && tally.alive >= alive).await;
        reached.expect("the sender lives as long as self").clone()
    }
}

/// What a handler can know of the end of its caller.
fn reason(error: &Error) -> String {
    format!("code {}, side {:?}: {error}", error.kitex_code().unwrap_or_default(), error.side())
}

struct Leaving<'a> {
    calls: &'a Calls,
    reason: Option<String>,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        // A handler that panicked was not cancelled.
        let reason = self.reason.take().filter(|_| !std::thread::panicking());
        self.calls.0.send_modify(|tally| {
            tally.alive -= 1;
            if let Some(reason) = reason {
                tally.cancelled += 1;
                tally.reason = reason;
            }
        });
    }
}
