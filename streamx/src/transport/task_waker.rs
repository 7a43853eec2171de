//! How others wake the connection task.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use super::lock;

const IDLE: u8 = 0;
const RUNNING: u8 = 1;
const WOKEN: u8 = 2;

/// Wakes the connection task, unless it is running: then it only notes that it has to look again.
#[derive(Debug)]
pub(crate) struct TaskWaker {
    state: AtomicU8,
    task: Mutex<Waker>,
}

/// Wakes the connection task for the handlers it polls. Mostly it is that task that wakes them, right before it polls
/// them, and waking a running task would poll it once more for nothing.
#[derive(Debug)]
pub(crate) struct HandlersWaker {
    woken: AtomicBool,
    task: Arc<TaskWaker>,
}

impl TaskWaker {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { state: AtomicU8::new(IDLE), task: Mutex::new(Waker::noop().clone()) })
    }

    /// The task has begun a poll.
    pub(crate) fn begin(&self, waker: &Waker) {
        let mut task = lock(&self.task);
        if !task.will_wake(waker) {
            task.clone_from(waker);
        }
        self.state.store(RUNNING, SeqCst);
    }

    /// The task is about to sleep. False when it was woken meanwhile and has to look again.
    pub(crate) fn end(&self) -> bool {
        self.state.swap(IDLE, SeqCst) != WOKEN
    }

    /// The waker of the task itself, for the socket.
    pub(crate) fn task(&self) -> Waker {
        lock(&self.task).clone()
    }

    pub(crate) fn wake_task(&self) {
        if self.state.compare_exchange(RUNNING, WOKEN, SeqCst, SeqCst) == Err(IDLE) {
            lock(&self.task).wake_by_ref();
        }
    }
}

impl HandlersWaker {
    pub(crate) fn new(task: Arc<TaskWaker>) -> Arc<Self> {
        Arc::new(Self { woken: AtomicBool::new(false), task })
    }

    /// There is a new handler to be polled; for the task itself.
    pub(crate) fn mark(&self) {
        self.woken.store(true, SeqCst);
    }

    /// Whether a handler waits to be polled.
    pub(crate) fn is_marked(&self) -> bool {
        self.woken.load(SeqCst)
    }

    /// The same, for a task that is about to poll them.
    pub(crate) fn take(&self) -> bool {
        self.is_marked() && self.woken.swap(false, SeqCst)
    }
}

impl Wake for HandlersWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // The task looks at the mark after it has gone idle, so one of the two sees the other.
        self.woken.store(true, SeqCst);
        if self.task.state.load(SeqCst) == IDLE {
            lock(&self.task.task).wake_by_ref();
        }
    }
}
