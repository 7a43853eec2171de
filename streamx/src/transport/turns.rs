//! Who is about to write: the count behind the flush rule "last one out flushes".
//!
//! A stream has a turn from the moment the connection task wakes its receiver until it is known that nothing more
//! will be sent because of what was received: on a server until the handler's poll returns, on a client until `recv`
//! hands the message over. While any turn runs, what is sent is held back; the last one out writes it all.
//!
//! A client's turn ends before the message that follows from it is sent, so its end writes nothing: the next send
//! that finds no turn running and nothing held back writes, and the first send that is held back has the connection task
//! look after it.
//!
//! A client's receiver may be woken and never come (a `select!` took another branch). So a turn is only a promise:
//! the connection task waits for turns a bounded number of times, then writes and starts a new epoch, in which the
//! turns of older epochs count no more.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// The epoch in the upper half, the number of running turns in the lower.
#[derive(Debug)]
pub(crate) struct Turns(AtomicU64);

/// One turn that runs. Zero is no turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn(u32);

impl Turns {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(1 << 32))
    }

    pub(crate) fn begin(&self) -> Turn {
        Turn(epoch(self.0.fetch_add(1, SeqCst)))
    }

    /// The turn that streams woken now get.
    pub(crate) fn current(&self) -> Turn {
        Turn(epoch(self.0.load(SeqCst)))
    }

    /// Ends a turn. True when it was the last one of the current epoch.
    pub(crate) fn end(&self, turn: Turn) -> bool {
        let mut now = self.0.load(SeqCst);
        while turn.0 == epoch(now) && running(now) > 0 {
            match self.0.compare_exchange_weak(now, now - 1, SeqCst, SeqCst) {
                Ok(_) => return running(now) == 1,
                Err(other) => now = other,
            }
        }
        false
    }

    pub(crate) fn any(&self) -> bool {
        running(self.0.load(SeqCst)) > 0
    }

    /// Gives up waiting for the turns that run.
    pub(crate) fn new_epoch(&self) {
        let next = epoch(self.0.load(SeqCst)).checked_add(1).unwrap_or(1);
        self.0.store(u64::from(next) << 32, SeqCst);
    }
}

impl Turn {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn is_none(self) -> bool {
        self == Self::NONE
    }

    pub(crate) fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

fn epoch(word: u64) -> u32 {
    u32::try_from(word >> 32).unwrap_or(u32::MAX)
}

fn running(word: u64) -> u64 {
    word & u64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_turn_out_is_told() {
        let turns = Turns::new();
        let (a, b) = (turns.begin(), turns.begin());
        assert!(!turns.end(a));
        assert!(turns.any());
        assert!(turns.end(b));
        assert!(!turns.any());
        assert!(!turns.end(b), "a turn that is over cannot end again");
    }

    #[test]
    fn turns_of_an_older_epoch_count_no_more() {
        let turns = Turns::new();
        let old = turns.begin();
        turns.new_epoch();
        assert!(!turns.any());
        let new = turns.begin();
        assert!(!turns.end(old));
        assert!(turns.end(new));
    }
}
