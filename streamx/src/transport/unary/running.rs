//! The calls that run on one connection of a server.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use super::call::Call;
use crate::transport::lock;

/// What a call is found by: its sequence, and a number of our own for one whose sequence is in use already, which is then
/// not to be cancelled. Clients of streamx never do that.
pub(super) type Key = (i32, u64);

/// The calls whose callers wait for an answer, and one-way calls, until their handlers have ended. The lock is the last
/// one to be taken.
#[derive(Default)]
pub(super) struct Calls {
    running: Mutex<HashMap<Key, Arc<Call>>>,
    /// How many handlers have not ended, those included whose calls are over.
    handlers: AtomicUsize,
    /// How many calls have had a sequence that was in use.
    repeated: AtomicUsize,
}

impl Calls {
    /// Begins the call that `make` makes, and its handler.
    pub(super) fn begin(&self, sequence: i32, make: impl FnOnce(Key) -> Call) -> Arc<Call> {
        let mut running = lock(&self.running);
        let mut key = (sequence, 0);
        if running.contains_key(&key) {
            key.1 = 1 + self.repeated.fetch_add(1, Relaxed) as u64;
        }
        let call = Arc::new(make(key));
        running.insert(key, Arc::clone(&call));
        self.handlers.fetch_add(1, Relaxed);
        call
    }

    /// Forgets a call that is over; none if it was before.
    pub(super) fn forget(&self, key: Key) -> Option<Arc<Call>> {
        lock(&self.running).remove(&key)
    }

    /// Forgets the call with this sequence, if its caller waits for an answer.
    pub(super) fn cancel(&self, sequence: i32) -> Option<Arc<Call>> {
        let mut running = lock(&self.running);
        running.get(&(sequence, 0)).filter(|call| !call.oneway)?;
        running.remove(&(sequence, 0))
    }

    /// A handler has ended.
    pub(super) fn handler_ended(&self) {
        self.handlers.fetch_sub(1, Relaxed);
    }

    pub(super) fn handlers(&self) -> usize {
        self.handlers.load(Relaxed)
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.running).len()
    }

    pub(super) fn all(&self) -> Vec<Arc<Call>> {
        lock(&self.running).values().cloned().collect()
    }
}
