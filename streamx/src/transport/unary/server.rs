//! The server's side of a connection that carries unary calls.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::BytesMut;

use super::call::{Answer, Call, Request};
use super::running::Calls;
use super::{MESSAGE_TYPE, SERVICE, bounds, broken, leave};
use crate::call::child::Children;
use crate::call::context;
use crate::call::duration::timed_out;
use crate::call::router::{NoRoute, Route, Router};
use crate::call::{Context, Exchange, Format, Mode, Protocol};
use crate::transport::connection::{self, Deliveries};
use crate::transport::failure::{self, Failure, exception_type};
use crate::transport::handlers::{Running, Serving};
use crate::transport::inbox::Inbox;
use crate::transport::link::Link;
use crate::transport::resets::Resets;
use crate::transport::{lock, metainfo};
use crate::wire::ttheader::outcome::Outcome;
use crate::wire::unary::{self, Cutter, EnvelopeKind, Framing, Unary};
use crate::wire::{Cut, private, timeout};
use crate::{Code, Error, Result, Side};

/// What the connection task of a server does with unary messages.
pub(crate) struct Server {
    link: Arc<Link>,
    router: Arc<Router>,
    cutter: Cutter,
    calls: Arc<Calls>,
    queued: Arc<AtomicUsize>,
    resets: Resets,
}

impl Server {
    pub(crate) fn new(link: &Arc<Link>, router: Arc<Router>) -> Self {
        Self {
            link: Arc::clone(link),
            router,
            cutter: Cutter::default(),
            calls: Arc::default(),
            queued: Arc::default(),
            resets: Resets::new(),
        }
    }

    fn handle(&mut self, message: Unary, out: &mut Deliveries) -> Result<()> {
        if !matches!(message.kind, EnvelopeKind::Call | EnvelopeKind::Oneway) {
            let text = format!("the client sent a {:?} where only a call may be", message.kind);
            return Err(Error::protocol(text));
        }
        if let Some(sequence) = unary::cancelled(&message) {
            return self.cancel(sequence.parse().ok(), &message, out);
        }
        match self.admit(&message) {
            Ok(route) => {
                let route = Arc::clone(route);
                self.start(message, route, out);
            }
            Err(NoRoute { exception, error }) => {
                tracing::debug!(method = message.method.as_str(), %error, "refused a call");
                if message.kind == EnvelopeKind::Call {
                    let (framing, method, sequence) =
                        (message.framing, message.method.as_str(), message.sequence);
                    let refusal = Failure::refusal(&error, exception);
                    put_failure(&self.link, framing, method, sequence, &refusal);
                }
            }
        }
        Ok(())
    }

    /// A streamx client has given up a call. One that is not known here is over, or never was.
    fn cancel(&mut self, sequence: Option<i32>, message: &Unary, out: &mut Deliveries) -> Result<()> {
        let Some(call) = sequence.and_then(|sequence| self.calls.cancel(sequence)) else {
            return Ok(());
        };
        self.link.meter.streams.sub(1);
        *lock(&call.answered) = true;
        if let Err(reason) = failure::read(unary::reason(message), Side::Client) {
            call.abandon(reason, out);
        }
        self.resets.count(self.link.limits.unanswered_resets_per_second)
    }

    fn admit(&self, message: &Unary) -> Result<&Arc<Route>, NoRoute> {
        let refuse = |error: Error| NoRoute { exception: exception_type(&error), error: error.retryable() };
        if self.link.is_shutting_down() {
            return Err(refuse(Error::new(
                Code::Unavailable,
                "the server is shutting down; no new call is accepted",
            )));
        }
        if let Some(error) = self.link.is_full(self.calls.len(), self.calls.handlers(), "calls") {
            return Err(refuse(error));
        }
        let (limits, meter) = (&self.link.limits, &self.link.meter);
        for (whose, queued, limit, option) in [
            (
                "connection",
                self.queued.load(Relaxed) as u64,
                limits.connection_receive_buffer,
                "connection_receive_buffer",
            ),
            ("server", meter.queued_bytes.get(), limits.server_receive_buffer, "server_receive_buffer"),
        ] {
            if queued >= limit as u64 {
                let text = format!(
                    "the handlers of this {whose} are behind: {queued} bytes of arguments are queued (limit {option})"
                );
                meter.receive_overflows.add(1);
                return Err(refuse(Error::limit(text)));
            }
        }
        let header = message.header.as_ref();
        let service = header.and_then(|header| header.string(SERVICE)).unwrap_or_default();
        let namespace = header.and_then(|header| header.int(private::NAMESPACE));
        let route = self.router.find(service, namespace, message.method.as_str())?;
        if route.method.mode.is_streaming() {
            let (service, method) = (route.service, route.method.name);
            let text = format!("{service}.{method} is a streaming method: call it over TTHeader Streaming");
            return Err(NoRoute { exception: 1, error: Error::new(Code::Unimplemented, text).retryable() });
        }
        Ok(route)
    }

    fn start(&mut self, message: Unary, route: Arc<Route>, out: &mut Deliveries) {
        let protocol = match message.framing {
            Framing::TTHeader | Framing::TTHeaderFramed => Protocol::TTHeader,
            Framing::Framed(_) => Protocol::Framed,
            Framing::Buffered(_) => Protocol::Buffered,
        };
        let ints = message.header.as_ref().map_or(&[][..], |header| &header.ints);
        let timeout = timeout::read(ints, &[timeout::RPC, timeout::CALL]);
        let strings = message.header.and_then(|header| header.strings).unwrap_or_default();
        let call = self.calls.begin(message.sequence, |key| Call {
            link: Arc::clone(&self.link),
            calls: Arc::clone(&self.calls),
            key,
            inbox: Inbox::default(),
            queued: Arc::clone(&self.queued),
            framing: message.framing,
            method: route.method.name,
            sequence: message.sequence,
            oneway: route.method.mode == Mode::Oneway,
            answered: Mutex::new(false),
            facts: metainfo::facts(&route, protocol, self.link.peer.clone(), strings, timeout),
            timeout,
            backward: Mutex::default(),
            children: Children::default(),
        });
        let charge = |cost, _| {
            self.queued.fetch_add(cost, Relaxed);
            self.link.meter.queued_bytes.add(cost);
        };
        let _nobody_waits_yet = call.inbox.push(message.body, &self.link.turns, charge);
        let _nobody_waits_yet = call.inbox.end(Ok(()), &self.link.turns);
        self.link.meter.streams.add(1);
        self.link.meter.streams_opened.add(1);
        let exchange = Exchange {
            format: Format::Thrift,
            incoming: Box::new(Request(Arc::clone(&call))),
            outgoing: Box::new(Answer(Arc::clone(&call))),
        };
        let context = Context::new(Arc::clone(&call) as Arc<dyn context::Served>);
        out.started.push(Running::new(Arc::new(Served(call)), route, exchange, context));
    }
}

impl connection::Protocol for Server {
    const EXPECTS_FIRST_FRAME: bool = true;

    fn receive(&mut self, input: &mut BytesMut, out: &mut Deliveries) -> Result<usize> {
        let bounds = bounds(&self.link.limits);
        loop {
            match self.cutter.cut(input, &bounds).map_err(broken)? {
                Cut::Whole(message) => self.handle(message, out)?,
                Cut::Need(need) => return Ok(need),
            }
            self.link.meter.frames_received.add(1);
        }
    }

    fn settle(&mut self, pinned: Option<usize>) {
        if let Some(buffer) = pinned {
            for call in self.calls.all() {
                call.inbox.unpin_small(buffer);
            }
        }
    }

    /// The handlers of calls that wait for an answer are dropped. A one-way call goes on: its client closes the
    /// connection right after sending (Kitex v0.16.3, `remotecli/client.go`).
    fn lost(&mut self, error: &Error, out: &mut Deliveries) {
        let text = format!("the call was cancelled because its connection ended: {}", error.message());
        let error = Error::new(Code::Cancelled, text).with_side(Side::Client);
        for call in self.calls.all().into_iter().filter(|call| !call.oneway) {
            call.abandon(error.clone(), out);
        }
    }

    fn cut(&mut self, error: &Error, out: &mut Deliveries) {
        for call in self.calls.all().into_iter().filter(|call| !call.oneway) {
            if !std::mem::replace(&mut *lock(&call.answered), true) {
                let failure = Failure::exception(error, exception_type(error));
                put_failure(&self.link, call.framing, call.method, call.sequence, &failure);
            }
            call.abandon(Error::new(Code::Cancelled, error.message()).with_side(Side::Server), out);
        }
    }

    fn closed_by_peer(&self, _mid_frame: bool) -> Error {
        Error::transport("the client closed the connection")
    }

    fn is_behind(&self) -> bool {
        false
    }

    fn is_idle(&self) -> bool {
        self.calls.handlers() == 0
    }
}

/// A call on its handler's side; forgotten when the handler has ended.
struct Served(Arc<Call>);

impl Serving for Served {
    fn link(&self) -> &Link {
        &self.0.link
    }

    fn inbox(&self) -> &Inbox {
        &self.0.inbox
    }

    fn end(&self, result: Result<()>) {
        let over = Error::closed("the handler has returned").with_kitex_code(12012).with_side(Side::Server);
        for child in self.0.children.end(&over) {
            child.cancel(&over);
        }
        self.0.forget();
        let Call { link, framing, method, sequence, oneway, answered, backward, .. } = &*self.0;
        let answered = *lock(answered);
        let error = match result {
            Ok(()) if answered || *oneway => return,
            Ok(()) => Error::new(Code::Internal, "the handler ended without an answer"),
            Err(error) => error,
        };
        tracing::debug!(method, %error, "a handler failed");
        if !answered && !oneway {
            let mut failure = if framing.has_header() {
                Failure::of(&error)
            } else {
                // There is no place for a business error.
                Failure::exception(&error, exception_type(&error))
            };
            let backward = lock(backward);
            failure.strings.extend(backward.iter().map(|(key, value)| (Box::from(key), value.to_owned())));
            put_failure(link, *framing, method, *sequence, &failure);
        }
    }

    /// Nobody waits for a one-way call.
    fn deadline(&self) -> Option<Instant> {
        self.0.facts.deadline.filter(|_| !self.0.oneway)
    }

    /// Its caller may have no word for a cancel, or may be unable to say it where the connection carries other calls. The
    /// answer tells it that its place on the connection is free.
    fn expire(&self) {
        let call = &*self.0;
        if !call.forget() {
            return;
        }
        let error = timed_out(call.timeout.unwrap_or_default(), Mode::Unary);
        if !std::mem::replace(&mut *lock(&call.answered), true) {
            let failure = Failure::exception(&error, exception_type(&error));
            put_failure(&call.link, call.framing, call.method, call.sequence, &failure);
        }
        let reset = Outcome::Reset { text: error.message().to_owned(), code: 12015, path: Vec::new() };
        let mut out = Deliveries::default();
        if let Err(gone) = failure::read(reset, Side::Client) {
            call.abandon(gone, &mut out);
        }
        out.announce();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.0.forget();
        self.0.calls.handler_ended();
        let link = &self.0.link;
        if link.is_shutting_down() {
            link.wake_task();
        }
    }
}

/// Answers with an exception, or with a business error: an empty result, and the error in the header.
fn put_failure(link: &Link, framing: Framing, method: &str, sequence: i32, failure: &Failure<'_>) {
    let mut outbox = lock(&link.outbox);
    if outbox.check_open().is_err() {
        return;
    }
    let (kind, digit) = match failure.exception {
        Some(_) => (EnvelopeKind::Exception, "3"),
        None => (EnvelopeKind::Reply, "2"),
    };
    let ints: Vec<_> = [(MESSAGE_TYPE, digit)].into_iter().chain(failure.ints()).collect();
    let strings: Vec<_> = failure.strings().into_iter().chain(leave(link)).collect();
    let mark = unary::begin(&mut outbox.open, framing, 0, &strings, &ints, kind, method, sequence);
    match failure.exception {
        Some((text, kind)) => unary::put_exception_body(&mut outbox.open, text, kind),
        None => outbox.open.extend_from_slice(EMPTY_STRUCT),
    }
    unary::end(&mut outbox.open, mark);
    outbox.framed();
    link.apply_flush_rule(outbox);
}

/// In Thrift binary.
const EMPTY_STRUCT: &[u8] = &[0];
