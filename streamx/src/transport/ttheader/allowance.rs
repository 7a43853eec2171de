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
    waiting: Mutex<Waiting>,
}

struct Waiting {
    sender: Option<Waker>,
    /// The peer has said what it takes.
    bounded: bool,
    /// The stream is over for this side.
    over: bool,
}

impl Allowance {
    /// Of a stream whose peer takes so much at first, if it says so at all.
    pub(super) fn new(window: Option<u32>) -> Self {
        let waiting = Waiting { sender: None, bounded: window.is_some(), over: false };
        Self { total: AtomicU64::new(window.map_or(ANYTHING, u64::from)), waiting: Mutex::new(waiting) }
    }

    /// Whether another message may be sent by one who has spent so much.
    pub(super) fn covers(&self, spent: u64) -> bool {
        spent < self.total()
    }

    /// What may be sent in all, as far as is known.
    pub(super) fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }

    /// Waits until another message may be sent, or the stream is over.
    pub(super) fn poll(&self, spent: u64, cx: &Context<'_>) -> Poll<()> {
        lock(&self.waiting).until(self.covers(spent), cx)
    }

    /// Waits until the stream is over.
    pub(super) fn poll_over(&self, cx: &Context<'_>) -> Poll<()> {
        lock(&self.waiting).until(false, cx)
    }

    /// The peer has answered with its window; what was sent before counts. A second answer means nothing.
    pub(super) fn bound(&self, window: u32) {
        let mut waiting = lock(&self.waiting);
        if !std::mem::replace(&mut waiting.bounded, true) {
            self.total.store(window.into(), Relaxed);
        }
    }

    /// The peer has taken so much. Returns the sender, to be woken.
    pub(super) fn add(&self, credit: u32) -> Option<Waker> {
        let mut waiting = lock(&self.waiting);
        self.total.store(self.total().saturating_add(credit.into()), Relaxed);
        waiting.sender.take()
    }

    /// The peer reads no further, so nothing is to wait for that. Returns the sender, to be woken.
    pub(super) fn lift(&self) -> Option<Waker> {
        let mut waiting = lock(&self.waiting);
        self.total.store(ANYTHING, Relaxed);
        waiting.sender.take()
    }

    /// The stream is over. Returns the sender, to be woken.
    pub(super) fn end(&self) -> Option<Waker> {
        let mut waiting = lock(&self.waiting);
        waiting.over = true;
        self.total.store(ANYTHING, Relaxed);
        waiting.sender.take()
    }
}

impl Waiting {
    fn until(&mut self, is_so: bool, cx: &Context<'_>) -> Poll<()> {
        if is_so || self.over {
            return Poll::Ready(());
        }
        match &mut self.sender {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
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
        allowance.lift();
        allowance.bound(1);
        assert!(!waits(&allowance, 1_000));
    }

    #[test]
    fn whoever_waits_for_anything_is_woken_at_the_end() {
        let allowance = Allowance::new(None);
        let cx = Context::from_waker(Waker::noop());
        assert!(allowance.poll_over(&cx).is_pending());
        assert!(allowance.end().is_some());
        assert!(allowance.poll_over(&cx).is_ready());
    }
}
