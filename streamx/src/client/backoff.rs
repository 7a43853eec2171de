//! How long to wait between two attempts to reconnect.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(120);

/// Pauses of 1 s, 1.6 s, 2.56 s, … up to 2 min, each up to a fifth longer or shorter so that the clients of a server
/// do not come back all at once (the numbers of gRPC's connection backoff).
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) fn new() -> Self {
        Self(FIRST)
    }

    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = pause.mul_f64(1.6).min(LONGEST);
        pause.mul_f64(0.8 + 0.4 * chance())
    }
}

/// A number from 0 to 1: the seed of a hasher is the one source of chance that needs no further crate.
pub(super) fn chance() -> f64 {
    let random = RandomState::new().hash_one(());
    f64::from(u32::try_from(random >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_two_minutes() {
        let mut backoff = Backoff::new();
        let pauses: Vec<_> = (0..20).map(|_| backoff.next().as_secs_f64()).collect();
        assert!((0.8..=1.2).contains(&pauses[0]), "{pauses:?}");
        assert!((1.28..=1.92).contains(&pauses[1]), "{pauses:?}");
        assert!((96.0..=144.0).contains(&pauses[19]), "{pauses:?}");
    }
}
