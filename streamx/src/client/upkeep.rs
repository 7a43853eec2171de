//! What looks after the connections of a channel while no call does. Each ends with the channel.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;

use super::backoff::Backoff;
use super::connections::Inner;
use super::grouped::Grouped;

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
pub(super) async fn reconnect<C: Grouped>(
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
        match inner.connect::<C>(false).await {
            Ok(()) => return,
            Err(error) => tracing::debug!(%error, "cannot reconnect yet"),
        }
    }
}

/// Dials, with growing pauses, until there is a connection or no call waits for one any more: those that wait keep the
/// channel alive, and this does with them. It is no part of one of them, because the others go on when one is left
/// unpolled.
pub(super) async fn attempt<C: Grouped>(inner: Arc<Inner>, waiting: Arc<watch::Sender<()>>) {
    let attempts = async {
        let mut backoff = Backoff::new();
        loop {
            tokio::time::sleep(backoff.next()).await;
            match inner.connect::<C>(true).await {
                Err(error) if error.is_retryable() => tracing::debug!(%error, "calls wait for a connection"),
                _ => return,
            }
        }
    };
    tokio::select! {
        () = attempts => {}
        () = waiting.closed() => {}
    }
}
