//! The server's side of a gRPC connection.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::server::{self, Connection, Handshake, SendResponse};
use h2::{PingPong, Reason, RecvStream};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Request, Response, StatusCode};

use super::compression::{ACCEPTED, Compression, Unknown};
use super::context::CallContext;
use super::cork::Cork;
use super::keepalive::Strikes;
use super::receiving::Receiving;
use super::sending::Sending;
use super::serving::{Call, LATE, end};
use super::slot::{Arrived, Left, Respond, Slot};
use super::stream::{Peer, Stream};
use super::task::{Role, Streams};
use super::{ServerSettings, Windows, failure, headers, trailers};
use crate::call::context::Facts;
use crate::call::router::{Route, Router};
use crate::call::{self, Exchange, Format, Mode};
use crate::transport::connection::Deliveries;
use crate::transport::handlers::Running;
use crate::transport::lock;
use crate::transport::resets::Resets;
use crate::wire::grpc::path::{self, Path};
use crate::wire::grpc::{self, Content, timeout};
use crate::{Code, Error, Limits, Result, Side};

/// What a client reads that does not speak gRPC.
const NO_GRPC: &[u8] =
    b"This server speaks gRPC: POST, with a content-type of application/grpc, or one that begins with application/grpc+.\n";

pub(in crate::transport) struct Server {
    peer: Arc<Peer>,
    router: Arc<Router>,
    settings: ServerSettings,
    http: Http,
    handlers: Arc<AtomicUsize>,
    /// Streams that are over before their handlers.
    left_behind: Vec<Weak<Stream>>,
    resets: Resets,
    strikes: Strikes,
    /// The client was told that it sends too many pings.
    is_pestered: bool,
}

enum Http {
    Greeting(Box<Handshake<Cork, Bytes>>),
    Open(Box<Connection<Cork, Bytes>>),
}

/// A call that may begin.
struct Admitted<'a> {
    format: Format,
    route: &'a Arc<Route>,
    timeout: Option<Duration>,
    /// How the client compresses.
    received: Option<Compression>,
    /// How the answers are compressed.
    sent: Option<Compression>,
}

/// Why no handler begins.
enum Refusal {
    /// It is said by the end of the call.
    Answer(Format, Error),
    /// The client may try again elsewhere.
    Reset,
    /// This is no gRPC.
    Status(StatusCode),
}

impl Server {
    pub(super) fn new(peer: Arc<Peer>, router: Arc<Router>, settings: ServerSettings, cork: Cork) -> Self {
        let http = Http::Greeting(Box::new(builder(peer.limits()).handshake(cork)));
        let (handlers, resets) = (Arc::default(), Resets::new());
        Self {
            peer,
            router,
            settings,
            http,
            handlers,
            left_behind: Vec::new(),
            resets,
            strikes: Strikes::default(),
            is_pestered: false,
        }
    }

    fn accept(
        &self,
        request: Request<RecvStream>,
        mut http: SendResponse<Bytes>,
        streams: &mut Streams,
        out: &mut Deliveries,
    ) {
        self.peer.link.meter.frames_received.add(1);
        let (head, recv) = request.into_parts();
        let admitted = match self.admit(head.uri.path(), &head.headers) {
            Ok(admitted) => admitted,
            Err(refusal) => return self.refuse(&mut http, refusal),
        };
        let Admitted { format, route, timeout, received, sent } = admitted;
        let stream = Stream::new();
        if let Some(compression) = received {
            let _first = stream.compression.set(compression);
        }
        self.peer.opened();
        let facts = headers::facts(route, self.peer.link.peer.clone(), &head.headers, timeout);
        out.started.push(self.start(
            Arc::clone(&stream),
            Arc::clone(route),
            (format, sent),
            (facts, timeout),
        ));
        streams.add(|bell| Slot::served(stream, bell, (recv, Respond { http, format, compression: sent })));
    }

    /// Whether a call may begin.
    fn admit(&self, path: &str, headers: &HeaderMap) -> Result<Admitted<'_>, Refusal> {
        let value = |name| headers.get(name).map(|value: &HeaderValue| value.as_bytes());
        let format = match Content::read(value(grpc::CONTENT_TYPE).unwrap_or_default()) {
            Content::Protobuf => Format::Protobuf,
            Content::Thrift => Format::Thrift,
            Content::Unknown => {
                let text = "this server takes messages in protobuf (content type application/grpc) and in Thrift \
                            (application/grpc+thrift)";
                return Err(Refusal::Answer(Format::Protobuf, Error::new(Code::Unimplemented, text)));
            }
            Content::Foreign => return Err(Refusal::Status(StatusCode::UNSUPPORTED_MEDIA_TYPE)),
        };
        // What a client has sent before it was told to go is served still; `h2` drops what comes later.
        let is_cut = self.peer.link.is_cut().is_some();
        if is_cut || self.handlers.load(Relaxed) >= self.peer.limits().max_streams {
            return Err(Refusal::Reset);
        }
        let answer = |error| Refusal::Answer(format, error);
        let received = value(grpc::ENCODING).map_or(Ok(None), Compression::read).map_err(|Unknown| {
            let name = value(grpc::ENCODING).unwrap_or_default().escape_ascii();
            let text = format!("messages in the encoding {name} are not taken; these are: {ACCEPTED}");
            answer(Error::new(Code::Unimplemented, text))
        })?;
        // A client that compresses need not read what is compressed.
        let accepted = value(grpc::ACCEPT_ENCODING).unwrap_or_default();
        let wanted = [self.settings.compression, received];
        let sent = wanted.into_iter().flatten().find(|compression| compression.is_in(accepted));
        let timeout = match value(grpc::TIMEOUT) {
            None => None,
            Some(text) => {
                let timeout = std::str::from_utf8(text).ok().and_then(timeout::read);
                let malformed = || Error::protocol("the header grpc-timeout is malformed");
                Some(timeout.ok_or_else(|| answer(malformed()))?)
            }
        };
        let Path { package, service, method } = path::read(path)
            .ok_or_else(|| answer(Error::new(Code::Unimplemented, "the path names no service and method")))?;
        let route = match format {
            Format::Protobuf => self.router.find_exact(package, service, method),
            Format::Thrift => self.router.find_thrift(package, service, method),
        };
        let route = route.map_err(|none| answer(none.error))?;
        if route.method.mode == Mode::Oneway {
            return Err(answer(failure::oneway(route.service, route.method.name)));
        }
        Ok(Admitted { format, route, timeout, received, sent })
    }

    fn refuse(&self, respond: &mut SendResponse<Bytes>, refusal: Refusal) {
        let response = match refusal {
            Refusal::Reset => return respond.send_reset(Reason::REFUSED_STREAM),
            Refusal::Answer(format, error) => {
                tracing::debug!(%error, "refused a call");
                headers::trailers_only(format, trailers::refusal(&error, self.peer.room_for_trailers()))
            }
            Refusal::Status(status) => return self.turn_away(respond, status),
        };
        lock(&self.peer.link.outbox).announce(1);
        // Fails when the client has given it up already.
        let _gone = respond.send_response(response, true);
    }

    /// Tells a client that does not speak gRPC, a browser say, where it is.
    fn turn_away(&self, respond: &mut SendResponse<Bytes>, status: StatusCode) {
        let mut response = Response::new(());
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        lock(&self.peer.link.outbox).announce(2);
        if let Ok(mut send) = respond.send_response(response, false) {
            let _gone = send.send_data(Bytes::from_static(NO_GRPC), true);
        }
    }

    fn start(
        &self,
        stream: Arc<Stream>,
        route: Arc<Route>,
        (format, compression): (Format, Option<Compression>),
        (facts, timeout): (Facts, Option<Duration>),
    ) -> Running {
        let peer = &self.peer;
        let incoming = Receiving::new(Arc::clone(peer), Arc::clone(&stream), None);
        let outgoing = Sending::new(Arc::clone(peer), Arc::clone(&stream), None, compression);
        let exchange = Exchange { format, incoming: Box::new(incoming), outgoing: Box::new(outgoing) };
        let deadline = facts.deadline.and_then(|deadline| deadline.checked_add(LATE));
        let context = CallContext { stream: Arc::clone(&stream), facts };
        self.handlers.fetch_add(1, Relaxed);
        let handlers = Arc::clone(&self.handlers);
        let peer = Arc::clone(peer);
        let call = Call { peer, stream, route: Arc::clone(&route), handlers, timeout, deadline };
        Running::new(Arc::new(call), route, exchange, call::Context::new(Arc::new(context)))
    }

    /// The caller of a stream is gone: its handler is dropped.
    fn abandon(&self, stream: &Stream, error: Error, out: &mut Deliveries) {
        let abandon = || stream.inbox.abandon(error.clone(), &self.peer.link.turns);
        let ended = stream.finish(&self.peer, |leaving| {
            leaving.discard(&self.peer);
            abandon()
        });
        // The handler of a call that is over may be there still.
        let (sender, (wakers, freed)) = ended.unwrap_or_else(|| (None, abandon()));
        out.wakers.extend(sender.into_iter().chain(wakers.into_iter().flatten()));
        out.cancel(&stream.children, &error);
        self.peer.freed(freed);
    }

    /// This side ends a stream before its handler, which goes on and finds out when it reads or writes.
    fn fail(&mut self, stream: &Arc<Stream>, error: Error, out: &mut Deliveries) {
        let error = error.with_side(Side::Client);
        let tell = || stream.inbox.end(Err(error.clone()), &self.peer.link.turns);
        let Some((sender, receiver)) = end(&self.peer, stream, Err(&error), tell) else {
            return out.wakers.extend(tell());
        };
        out.wakers.extend(sender.into_iter().chain(receiver));
        stream.ring();
        self.left_behind.retain(|stream| stream.strong_count() > 0);
        self.left_behind.push(Arc::downgrade(stream));
    }
}

fn builder(limits: &Limits) -> server::Builder {
    let windows = Windows::of(limits);
    let mut builder = server::Builder::new();
    builder
        .initial_window_size(windows.stream)
        .initial_connection_window_size(windows.connection)
        .data_frame_budget(windows.budget)
        // Calls that are given up while more of them is on its way are no attack. What is, `Resets` counts.
        .max_concurrent_reset_streams(limits.max_streams)
        .max_local_error_reset_streams(None)
        .max_concurrent_streams(u32::try_from(limits.max_streams).unwrap_or(u32::MAX))
        // One read may bring many calls that were given up already; those that were not are counted here.
        .max_pending_accept_reset_streams(limits.unanswered_resets_per_second)
        .max_header_list_size(u32::try_from(limits.max_header_size).unwrap_or(u32::MAX));
    builder
}

impl Role for Server {
    fn drive(&mut self, streams: &mut Streams, out: &mut Deliveries, cx: &mut Context<'_>) -> Poll<Error> {
        if let Http::Greeting(greeting) = &mut self.http {
            match ready!(Pin::new(&mut **greeting).poll(cx)) {
                Ok(connection) => self.http = Http::Open(Box::new(connection)),
                Err(error) => return Poll::Ready(failure::broken(&error)),
            }
            if self.peer.link.is_shutting_down() {
                self.shut_down();
            }
        }
        loop {
            let Http::Open(connection) = &mut self.http else { return Poll::Pending };
            match connection.poll_accept(cx) {
                Poll::Pending => {
                    self.count_pings();
                    return Poll::Pending;
                }
                Poll::Ready(Some(Ok((request, respond)))) => self.accept(request, respond, streams, out),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(failure::broken(&error)),
                Poll::Ready(None) => return Poll::Ready(self.left()),
            }
        }
    }

    fn attend(&mut self, slot: &mut Slot, out: &mut Deliveries) -> Result<bool> {
        let stream = Arc::clone(&slot.stream);
        match slot.arrive(&self.peer, out) {
            Arrived::Nothing => {}
            Arrived::End => out.wakers.extend(stream.inbox.end(Ok(()), &self.peer.link.turns)),
            Arrived::Lost(error) => return self.lose(&stream, error.reason(), out),
            Arrived::Broken(mistake) => {
                self.fail(&stream, failure::broken_message(mistake, self.peer.limits()), out)
            }
            Arrived::Torn => self.fail(&stream, failure::torn(), out),
            Arrived::Overflow => self.fail(&stream, self.peer.overflow(), out),
        }
        if slot.leave(&self.peer, out) == Left::Gone {
            return Ok(false);
        }
        match slot.poll_reset() {
            Poll::Pending => Ok(true),
            Poll::Ready(reset) => self.lose(&stream, reset.map_or_else(|error| error.reason(), Some), out),
        }
    }

    fn lost(&mut self, streams: &mut Streams, error: &Error, out: &mut Deliveries) {
        let text = format!("the call was cancelled because its connection ended: {}", error.message());
        let error = Error::new(Code::Cancelled, text).with_side(Side::Client);
        let behind = std::mem::take(&mut self.left_behind);
        for stream in behind.iter().filter_map(Weak::upgrade) {
            self.abandon(&stream, error.clone(), out);
        }
        for slot in streams.iter_mut() {
            self.abandon(&slot.stream, error.clone(), out);
        }
    }

    fn cut(&mut self, streams: &mut Streams, error: &Error, out: &mut Deliveries) {
        let gone =
            Error::new(Code::Cancelled, error.message()).with_kitex_code(12013).with_side(Side::Server);
        for slot in streams.iter_mut() {
            let stream = &slot.stream;
            let tell = || stream.inbox.end(Err(gone.clone()), &self.peer.link.turns);
            if let Some((sender, receiver)) = end(&self.peer, stream, Err(error), tell) {
                out.wakers.extend(sender.into_iter().chain(receiver));
                stream.ring();
            }
            self.abandon(stream, gone.clone(), out);
        }
    }

    fn shut_down(&mut self) {
        if let Http::Open(connection) = &mut self.http {
            connection.graceful_shutdown();
        }
    }

    /// HTTP/2 says when the connection has ended; before both sides have spoken it there is nothing to wait for.
    fn is_idle(&self, _streams: &Streams) -> bool {
        matches!(self.http, Http::Greeting(_))
    }

    fn is_ready(&self) -> bool {
        matches!(self.http, Http::Open(_))
    }

    fn pings(&mut self) -> Option<PingPong> {
        match &mut self.http {
            Http::Open(connection) => connection.ping_pong(),
            Http::Greeting(_) => None,
        }
    }
}

impl Server {
    /// Ends the connection of a client that asks too often whether this side is there.
    fn count_pings(&mut self) {
        let peer = &self.peer;
        let pings = peer.pings.swap(0, Relaxed);
        if pings == 0 {
            return;
        }
        let (spoken, least) = (peer.spoken.swap(false, Relaxed), peer.limits().min_ping_interval);
        if self.strikes.count(pings, spoken, peer.live() > 0, least) || self.is_pestered {
            return;
        }
        self.is_pestered = true;
        if let Http::Open(connection) = &mut self.http {
            connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
            peer.bell.wake_by_ref();
        }
    }

    /// Why the connection has ended, when HTTP/2 has nothing to say against it.
    fn left(&self) -> Error {
        if self.is_pestered {
            let least = self.peer.limits().min_ping_interval;
            return Error::limit(format!(
                "the client has sent pings more often than every {least:?} (limit min_ping_interval), or every 2 h without a \
                 call"
            ));
        }
        Error::transport("the client closed the connection")
    }

    /// The client has given up a call, or its connection.
    fn lose(&mut self, stream: &Stream, reason: Option<Reason>, out: &mut Deliveries) -> Result<bool> {
        let unanswered = !lock(&stream.leaving).header_sent;
        self.abandon(stream, failure::given_up(reason).with_side(Side::Client), out);
        if unanswered {
            self.resets.count(self.peer.limits().unanswered_resets_per_second)?;
        }
        Ok(false)
    }
}
