//! Whether the peer of a connection is still there, how often it may ask that of this side, and how old a connection may
//! become: all as grpc-go does it.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use h2::{Ping, PingPong};
use tokio::time::{Instant, Sleep, sleep};

use crate::{Code, Error, Result, Side};

/// When a silent peer is asked whether it is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pings {
    /// After so long without a byte; never with [`Duration::MAX`].
    pub(crate) interval: Duration,
    /// How long the answer may take.
    pub(crate) timeout: Duration,
    /// Also while there is no call.
    pub(crate) while_idle: bool,
}

impl Pings {
    const TIMEOUT: Duration = Duration::from_secs(20);

    /// A client asks nothing unless that is set.
    pub(crate) const CLIENT: Self =
        Self { interval: Duration::MAX, timeout: Self::TIMEOUT, while_idle: false };

    pub(super) const SERVER: Self =
        Self { interval: Duration::from_secs(2 * 60 * 60), timeout: Self::TIMEOUT, while_idle: true };
}

/// Asks the peer when it is silent.
pub(super) struct Keepalive {
    pings: Pings,
    timer: Option<Pin<Box<Sleep>>>,
    /// What had been heard when the timer was set.
    mark: usize,
    /// A ping is on its way.
    asked: bool,
}

impl Keepalive {
    pub(super) fn new(pings: Pings) -> Self {
        let interval = pings.interval.max(Duration::from_secs(1));
        Self { pings: Pings { interval, ..pings }, timer: None, mark: 0, asked: false }
    }

    /// Looks whether the peer has to be asked, or has not answered. `heard` counts what has come from it.
    pub(super) fn check(
        &mut self,
        http: &mut PingPong,
        has_calls: bool,
        heard: usize,
        cx: &mut Context<'_>,
    ) -> Result<()> {
        let Pings { interval, timeout, while_idle } = self.pings;
        if interval == Duration::MAX || (!has_calls && !while_idle) {
            (self.timer, self.asked) = (None, false);
            return Ok(());
        }
        let timer = self.timer.get_or_insert_with(|| {
            self.mark = heard;
            Box::pin(sleep(interval))
        });
        if self.asked && self.mark != heard {
            (self.asked, self.mark) = (false, heard);
            timer.set(sleep(interval));
        }
        while timer.as_mut().poll(cx).is_ready() {
            if self.mark != heard {
                self.mark = heard;
                timer.set(sleep(interval));
            } else if self.asked {
                let text = format!(
                    "the peer was silent for {interval:?} and has not answered a ping for {timeout:?}"
                );
                return Err(Error::transport(text));
            } else {
                // An answer that is not taken would keep the next ping from leaving; its bytes were heard. Sending fails
                // while an earlier ping has no answer, which is the answer to this one, too.
                let _taken = http.poll_pong(cx);
                let _sent = http.send_ping(Ping::opaque());
                self.asked = true;
                timer.set(sleep(timeout));
            }
        }
        Ok(())
    }
}

/// How often a client has asked too early whether the server is there.
#[derive(Debug, Default)]
pub(super) struct Strikes {
    last: Option<Instant>,
    count: usize,
}

impl Strikes {
    /// So many are forgiven.
    const FORGIVEN: usize = 2;
    /// How often a client may ask that has no call.
    const WITHOUT_CALL: Duration = Duration::from_secs(2 * 60 * 60);

    /// So many pings have come, since the server has `spoken` or not. False when it was once too often.
    pub(super) fn count(&mut self, pings: usize, spoken: bool, has_calls: bool, least: Duration) -> bool {
        let now = Instant::now();
        let last = self.last.replace(now);
        if spoken {
            // Those that measure the bandwidth come after data.
            self.count = 0;
            return true;
        }
        let least = if has_calls || least.is_zero() { least } else { Self::WITHOUT_CALL.max(least) };
        let first = usize::from(last.is_some_and(|last| now.duration_since(last) < least));
        let others = if least.is_zero() { 0 } else { pings.saturating_sub(1) };
        self.count += first + others;
        self.count <= Self::FORGIVEN
    }
}

/// How old a connection of a server becomes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Age {
    /// After this, give or take a tenth, it takes no further calls.
    pub(crate) most: Duration,
    /// Then those that run may go on for so long.
    pub(crate) grace: Duration,
}

impl Age {
    /// However old it is.
    pub(super) const ANY: Self = Self { most: Duration::MAX, grace: Duration::MAX };
}

/// Ends a connection that is too old.
pub(super) struct Aging {
    age: Age,
    timer: Option<Pin<Box<Sleep>>>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Young,
    Old,
    /// Its calls were cut.
    Cut,
    Over,
}

/// How long a client may take to read that its calls were cut.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What is to be done about it.
pub(super) enum Due {
    Nothing,
    /// No further calls.
    Leave,
    /// The calls that run end with this.
    Cut(Error),
    /// The connection ends: its client does not read that its calls were cut.
    Close(Error),
}

impl Aging {
    pub(super) fn new(age: Age) -> Self {
        Self { age, timer: None, stage: Stage::Young }
    }

    pub(super) fn check(&mut self, cx: &mut Context<'_>) -> Due {
        let Age { most, grace } = self.age;
        if most == Duration::MAX || self.stage == Stage::Over {
            return Due::Nothing;
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(about(most))));
        if timer.as_mut().poll(cx).is_pending() {
            return Due::Nothing;
        }
        if self.stage == Stage::Young && grace > Duration::ZERO {
            self.stage = if grace == Duration::MAX { Stage::Over } else { Stage::Old };
            timer.set(sleep(grace));
            // It looks again, so that the timer is waited for.
            cx.waker().wake_by_ref();
            return Due::Leave;
        }
        let text = "the call had not ended when its connection became too old (max_connection_age_grace)";
        let error = Error::new(Code::Unavailable, text).with_side(Side::Server);
        if self.stage == Stage::Cut {
            self.stage = Stage::Over;
            return Due::Close(error);
        }
        self.stage = Stage::Cut;
        timer.set(sleep(LAST_WORDS));
        cx.waker().wake_by_ref();
        Due::Cut(error)
    }
}

/// Give or take a tenth, so that the clients of a server do not all come back at once.
fn about(time: Duration) -> Duration {
    let random = RandomState::new().hash_one(0_u8) % 2001;
    time.mul_f64(0.9 + random as f64 / 10_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_client_that_asks_too_often_is_told_so_after_two_strikes() {
        let mut strikes = Strikes::default();
        let mut ask = |pings| strikes.count(pings, false, true, 5 * MINUTE);
        assert!(ask(1), "the first one is never too early");
        assert!(ask(1) && ask(1));
        assert!(!ask(1));
        let mut strikes = Strikes::default();
        assert!(!strikes.count(4, false, true, 5 * MINUTE));
    }

    #[tokio::test(start_paused = true)]
    async fn pings_at_their_time_and_after_data_are_no_strikes() {
        let mut strikes = Strikes::default();
        for _ in 0..10 {
            assert!(strikes.count(1, false, true, 5 * MINUTE));
            tokio::time::advance(5 * MINUTE).await;
        }
        for _ in 0..10 {
            assert!(strikes.count(1, true, true, 5 * MINUTE));
        }
        assert!(Strikes::default().count(100, false, false, Duration::ZERO), "the limit is lifted");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_call_two_hours_lie_between_pings() {
        let mut strikes = Strikes::default();
        let mut ask = || strikes.count(1, false, false, 5 * MINUTE);
        assert!(ask());
        for _ in 0..2 {
            tokio::time::advance(100 * MINUTE).await;
            assert!(ask());
        }
        tokio::time::advance(120 * MINUTE).await;
        assert!(ask());
        tokio::time::advance(100 * MINUTE).await;
        assert!(!ask());
    }

    #[test]
    fn an_age_is_off_by_a_tenth_at_most() {
        for _ in 0..1000 {
            let age = about(100 * MINUTE);
            assert!((90 * MINUTE..=110 * MINUTE).contains(&age), "{age:?}");
        }
    }
}
