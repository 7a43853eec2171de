//! The server's side of a TTHeader Streaming connection.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::BytesMut;

use super::context::StreamContext;
use super::intake::Intake;
use super::receiving::Receiving;
use super::sending::Sending;
use super::{Peer, Stream};
use crate::call::router::{NoRoute, Route, Router};
use crate::call::{Context, Exchange, Format, Protocol};
use crate::transport::connection::{self, Deliveries};
use crate::transport::failure::{self, Failure};
use crate::transport::handlers::{Running, Serving};
use crate::transport::inbox::Inbox;
use crate::transport::link::Link;
use crate::transport::outbox::Outbox;
use crate::transport::resets::Resets;
use crate::transport::{lock, metainfo};
use crate::wire::ttheader::connection::{Connection as Machine, Event, Opened};
use crate::wire::ttheader::flow::Flow;
use crate::wire::ttheader::frame;
use crate::wire::ttheader::header::Strings;
use crate::wire::ttheader::outcome::Outcome;
use crate::wire::{Cut, private, timeout};
use crate::{Code, Error, Result, Side};

/// What the connection task of a server does with frames.
pub(crate) struct Server {
    peer: Arc<Peer>,
    router: Arc<Router>,
    handlers: Arc<AtomicUsize>,
    intake: Intake,
    /// Streams that a limit has ended before their handlers.
    cut_off: Vec<Weak<Stream>>,
    resets: Resets,
}

/// One call that is served.
struct Call {
    peer: Arc<Peer>,
    stream: Arc<Stream>,
    route: Arc<Route>,
    handlers: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) fn new(link: &Arc<Link>, router: Arc<Router>) -> Self {
        Self {
            peer: Peer::new(Arc::clone(link), Machine::server(), "".into(), true),
            router,
            handlers: Arc::default(),
            intake: Intake::default(),
            cut_off: Vec::new(),
            resets: Resets::new(),
        }
    }

    fn handle(
        &mut self,
        machine: &mut Machine<Arc<Stream>>,
        frame: frame::Frame,
        out: &mut Deliveries,
    ) -> Result<()> {
        let peer = &self.peer;
        let turns = &peer.link.turns;
        match machine.receive(frame).map_err(super::broken)? {
            Event::Message { slot, payload } => {
                self.intake.touched(slot);
                let fits = peer.queue(slot, payload, out);
                if !fits {
                    self.overflow(machine, out);
                }
            }
            Event::Flow { slot, flow } => out.wakers.extend(slot.hear(flow)),
            Event::Finished { slot } => out.wakers.extend(slot.inbox.end(Ok(()), turns)),
            Event::Failed { slot, outcome } => {
                out.wakers.extend(slot.inbox.end(failure::read(outcome, Side::Client), turns));
            }
            Event::Ended { slot, outcome, .. } => {
                peer.closed(1);
                let unanswered = matches!(outcome, Outcome::Reset { .. }) && !slot.answered.load(Relaxed);
                let gone = failure::read(outcome, Side::Client).err().unwrap_or_else(caller_gone);
                self.abandon(&slot, gone, out);
                if unanswered {
                    self.resets.count(self.peer.limits().unanswered_resets_per_second)?;
                }
            }
            Event::TooLarge { slot, size, more } => {
                peer.closed(1);
                out.wakers.extend(slot.stop());
                let error = peer.too_large(size).with_side(Side::Client);
                let _flush = peer.write(|outbox| put_end(outbox, &slot, more, Err(&error)));
                out.wakers.extend(slot.inbox.end(Err(error), turns));
                self.cut_off(&slot);
            }
            Event::Duplicate { id, slot } => {
                peer.closed(1);
                let error = Error::protocol("a second header frame came for a stream that is alive")
                    .with_kitex_code(12002)
                    .with_side(Side::Client);
                let _flush = peer.write(|outbox| put_failure(outbox, id, slot.method, 12002, &error));
                self.abandon(&slot, error, out);
            }
            Event::Opened(opened) => self.open(machine, opened, out),
            Event::Header { .. } | Event::Ignored => {}
        }
        Ok(())
    }

    fn open(&self, machine: &mut Machine<Arc<Stream>>, opened: Opened, out: &mut Deliveries) {
        match self.admit(&opened, machine.len()) {
            Ok(route) => {
                let offer = opened.private.iter().find(|(key, _)| *key == private::FLOW);
                let offer = offer.and_then(|(_, text)| Flow::read(text)).zip(self.peer.window(machine.len()));
                let (theirs, ours) = match offer {
                    Some((Flow::Window(theirs), ours)) => (Some(theirs), Some(ours)),
                    _ => (None, None),
                };
                let stream = Stream::new(opened.id, route.method.name, ours, theirs);
                if let Some(ours) = ours {
                    self.peer.shared.store(true, Relaxed);
                    self.peer.tell(&stream, Flow::Window(ours));
                }
                machine.accept(opened.id, Arc::clone(&stream));
                self.peer.opened(machine.len());
                let timeout = timeout::read(&opened.private, &[timeout::CALL]);
                let strings = opened.strings.unwrap_or_default();
                out.started.push(self.start(stream, Arc::clone(route), strings, timeout));
            }
            Err(NoRoute { exception, error }) => {
                tracing::debug!(service = opened.service, method = opened.method, %error, "refused a stream");
                let _flush = self.peer.write(|outbox| {
                    put_failure(outbox, opened.id, &opened.method, exception, &error);
                });
            }
        }
    }

    /// Whether a stream may begin; unlike Kitex, which sends nothing (spec 3.5), a refusal is answered at once.
    fn admit(&self, opened: &Opened, running: usize) -> Result<&Arc<Route>, NoRoute> {
        let refuse =
            |error: Error| NoRoute { exception: failure::exception_type(&error), error: error.retryable() };
        if self.peer.link.is_shutting_down() {
            let error =
                Error::new(Code::Unavailable, "the server is shutting down; no new stream is accepted");
            return Err(refuse(error));
        }
        if let Some(error) = self.peer.link.is_full(running, self.handlers.load(Relaxed), "streams") {
            return Err(refuse(error));
        }
        let namespace = opened.private.iter().find(|(key, _)| *key == private::NAMESPACE);
        let namespace = namespace.map(|(_, namespace)| &**namespace);
        let route = self.router.find(&opened.service, namespace, &opened.method)?;
        if !route.method.mode.is_streaming() {
            let (service, method) = (route.service, route.method.name);
            let text = format!("{service}.{method} is a unary method and cannot be called as a stream");
            return Err(NoRoute { exception: 1, error: Error::new(Code::Unimplemented, text).retryable() });
        }
        Ok(route)
    }

    fn start(
        &self,
        stream: Arc<Stream>,
        route: Arc<Route>,
        strings: Strings,
        timeout: Option<Duration>,
    ) -> Running {
        let peer = &self.peer;
        let incoming = Receiving::new(Arc::clone(peer), Arc::clone(&stream), None, None);
        let outgoing = Sending::new(Arc::clone(peer), Arc::clone(&stream), None, None);
        let exchange =
            Exchange { format: Format::Thrift, incoming: Box::new(incoming), outgoing: Box::new(outgoing) };
        let facts =
            metainfo::facts(&route, Protocol::TTHeaderStreaming, peer.link.peer.clone(), strings, timeout);
        let context = StreamContext { peer: Arc::clone(peer), stream: Arc::clone(&stream), facts };
        self.handlers.fetch_add(1, Relaxed);
        let handlers = Arc::clone(&self.handlers);
        let call = Call { peer: Arc::clone(peer), stream, route: Arc::clone(&route), handlers };
        Running::new(Arc::new(call), route, exchange, Context::new(Arc::new(context)))
    }

    /// The caller of a stream is gone: its handler is dropped.
    fn abandon(&self, stream: &Stream, error: Error, out: &mut Deliveries) {
        out.wakers.extend(stream.stop());
        out.cancel(&stream.children, &error);
        let (wakers, freed) = stream.inbox.abandon(error, &self.peer.link.turns);
        out.wakers.extend(wakers.into_iter().flatten());
        self.peer.freed(freed);
    }

    /// Ends the stream that is furthest behind; its handler goes on and finds out when it reads or writes.
    fn overflow(&mut self, machine: &mut Machine<Arc<Stream>>, out: &mut Deliveries) {
        let Some(stream) = Peer::furthest_behind(machine) else { return };
        self.cut_off(&stream);
        let error = self.peer.overflow(&stream).with_side(Side::Server);
        if let Some((_, header_first)) = machine.end(stream.id) {
            self.peer.closed(1);
            let _flush = self.peer.write(|outbox| put_end(outbox, &stream, header_first, Err(&error)));
        }
        let (waker, freed) = stream.inbox.fail(error, &self.peer.link.turns);
        out.wakers.extend(stream.stop().into_iter().chain(waker));
        self.peer.freed(freed);
    }

    /// Remembers a stream whose handler goes on, until the connection is lost at the latest.
    fn cut_off(&mut self, stream: &Arc<Stream>) {
        self.cut_off.retain(|stream| stream.strong_count() > 0);
        self.cut_off.push(Arc::downgrade(stream));
    }
}

impl connection::Protocol for Server {
    const EXPECTS_FIRST_FRAME: bool = true;

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
        let text = format!("the call was cancelled because its connection ended: {}", error.message());
        let error = Error::new(Code::Cancelled, text).with_kitex_code(12013).with_side(Side::Client);
        let cut_off = self.cut_off.iter().filter_map(Weak::upgrade);
        for stream in streams.into_iter().chain(cut_off) {
            self.abandon(&stream, error.clone(), out);
        }
    }

    fn cut(&mut self, error: &Error, out: &mut Deliveries) {
        let peer = Arc::clone(&self.peer);
        let mut machine = lock(&peer.machine);
        let streams: Vec<_> = machine.slots().cloned().collect();
        for stream in streams {
            let Some((_, header_first)) = machine.end(stream.id) else { continue };
            peer.closed(1);
            let _flush = peer.write(|outbox| put_end(outbox, &stream, header_first, Err(error)));
            let gone = Error::new(Code::Cancelled, error.message()).with_kitex_code(12013);
            self.abandon(&stream, gone.with_side(Side::Server), out);
        }
    }

    fn closed_by_peer(&self, _mid_frame: bool) -> Error {
        Error::transport("the client closed the connection").with_kitex_code(12004)
    }

    fn is_behind(&self) -> bool {
        self.peer.is_behind()
    }

    fn is_idle(&self) -> bool {
        self.handlers.load(Relaxed) == 0
    }
}

impl Serving for Call {
    fn link(&self) -> &Link {
        &self.peer.link
    }

    fn inbox(&self) -> &Inbox {
        &self.stream.inbox
    }

    fn end(&self, result: Result<()>) {
        let stream = &*self.stream;
        let mut machine = lock(&self.peer.machine);
        let ended = if stream.is_in(&machine) { machine.end(stream.id) } else { None };
        let Some((_, header_first)) = ended else {
            return;
        };
        self.peer.closed(1);
        if let Err(error) = &result {
            let (service, method) = (self.route.service, self.route.method.name);
            tracing::debug!(service, method, %error, "a handler failed");
        }
        let flush = self.peer.write(|outbox| put_end(outbox, stream, header_first, result.as_ref().copied()));
        drop(machine);
        let over = Error::closed("the handler has returned").with_kitex_code(12012).with_side(Side::Server);
        let children = stream.children.end(&over);
        let (waker, freed) = stream.inbox.fail(over.clone(), &self.peer.link.turns);
        for waker in stream.stop().into_iter().chain(waker) {
            waker.wake();
        }
        self.peer.freed(freed);
        self.peer.link.act(flush);
        for child in children {
            child.cancel(&over);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.handlers.fetch_sub(1, Relaxed);
        if self.peer.link.is_shutting_down() {
            self.peer.link.wake_task();
        }
    }
}

/// The end of a call: a header if there was none yet, and the trailer (spec 3.2 and 3.4).
fn put_end(outbox: &mut Outbox, stream: &Stream, header_first: bool, result: Result<(), &Error>) {
    if header_first {
        stream.put_header(outbox);
    }
    stream.flows.store(false, Relaxed);
    let backward = lock(&stream.backward);
    let trailer = backward.trailer.iter();
    match result {
        Ok(()) => {
            let trailer: Vec<_> = trailer.collect();
            frame::put_trailer(&mut outbox.open, stream.id, stream.method, Some(&trailer), &[], None);
        }
        Err(error) => put_failed(outbox, stream.id, stream.method, &Failure::of(error), trailer),
    }
    outbox.framed();
}

/// The whole answer to a stream that never began.
fn put_failure(outbox: &mut Outbox, id: i32, method: &str, exception: i32, error: &Error) {
    frame::put_header(&mut outbox.open, id, method, &[], &[]);
    put_failed(outbox, id, method, &Failure::refusal(error, exception), std::iter::empty());
    outbox.framed();
    outbox.framed();
}

fn put_failed<'a>(
    outbox: &mut Outbox,
    id: i32,
    method: &str,
    failure: &'a Failure<'_>,
    trailer: impl Iterator<Item = (&'a str, &'a str)>,
) {
    let strings: Vec<_> = trailer.chain(failure.strings()).collect();
    let ints: Vec<_> = failure.ints().collect();
    frame::put_trailer(&mut outbox.open, id, method, Some(&strings), &ints, failure.exception);
}

fn caller_gone() -> Error {
    Error::new(Code::Cancelled, "the caller has given up the call")
        .with_kitex_code(12010)
        .with_side(Side::Client)
}
