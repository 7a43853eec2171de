//! What looks after the connections of a channel while no call does. Each holds nothing alive and ends with the channel.

use std::sync::Weak;
use std::time::Duration;

use tokio::sync::watch;

use super::backoff::Backoff;
use super::connections::Inner;
use crate::transport::StreamClient;

/// Looks, again and again, for connections whose time is over, as long as there are any: one timer for all of them, and
/// none for the message path to touch.
pub(super) async fn look(inner: Weak<Inner>, mut over: watch::Receiver<bool>, every: Duration) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            _ = over.changed() => return,
        }
        if !inner.upgrade().is_some_and(|inner| inner.look()) {
            return;
        }
    }
}

/// Waits for a connection that streams share to end, and makes a new one, with growing pauses, so that the next call
/// finds it. A call that cannot wait dials for itself; then there is nothing to do here. Nor is there if no call has
/// used the connection: a server closes those that stay silent, and would have to do so for ever.
pub(super) async fn reconnect(
    inner: Weak<Inner>,
    mut over: watch::Receiver<bool>,
    ended: impl Future<Output = bool>,
) {
    tokio::select! {
        lost = ended => if !lost { return },
        _ = over.changed() => return,
    }
    let mut backoff = Backoff::new();
    loop {
        tokio::select! {
            () = tokio::time::sleep(backoff.next()) => {}
            _ = over.changed() => return,
        }
        let Some(inner) = inner.upgrade() else { return };
        match inner.connect::<StreamClient>().await {
            Ok(()) => return,
            Err(error) => tracing::debug!(%error, "cannot reconnect yet"),
        }
    }
}
