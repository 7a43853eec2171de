//! Where the handlers of a method are polled, and what was learned about them.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A poll of a handler shorter than this is short.
const SHORT: Duration = Duration::from_micros(20);
/// A poll longer than this moves the method out of the connection task.
const SLOW: Duration = Duration::from_micros(100);
/// So many short polls in a row prove a method.
const PROOF: u32 = 64;
/// How long a method stays out after a slow poll.
const PENALTY: Duration = Duration::from_secs(1);

/// Where the handlers of a service are polled.
///
/// Polling in the connection's own task saves a task switch per message and lets everything that one read brought be
/// answered with one write. A handler that computes for long or blocks would hold up the whole connection there.
///
/// [`Service::placement`](crate::Service::placement) fixes it, as in
/// `add_service(Service::from(TestServiceServer::new(Echo)).placement(Placement::Task))`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Placement {
    /// Each handler starts in a task of its own. A method whose last 64 polls were all shorter than 20 us is polled
    /// by the connection; one poll longer than 100 us moves it back for a second.
    #[default]
    Adaptive,
    /// Always in the connection's task. Only for handlers that never block and never compute for long.
    Connection,
    /// Always in a task of its own.
    Task,
}

/// What is known of one method of one server.
#[derive(Debug)]
pub(crate) struct Pace {
    placement: Placement,
    short: AtomicU32,
    /// Milliseconds after `start` until which the method stays out.
    penalty: AtomicU64,
    start: Instant,
}

impl Pace {
    pub(crate) fn new(placement: Placement) -> Self {
        Self { placement, short: AtomicU32::new(0), penalty: AtomicU64::new(0), start: Instant::now() }
    }

    /// Whether a handler of this method is to be polled by the connection task.
    pub(crate) fn in_connection(&self) -> bool {
        match self.placement {
            Placement::Connection => true,
            Placement::Task => false,
            Placement::Adaptive => {
                self.short.load(Relaxed) >= PROOF
                    && (self.penalty.load(Relaxed) == 0 || self.penalty.load(Relaxed) < self.now())
            }
        }
    }

    /// Whether polls have to be timed at all.
    pub(crate) fn is_adaptive(&self) -> bool {
        self.placement == Placement::Adaptive
    }

    /// Notes how long one poll in a task of its own took.
    pub(crate) fn note(&self, took: Duration) {
        if took >= SHORT {
            self.short.store(0, Relaxed);
        } else if self.short.load(Relaxed) < PROOF {
            self.short.fetch_add(1, Relaxed);
        }
    }

    /// Whether a poll in the connection task was so long that the handler must leave it; remembers it.
    pub(crate) fn is_slow(&self, took: Duration) -> bool {
        let slow = self.is_adaptive() && took >= SLOW;
        if slow {
            self.short.store(0, Relaxed);
            self.penalty.store(self.now() + millis(PENALTY), Relaxed);
        }
        slow
    }

    fn now(&self) -> u64 {
        millis(self.start.elapsed())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_four_short_polls_move_a_method_in_and_one_slow_poll_moves_it_out() {
        let pace = Pace::new(Placement::Adaptive);
        for _ in 0..PROOF - 1 {
            pace.note(Duration::from_micros(1));
        }
        pace.note(SHORT);
        assert!(!pace.in_connection(), "a longer poll starts the count again");
        for _ in 0..PROOF {
            pace.note(Duration::from_micros(1));
        }
        assert!(pace.in_connection());
        assert!(!pace.is_slow(Duration::from_micros(99)));
        assert!(pace.is_slow(SLOW));
        assert!(!pace.in_connection());
    }

    #[test]
    fn a_fixed_placement_does_not_learn() {
        let pace = Pace::new(Placement::Connection);
        assert!(!pace.is_slow(Duration::from_secs(1)));
        assert!(pace.in_connection());
    }
}
