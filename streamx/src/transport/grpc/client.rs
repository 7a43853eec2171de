//! The client's side of a gRPC connection.

use std::collections::VecDeque;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Wake, Waker, ready};

use bytes::Bytes;
use futures::future::BoxFuture;
use h2::client::{Builder, Connection, SendRequest};
use h2::{PingPong, Reason};
use http::{HeaderMap, Request};

use super::compression::{ACCEPTED, Compression, Unknown};
use super::cork::Cork;
use super::receiving::Receiving;
use super::sending::Sending;
use super::slot::{Arrived, Left, Slot};
use super::stream::{Peer, Stream};
use super::task::{Role, Streams};
use super::{Target, Windows, failure, headers};
use crate::call::child::Child;
use crate::call::{self, Exchange, Mode, NewCall};
use crate::transport::connection::Deliveries;
use crate::transport::link::Link;
use crate::transport::lock;
use crate::wire::grpc::{self, Content, STATUS};
use crate::{Code, Error, Limits, Metadata, Result, Side};

/// A connection as the channel holds it.
#[derive(Clone)]
pub(crate) struct Client {
    peer: Arc<Peer>,
    line: Arc<Line>,
    hold: Arc<Hold>,
    target: Target,
    caller: Arc<str>,
}

/// What the channel and the connection task tell each other.
struct Line {
    /// Calls that HTTP/2 has not begun.
    waiting: Mutex<VecDeque<(Arc<Stream>, Request<()>)>>,
    /// The server takes no further calls on this connection.
    refuses: AtomicBool,
    /// How many streams the server allows.
    allowed: AtomicUsize,
    used: AtomicBool,
}

/// Keeps a connection open: by the channel, and by every handle of its streams. The last one closes it.
struct Hold(Arc<Link>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.shut_down();
    }
}

/// A call as its handles have it, and as the call whose handler has opened it sees it.
pub(super) struct Given {
    peer: Arc<Peer>,
    stream: Arc<Stream>,
    parent: Option<call::Context>,
    _hold: Arc<Hold>,
}

impl Client {
    pub(super) fn new(peer: Arc<Peer>, target: Target, caller: Arc<str>, cork: Cork) -> (Self, Calls) {
        let line = Arc::new(Line {
            waiting: Mutex::default(),
            refuses: AtomicBool::new(false),
            allowed: AtomicUsize::new(usize::MAX),
            used: AtomicBool::new(false),
        });
        let hold = Arc::new(Hold(Arc::clone(&peer.link)));
        let greeting = builder(peer.limits());
        let greeting = Box::pin(async move { greeting.handshake(cork).await });
        let calls = Calls {
            peer: Arc::clone(&peer),
            line: Arc::clone(&line),
            held: Arc::downgrade(&hold),
            http: Http::Greeting(greeting),
            ended: None,
        };
        (Self { peer, line, hold, target, caller }, calls)
    }

    /// How many calls it has; as good as all there can be when the server allows no more.
    pub(crate) fn streams(&self) -> usize {
        let live = self.peer.live();
        if live >= self.line.allowed.load(Relaxed) { usize::MAX } else { live }
    }

    /// Whether no stream is alive, and none that is over has left messages for a reader who is behind.
    pub(crate) fn is_free(&self) -> bool {
        self.peer.live() == 0 && self.peer.is_read()
    }

    /// Tells later, without keeping the connection open, whether it has carried a stream and was not ended by this
    /// side.
    pub(crate) fn was_lost(&self) -> impl FnOnce() -> bool + Send + use<> {
        let (peer, line) = (Arc::clone(&self.peer), Arc::clone(&self.line));
        move || line.used.load(Relaxed) && !peer.link.is_shutting_down()
    }

    /// Ends the connection when its last stream is over. None may be opened any more.
    pub(crate) fn retire(&self) {
        self.peer.retire();
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.line.refuses.load(SeqCst) && self.peer.link.closed().is_none()
    }

    /// Opens a call. Its header leaves with the first message, or when the connection task looks next.
    pub(crate) fn open(&self, call: &NewCall) -> Result<Exchange> {
        if let Some(closed) = self.peer.link.closed() {
            return Err(closed);
        }
        if call.mode == Mode::Oneway {
            return Err(failure::oneway(call.service, call.method));
        }
        let request = headers::request(call, &self.target, &self.caller)?;
        let (peer, stream) = (Arc::clone(&self.peer), Stream::new());
        peer.opened();
        self.line.used.store(true, Relaxed);
        let parent = call.parent.clone();
        let (hold, of_call) = (Arc::clone(&self.hold), Arc::clone(&stream));
        let given = Given { peer: Arc::clone(&peer), stream: of_call, parent, _hold: hold };
        let given = Arc::new(given);
        if let Some(parent) = &call.parent {
            parent.attach(&given);
        }
        lock(&self.line.waiting).push_back((Arc::clone(&stream), request));
        peer.bell.wake_by_ref();
        if let Some(closed) = peer.link.closed() {
            // The task may have ended before it could see the call.
            give_up(&peer, &stream, &closed, false);
        }
        let incoming = Receiving::new(Arc::clone(&peer), Arc::clone(&stream), Some(Arc::clone(&given)));
        let outgoing = Sending::new(peer, stream, Some(given), self.target.settings.compression);
        Ok(Exchange {
            format: self.target.format,
            incoming: Box::new(incoming),
            outgoing: Box::new(outgoing),
        })
    }
}

fn builder(limits: &Limits) -> Builder {
    let windows = Windows::of(limits);
    let mut builder = Builder::new();
    builder
        .initial_window_size(windows.stream)
        .initial_connection_window_size(windows.connection)
        .data_frame_budget(windows.budget)
        // Calls that are given up while more of them is on its way are no attack. What is, `Resets` counts.
        .max_concurrent_reset_streams(limits.max_streams)
        .max_local_error_reset_streams(None)
        .enable_push(false)
        .max_header_list_size(u32::try_from(limits.max_header_size).unwrap_or(u32::MAX));
    builder
}

impl Given {
    /// A handle is dropped or cancelled. A handler that runs elsewhere may find out that its own call is over, and drop
    /// the handle, before it is the turn of [`Child::cancel`]: the reason is the same.
    pub(super) fn give_up(&self, error: Error) {
        let cascade = self.parent.as_ref().and_then(call::Context::over);
        give_up(&self.peer, &self.stream, &cascade.unwrap_or(error), true);
    }
}

impl Child for Given {
    fn cancel(&self, reason: &Error) {
        give_up(&self.peer, &self.stream, reason, true);
    }
}

/// The client gives up a call; nothing to do when it is over. The server is told if it can be.
fn give_up(peer: &Peer, stream: &Stream, error: &Error, tell: bool) {
    let ended = stream.finish(peer, |leaving| {
        leaving.discard(peer);
        leaving.reset = tell.then_some(Reason::CANCEL);
        stream.inbox.fail(error.clone(), &peer.link.turns)
    });
    let Some((sender, (receiver, freed))) = ended else { return };
    sender.into_iter().chain(receiver).for_each(Waker::wake);
    peer.freed(freed);
    stream.ring();
}

/// What the connection task of a client does.
pub(in crate::transport) struct Calls {
    peer: Arc<Peer>,
    line: Arc<Line>,
    /// Whether anybody keeps the connection open.
    held: Weak<Hold>,
    http: Http,
    /// Why the connection has ended.
    ended: Option<Error>,
}

type Opened = (SendRequest<Bytes>, Connection<Cork, Bytes>);

enum Http {
    Greeting(BoxFuture<'static, Result<Opened, h2::Error>>),
    Open(Box<Opened>),
}

impl Calls {
    /// Begins the calls that wait, as far as the server allows.
    fn begin(&mut self, streams: &mut Streams, out: &mut Deliveries, cx: &mut Context<'_>) {
        let Http::Open(opened) = &mut self.http else { return };
        let send = &mut opened.0;
        self.line.allowed.store(send.current_max_send_streams(), Relaxed);
        loop {
            match send.poll_ready(cx) {
                Poll::Pending => return,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    self.line.refuses.store(true, SeqCst);
                    let error = failure::lost(&error).retryable();
                    return fail_waiting(&self.peer, &self.line, &error, out);
                }
            }
            let Some((stream, request)) = lock(&self.line.waiting).pop_front() else { return };
            if lock(&stream.leaving).reset.is_some() {
                // Given up before anything was sent.
                continue;
            }
            match send.send_request(request, false) {
                Ok(handles) => {
                    lock(&self.peer.link.outbox).announce(1);
                    streams.add(|bell| Slot::called(stream, bell, handles));
                }
                Err(error) => {
                    let error = failure::lost(&error).retryable();
                    finish(&self.peer, &stream, Err(error), None, out);
                }
            }
        }
    }

    /// The header has come. An outcome when it is the end, too.
    fn header(&self, slot: &Slot, parts: &http::response::Parts) -> Option<(Result<()>, Option<Metadata>)> {
        self.peer.link.meter.frames_received.add(1);
        let content_type = parts.headers.get(http::header::CONTENT_TYPE);
        let content_type = content_type.map(http::HeaderValue::as_bytes).unwrap_or_default();
        if Content::read(content_type) == Content::Foreign {
            return Some((Err(failure::foreign(parts.status).with_side(Side::Server)), None));
        }
        if slot.is_empty() && parts.headers.contains_key(STATUS) {
            return Some((failure::read(&parts.headers), Some(headers::pairs(&parts.headers))));
        }
        if let Some(name) = parts.headers.get(grpc::ENCODING) {
            match Compression::read(name.as_bytes()) {
                Ok(Some(compression)) => _ = slot.stream.compression.set(compression),
                Ok(None) => {}
                Err(Unknown) => {
                    let name = name.as_bytes().escape_ascii();
                    let text = format!(
                        "the server sends messages in the encoding {name}; these are read: {ACCEPTED}"
                    );
                    return Some((Err(Error::new(Code::Internal, text).with_side(Side::Server)), None));
                }
            }
        }
        slot.stream.inbox.set_header(headers::pairs(&parts.headers));
        None
    }

    /// Why a call is lost. Of one that ends with the connection HTTP/2 knows no more than that.
    fn lost_by(&self, error: &h2::Error) -> Error {
        let with_connection = self.ended.as_ref().filter(|_| error.is_io());
        with_connection.cloned().unwrap_or_else(|| failure::lost(error))
    }

    /// What the trailers say.
    fn trailers(trailers: Option<HeaderMap>) -> (Result<()>, Option<Metadata>) {
        match trailers {
            Some(trailers) => (failure::read(&trailers), Some(headers::pairs(&trailers))),
            None => (Err(Error::protocol("the server ended the call without trailers")), None),
        }
    }

    /// Takes what the server has sent. An outcome when that is the end.
    fn arrive(&self, slot: &mut Slot, out: &mut Deliveries) -> Poll<(Result<()>, Option<Metadata>)> {
        match slot.poll_response() {
            Poll::Pending => {}
            Poll::Ready(Err(error)) => return Poll::Ready((Err(self.lost_by(&error)), None)),
            Poll::Ready(Ok(parts)) => {
                if let Some(outcome) = self.header(slot, &parts) {
                    return Poll::Ready(outcome);
                }
            }
        }
        let broken = |error: Error| Poll::Ready((Err(error), None));
        let mistaken = |error: Error| broken(error.with_side(Side::Server));
        match slot.arrive(&self.peer, out) {
            Arrived::Nothing => return Poll::Pending,
            Arrived::End => {}
            Arrived::Lost(error) => return broken(self.lost_by(&error)),
            Arrived::Broken(mistake) => {
                return mistaken(failure::broken_message(mistake, self.peer.limits()));
            }
            Arrived::Torn => return mistaken(failure::torn()),
            Arrived::Overflow => return broken(self.peer.overflow()),
        }
        match ready!(slot.poll_trailers()) {
            Ok(trailers) => {
                self.peer.link.meter.frames_received.add(usize::from(trailers.is_some()));
                Poll::Ready(Self::trailers(trailers))
            }
            Err(error) => broken(self.lost_by(&error)),
        }
    }
}

impl Role for Calls {
    fn drive(&mut self, streams: &mut Streams, out: &mut Deliveries, cx: &mut Context<'_>) -> Poll<Error> {
        if let Http::Greeting(greeting) = &mut self.http {
            match ready!(greeting.as_mut().poll(cx)) {
                Ok(opened) => self.http = Http::Open(Box::new(opened)),
                Err(error) => return Poll::Ready(failure::broken(&error)),
            }
        }
        self.begin(streams, out, cx);
        let Http::Open(opened) = &mut self.http else { return Poll::Pending };
        let Poll::Ready(driven) = Future::poll(std::pin::Pin::new(&mut opened.1), cx) else {
            // The server may have said just now that it takes no further calls.
            self.begin(streams, out, cx);
            return Poll::Pending;
        };
        let ended = match driven {
            Ok(()) => Error::transport("the server closed the connection"),
            Err(error) => failure::left(&error),
        };
        self.ended = Some(ended.clone());
        Poll::Ready(ended)
    }

    fn attend(&mut self, slot: &mut Slot, out: &mut Deliveries) -> Result<bool> {
        if let Poll::Ready((outcome, trailer)) = self.arrive(slot, out) {
            // The server may be waiting for messages, or send more.
            slot.reset(if trailer.is_some() { Reason::NO_ERROR } else { Reason::CANCEL });
            let stream = Arc::clone(&slot.stream);
            finish(&self.peer, &stream, outcome, trailer, out);
            return Ok(false);
        }
        Ok(slot.leave(&self.peer, out) == Left::Open)
    }

    fn lost(&mut self, streams: &mut Streams, error: &Error, out: &mut Deliveries) {
        // Nothing of them was sent.
        fail_waiting(&self.peer, &self.line, &error.clone().retryable(), out);
        for slot in streams.iter_mut() {
            finish(&self.peer, &slot.stream, Err(error.clone()), None, out);
        }
    }

    fn cut(&mut self, streams: &mut Streams, error: &Error, _out: &mut Deliveries) {
        let waiting = std::mem::take(&mut *lock(&self.line.waiting));
        let streams = streams.iter_mut().map(|slot| Arc::clone(&slot.stream));
        for stream in streams.chain(waiting.into_iter().map(|(stream, _)| stream)) {
            give_up(&self.peer, &stream, error, true);
        }
    }

    fn shut_down(&mut self) {}

    fn is_idle(&self, streams: &Streams) -> bool {
        // When the last handle is gone nobody waits for anything on this connection.
        self.held.strong_count() == 0 || (streams.is_empty() && lock(&self.line.waiting).is_empty())
    }

    fn is_ready(&self) -> bool {
        matches!(self.http, Http::Open(_))
    }

    fn pings(&mut self) -> Option<PingPong> {
        match &mut self.http {
            Http::Open(opened) => opened.1.ping_pong(),
            Http::Greeting(_) => None,
        }
    }
}

/// Calls that HTTP/2 has not begun fail with this.
fn fail_waiting(peer: &Peer, line: &Line, error: &Error, out: &mut Deliveries) {
    let waiting = std::mem::take(&mut *lock(&line.waiting));
    for (stream, _) in waiting {
        finish(peer, &stream, Err(error.clone()), None, out);
    }
}

/// A call has ended at the server, or with the connection.
fn finish(
    peer: &Peer,
    stream: &Stream,
    outcome: Result<()>,
    trailer: Option<Metadata>,
    out: &mut Deliveries,
) {
    if let Some(trailer) = trailer {
        stream.inbox.set_trailer(trailer);
    }
    let ended = stream.finish(peer, |leaving| {
        leaving.discard(peer);
        stream.inbox.end(outcome, &peer.link.turns)
    });
    // When the call is over already, so is its inbox.
    let Some((sender, receiver)) = ended else { return };
    out.wakers.extend(sender.into_iter().chain(receiver));
}
