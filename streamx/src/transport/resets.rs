//! Calls that a client begins only to give them up.

use std::time::{Duration, Instant};

use crate::{Error, Result};

/// Counts the calls a client gives up before they were answered.
pub(super) struct Resets {
    since: Instant,
    count: usize,
}

impl Resets {
    pub(super) fn new() -> Self {
        Self { since: Instant::now(), count: 0 }
    }

    pub(super) fn count(&mut self, limit: usize) -> Result<()> {
        if self.since.elapsed() >= Duration::from_secs(1) {
            *self = Self::new();
        }
        self.count += 1;
        if self.count <= limit {
            return Ok(());
        }
        let text = format!(
            "the client has given up more than {limit} unanswered calls in a second (limit unanswered_resets_per_second)"
        );
        Err(Error::limit(text))
    }
}
