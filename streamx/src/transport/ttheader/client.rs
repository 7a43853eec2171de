//! The client's side of a TTHeader Streaming connection.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};

use bytes::BytesMut;

use super::intake::Intake;
use super::receiving::Receiving;
use super::sending::Sending;
use super::{Peer, Stream};
use crate::call::child::Child;
use crate::call::context::no_bytes;
use crate::call::{Context, Exchange, Format, NewCall};
use crate::transport::connection::{Deliveries, Protocol};
use crate::transport::failure;
use crate::transport::link::Link;
use crate::transport::lock;
use crate::transport::outbox::Outbox;
use crate::wire::ttheader::connection::{Connection as Machine, Event};
use crate::wire::ttheader::flow::Flow;
use crate::wire::ttheader::frame;
use crate::wire::ttheader::outcome::Outcome;
use crate::wire::{Cut, private, timeout};
use crate::{Error, Metadata, Result, Side};

/// A connection as the channel holds it.
#[derive(Clone)]
pub(crate) struct Client {
    peer: Arc<Peer>,
    hold: Arc<Hold>,
}

/// Keeps a connection open: by the channel, and by every handle of its streams. The last one closes it.
pub(crate) struct Hold(Arc<Link>);

impl Hold {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        Self(link)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.shut_down();
    }
}

impl Client {
    pub(crate) fn new(link: &Arc<Link>, caller: Arc<str>, resets: bool) -> (Self, Reading) {
        let peer = Peer::new(Arc::clone(link), Machine::client(), caller, resets);
        let hold = Arc::new(Hold::new(Arc::clone(link)));
        let held = Arc::downgrade(&hold);
        let reading = Reading { peer: Arc::clone(&peer), intake: Intake::default(), held };
        (Self { peer, hold }, reading)
    }

    /// How many streams are alive.
    pub(crate) fn streams(&self) -> usize {
        lock(&self.peer.machine).len()
    }

    /// Whether no stream is alive, and none that is over has left messages for a reader who is behind.
    pub(crate) fn is_free(&self) -> bool {
        self.streams() == 0 && self.peer.queued.load(Relaxed) == 0
    }

    /// Tells later, without keeping the connection open, whether it has carried a stream and was not ended by this
    /// side.
    pub(crate) fn was_lost(&self) -> impl FnOnce() -> bool + Send + use<> {
        let peer = Arc::clone(&self.peer);
        move || lock(&peer.machine).has_opened() && !peer.link.is_shutting_down()
    }

    /// Ends the connection when its last stream is over. None may be opened any more.
    pub(crate) fn retire(&self) {
        let machine = lock(&self.peer.machine);
        self.peer.retired.store(true, Relaxed);
        if machine.len() == 0 {
            self.peer.link.shut_down();
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.peer.link.closed().is_none()
    }

    /// Opens a stream. Its header frame leaves with the first message, or when the connection task looks next.
    pub(crate) fn open(&self, call: &NewCall) -> Result<Exchange> {
        if let Some((key, _)) = call.binary.first() {
            return Err(no_bytes(key));
        }
        let peer = &self.peer;
        let mut machine = lock(&peer.machine);
        let mut outbox = lock(&peer.link.outbox);
        outbox.check_open()?;
        let window = peer.window(machine.len());
        let (id, stream) = machine.open(|id| Stream::new(id, call.method, window, None));
        let stream = Arc::clone(stream);
        let strings = call.strings.iter().map(|(key, value)| (&**key, &**value));
        let strings: Vec<_> = [("isn", call.service)].into_iter().chain(strings).collect();
        let timeout = call.timeout.map(timeout::write);
        let timeout = timeout.as_deref().map(|timeout| (timeout::CALL, timeout));
        let window = window.map(|window| Flow::Window(window).text());
        let window = window.as_ref().map(|window| (private::FLOW, window.as_str()));
        let namespace = Some(call.namespace).filter(|namespace| !namespace.is_empty());
        let namespace = namespace.map(|namespace| (private::NAMESPACE, namespace));
        let ints: Vec<_> = timeout.into_iter().chain(window).chain(namespace).collect();
        frame::put_header(&mut outbox.open, id, call.method, &strings, &ints);
        outbox.framed();
        let flush = outbox.hold();
        drop(outbox);
        peer.opened(machine.len());
        drop(machine);
        peer.link.act(flush);
        let (peer, hold) = (Arc::clone(peer), Some(Arc::clone(&self.hold)));
        let child = call.parent.as_ref().map(|parent| {
            let (peer, stream) = (Arc::clone(&peer), Arc::clone(&stream));
            let child = Arc::new(Cancellable { peer, stream, parent: parent.clone() });
            parent.attach(&child);
            child
        });
        let (incoming, outgoing) = (Arc::clone(&peer), Arc::clone(&stream));
        let incoming = Receiving::new(incoming, outgoing, hold.clone(), child.clone());
        let outgoing = Sending::new(peer, stream, hold, child);
        Ok(Exchange { format: Format::Thrift, incoming: Box::new(incoming), outgoing: Box::new(outgoing) })
    }
}

/// A stream as the call whose handler has opened it sees it; lives as long as a half of it.
pub(super) struct Cancellable {
    peer: Arc<Peer>,
    stream: Arc<Stream>,
    parent: Context,
}

impl Child for Cancellable {
    fn cancel(&self, reason: &Error) {
        self.peer.reset(&self.stream, reason);
    }
}

impl Peer {
    /// A handle is dropped or cancelled. A handler that runs elsewhere may find out that its own call is over, and drop
    /// the handle, before it is the turn of [`Child::cancel`]: the reason is the same.
    pub(super) fn give_up(&self, stream: &Stream, child: Option<&Cancellable>, error: Error) {
        let cascade = child.and_then(|child| child.parent.over());
        self.reset(stream, &cascade.unwrap_or(error));
    }

    /// The client gives up a stream.
    pub(super) fn reset(&self, stream: &Stream, error: &Error) {
        let mut machine = lock(&self.machine);
        let Some((_, trailer)) = machine.reset(stream.id) else {
            return;
        };
        self.closed(1);
        let flush = self.write(|outbox| self.put_reset(outbox, stream, error, trailer));
        // Before the machine is free again: a sender that finds the stream gone can say why.
        let (waker, freed) = stream.inbox.fail(error.clone(), &self.link.turns);
        drop(machine);
        for waker in stream.stop().into_iter().chain(waker) {
            waker.wake();
        }
        self.freed(freed);
        self.link.act(flush);
    }

    /// A reset, and a trailer for peers that wait for one (spec 3.6). The path of the cancel gets the name of this
    /// side.
    ///
    /// A peer that knows no reset is told by the error in the trailer, which its handler reads as a failure; once
    /// this side has said that it sends no more, there is no word left for it.
    fn put_reset(&self, outbox: &mut Outbox, stream: &Stream, error: &Error, trailer: bool) {
        let kind = error.kitex_code().unwrap_or(12007);
        stream.flows.store(false, Relaxed);
        let Stream { id, method, .. } = *stream;
        if !self.resets {
            if trailer {
                let exception = Some((error.message(), kind));
                frame::put_trailer(&mut outbox.open, id, method, None, &[], exception);
                outbox.framed();
            }
            return;
        }
        let path = failure::cancel_path(error, &self.caller);
        frame::put_rst(&mut outbox.open, id, method, &path, error.message(), kind);
        outbox.framed();
        if trailer {
            stream.put_closing_trailer(outbox);
        }
    }
}

/// What the connection task of a client does with frames.
pub(crate) struct Reading {
    peer: Arc<Peer>,
    intake: Intake,
    /// Whether anybody keeps the connection open.
    held: Weak<Hold>,
}

impl Reading {
    fn handle(
        &mut self,
        machine: &mut Machine<Arc<Stream>>,
        frame: frame::Frame,
        out: &mut Deliveries,
    ) -> Result<()> {
        let peer = &self.peer;
        let event = machine.receive(frame).map_err(super::broken)?;
        match event {
            Event::Message { slot, payload } => {
                self.intake.touched(slot);
                let fits = peer.queue(slot, payload, out);
                if !fits {
                    self.overflow(machine, out);
                }
            }
            Event::Flow { slot, flow } => {
                out.wakers.extend(slot.hear(flow));
                if slot.counted.load(Relaxed) {
                    peer.shared.store(true, Relaxed);
                }
            }
            Event::TooLarge { slot, size, more } => {
                peer.closed(1);
                out.wakers.extend(slot.stop());
                let error = peer.too_large(size).with_side(Side::Server);
                let _flush = peer.write(|outbox| peer.put_reset(outbox, &slot, &error, more));
                out.wakers.extend(slot.inbox.end(Err(error), &peer.link.turns));
            }
            Event::Header { slot, strings, .. } => slot.inbox.set_header(Metadata::from(strings)),
            Event::Ended { slot, outcome, answer, strings, .. } => {
                peer.closed(1);
                out.wakers.extend(slot.stop());
                if !matches!(outcome, Outcome::Reset { .. }) {
                    let is_business = matches!(outcome, Outcome::Business { .. });
                    let own = |key: &str| is_business && key.starts_with("biz-");
                    let strings = strings.into_iter().filter(|(key, _)| !own(key));
                    slot.inbox.set_trailer(Metadata::from(strings.collect::<Vec<_>>()));
                }
                if answer {
                    // For peers that wait for it before they forget the stream (spec 3.3).
                    let _flush = peer.write(|outbox| slot.put_closing_trailer(outbox));
                }
                out.wakers.extend(slot.inbox.end(failure::read(outcome, Side::Server), &peer.link.turns));
            }
            // What a client is never sent is ignored by the machine.
            _ => {}
        }
        Ok(())
    }

    /// Ends the stream that is furthest behind.
    fn overflow(&self, machine: &mut Machine<Arc<Stream>>, out: &mut Deliveries) {
        let Some(stream) = Peer::furthest_behind(machine) else { return };
        let error = self.peer.overflow(&stream);
        Self::end(&self.peer, machine, &stream, error, out);
    }

    /// This side ends a stream, and drops what its reader has not taken.
    fn end(
        peer: &Peer,
        machine: &mut Machine<Arc<Stream>>,
        stream: &Stream,
        error: Error,
        out: &mut Deliveries,
    ) {
        if let Some((_, trailer)) = machine.reset(stream.id) {
            peer.closed(1);
            let _flush = peer.write(|outbox| peer.put_reset(outbox, stream, &error, trailer));
        }
        let (waker, freed) = stream.inbox.fail(error, &peer.link.turns);
        out.wakers.extend(stream.stop().into_iter().chain(waker));
        peer.freed(freed);
    }
}

impl Protocol for Reading {
    const EXPECTS_FIRST_FRAME: bool = false;

    fn receive(&mut self, input: &mut BytesMut, out: &mut Deliveries) -> Result<usize> {
        let peer = Arc::clone(&self.peer);
        let bounds = peer.bounds();
        let mut machine = lock(&peer.machine);
        let mut frames = 0;
        let need = loop {
            match self.intake.next(input, &bounds)? {
                Cut::Whole(frame) => self.handle(&mut machine, frame, out)?,
                Cut::Need(need) => break need,
            }
            frames += 1;
        };
        peer.link.meter.frames_received.add(frames);
        Ok(need)
    }

    fn settle(&mut self, pinned: Option<usize>) {
        self.intake.settle(&self.peer, pinned);
    }

    fn lost(&mut self, error: &Error, out: &mut Deliveries) {
        let streams: Vec<_> = lock(&self.peer.machine).drain().collect();
        self.peer.closed(streams.len());
        for stream in streams {
            out.wakers.extend(stream.stop());
            out.wakers.extend(stream.inbox.end(Err(error.clone()), &self.peer.link.turns));
        }
    }

    fn cut(&mut self, error: &Error, out: &mut Deliveries) {
        let peer = &self.peer;
        let mut machine = lock(&peer.machine);
        let streams: Vec<_> = machine.slots().cloned().collect();
        for stream in streams {
            Self::end(peer, &mut machine, &stream, error.clone(), out);
        }
    }

    fn closed_by_peer(&self, mid_frame: bool) -> Error {
        let text = if mid_frame {
            "the server closed the connection in the middle of a frame"
        } else {
            "the server closed the connection"
        };
        Error::transport(text).with_kitex_code(if mid_frame { 12006 } else { 12004 })
    }

    fn is_behind(&self) -> bool {
        self.peer.is_behind()
    }

    fn is_idle(&self) -> bool {
        // When the last handle is gone nobody waits for anything on this connection.
        self.held.strong_count() == 0 || lock(&self.peer.machine).len() == 0
    }
}
