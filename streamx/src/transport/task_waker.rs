//! How others wake the connection task.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Release, Ordering::SeqCst};
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

/// What was woken of all that has a place in the connection task, as its handlers do. Mostly it is that task that wakes
/// them, right before it polls them, and waking a running task would poll it once more for nothing.
#[derive(Debug)]
pub(crate) struct Woken {
    places: Mutex<Vec<usize>>,
    any: AtomicBool,
    task: Arc<TaskWaker>,
}

/// Wakes what has one place in the connection task.
#[derive(Debug)]
pub(crate) struct PlaceWaker {
    place: usize,
    listed: AtomicBool,
    woken: Arc<Woken>,
}

impl TaskWaker {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { state: AtomicU8::new(IDLE), task: Mutex::new(Waker::noop().clone()) })
    }

    /// The task has begun a poll. `known` is its waker as it was told last.
    pub(crate) fn begin(&self, known: &mut Waker, waker: &Waker) {
        if !known.will_wake(waker) {
            known.clone_from(waker);
            lock(&self.task).clone_from(waker);
        }
        // Whoever does not see it yet wakes the task, as if it were idle: it is polled once more.
        self.state.store(RUNNING, Release);
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

impl Woken {
    pub(crate) fn new(task: Arc<TaskWaker>) -> Arc<Self> {
        Arc::new(Self { places: Mutex::default(), any: AtomicBool::new(false), task })
    }

    pub(crate) fn any(&self) -> bool {
        self.any.load(SeqCst)
    }

    /// Exchanges the list for an empty one.
    pub(crate) fn swap(&self, empty: &mut Vec<usize>) {
        let mut places = lock(&self.places);
        self.any.store(false, SeqCst);
        std::mem::swap(&mut *places, empty);
    }

    fn add(&self, place: usize) {
        let mut places = lock(&self.places);
        places.push(place);
        if places.len() > 1 {
            return;
        }
        // The task looks at the mark after it has gone idle, so one of the two sees the other.
        self.any.store(true, SeqCst);
        drop(places);
        if self.task.state.load(SeqCst) == IDLE {
            lock(&self.task.task).wake_by_ref();
        }
    }
}

impl PlaceWaker {
    pub(crate) fn new(place: usize, woken: Arc<Woken>) -> Arc<Self> {
        Arc::new(Self { place, listed: AtomicBool::new(false), woken })
    }

    /// It is about to be polled: what wakes it from now on counts again.
    pub(crate) fn begin(&self) {
        // Not a store: the poll has to see what those have done who found the mark set and left it at that. Who sets it
        // after it was found unset lists the place once more.
        if self.listed.load(SeqCst) {
            self.listed.swap(false, SeqCst);
        }
    }
}

impl Wake for PlaceWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.listed.swap(true, SeqCst) {
            self.woken.add(self.place);
        }
    }
}
