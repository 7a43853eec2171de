//! One stream, and one connection, as everybody who has to do with them shares them.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Wake, Waker};

use bytes::{Bytes, BytesMut};
use h2::Reason;
use http::HeaderMap;

use super::Windows;
use super::compression::Compression;
use super::trailers::Room;
use crate::call::child::Children;
use crate::transport::connection::Deliveries;
use crate::transport::inbox::Inbox;
use crate::transport::link::Link;
use crate::transport::lock;
use crate::transport::task_waker::{PlaceWaker, Woken};
use crate::{Error, Limits, Metadata};

/// One side of a connection: what its streams share.
pub(crate) struct Peer {
    pub(super) link: Arc<Link>,
    pub(super) is_client: bool,
    /// The streams for which the connection task has something to do, and the connection itself.
    pub(super) woken: Arc<Woken>,
    /// Wakes the connection task for HTTP/2 itself.
    pub(super) bell: Arc<PlaceWaker>,
    /// Counts what has come from the peer.
    pub(super) heard: AtomicUsize,
    /// Pings of the peer that nobody has looked at.
    pub(super) pings: AtomicUsize,
    /// The header lists that the peer reads, as it has said, have at most this size.
    pub(super) reads: AtomicU32,
    /// Whether headers or messages have left since somebody has looked at pings.
    pub(super) spoken: AtomicBool,
    /// Streams that are not over.
    live: AtomicUsize,
    /// Client: the connection ends when its last stream has.
    retired: AtomicBool,
    /// Bytes that all streams have queued for their receivers.
    queued: AtomicUsize,
    /// Encoded bytes of all streams that the peer's windows have no room for yet.
    pub(super) unsent: AtomicUsize,
    /// So much is kept from the peer before its window is opened again, at most.
    pub(super) threshold: usize,
}

/// The place of the connection among those of its streams.
pub(super) const CONNECTION: usize = usize::MAX;

/// One stream.
pub(super) struct Stream {
    pub(super) inbox: Inbox,
    pub(super) leaving: Mutex<Leaving>,
    /// Bytes of messages in the inbox, with their prefixes.
    pub(super) unread: AtomicUsize,
    /// How the peer compresses what it marks as compressed, once it has said so.
    pub(super) compression: OnceLock<Compression>,
    /// Nobody reads any more.
    pub(super) deaf: AtomicBool,
    /// Bytes that the peer has sent and may not send again yet.
    pub(super) used: AtomicUsize,
    /// Wakes the connection task for this stream, once that knows it.
    bell: OnceLock<Arc<PlaceWaker>>,
    /// Server: the calls that the handler has made.
    pub(super) children: Children,
}

/// What leaves on a stream, until the connection task gives it to HTTP/2.
#[derive(Default)]
pub(super) struct Leaving {
    /// Server: what the handler wants to travel back.
    pub(super) header: Metadata,
    pub(super) trailer: Metadata,
    /// Server: the header is on its way, and cannot be changed.
    pub(super) header_sent: bool,
    /// Server: the task has to send the header first.
    pub(super) header_due: bool,
    /// Messages with their prefixes.
    pub(super) out: BytesMut,
    /// How many were put since the task has looked.
    pub(super) messages: usize,
    /// What follows the messages.
    pub(super) end: Option<End>,
    /// Client: the end has left too.
    pub(super) is_closed: bool,
    /// Given up: nothing but this leaves.
    pub(super) reset: Option<Reason>,
    /// The call is over, so that nothing may be put any more.
    over: bool,
    /// Counts the bytes given to HTTP/2, to see whether a peer takes any.
    pub(super) moved: u64,
    /// A sender that waits for room.
    pub(super) waiting: Option<Waker>,
}

/// How this side ends its direction.
pub(super) enum End {
    /// A client sends no more messages.
    Closed,
    /// A server ends the call with this.
    Trailers(HeaderMap),
}

impl Peer {
    pub(super) fn new(link: Arc<Link>, is_client: bool) -> Arc<Self> {
        let woken = Woken::new(Arc::clone(&link.waker));
        let bell = PlaceWaker::new(CONNECTION, Arc::clone(&woken));
        bell.wake_by_ref();
        let windows = Windows::of(&link.limits);
        // All streams together must never keep so much that the window of the connection stays closed.
        let share = windows.connection as usize / 2 / link.limits.max_streams.max(1);
        let threshold = share.min(windows.stream as usize / 4).max(1);
        Arc::new(Self {
            link,
            is_client,
            woken,
            bell,
            heard: AtomicUsize::new(0),
            pings: AtomicUsize::new(0),
            reads: AtomicU32::new(u32::MAX),
            spoken: AtomicBool::new(false),
            live: AtomicUsize::new(0),
            retired: AtomicBool::new(false),
            queued: AtomicUsize::new(0),
            unsent: AtomicUsize::new(0),
            threshold,
        })
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.link.limits
    }

    pub(super) fn live(&self) -> usize {
        self.live.load(SeqCst)
    }

    /// Whether nothing is queued for anybody.
    pub(super) fn is_read(&self) -> bool {
        self.queued.load(Relaxed) == 0
    }

    /// A stream has begun.
    pub(super) fn opened(&self) {
        self.live.fetch_add(1, SeqCst);
        self.link.meter.streams.add(1);
        self.link.meter.streams_opened.add(1);
    }

    /// A stream is over.
    fn closed(&self) {
        self.link.meter.streams.sub(1);
        if self.live.fetch_sub(1, SeqCst) == 1 && self.retired.load(SeqCst) {
            self.link.shut_down();
        }
    }

    /// No stream is opened any more: the connection ends with its last one.
    pub(super) fn retire(&self) {
        self.retired.store(true, SeqCst);
        if self.live() == 0 {
            self.link.shut_down();
        }
    }

    /// Queues a message for its reader. False when a budget is full, and the stream has to end for it.
    pub(super) fn queue(&self, stream: &Stream, message: Bytes, out: &mut Deliveries) -> bool {
        stream.unread.fetch_add(message.len(), SeqCst);
        let mut fits = true;
        let charge = |cost, _| fits = self.charge(cost);
        out.places.extend(stream.inbox.push(message, &self.link.turns, charge));
        fits
    }

    /// So many bytes more are queued. False when a budget is full.
    pub(super) fn charge(&self, bytes: usize) -> bool {
        let by_connection = self.queued.fetch_add(bytes, Relaxed);
        let by_server = self.link.meter.queued_bytes.add(bytes);
        by_connection < self.limits().connection_receive_buffer
            && by_server < self.limits().server_receive_buffer as u64
    }

    /// They were taken, or dropped.
    pub(super) fn freed(&self, bytes: usize) {
        if bytes > 0 {
            self.queued.fetch_sub(bytes, Relaxed);
            self.link.meter.queued_bytes.sub(bytes);
        }
    }

    /// The error of a stream for which a budget has no room.
    pub(super) fn overflow(&self) -> Error {
        self.link.meter.receive_overflows.add(1);
        let limits = self.limits();
        let (whose, limit, option) = if self.queued.load(Relaxed) >= limits.connection_receive_buffer {
            ("its connection", limits.connection_receive_buffer, "connection_receive_buffer")
        } else {
            ("this process", limits.server_receive_buffer, "server_receive_buffer")
        };
        let text = format!(
            "the stream was ended because the readers of {whose} are too far behind: {limit} bytes are queued (limit {option})"
        );
        Error::limit(text)
    }

    /// How large the end of a call may be.
    pub(super) fn room_for_trailers(&self) -> Room {
        Room::of(self.reads.load(Relaxed))
    }

    /// Whether a sender has to wait until other streams have sent something.
    pub(super) fn is_full(&self) -> bool {
        self.unsent.load(SeqCst) >= self.limits().connection_send_buffer.max(1)
    }
}

impl Stream {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            inbox: Inbox::default(),
            leaving: Mutex::default(),
            unread: AtomicUsize::new(0),
            compression: OnceLock::new(),
            deaf: AtomicBool::new(false),
            used: AtomicUsize::new(0),
            bell: OnceLock::new(),
            children: Children::default(),
        })
    }

    /// The connection task knows the stream from now on.
    pub(super) fn hang(&self, bell: Arc<PlaceWaker>) {
        // There is one task, and it does this once.
        let _first = self.bell.set(bell);
    }

    /// The connection task is to look at this stream. It does so by itself when it gets to know it.
    pub(super) fn ring(&self) {
        if let Some(bell) = self.bell.get() {
            bell.wake_by_ref();
        }
    }

    /// What the peer has sent and nobody has read.
    pub(super) fn unread(&self) -> usize {
        if self.deaf.load(SeqCst) { 0 } else { self.unread.load(SeqCst) }
    }

    /// Ends the call on this side, unless it is over already. What was put and is not in the hands of HTTP/2 stays,
    /// unless `last` drops it; it also ends the inbox, so that a sender on another thread that finds the call over can say
    /// why. Returns the sender that waits, if there is one, and what `last` gives.
    pub(super) fn finish<T>(
        &self,
        peer: &Peer,
        last: impl FnOnce(&mut Leaving) -> T,
    ) -> Option<(Option<Waker>, T)> {
        let mut leaving = lock(&self.leaving);
        if leaving.over {
            return None;
        }
        leaving.over = true;
        let given = last(&mut leaving);
        let waiting = leaving.waiting.take();
        drop(leaving);
        peer.closed();
        Some((waiting, given))
    }
}

impl Leaving {
    /// Whether a message may be put.
    pub(super) fn is_open(&self) -> bool {
        !self.over && !self.is_closed && self.end.is_none()
    }

    /// Drops the messages that have not left.
    pub(super) fn discard(&mut self, peer: &Peer) {
        peer.unsent.fetch_sub(self.out.len(), SeqCst);
        self.out = BytesMut::new();
        self.messages = 0;
    }

    /// Server: the header leaves before what follows.
    pub(super) fn start(&mut self) {
        if !std::mem::replace(&mut self.header_sent, true) {
            self.header_due = true;
        }
    }
}
