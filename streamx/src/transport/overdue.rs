//! The one timer of a connection: what it waits for must not take for ever.

use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::Sleep;

use crate::{Error, Result};

/// Something the connection waits for that must not take for ever.
pub(super) struct Waits {
    pub(super) for_what: For,
    pub(super) limit: Duration,
    /// How much of the limit had passed before the wait began.
    pub(super) spent: Duration,
    /// Differs when there was progress.
    pub(super) mark: u64,
}

impl Waits {
    pub(super) fn new(for_what: For, limit: Duration, mark: u64) -> Self {
        Self { for_what, limit, spent: Duration::ZERO, mark }
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum For {
    Room,
    FirstFrame,
    RestOfFrame,
}

/// One lazy timer: it is armed when a wait begins and looks when it fires whether anything has moved since, so that
/// the message path never touches it.
#[derive(Default)]
pub(super) struct Watch {
    timer: Option<Pin<Box<Sleep>>>,
    waits_for: Option<(For, u64)>,
    pub(super) progress: bool,
}

impl Watch {
    pub(super) fn check(&mut self, waits: Option<Waits>, cx: &mut Context<'_>) -> Result<()> {
        let Some(Waits { for_what, limit, spent, mark }) = waits else {
            self.waits_for = None;
            return Ok(());
        };
        if self.waits_for.is_none_or(|(what, _)| what != for_what) {
            self.waits_for = Some((for_what, mark));
            self.progress = false;
            let rest = limit.saturating_sub(spent);
            match &mut self.timer {
                Some(timer) => timer.set(tokio::time::sleep(rest)),
                none => *none = Some(Box::pin(tokio::time::sleep(rest))),
            }
        }
        let Some(timer) = &mut self.timer else { return Ok(()) };
        while timer.as_mut().poll(cx).is_ready() {
            let moved = match for_what {
                For::Room => self.waits_for != Some((for_what, mark)),
                For::FirstFrame => false,
                For::RestOfFrame => self.progress,
            };
            if !moved {
                return Err(for_what.overdue(limit));
            }
            self.waits_for = Some((for_what, mark));
            self.progress = false;
            timer.set(tokio::time::sleep(limit));
        }
        Ok(())
    }
}

impl For {
    fn overdue(self, limit: Duration) -> Error {
        let text = match self {
            Self::Room => format!("the peer has taken no byte for {limit:?} (limit write_stall_timeout)"),
            Self::FirstFrame => {
                format!("the peer has sent no whole frame within {limit:?} (limit first_frame_timeout)")
            }
            Self::RestOfFrame => {
                format!("the rest of a frame did not arrive within {limit:?} (limit frame_timeout)")
            }
        };
        Error::transport(text).with_kitex_code(12006)
    }
}
