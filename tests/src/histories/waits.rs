//! Futures that are polled by hand, and only when something has woken them: so a waker that is forgotten is found.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use futures::task::AtomicWaker;

/// Whatever the driver of a history waits for.
#[derive(Clone, Default)]
pub(super) struct Bell(Arc<Ring>);

#[derive(Default)]
struct Ring {
    rung: AtomicBool,
    driver: AtomicWaker,
}

impl Bell {
    pub(super) fn ring(&self) {
        self.0.rung.store(true, SeqCst);
        self.0.driver.wake();
    }

    /// Waits until it rings.
    pub(super) async fn rung(&self) {
        std::future::poll_fn(|cx| {
            self.0.driver.register(cx.waker());
            if self.0.rung.swap(false, SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// One thing that is waited for, or not.
pub(super) struct Wait {
    flag: Arc<Flag>,
    waker: Waker,
    waits: bool,
}

struct Flag {
    woken: AtomicBool,
    bell: Bell,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, SeqCst);
        self.bell.ring();
    }
}

impl Wait {
    pub(super) fn new(bell: &Bell) -> Self {
        let flag = Arc::new(Flag { woken: AtomicBool::new(false), bell: bell.clone() });
        let waker = Waker::from(Arc::clone(&flag));
        Self { flag, waker, waits: false }
    }

    /// Polls something; while it is pending it is waited for.
    pub(super) fn poll<T>(&mut self, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Option<T> {
        self.flag.woken.store(false, SeqCst);
        match poll(&mut Context::from_waker(&self.waker)) {
            Poll::Ready(ready) => {
                self.waits = false;
                Some(ready)
            }
            Poll::Pending => {
                self.waits = true;
                None
            }
        }
    }

    pub(super) fn give_up(&mut self) {
        self.waits = false;
    }

    pub(super) fn is_pending(&self) -> bool {
        self.waits
    }

    /// Whether it is to be polled again.
    pub(super) fn is_woken(&self) -> bool {
        self.waits && self.flag.woken.load(SeqCst)
    }
}
