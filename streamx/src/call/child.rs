//! The calls that a handler makes: they end with the call it serves.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::Error;

/// A call that was made by a handler.
pub(crate) trait Child: Send + Sync {
    /// Gives the call up; nothing to do when it is over.
    fn cancel(&self, reason: &Error);
}

/// The calls a handler has made, and whether its own is over.
#[derive(Default)]
pub(crate) struct Children(Mutex<State>);

#[derive(Default)]
struct State {
    calls: Vec<Weak<dyn Child>>,
    /// How many calls may be listed before those that are over are looked for.
    tidy_at: usize,
    over: Option<Error>,
}

impl Children {
    /// Adds a call, which is cancelled at once if the one it belongs to is over.
    pub(crate) fn attach<C: Child + 'static>(&self, child: &Arc<C>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = state.over.clone() {
            drop(state);
            child.cancel(&reason);
            return;
        }
        if state.calls.len() >= state.tidy_at {
            state.calls.retain(|call| call.strong_count() > 0);
            state.tidy_at = 2 * state.calls.len() + 8;
        }
        let weak: Weak<C> = Arc::downgrade(child);
        state.calls.push(weak);
    }

    /// Why the call they belong to is over, if it is.
    pub(crate) fn over(&self) -> Option<Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).over.clone()
    }

    /// The call they belong to is over, for this reason unless there was one before. What is returned is to be
    /// cancelled, by somebody who holds no lock of a connection.
    pub(crate) fn end(&self, reason: &Error) -> Vec<Arc<dyn Child>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.over.get_or_insert_with(|| reason.clone());
        std::mem::take(&mut state.calls).iter().filter_map(Weak::upgrade).collect()
    }
}
