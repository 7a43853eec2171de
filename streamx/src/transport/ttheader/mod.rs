//! TTHeader Streaming over the connection task.

mod allowance;
mod client;
mod context;
mod intake;
mod receiving;
mod sending;
mod server;

pub(crate) use client::{Client, Hold};
pub(crate) use server::Server;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::Waker;

use bytes::Bytes;

use self::allowance::Allowance;
use super::connection::Deliveries;
use super::inbox::Inbox;
use super::link::Link;
use super::lock;
use super::outbox::Flush;
use crate::call::child::Children;
use crate::wire::Bounds;
use crate::wire::ttheader::connection::Connection as Machine;
use crate::wire::ttheader::flow::{self, Flow};
use crate::wire::ttheader::frame::{self, DataHead};
use crate::{Error, Limits, Metadata};

/// One stream as everybody who has to do with it shares it.
pub(crate) struct Stream {
    id: i32,
    method: &'static str,
    head: DataHead,
    inbox: Inbox,
    /// Server: the header frame is written.
    answered: AtomicBool,
    /// The machine has let a message pass, and this side has not ended since: further ones need not ask it. Changes
    /// from true to false before the last frame of this side is written, under the lock of the outbox, so that no
    /// message follows that frame.
    flows: AtomicBool,
    /// What this side takes at first, if the peer takes part in flow control.
    window: u32,
    /// What the peer lets this side send.
    allowance: Allowance,
    /// The peer counts what it is told was taken.
    counted: AtomicBool,
    /// Server: what the handler wants to travel back.
    backward: Mutex<Backward>,
    /// Server: the calls that the handler has made.
    children: Children,
}

#[derive(Default)]
struct Backward {
    header: Metadata,
    header_sent: bool,
    trailer: Metadata,
}

/// One side of a connection: what its streams share.
pub(crate) struct Peer {
    link: Arc<Link>,
    /// What the servers behind a cancel see of this side.
    caller: Arc<str>,
    /// Client: the peer understands a reset.
    resets: bool,
    /// Client: the connection ends when its last stream has.
    retired: AtomicBool,
    machine: Mutex<Machine<Arc<Stream>>>,
    /// Bytes that all streams have queued for their receivers.
    queued: AtomicUsize,
    /// The connection is always read: it has carried two streams at once, or a stream whose sender waits for credits,
    /// which would wait behind what is not read.
    shared: AtomicBool,
    /// The socket is left unread until the only receiver has caught up.
    behind: AtomicBool,
}

impl Stream {
    /// `ours` is what this side takes at first, `theirs` what the peer does, if it has said so.
    fn new(id: i32, method: &'static str, ours: Option<u32>, theirs: Option<u32>) -> Arc<Self> {
        Arc::new(Self {
            id,
            method,
            head: DataHead::new(id, method),
            inbox: Inbox::default(),
            answered: AtomicBool::new(false),
            flows: AtomicBool::new(false),
            window: ours.unwrap_or_default(),
            allowance: Allowance::new(theirs),
            counted: AtomicBool::new(theirs.is_some()),
            backward: Mutex::default(),
            children: Children::default(),
        })
    }
}

impl Stream {
    /// Whether this stream lives. A peer may give its id to another one as soon as it is over, while a handler still has
    /// this one.
    fn is_in(&self, machine: &Machine<Arc<Self>>) -> bool {
        machine.slot(self.id).is_some_and(|slot| std::ptr::eq(&**slot, self))
    }

    /// The call is over for this side: nothing may be sent any more. Returns the sender, if it waits, to be told.
    fn stop(&self) -> Option<Waker> {
        self.flows.store(false, Relaxed);
        self.counted.store(false, Relaxed);
        self.allowance.end()
    }

    /// A streamx peer has said what it takes. Returns the sender, to be woken.
    fn hear(&self, flow: Flow) -> Option<Waker> {
        match flow {
            Flow::Window(window) if self.window > 0 => {
                self.allowance.bound(window);
                self.counted.store(true, Relaxed);
                None
            }
            Flow::Credit(flow::EVERYTHING) => self.allowance.lift(),
            Flow::Credit(credit) => self.allowance.add(credit),
            // Nobody has asked for it.
            Flow::Window(_) => None,
        }
    }

    /// Appends the header frame, once, with what the handler has set.
    fn put_header(&self, outbox: &mut super::outbox::Outbox) {
        self.answered.store(true, Relaxed);
        let mut backward = lock(&self.backward);
        backward.header_sent = true;
        let strings: Vec<_> = backward.header.iter().collect();
        frame::put_header(&mut outbox.open, self.id, self.method, &strings, &[]);
        outbox.framed();
    }
}

impl Stream {
    /// Appends the trailer of a client: it sends no more.
    fn put_closing_trailer(&self, outbox: &mut super::outbox::Outbox) {
        self.flows.store(false, Relaxed);
        frame::put_trailer(&mut outbox.open, self.id, self.method, None, &[], None);
        outbox.framed();
    }
}

impl Peer {
    /// `caller` is the name of a client; a server has none.
    fn new(link: Arc<Link>, machine: Machine<Arc<Stream>>, caller: Arc<str>, resets: bool) -> Arc<Self> {
        Arc::new(Self {
            link,
            caller,
            resets,
            retired: AtomicBool::new(false),
            machine: Mutex::new(machine),
            queued: AtomicUsize::new(0),
            shared: AtomicBool::new(false),
            behind: AtomicBool::new(false),
        })
    }

    fn limits(&self) -> &Limits {
        &self.link.limits
    }

    fn bounds(&self) -> Bounds {
        Bounds { max_header: self.limits().max_header_size, max_payload: self.limits().max_message_size }
    }

    /// The window of a stream that is opened beside so many; `None` when there is to be no flow control. All streams that
    /// [`Limits::max_streams`] allows by default stay within the buffer of the connection together.
    fn window(&self, streams: usize) -> Option<u32> {
        let limits = self.limits();
        let share = limits.connection_receive_buffer / 4 / (streams + 1);
        let window = limits.stream_receive_window.min(share.max(1));
        (window > 0).then(|| u32::try_from(window).unwrap_or(u32::MAX))
    }

    /// Tells the peer something about a stream. It leaves with what is sent next, or when the connection task looks. It may
    /// come behind the last frame of the stream, which its peer then ignores.
    fn tell(&self, stream: &Stream, flow: Flow) {
        let mut outbox = lock(&self.link.outbox);
        if outbox.check_open().is_err() {
            return;
        }
        frame::put_flow(&mut outbox.open, stream.id, stream.method, flow);
        outbox.framed();
        let flush = outbox.hold();
        drop(outbox);
        self.link.act(flush);
    }

    /// A stream has begun; there are `now` of them.
    fn opened(&self, now: usize) {
        self.link.meter.streams.add(1);
        self.link.meter.streams_opened.add(1);
        if now > 1 {
            self.shared.store(true, Relaxed);
        }
    }

    /// Streams have left the machine.
    fn closed(&self, count: usize) {
        self.link.meter.streams.sub(count);
        if self.retired.load(Relaxed) {
            self.link.shut_down();
        }
    }

    /// Queues a message. False when the budgets are full, and a stream has to end for it.
    #[inline(always)]
    fn queue(&self, stream: &Stream, payload: Bytes, out: &mut Deliveries) -> bool {
        let limits = self.limits();
        let mut fits = true;
        let charge = |cost, by_stream| {
            let by_connection = self.queued.fetch_add(cost, SeqCst);
            let by_server = self.link.meter.queued_bytes.add(cost);
            fits = by_stream < limits.stream_receive_buffer
                && by_connection < limits.connection_receive_buffer
                && by_server < limits.server_receive_buffer as u64;
        };
        out.places.extend(stream.inbox.push(payload, &self.link.turns, charge));
        fits
    }

    /// A receiver took messages, or they were dropped.
    fn freed(&self, bytes: usize) {
        self.queued.fetch_sub(bytes, SeqCst);
        self.link.meter.queued_bytes.sub(bytes);
        let limit = self.limits().lone_stream_receive_buffer;
        if self.behind.load(SeqCst) && self.queued.load(SeqCst) <= limit / 2 {
            self.behind.store(false, SeqCst);
            self.link.wake_task();
        }
    }

    /// Whether the socket is to be left unread: the only stream this connection has ever had is behind.
    fn is_behind(&self) -> bool {
        let limit = self.limits().lone_stream_receive_buffer.max(1);
        if self.shared.load(Relaxed) || self.queued.load(Relaxed) < limit {
            if self.behind.load(Relaxed) {
                self.behind.store(false, SeqCst);
            }
            return false;
        }
        self.behind.store(true, SeqCst);
        // Looked at again, because the receiver may have caught up before the mark was there to be seen: it changes the
        // number and then looks at the mark, so in one order for all one of the two sees the other.
        self.queued.load(SeqCst) >= limit
    }

    /// The stream that has most queued: the one that ends when a budget is full.
    fn furthest_behind(machine: &Machine<Arc<Stream>>) -> Option<Arc<Stream>> {
        machine.slots().max_by_key(|stream| stream.inbox.queued()).cloned()
    }

    /// The error of a stream whose reader was too far behind.
    fn overflow(&self, stream: &Stream) -> Error {
        self.link.meter.receive_overflows.add(1);
        let limits = self.limits();
        let (what, limit, option) = if stream.inbox.queued() >= limits.stream_receive_buffer {
            ("its reader is", limits.stream_receive_buffer, "stream_receive_buffer")
        } else if self.queued.load(Relaxed) >= limits.connection_receive_buffer {
            (
                "the readers of its connection are",
                limits.connection_receive_buffer,
                "connection_receive_buffer",
            )
        } else {
            ("the readers of this process are", limits.server_receive_buffer, "server_receive_buffer")
        };
        let text = format!(
            "the stream was ended because {what} too far behind: {limit} bytes are queued (limit {option})"
        );
        Error::limit(text)
    }

    /// The error of a stream whose peer has sent a message above the limit.
    fn too_large(&self, size: usize) -> Error {
        let limit = self.limits().max_message_size;
        Error::limit(format!(
            "a message of {size} bytes was received; at most {limit} are accepted (limit max_message_size)"
        ))
    }

    /// Appends frames and applies the flush rule. The machine may be locked.
    fn write(&self, add: impl FnOnce(&mut super::outbox::Outbox)) -> Flush {
        let mut outbox = lock(&self.link.outbox);
        if outbox.check_open().is_err() {
            return Flush::Held;
        }
        add(&mut outbox);
        outbox.flush_rule(self.link.turns.any())
    }
}

/// The peer broke the protocol; the connection ends.
fn broken(violation: crate::wire::Violation) -> Error {
    Error::protocol(violation.to_string()).with_kitex_code(violation.kitex_code())
}
