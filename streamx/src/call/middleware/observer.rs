//! Those who are told what happens to calls, and change nothing.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::{Around, Opening};
use crate::call::{Encode, Exchange, Incoming, Mode, Outgoing};
use crate::{Code, Error, Metadata, Result, Side};

/// Is told what happens to calls, unary ones included, beneath all middlewares: what it hears of is on the wire.
///
/// Each function is called where the thing happens and must be short. All of them do nothing unless they are written.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use streamx::Result;
/// use streamx::middleware::{Observer, Opening};
///
/// #[derive(Default)]
/// struct Sent(AtomicUsize);
///
/// impl Observer for Sent {
///     fn send(&self, _call: &Opening, sent: Result<usize, &streamx::Error>) {
///         self.0.fetch_add(sent.unwrap_or(0), Ordering::Relaxed);
///     }
/// }
/// # let _ = streamx::Channel::builder("ttheader://localhost:1").observer(Sent::default());
/// ```
#[allow(unused_variables, reason = "the names are for those who implement it")]
pub trait Observer: Send + Sync + 'static {
    /// A call begins: a client opens it, or a server starts its handler.
    fn start(&self, call: &Opening) {}

    /// What the server said before its first message has been seen: by a `recv` or a `header` of the client. On a
    /// server it never happens, nor where the call ended without a header.
    fn header(&self, call: &Opening, header: &Metadata) {}

    /// A message was put into the send buffer: its size in bytes, without what the protocol adds. Or it was not, because
    /// the call is over, or the message cannot be encoded or is too large.
    fn send(&self, call: &Opening, sent: Result<usize, &Error>) {}

    /// A message was received: its size in bytes, without what the protocol adds. `None` is the end. A failure ends the
    /// call unless it was a time limit of a stream that is kept open.
    fn recv(&self, call: &Opening, received: Result<Option<usize>, &Error>) {}

    /// The call is over, once for each `start`. A client knows when it has received the end, has given up the call, or has
    /// dropped its handle; a server when the handler has ended or was dropped.
    fn finish(&self, call: &Opening, end: Result<(), &Error>) {}
}

/// The one finish that follows a start.
pub(crate) struct Finish {
    around: Arc<Around>,
    told: bool,
}

impl Finish {
    /// Tells of the start.
    pub(crate) fn start(around: Arc<Around>) -> Self {
        around.tell(|observer, call| observer.start(call));
        Self { around, told: false }
    }

    /// Tells of the end, unless that has happened.
    pub(crate) fn tell(&mut self, end: Result<(), &Error>) {
        if !std::mem::replace(&mut self.told, true) {
            self.around.tell(|observer, call| observer.finish(call, end));
        }
    }
}

/// What ends in no other way was dropped.
impl Drop for Finish {
    fn drop(&mut self) {
        if self.told {
            return;
        }
        let call = &self.around.call;
        let over =
            |context: &crate::Context| context.served().poll_cancelled(&Context::from_waker(Waker::noop()));
        let reason = match call.context().filter(|_| call.side() == Side::Server).map(over) {
            Some(Poll::Ready(reason)) => reason,
            _ => Error::new(Code::Cancelled, "the call was dropped before its end"),
        };
        self.tell(Err(&reason));
    }
}

/// Both directions of a call, with everything told. A client's half that receives knows the finish.
pub(crate) fn observed(exchange: Exchange, around: &Arc<Around>, finish: Option<Finish>) -> Exchange {
    let Exchange { format, incoming, outgoing } = exchange;
    let header_told = around.call.side() == Side::Server;
    let incoming = ObservedIncoming { incoming, around: Arc::clone(around), header_told, finish };
    let outgoing = ObservedOutgoing { outgoing, around: Arc::clone(around) };
    Exchange { format, incoming: Box::new(incoming), outgoing: Box::new(outgoing) }
}

struct ObservedOutgoing {
    outgoing: Box<dyn Outgoing>,
    around: Arc<Around>,
}

impl Outgoing for ObservedOutgoing {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.outgoing.poll_ready(cx)
    }

    fn put(&mut self, encode: Encode<'_>, last: bool) -> Result<()> {
        let mut size = 0;
        let mut measured = |out: &mut bytes::BytesMut| {
            let before = out.len();
            let encoded = encode(out);
            size = out.len().saturating_sub(before);
            encoded
        };
        let put = self.outgoing.put(&mut measured, last);
        let sent = put.as_ref().map(|()| size);
        self.around.tell(|observer, call| observer.send(call, sent));
        put
    }

    fn finish(&mut self) {
        self.outgoing.finish();
    }

    fn reset(&mut self, error: Error) {
        self.outgoing.reset(error);
    }
}

struct ObservedIncoming {
    incoming: Box<dyn Incoming>,
    around: Arc<Around>,
    header_told: bool,
    finish: Option<Finish>,
}

impl ObservedIncoming {
    fn tell_header(&mut self, header: &Metadata) {
        if !std::mem::replace(&mut self.header_told, true) && !header.is_empty() {
            self.around.tell(|observer, call| observer.header(call, header));
        }
    }

    fn tell_finish(&mut self, end: Result<(), &Error>) {
        if let Some(finish) = &mut self.finish {
            finish.tell(end);
        }
    }
}

impl Incoming for ObservedIncoming {
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        let polled = self.incoming.poll_message(cx);
        let Poll::Ready(received) = &polled else { return Poll::Pending };
        // The header comes before what was received, so it is there.
        if !self.header_told
            && let Poll::Ready(Ok(header)) = self.incoming.poll_header(cx)
        {
            self.tell_header(&header);
        }
        let size = received.as_ref().map(|message| message.as_ref().map(Bytes::len));
        self.around.tell(|observer, call| observer.recv(call, size));
        match received {
            Ok(Some(_)) => {}
            Ok(None) => self.tell_finish(Ok(())),
            Err(error) if error.is_retryable() && !self.incoming.is_over() => {}
            Err(error) => self.tell_finish(Err(error)),
        }
        polled
    }

    fn poll_header(&mut self, cx: &mut Context<'_>) -> Poll<Result<Metadata>> {
        let polled = self.incoming.poll_header(cx);
        if let Poll::Ready(Ok(header)) = &polled {
            self.tell_header(header);
        }
        polled
    }

    fn poll_trailer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Metadata>> {
        self.incoming.poll_trailer(cx)
    }

    fn reset(&mut self, error: Error) {
        self.incoming.reset(error);
    }

    fn is_over(&self) -> bool {
        self.incoming.is_over()
    }
}

impl Drop for ObservedIncoming {
    fn drop(&mut self) {
        if self.finish.is_none() {
            return;
        }
        // The outcome is behind the messages that nobody has taken. A handle that was dropped before it has given up the
        // call, so there is an outcome.
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(received) = self.incoming.poll_message(&mut cx) {
            match received {
                Ok(Some(_)) => {}
                Ok(None) => return self.tell_finish(Ok(())),
                Err(error) => return self.tell_finish(Err(&error)),
            }
        }
        // It has no end to receive.
        if self.around.call.mode() == Mode::Oneway {
            self.tell_finish(Ok(()));
        }
    }
}
