//! What the peer lets a stream send, when both take part in flow control (spec 11).

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};

use crate::transport::lock;

/// No bound: the peer takes no part, has not answered yet, or wants nothing to wait any more.
const ANYTHING: u64 = u64::MAX;

/// The bound on what a stream sends in all. Its connection task raises it, its sender waits for that.
pub(super) struct Allowance {
    /// Changed under the lock of `waiting`, looked at without.
    total: AtomicU64,
    waiting: Mutex<Option<Waker>>,
}

impl Allowance {
    /// Of a stream whose peer takes so much at first, if it says so at all.
    pub(super) fn new(window: Option<u32>) -> Self {
        Self { total: AtomicU64::new(window.map_or(ANYTHING, u64::from)), waiting: Mutex::default() }
    }

    /// Whether another message may be sent by one who has spent so much.
    pub(super) fn covers(&self, spent: u64) -> bool {
        spent < self.total.load(Relaxed)
    }

    /// Waits until it may.
    pub(super) fn poll(&self, spent: u64, cx: &Context<'_>) -> Poll<()> {
        let mut waiting = lock(&self.waiting);
        if self.covers(spent) {
            return Poll::Ready(());
        }
        match &mut *waiting {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// The peer has answered with its window; what was sent before counts. A second answer means nothing.
    pub(super) fn bound(&self, window: u32) {
        let _changing = lock(&self.waiting);
        if self.total.load(Relaxed) == ANYTHING {
            self.total.store(window.into(), Relaxed);
        }
    }

    /// The peer has taken so much. Returns the sender, to be woken.
    pub(super) fn add(&self, credit: u32) -> Option<Waker> {
        let mut waiting = lock(&self.waiting);
        let total = self.total.load(Relaxed).saturating_add(credit.into());
        self.total.store(total, Relaxed);
        waiting.take()
    }

    /// Nothing is to wait any more: the stream is over, or nobody reads. Returns the sender, to be woken.
    pub(super) fn lift(&self) -> Option<Waker> {
        let mut waiting = lock(&self.waiting);
        self.total.store(ANYTHING, Relaxed);
        waiting.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(allowance: &Allowance, spent: u64) -> bool {
        allowance.poll(spent, &Context::from_waker(Waker::noop())).is_pending()
    }

    #[test]
    fn a_message_may_go_while_anything_is_left() {
        let allowance = Allowance::new(Some(100));
        assert!(!waits(&allowance, 99));
        assert!(waits(&allowance, 100));
        assert!(allowance.add(50).is_some(), "the sender is woken");
        assert!(!waits(&allowance, 149));
        assert!(waits(&allowance, 150));
        assert!(allowance.lift().is_some());
        assert!(!waits(&allowance, 1 << 60));
    }

    #[test]
    fn a_late_answer_counts_what_was_sent_before_it() {
        let allowance = Allowance::new(None);
        assert!(!waits(&allowance, 1_000));
        allowance.bound(100);
        assert!(waits(&allowance, 1_000));
        allowance.bound(10_000);
        assert!(waits(&allowance, 1_000), "only the first answer counts");
        allowance.add(u32::MAX);
        assert!(!waits(&allowance, 1_000));
    }
}
