//! One stream of a history: what was done to it, and whether what it shows can be explained by that.

use std::time::Duration;

use futures::FutureExt;
use streamx::{Context, Result};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::handles::Handles;
use super::op::{Half, How, Mode, Op, Who};
use super::waits::{Bell, Wait};
use crate::probe::Note;

/// What is wrong, in a sentence that names the invariant.
pub(super) type Checked<T = ()> = std::result::Result<T, String>;

mod checks;

pub(super) struct Stream {
    pub(super) mode: Mode,
    pub(super) client: Side,
    pub(super) handler: Side,
    pub(super) header: Wait,
    /// Both are there once the handler has begun.
    pub(super) context: Option<Context>,
    returns: Option<oneshot::Sender<How>>,
    pub(super) ended: Option<How>,
    deadline: Option<Instant>,
    recv_timeout: Option<Duration>,
    keep_open: bool,
    /// The client has given up the call.
    cancelled: bool,
    closed: bool,
    /// Its connection has been cut or broken, or may be.
    pub(super) exposed: bool,
    /// It may end because a reader is behind.
    tight: bool,
    set_header: bool,
    header_left: bool,
    set_trailer: bool,
}

/// One side of it.
pub(super) struct Side {
    pub(super) handles: Handles,
    pub(super) sending: Wait,
    to_send: Option<Note>,
    pub(super) receiving: Wait,
    waits_since: Instant,
    /// How many messages `send` has taken, and how large they are.
    sent: Vec<usize>,
    received: usize,
    /// The terminal event.
    pub(super) end: Option<Result<()>>,
}

impl Side {
    fn new(bell: &Bell) -> Self {
        Self {
            handles: Handles::None,
            sending: Wait::new(bell),
            to_send: None,
            receiving: Wait::new(bell),
            waits_since: Instant::now(),
            sent: Vec::new(),
            received: 0,
            end: None,
        }
    }
}

/// The message of a stream with this number; everything in it follows from these.
pub(super) fn note(stream: usize, number: usize, size: usize) -> Note {
    let byte = u8::try_from((stream * 31 + number * 7) % 251).unwrap_or_default();
    let key = i64::try_from(stream * 100_000 + number).unwrap_or_default();
    Note { number: key, body: vec![byte; size].into() }
}

impl Stream {
    pub(super) fn new(bell: &Bell, mode: Mode, opening: Handles, tight: bool, exposed: bool) -> Self {
        let mut client = Side::new(bell);
        client.handles = opening;
        // Its request.
        client.sent.extend((mode == Mode::Down).then_some(0));
        Self {
            mode,
            client,
            handler: Side::new(bell),
            header: Wait::new(bell),
            context: None,
            returns: None,
            ended: None,
            deadline: None,
            recv_timeout: None,
            keep_open: false,
            cancelled: false,
            closed: mode == Mode::Down,
            exposed,
            tight,
            set_header: false,
            header_left: false,
            set_trailer: false,
        }
    }

    pub(super) fn limit(
        &mut self,
        timeout: Option<Duration>,
        recv_timeout: Option<Duration>,
        keep_open: bool,
    ) {
        self.deadline = timeout.map(|timeout| Instant::now() + timeout);
        self.recv_timeout = recv_timeout;
        self.keep_open = keep_open;
    }

    pub(super) fn begun(
        &mut self,
        handles: Handles,
        context: Option<Context>,
        returns: oneshot::Sender<How>,
    ) {
        self.handler.handles = handles;
        self.handler.received = usize::from(self.mode == Mode::Down);
        (self.context, self.returns) = (context, Some(returns));
    }

    /// Does what a history says of this stream.
    pub(super) fn apply(&mut self, number: usize, op: Op) -> Checked {
        match op {
            Op::Split { .. } => self.client.handles.split(),
            Op::Send { who, size, .. } => self.send(number, who, size)?,
            Op::GiveUpSend { who, .. } => self.give_up_send(who),
            Op::Recv { who, .. } => self.recv(number, who)?,
            Op::GiveUpRecv { who, .. } => self.side(who).receiving.give_up(),
            Op::CloseSend { .. } => self.close_send()?,
            Op::Drop { who, half, .. } => self.drop_half(who, half),
            Op::Cancel { .. } => self.cancelled |= self.client.handles.cancel(CANCELLED),
            Op::SetHeader { .. } => self.set_header()?,
            Op::SendHeader { .. } => self.send_header(),
            Op::SetTrailer { .. } => self.set_trailer(),
            Op::Header { .. } => self.ask_header()?,
            Op::End { how, .. } => self.end_handler(how),
            _ => {}
        }
        Ok(())
    }

    /// How many bytes may be queued of what was sent and not received.
    pub(super) fn under_way(&self) -> usize {
        let left = |from: &Side, to: &Side| -> usize {
            from.sent.iter().skip(to.received).map(|size| size + OVERHEAD).sum()
        };
        left(&self.client, &self.handler) + left(&self.handler, &self.client)
    }

    /// Whether it receives and sends.
    pub(super) fn waits(&self, who: Who) -> (bool, bool) {
        let side = match who {
            Who::Client => &self.client,
            Who::Handler => &self.handler,
        };
        (side.receiving.is_pending(), side.sending.is_pending())
    }

    fn side(&mut self, who: Who) -> &mut Side {
        match who {
            Who::Client => &mut self.client,
            Who::Handler => &mut self.handler,
        }
    }

    /// Polls what was woken, and says whether anything was.
    pub(super) fn pump(&mut self, number: usize) -> Checked<bool> {
        let mut any = false;
        if let Handles::Opening(opening) = &mut self.client.handles
            && (!self.client.receiving.is_pending() || self.client.receiving.is_woken())
        {
            any = true;
            if let Some(opened) = self.client.receiving.poll(|cx| opening.as_mut().poll(cx)) {
                match opened {
                    Ok(handles) => self.client.handles = handles,
                    Err(error) => {
                        self.client.handles = Handles::None;
                        self.client_failed(error, true)?;
                    }
                }
            }
        }
        for who in [Who::Client, Who::Handler] {
            if self.side(who).sending.is_woken() {
                any = true;
                self.send_pending(who)?;
            }
            if self.side(who).receiving.is_woken() {
                any = true;
                self.recv(number, who)?;
            }
        }
        if self.header.is_woken() {
            any = true;
            self.ask_header()?;
        }
        Ok(any)
    }

    pub(super) fn send(&mut self, number: usize, who: Who, size: usize) -> Checked {
        let side = self.side(who);
        if side.to_send.is_some() || !side.handles.can_send() {
            return Ok(());
        }
        side.to_send = Some(note(number, side.sent.len(), size));
        self.send_pending(who)
    }

    fn send_pending(&mut self, who: Who) -> Checked {
        let side = self.side(who);
        let Some(note) = &side.to_send else { return Ok(()) };
        let handles = &mut side.handles;
        let Some(sent) = side.sending.poll(|cx| handles.poll_send(note, cx)) else { return Ok(()) };
        let size = note.body.len();
        side.to_send = None;
        match sent {
            Ok(()) => side.sent.push(size),
            Err(error) => {
                let explained = match who {
                    Who::Client => {
                        self.closed || self.ended.is_some() || self.gave_up() || self.exposed || self.tight
                    }
                    Who::Handler => self.ended.is_some() || self.gave_up() || self.exposed || self.tight,
                };
                if !explained {
                    return Err(format!("invariant 4: nothing explains why {who:?} cannot send: {error:?}"));
                }
            }
        }
        if who == Who::Handler {
            self.header_left = true;
        }
        Ok(())
    }

    pub(super) fn give_up_send(&mut self, who: Who) {
        let side = self.side(who);
        side.to_send = None;
        side.sending.give_up();
    }

    pub(super) fn recv(&mut self, number: usize, who: Who) -> Checked {
        let side = self.side(who);
        if !side.handles.can_recv() {
            return Ok(());
        }
        if !side.receiving.is_pending() {
            side.waits_since = Instant::now();
        }
        let handles = &mut side.handles;
        match side.receiving.poll(|cx| handles.poll_recv(cx)) {
            None => {}
            Some(Ok(Some(note))) => self.received(number, who, &note)?,
            Some(Ok(None)) => self.finished(who)?,
            Some(Err(error)) if who == Who::Client => self.client_failed(error, false)?,
            Some(Err(error)) => self.handler_failed(error)?,
        }
        Ok(())
    }

    pub(super) fn close_send(&mut self) -> Checked {
        self.give_up_send(Who::Client);
        match self.client.handles.close_send() {
            Ok(closed) => self.closed |= closed,
            Err(error) => return Err(format!("invariant 4: close_send fails: {error:?}")),
        }
        Ok(())
    }

    pub(super) fn drop_half(&mut self, who: Who, half: Half) {
        let side = self.side(who);
        if half != Half::Tx {
            side.receiving.give_up();
        }
        if half != Half::Rx {
            side.to_send = None;
            side.sending.give_up();
        }
        let dropped = side.handles.drop_half(half);
        if who == Who::Client && dropped {
            let before_its_end = match half {
                Half::Tx => !self.closed,
                _ => self.client.end.is_none(),
            };
            self.cancelled |= before_its_end;
        }
    }

    pub(super) fn set_header(&mut self) -> Checked {
        let Some(context) = self.context.as_ref().filter(|_| self.ended.is_none()) else { return Ok(()) };
        match context.set_header("h", "1") {
            Ok(()) => self.set_header = true,
            Err(error) if self.header_left && error.is_closed() => {}
            Err(_) if self.gave_up() || self.exposed || self.tight => {}
            Err(error) => {
                return Err(format!("invariant 4: nothing explains why no header can be set: {error:?}"));
            }
        }
        Ok(())
    }

    pub(super) fn send_header(&mut self) {
        if let Some(context) = &self.context {
            // Refused when it has left or the call is over.
            let _refused = context.send_header().now_or_never();
            self.header_left = true;
        }
    }

    pub(super) fn set_trailer(&mut self) {
        if let Some(context) = self.context.as_ref().filter(|_| self.ended.is_none()) {
            self.set_trailer |= context.set_trailer("t", "1").is_ok();
        }
    }

    pub(super) fn ask_header(&mut self) -> Checked {
        let handles = &mut self.client.handles;
        if !handles.can_recv() {
            self.header.give_up();
            return Ok(());
        }
        let Some(header) = self.header.poll(|cx| handles.poll_header(cx)) else { return Ok(()) };
        match header {
            Ok(header) if self.set_header && header.get("h") != Some("1") => {
                Err(format!("invariant 2: the header has arrived without what was set: {header:?}"))
            }
            _ => Ok(()),
        }
    }

    /// The handler returns; so it is the end of what it sends.
    pub(super) fn end_handler(&mut self, how: How) {
        let Some(returns) = self.returns.take() else { return };
        if returns.send(how).is_ok() {
            self.ended = Some(how);
            if self.mode == Mode::Up && how == How::Well {
                self.handler.sent.push(0);
            }
        }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.returns.is_some() || self.ended.is_some()
    }

    /// Does one step towards the end of the stream; true when there is nothing left to do.
    pub(super) fn wind_up(&mut self, number: usize) -> Checked<bool> {
        for who in [Who::Client, Who::Handler] {
            while self.side(who).end.is_none()
                && self.side(who).handles.can_recv()
                && !self.side(who).receiving.is_pending()
            {
                self.recv(number, who)?;
            }
        }
        let client_sends = self.client.to_send.is_some();
        if self.client.handles.can_send() && !self.closed && !client_sends {
            self.close_send()?;
            return Ok(false);
        }
        // The handler of a caller that is gone is dropped by its server, except that a stream which has ended because a
        // reader is behind has no caller any more that could go.
        let told = matches!(&self.handler.end, Some(Err(error)) if error.is_cancelled());
        let gone = told || (self.cancelled && self.ended.is_none() && !self.tight);
        let receives = self.handler.handles.can_recv() && self.handler.end.is_none();
        if !gone && !receives && self.handler.to_send.is_none() {
            self.end_handler(How::Well);
        }
        let is_served = self.returns.as_ref().is_some_and(|returns| !returns.is_closed());
        let opening = matches!(self.client.handles, Handles::Opening(_));
        let client_receives = self.client.handles.can_recv() && self.client.end.is_none();
        Ok(!opening && !client_receives && !client_sends && !is_served)
    }
}

/// What a message costs in a queue beside its body, at most.
pub(super) const OVERHEAD: usize = 64;
pub(super) const FAILED: &str = "the disk is full";
pub(super) const BUSINESS: i32 = 7;
const CANCELLED: &str = "the client does not want it any more";
