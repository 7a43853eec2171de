//! Whether what a stream shows can be explained by what was done to it: the invariants that are about one stream.

use std::time::Duration;

use futures::FutureExt;
use streamx::{Code, Error, Metadata, Result};
use tokio::time::Instant;

use super::{BUSINESS, Checked, FAILED, Handles, Stream, note};
use crate::histories::op::{How, Who};
use crate::histories::waits::{Bell, Wait};
use crate::probe::Note;

/// How long after its time a call may end at the latest: invariant 5.
const LATEST: Duration = Duration::from_millis(100);

impl Stream {
    /// Whether the client has, or a time of its own has for it.
    pub(super) fn gave_up(&self) -> bool {
        self.cancelled
            || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
            || (self.recv_timeout.is_some() && !self.keep_open)
    }

    pub(super) fn received(&mut self, number: usize, who: Who, got: &Note) -> Checked {
        let (side, other) = match who {
            Who::Client => (&mut self.client, &self.handler),
            Who::Handler => (&mut self.handler, &self.client),
        };
        if side.end.is_some() {
            return Err(format!("invariant 1: {who:?} receives a message after the end"));
        }
        let expected = other.sent.get(side.received).map(|&size| note(number, side.received, size));
        if expected.as_ref() != Some(got) {
            let (number, size) = (got.number, got.body.len());
            return Err(format!(
                "invariant 2: {who:?} receives the message {number} of {size} bytes as number {} of {:?}",
                side.received, other.sent
            ));
        }
        side.received += 1;
        if matches!(side.handles, Handles::Answer(None)) {
            return self.finished(who);
        }
        Ok(())
    }

    /// The end that is no failure.
    pub(super) fn finished(&mut self, who: Who) -> Checked {
        let explained = match who {
            Who::Client => self.ended == Some(How::Well),
            Who::Handler => self.closed,
        };
        if !explained {
            return Err(format!("invariant 8: {who:?} sees an end, and nobody has ended"));
        }
        self.all_received(who)?;
        self.end(who, Ok(()))
    }

    fn all_received(&self, who: Who) -> Checked {
        let (received, sent) = match who {
            Who::Client => (self.client.received, self.handler.sent.len()),
            Who::Handler => (self.handler.received, self.client.sent.len()),
        };
        if received == sent {
            return Ok(());
        }
        Err(format!("invariant 2: {who:?} has received {received} messages of {sent} at the end"))
    }

    fn end(&mut self, who: Who, end: Result<()>) -> Checked {
        let side = self.side(who);
        match (&side.end, &end) {
            (None, _) => side.end = Some(end),
            (Some(Ok(())), Ok(())) => {}
            (Some(Err(before)), Err(now)) if before.to_string() == now.to_string() => {}
            (before, now) => {
                return Err(format!("invariant 1: {who:?} sees two ends: {before:?}, then {now:?}"));
            }
        }
        Ok(())
    }

    /// Invariant 8: every failure has a cause that was put in.
    pub(super) fn client_failed(&mut self, error: Error, opening: bool) -> Checked {
        let late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        let kitex = error.kitex_code();
        if self.recv_timeout.is_some() && error.is_timeout() && kitex == Some(12014) {
            let waited = Instant::now() - self.client.waits_since;
            // An earlier wait, which was given up, counts too; so only one that goes on is measured.
            if self.recv_timeout.is_some_and(|timeout| waited > timeout + LATEST) {
                return Err(format!("invariant 5: a recv has waited {waited:?}"));
            }
            if self.keep_open && error.is_retryable() {
                if !matches!(self.client.handles, Handles::Answer(_)) {
                    return Ok(());
                }
                // The answer was waited for with the last handle, which is dropped now.
                self.cancelled = true;
            }
        }
        let handler = match self.ended {
            Some(How::Failed) => error.to_string().ends_with(FAILED),
            Some(How::Business) => error.as_biz().is_some_and(|biz| biz.code() == BUSINESS),
            Some(How::Panicked) => error.code() == Code::Internal,
            _ => false,
        };
        let explained = handler
            || (self.cancelled && error.is_cancelled() && kitex == Some(12007))
            || (late && error.is_timeout() && kitex == Some(12015))
            || (self.recv_timeout.is_some() && error.is_timeout() && kitex == Some(12014))
            || (self.exposed && error.code() == Code::Unavailable)
            || (self.tight && error.code() == Code::ResourceExhausted);
        if !explained {
            return Err(format!("invariant 8: nothing explains what the client is told: {error:?}"));
        }
        if handler && !opening {
            self.all_received(Who::Client)?;
        }
        self.end(Who::Client, Err(error))
    }

    pub(super) fn handler_failed(&mut self, error: Error) -> Checked {
        let kitex = error.kitex_code();
        let explained = (self.cancelled && error.is_cancelled() && kitex == Some(12007))
            || (self.deadline.is_some() && error.is_cancelled() && kitex == Some(12015))
            || (self.recv_timeout.is_some() && error.is_cancelled() && kitex == Some(12014))
            || (self.exposed && error.is_cancelled() && kitex == Some(12013))
            || (self.ended.is_some() && error.is_closed() && kitex == Some(12012))
            || (self.tight && (error.code() == Code::ResourceExhausted || kitex == Some(12007)));
        if !explained {
            return Err(format!("invariant 8: nothing explains what the handler is told: {error:?}"));
        }
        // What a handler is told first may be the end of what its caller sends, and then that its call is over.
        if matches!(self.handler.end, Some(Ok(()))) {
            return Err(format!("invariant 1: the handler is told a failure after the end: {error:?}"));
        }
        self.end(Who::Handler, Err(error))
    }

    /// Invariant 5: what has a time ends in time.
    pub(in crate::histories) fn check_time(&self) -> Checked {
        let now = Instant::now();
        let waits = self.client.receiving.is_pending() || self.client.sending.is_pending();
        if waits && self.deadline.is_some_and(|deadline| now > deadline + LATEST) {
            return Err("invariant 5: the client still waits after the time of its call".to_owned());
        }
        let patience = self.recv_timeout.map(|timeout| timeout + LATEST);
        let receives =
            self.client.receiving.is_pending() && !matches!(self.client.handles, Handles::Opening(_));
        if receives && patience.is_some_and(|patience| now > self.client.waits_since + patience) {
            return Err("invariant 5: a recv goes on after its time".to_owned());
        }
        Ok(())
    }

    /// What must be so once everything is over.
    pub(in crate::histories) fn check_end(&mut self, number: usize) -> Checked {
        for who in [Who::Client, Who::Handler] {
            // Invariant 1: again, and again.
            if self.side(who).end.is_some() {
                self.recv(number, who)?;
                self.recv(number, who)?;
            }
        }
        let context = self.context.as_ref();
        if context.is_some_and(|context| context.cancelled().now_or_never().is_none()) {
            return Err("invariant 5: a handler is not told that its call is over".to_owned());
        }
        // The client was told what the handler has said, so everything else the handler has said is there too.
        let told = match (&self.client.end, self.ended) {
            (Some(Ok(())), _) => true,
            (Some(Err(error)), Some(How::Failed)) => error.to_string().ends_with(FAILED),
            (Some(Err(error)), Some(How::Business)) => error.as_biz().is_some(),
            _ => false,
        };
        if !told || !self.client.handles.can_recv() {
            return Ok(());
        }
        let (mut wait, handles) = (Wait::new(&Bell::default()), &mut self.client.handles);
        if self.set_trailer {
            has_arrived("trailer", "t", wait.poll(|cx| handles.poll_trailer(cx)))?;
        }
        if self.set_header {
            has_arrived("header", "h", wait.poll(|cx| handles.poll_header(cx)))?;
        }
        Ok(())
    }
}

fn has_arrived(what: &str, key: &str, polled: Option<Result<Metadata>>) -> Checked {
    match polled {
        Some(Ok(pairs)) if pairs.get(key).is_some() => Ok(()),
        other => Err(format!("invariant 2: the {what} has not arrived whole: {other:?}")),
    }
}
