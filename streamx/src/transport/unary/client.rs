//! The client's side of a connection that carries unary calls.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};

use super::{LEAVE, MESSAGE_TYPE, SERVICE, bounds, broken};
use crate::call::child::Child;
use crate::call::context::no_bytes;
use crate::call::{Context as Parent, Encode, Exchange, Format, Incoming, Mode, NewCall, Outgoing};
use crate::transport::connection::{Deliveries, Protocol};
use crate::transport::failure::{self, application};
use crate::transport::inbox::{Inbox, Receiver};
use crate::transport::link::Link;
use crate::transport::outbox::{Flush, Share};
use crate::transport::ttheader::Hold;
use crate::transport::{encode_into, lock};
use crate::wire::ttheader::header::Header;
use crate::wire::ttheader::outcome::{self, Outcome};
use crate::wire::unary::{self, Calls, Cutter, EnvelopeKind, Framing, Matched, Unary};
use crate::wire::{Cut, private, timeout};
use crate::{Error, Metadata, Result, Side};

/// The TTHeader flag of a client that takes replies in any order.
const OUT_OF_ORDER: u16 = 1;

/// A connection as the channel holds it.
#[derive(Clone)]
pub(crate) struct Client {
    shared: Arc<Shared>,
    hold: Arc<Hold>,
}

struct Shared {
    link: Arc<Link>,
    calls: Mutex<Calls<Arc<Inbox>>>,
    framing: Framing,
    /// The name this side gives itself.
    caller: Arc<str>,
    /// The server is known to answer in any order, because it is a streamx server.
    multiplexes: AtomicBool,
    /// The server is a streamx server: it has shown a private key, and can be told that a call is given up.
    hears_cancels: AtomicBool,
    /// The server closes the connection after such an answer.
    spent: AtomicBool,
}

impl Client {
    pub(crate) fn new(link: &Arc<Link>, framing: Framing, caller: Arc<str>) -> (Self, Reading) {
        let shared = Arc::new(Shared {
            link: Arc::clone(link),
            calls: Mutex::new(Calls::new()),
            framing,
            caller,
            multiplexes: AtomicBool::new(false),
            hears_cancels: AtomicBool::new(false),
            spent: AtomicBool::new(false),
        });
        let hold = Arc::new(Hold::new(Arc::clone(link)));
        (Self { shared: Arc::clone(&shared), hold }, Reading { shared, cutter: Cutter::default() })
    }

    /// Whether another call may be made here.
    pub(crate) fn is_open(&self) -> bool {
        !self.shared.spent.load(Relaxed) && self.shared.link.closed().is_none()
    }

    /// Lets many calls be in flight at once, whatever is known of the server.
    pub(crate) fn multiplex(&self) {
        self.shared.multiplexes.store(true, Relaxed);
    }

    /// Whether many calls may be in flight at once.
    pub(crate) fn multiplexes(&self) -> bool {
        self.shared.multiplexes.load(Relaxed)
    }

    /// How many calls are in flight, those included that nobody waits for.
    pub(crate) fn in_flight(&self) -> usize {
        lock(&self.shared.calls).len()
    }

    /// How many calls nobody waits for although the server is still at them.
    pub(crate) fn abandoned(&self) -> usize {
        lock(&self.shared.calls).abandoned()
    }

    /// Prepares a call; it begins when its arguments are put. `done` is called once, when the connection is free for
    /// another call.
    pub(crate) fn open(&self, new: &NewCall, done: Box<dyn FnOnce() + Send + Sync>) -> Exchange {
        let call = Arc::new(Call {
            shared: Arc::clone(&self.shared),
            _hold: Arc::clone(&self.hold),
            inbox: Arc::default(),
            asked: new.clone(),
            stage: Mutex::new(Stage::New),
        });
        if let Some(parent) = &new.parent {
            parent.attach(&call);
        }
        let incoming = Answer { call: Arc::clone(&call), done: Some(done) };
        Exchange { format: Format::Thrift, incoming: Box::new(incoming), outgoing: Box::new(Request(call)) }
    }
}

/// One call that is made.
struct Call {
    shared: Arc<Shared>,
    _hold: Arc<Hold>,
    inbox: Arc<Inbox>,
    asked: NewCall,
    stage: Mutex<Stage>,
}

/// How far a call has come.
enum Stage {
    New,
    /// It is on the wire, with this sequence.
    Begun(i32),
    GivenUp(Error),
}

impl Call {
    /// The request cannot leave, which is the outcome.
    fn cannot_begin(&self, error: &Error) {
        if let Some(waker) = self.inbox.end(Err(error.clone()), &self.shared.link.turns) {
            waker.wake();
        }
    }

    /// Nobody waits for the answer any more. When that is because the call of the handler which makes this one is over,
    /// the reason is that of the other, whoever finds out first.
    fn give_up(&self, error: Error) {
        let error = self.asked.parent.as_ref().and_then(Parent::over).unwrap_or(error);
        let before = match &mut *lock(&self.stage) {
            Stage::GivenUp(_) => return,
            stage => std::mem::replace(stage, Stage::GivenUp(error.clone())),
        };
        let link = &self.shared.link;
        let (waker, freed) = self.inbox.fail(error.clone(), &link.turns);
        link.meter.queued_bytes.sub(freed);
        if let Stage::Begun(sequence) = before {
            self.shared.give_up(sequence, &error);
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Shared {
    /// Tells the server that nobody waits for a call, if there is a word for it. Else the call keeps its place on the
    /// connection until its answer comes, for so it does at the server; where it is the only one, closing the connection
    /// is the word, and without multiplexing the next answer would be that of this call. The same is true of a connection
    /// on which all places are taken by such calls.
    fn give_up(&self, sequence: i32, error: &Error) {
        let link = &self.link;
        let mut calls = lock(&self.calls);
        let is_told = self.hears_cancels.load(Relaxed);
        let given_up = if is_told { calls.give_up(sequence) } else { calls.abandon(sequence) };
        if given_up.is_none() {
            return;
        }
        link.meter.streams.sub(1);
        let is_alone = !self.multiplexes.load(Relaxed);
        let is_full = calls.abandoned() >= link.limits.max_streams;
        // Under the lock of the calls, so that no other one gets ahead of the message which makes place for it.
        let flush = is_told.then(|| self.put_cancel(sequence, error));
        drop(calls);
        match flush {
            Some(flush) => link.act(flush),
            None if is_alone || is_full => link.close(error.clone()),
            None => {}
        }
    }

    fn put_cancel(&self, sequence: i32, error: &Error) -> Flush {
        let mut outbox = lock(&self.link.outbox);
        if outbox.check_open().is_err() {
            return Flush::Held;
        }
        let path = failure::cancel_path(error, &self.caller);
        let code = error.kitex_code().unwrap_or(12007);
        unary::put_cancel(&mut outbox.open, self.framing, sequence, &path, error.message(), code);
        outbox.framed();
        outbox.flush_rule(self.link.turns.any())
    }
}

impl Child for Call {
    fn cancel(&self, reason: &Error) {
        self.give_up(reason.clone());
    }
}

/// The arguments.
struct Request(Arc<Call>);

impl Outgoing for Request {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let link = &self.0.shared.link;
        let room =
            lock(&link.outbox).poll_room(Arc::as_ptr(&self.0).addr(), &Share::default(), &link.limits, cx);
        if let Poll::Ready(Err(error)) = &room {
            self.0.cannot_begin(error);
        }
        room
    }

    fn put(&mut self, encode: Encode<'_>, _last: bool) -> Result<()> {
        let Call { shared, inbox, asked: new, stage, .. } = &*self.0;
        let link = &shared.link;
        let oneway = new.mode == Mode::Oneway;
        let (kind, digit) = if oneway { (EnvelopeKind::Oneway, "4") } else { (EnvelopeKind::Call, "1") };
        if let Some((key, _)) = new.binary.first() {
            return Err(no_bytes(key));
        }
        let mut stage = lock(stage);
        if let Stage::GivenUp(reason) = &*stage {
            return Err(reason.clone());
        }
        let mut calls = lock(&shared.calls);
        let mut outbox = lock(&link.outbox);
        if let Err(error) = outbox.check_open() {
            self.0.cannot_begin(&error);
            return Err(error);
        }
        let id = calls.begin(new.method, |_| Arc::clone(inbox));
        let before = outbox.open.len();
        // The keys that Kitex's `ClientTTHeaderHandler` sends (spec "Unary" 1.6).
        let strings = new.strings.iter().map(|(key, value)| (&**key, &**value));
        let strings: Vec<_> = [(SERVICE, new.service)].into_iter().chain(strings).collect();
        let timeout = new.timeout.map(timeout::write).unwrap_or_default();
        let optional =
            [(timeout::RPC, &*timeout), (timeout::CALL, &*timeout), (private::NAMESPACE, new.namespace)];
        let ints = [
            (1, if shared.framing == Framing::TTHeader { "unframed" } else { "framed" }),
            (3, &*shared.caller),
            (6, new.service),
            (9, new.method),
            (20, ""),
            (MESSAGE_TYPE, digit),
        ];
        let optional = optional.into_iter().filter(|(_, value)| !value.is_empty());
        let ints: Vec<_> = ints.into_iter().chain(optional).collect();
        let mark = unary::begin(
            &mut outbox.open,
            shared.framing,
            OUT_OF_ORDER,
            &strings,
            &ints,
            kind,
            new.method,
            id,
        );
        if let Err(error) = encode_into(&mut outbox.open, before, encode, link.limits.max_message_size) {
            calls.give_up(id);
            return Err(error);
        }
        unary::end(&mut outbox.open, mark);
        outbox.framed();
        if oneway {
            calls.give_up(id);
            let _nobody_waits = inbox.end(Ok(()), &link.turns);
        } else {
            link.meter.streams.add(1);
            *stage = Stage::Begun(id);
        }
        link.meter.streams_opened.add(1);
        let flush = outbox.flush_rule(link.turns.any());
        drop(outbox);
        drop(calls);
        drop(stage);
        link.act(flush);
        Ok(())
    }

    fn finish(&mut self) {}

    fn reset(&mut self, error: Error) {
        self.0.give_up(error);
    }
}

/// The result.
struct Answer {
    call: Arc<Call>,
    done: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Incoming for Answer {
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        let received = ready!(self.call.inbox.poll(&mut Receiver::default(), cx));
        if let Some(done) = self.done.take() {
            done();
        }
        let link = &self.call.shared.link;
        link.meter.queued_bytes.sub(received.freed);
        link.turns.end(received.turn);
        Poll::Ready(received.message)
    }

    fn poll_header(&mut self, cx: &mut Context<'_>) -> Poll<Result<Metadata>> {
        self.call.inbox.poll_header(cx)
    }

    fn poll_trailer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Metadata>> {
        self.call.inbox.poll_trailer(cx)
    }

    fn reset(&mut self, error: Error) {
        self.call.give_up(error);
    }

    fn is_over(&self) -> bool {
        self.call.inbox.is_over()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let (turn, freed, _) = self.call.inbox.abandon_queue();
        let link = &self.call.shared.link;
        link.meter.queued_bytes.sub(freed);
        link.turns.end(turn);
        if let Some(done) = self.done.take() {
            done();
        }
    }
}

/// What the connection task of a client does with unary messages.
pub(crate) struct Reading {
    shared: Arc<Shared>,
    cutter: Cutter,
}

impl Reading {
    fn handle(&self, calls: &mut Calls<Arc<Inbox>>, reply: Unary, out: &mut Deliveries) -> Result<()> {
        let Shared { link, multiplexes, hears_cancels, spent, .. } = &*self.shared;
        let ints = reply.header.as_deref().map_or(&[][..], |header| &header.ints);
        let from_streamx = ints.iter().any(|(key, _)| *key == private::CODE);
        if from_streamx {
            multiplexes.store(true, Relaxed);
            hears_cancels.store(true, Relaxed);
        }
        if reply.header.as_ref().and_then(|header| header.string(LEAVE.0)) == Some(LEAVE.1) {
            spent.store(true, Relaxed);
        }
        let Matched::Call(inbox) = calls.receive(&reply).map_err(broken)? else {
            return Ok(());
        };
        link.meter.streams.sub(1);
        if let Some(strings) = reply.header.as_ref().and_then(|header| header.strings.clone()) {
            inbox.set_header(Metadata::from(strings));
        }
        let end = if reply.kind == EnvelopeKind::Exception {
            let (text, kind) = match unary::read_exception_body(&reply.body) {
                Ok(exception) => exception,
                Err(violation) => {
                    let error = broken(violation);
                    out.wakers.extend(inbox.end(Err(error.clone()), &link.turns));
                    return Err(error);
                }
            };
            // A Kitex server closes the connection after these (spec "Unary" 1.11).
            if matches!(kind, 1 | 7 | 20) && !from_streamx {
                spent.store(true, Relaxed);
            }
            Err(application(text, kind, ints).with_side(Side::Server))
        } else if let Some(business) = reply.header.as_deref().and_then(business) {
            failure::read(business, Side::Server)
        } else {
            let charge = |cost, _| _ = link.meter.queued_bytes.add(cost);
            out.places.extend(inbox.push(reply.body, &link.turns, charge));
            Ok(())
        };
        out.wakers.extend(inbox.end(end, &link.turns));
        Ok(())
    }
}

/// A business error travels in the header of the reply, whose body is then empty (spec "Unary" 1.10).
fn business(header: &Header) -> Option<Outcome> {
    outcome::business(header.strings.as_deref()?)
}

impl Protocol for Reading {
    const EXPECTS_FIRST_FRAME: bool = false;

    fn receive(&mut self, input: &mut BytesMut, out: &mut Deliveries) -> Result<usize> {
        let bounds = bounds(&self.shared.link.limits);
        let mut calls = lock(&self.shared.calls);
        loop {
            match self.cutter.cut(input, &bounds).map_err(broken)? {
                Cut::Whole(reply) => self.handle(&mut calls, reply, out)?,
                Cut::Need(need) => return Ok(need),
            }
            self.shared.link.meter.frames_received.add(1);
        }
    }

    /// An answer that nobody has taken yet is small or will be taken at once; its call holds it either way.
    fn settle(&mut self, _pinned: Option<usize>) {}

    fn lost(&mut self, error: &Error, out: &mut Deliveries) {
        let inboxes: Vec<_> = lock(&self.shared.calls).drain().collect();
        self.shared.link.meter.streams.sub(inboxes.len());
        for inbox in inboxes {
            out.wakers.extend(inbox.end(Err(error.clone()), &self.shared.link.turns));
        }
    }

    fn cut(&mut self, error: &Error, out: &mut Deliveries) {
        self.lost(error, out);
    }

    fn closed_by_peer(&self, mid_frame: bool) -> Error {
        Error::transport(if mid_frame {
            "the server closed the connection in the middle of an answer"
        } else {
            "the server closed the connection"
        })
    }

    fn is_behind(&self) -> bool {
        false
    }

    fn is_idle(&self) -> bool {
        // The last handle is gone, so nobody waits for anything on this connection.
        true
    }
}
