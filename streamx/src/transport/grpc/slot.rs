//! A stream in the hands of the connection task, with the handles of HTTP/2.

use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::HeaderMap;
use tokio::task::AbortHandle;

use super::compression::Compression;
use super::headers;
use super::serving::watch_over;
use super::stream::{End, Leaving, Peer, Stream};
use crate::Metadata;
use crate::call::Format;
use crate::transport::connection::Deliveries;
use crate::transport::lock;
use crate::transport::task_waker::PlaceWaker;
use crate::wire::grpc::prefix::{Body, Mistake};

pub(in crate::transport) struct Slot {
    pub(super) stream: Arc<Stream>,
    bell: Arc<PlaceWaker>,
    waker: Waker,
    /// Server: until its header is sent.
    respond: Option<Respond>,
    /// Client: until the server's header has come.
    response: Option<ResponseFuture>,
    send: Option<SendStream<Bytes>>,
    recv: Option<RecvStream>,
    /// The peer has said that nothing more comes.
    ended: bool,
    body: Body,
    /// What the beginning of a message costs of the budgets.
    charged: usize,
    /// Server: what watches over an answer that leaves after its handler.
    watch: Option<AbortHandle>,
}

/// How a server answers a call.
pub(super) struct Respond {
    pub(super) http: SendResponse<Bytes>,
    pub(super) format: Format,
    pub(super) compression: Option<Compression>,
}

/// What has become of the direction that leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// More may follow.
    Open,
    /// Nothing is left of the stream: this side has ended it, or given it up.
    Gone,
}

/// What has arrived, besides messages.
pub(super) enum Arrived {
    Nothing,
    /// The peer sends no more messages.
    End,
    /// The bytes are no messages.
    Broken(Mistake),
    /// A message was begun and not finished.
    Torn,
    /// There is no room for more in the budgets.
    Overflow,
    /// The stream is lost.
    Lost(h2::Error),
}

impl Slot {
    /// A call that a server has got. `bell` is that of its place.
    pub(super) fn served(
        stream: Arc<Stream>,
        bell: Arc<PlaceWaker>,
        (recv, respond): (RecvStream, Respond),
    ) -> Self {
        Self { respond: Some(respond), recv: Some(recv), ..Self::bare(stream, bell) }
    }

    /// A call that a client has opened.
    pub(super) fn called(
        stream: Arc<Stream>,
        bell: Arc<PlaceWaker>,
        (response, send): (ResponseFuture, SendStream<Bytes>),
    ) -> Self {
        Self { response: Some(response), send: Some(send), ..Self::bare(stream, bell) }
    }

    /// The task looks at it soon.
    fn bare(stream: Arc<Stream>, bell: Arc<PlaceWaker>) -> Self {
        stream.hang(Arc::clone(&bell));
        bell.wake_by_ref();
        Self {
            stream,
            waker: Waker::from(Arc::clone(&bell)),
            bell,
            respond: None,
            response: None,
            send: None,
            recv: None,
            ended: false,
            body: Body::default(),
            charged: 0,
            watch: None,
        }
    }

    /// What wakes the task from now on counts again.
    pub(super) fn begin(&self) {
        self.bell.begin();
    }

    /// Gives HTTP/2 what is to leave, as far as the peer's windows allow.
    pub(super) fn leave(&mut self, peer: &Arc<Peer>, out: &mut Deliveries) -> Left {
        let stream = Arc::clone(&self.stream);
        let leaving = &mut *lock(&stream.leaving);
        if let Some(reason) = leaving.reset.take() {
            leaving.discard(peer);
            self.reset(reason);
            return Left::Gone;
        }
        if std::mem::take(&mut leaving.header_due) && !self.put_header(peer, &leaving.header) {
            leaving.discard(peer);
            return Left::Gone;
        }
        let messages = std::mem::take(&mut leaving.messages);
        lock(&peer.link.outbox).announce(messages);
        let moved = leaving.moved;
        let closed = self.put_messages(peer, leaving);
        if leaving.moved != moved || leaving.out.is_empty() {
            out.wakers.extend(leaving.waiting.take());
        }
        if !leaving.out.is_empty() {
            if matches!(leaving.end, Some(End::Trailers(_))) && self.watch.is_none() {
                self.watch = Some(watch_over(peer, &stream, leaving.moved));
            }
            return Left::Open;
        }
        match leaving.end.take() {
            None => Left::Open,
            Some(End::Closed) => {
                if let Some(send) = self.send.as_mut().filter(|_| !closed) {
                    // Fails when the server has ended the call, which the other direction tells.
                    let _over = send.send_data(Bytes::new(), true);
                }
                leaving.is_closed = true;
                Left::Open
            }
            Some(End::Trailers(trailers)) => {
                self.put_trailers(peer, trailers);
                Left::Gone
            }
        }
    }

    /// False when the stream is gone.
    fn put_header(&mut self, peer: &Peer, pairs: &Metadata) -> bool {
        let Some(Respond { mut http, format, compression }) = self.respond.take() else { return true };
        match http.send_response(headers::response(format, compression, pairs), false) {
            Ok(send) => {
                peer.spoken.store(true, Relaxed);
                lock(&peer.link.outbox).announce(1);
                self.send = Some(send);
                true
            }
            Err(_) => false,
        }
    }

    /// True when the end of a client was sent along.
    fn put_messages(&mut self, peer: &Peer, leaving: &mut Leaving) -> bool {
        let Some(send) = &mut self.send else { return false };
        while !leaving.out.is_empty() {
            send.reserve_capacity(leaving.out.len());
            let room = match send.capacity() {
                0 => match send.poll_capacity(&mut Context::from_waker(&self.waker)) {
                    Poll::Pending => return false,
                    Poll::Ready(Some(Ok(room))) => room,
                    // The stream is over, which the other direction tells.
                    Poll::Ready(None | Some(Err(_))) => {
                        leaving.discard(peer);
                        return false;
                    }
                },
                room => room,
            };
            let length = room.min(leaving.out.len());
            if length == 0 {
                continue;
            }
            peer.spoken.store(true, Relaxed);
            let piece = leaving.out.split_to(length).freeze();
            peer.unsent.fetch_sub(length, SeqCst);
            leaving.moved += length as u64;
            let last = leaving.out.is_empty() && matches!(leaving.end, Some(End::Closed));
            if send.send_data(piece, last).is_err() {
                leaving.discard(peer);
                return false;
            }
            if last {
                return true;
            }
        }
        false
    }

    fn put_trailers(&mut self, peer: &Peer, trailers: HeaderMap) {
        lock(&peer.link.outbox).announce(1);
        // Either fails when the stream is over already.
        if let Some(Respond { mut http, format, .. }) = self.respond.take() {
            let _over = http.send_response(headers::trailers_only(format, trailers), true);
        } else if let Some(send) = &mut self.send {
            let _over = send.send_trailers(trailers);
        }
    }

    /// Tells the peer that the call is given up.
    pub(super) fn reset(&mut self, reason: Reason) {
        if let Some(send) = &mut self.send {
            send.send_reset(reason);
        } else if let Some(respond) = &mut self.respond {
            respond.http.send_reset(reason);
        }
    }

    /// Server: whether the caller has given up the call.
    pub(super) fn poll_reset(&mut self) -> Poll<Result<Reason, h2::Error>> {
        let cx = &mut Context::from_waker(&self.waker);
        match (&mut self.send, &mut self.respond) {
            (Some(send), _) => send.poll_reset(cx),
            (None, Some(respond)) => respond.http.poll_reset(cx),
            (None, None) => Poll::Pending,
        }
    }

    /// Client: the server's header, once.
    pub(super) fn poll_response(&mut self) -> Poll<Result<http::response::Parts, h2::Error>> {
        let Some(response) = &mut self.response else { return Poll::Pending };
        let cx = &mut Context::from_waker(&self.waker);
        let polled = Future::poll(std::pin::Pin::new(response), cx);
        polled.map_ok(|response| {
            let (parts, recv) = response.into_parts();
            self.response = None;
            self.recv = Some(recv);
            parts
        })
    }

    /// Client: what follows the last message.
    pub(super) fn poll_trailers(&mut self) -> Poll<Result<Option<HeaderMap>, h2::Error>> {
        let Some(recv) = &mut self.recv else { return Poll::Pending };
        recv.poll_trailers(&mut Context::from_waker(&self.waker))
    }

    /// Whether the response has no body.
    pub(super) fn is_empty(&self) -> bool {
        self.recv.as_ref().is_some_and(RecvStream::is_end_stream)
    }

    /// Delivers what has arrived.
    pub(super) fn arrive(&mut self, peer: &Peer, out: &mut Deliveries) -> Arrived {
        let arrived = self.receive(peer, out);
        self.release(peer);
        let partial = self.body.partial();
        let fits = partial <= self.charged || peer.charge(partial - self.charged);
        peer.freed(self.charged.saturating_sub(partial));
        self.charged = partial;
        match arrived {
            Arrived::End if partial > 0 => Arrived::Torn,
            Arrived::Nothing if !fits => Arrived::Overflow,
            other => other,
        }
    }

    fn receive(&mut self, peer: &Peer, out: &mut Deliveries) -> Arrived {
        let Some(recv) = self.recv.as_mut().filter(|_| !self.ended) else { return Arrived::Nothing };
        let limit = peer.limits().max_message_size;
        let cx = &mut Context::from_waker(&self.waker);
        // Those that were read before this and are still here are not slices of a read buffer for long.
        self.stream.inbox.unpin_small(0);
        loop {
            match recv.poll_data(cx) {
                Poll::Pending => return Arrived::Nothing,
                Poll::Ready(Some(Ok(piece))) => self.body.push(piece),
                Poll::Ready(Some(Err(error))) => return Arrived::Lost(error),
                Poll::Ready(None) => {
                    self.ended = true;
                    return Arrived::End;
                }
            }
            loop {
                match self.body.next(limit) {
                    Ok(Some(message)) => {
                        peer.link.meter.frames_received.add(1);
                        if !peer.queue(&self.stream, message, out) {
                            self.ended = true;
                            return Arrived::Overflow;
                        }
                    }
                    Ok(None) => break,
                    Err(mistake) => {
                        self.ended = true;
                        return Arrived::Broken(mistake);
                    }
                }
            }
        }
    }

    /// Opens the peer's window by what was read, and by what is here of a message that is not whole: one that begins within
    /// the window passes.
    fn release(&mut self, peer: &Peer) {
        let Some(recv) = &mut self.recv else { return };
        let (stream, window) = (&self.stream, recv.flow_control());
        loop {
            let used = window.used_capacity();
            let keep = stream.unread().min(used);
            // Never more than is used.
            let _released = window.release_capacity(used - keep);
            stream.used.store(keep, SeqCst);
            // The reader looks at this number after it has taken something. It may have done so before it was there.
            if keep < peer.threshold || stream.unread() > keep / 2 {
                return;
            }
        }
    }

    /// Gives back what this stream has of the budgets. Nothing arrives on it any more.
    pub(super) fn settle(&mut self, peer: &Peer) {
        if let Some(watch) = self.watch.take() {
            watch.abort();
        }
        peer.freed(std::mem::take(&mut self.charged));
        lock(&self.stream.leaving).discard(peer);
    }
}
