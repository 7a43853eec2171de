//! What a handler knows of the call it serves, beside its messages.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task;
use std::time::Instant;

use bytes::Bytes;

use super::child::{Child, Children};
use super::peer::{Peer, PeerIdentity};
use crate::metadata::Value;
use crate::{Code, Error, Metadata, Result};

/// The call that a handler serves: the optional first argument of any method of a service.
///
/// ```
/// # #[derive(streamx::Message, Clone, Debug, Default)]
/// # struct Request { #[field(1)] message: String }
/// use streamx::{Context, Result};
///
/// #[streamx::service]
/// trait Greeter {
///     async fn greet(&self, ctx: Context, req: Request) -> Result<String>;
/// }
///
/// struct Polite;
///
/// impl Greeter for Polite {
///     async fn greet(&self, ctx: Context, req: Request) -> Result<String> {
///         let user = ctx.persistent("user").unwrap_or("stranger");
///         Ok(format!("{}, {user}", req.message))
///     }
/// }
/// ```
///
/// Cheap to clone, and may outlive the handler.
///
/// # Cancelling
///
/// When its caller is gone a handler is dropped. One whose method takes the context is not, at first: it can await
/// [`cancelled`](Self::cancelled), its `send` and `recv` fail with the reason, and it is dropped after `cancel_grace`
/// of [`Limits`](crate::Limits).
///
/// # Dropping
///
/// Means nothing to the call.
#[derive(Clone)]
pub struct Context(Arc<dyn Served>);

/// A call as its context shows it; the transport's side.
pub(crate) trait Served: Send + Sync {
    fn facts(&self) -> &Facts;
    fn set_header(&self, key: &str, value: Value) -> Result<()>;
    fn set_trailer(&self, key: &str, value: Value) -> Result<()>;
    fn send_header(&self) -> Result<()>;
    fn children(&self) -> &Children;
    fn poll_cancelled(&self, cx: &task::Context<'_>) -> task::Poll<Error>;
}

/// What is known when a call begins.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Empty if the service has none.
    pub(crate) namespace: &'static str,
    pub(crate) service: &'static str,
    pub(crate) method: &'static str,
    pub(crate) protocol: Protocol,
    pub(crate) peer: Peer,
    pub(crate) deadline: Option<Instant>,
    pub(crate) persistent: Metadata,
    pub(crate) transient: Metadata,
    pub(crate) metadata: Metadata,
}

/// The protocol a call came over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// TTHeader Streaming.
    TTHeaderStreaming,
    /// A unary call in a TTHeader message.
    TTHeader,
    /// A unary call in a Framed message.
    Framed,
    /// A unary call in a Buffered message.
    Buffered,
    /// gRPC, whatever the mode.
    Grpc,
}

impl Context {
    pub(crate) fn new(served: Arc<dyn Served>) -> Self {
        Self(served)
    }

    /// The wire name of the service, without its namespace.
    pub fn service(&self) -> &str {
        self.0.facts().service
    }

    /// The namespace of the service; empty if it has none. A server may have several services of one name, which differ
    /// in this.
    pub fn namespace(&self) -> &str {
        self.0.facts().namespace
    }

    /// The wire name of the method.
    pub fn method(&self) -> &str {
        self.0.facts().method
    }

    /// The protocol the call came over.
    pub fn protocol(&self) -> Protocol {
        self.0.facts().protocol
    }

    /// Where the caller's connection comes from; none for unix sockets and calls inside the process.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.0.facts().peer.addr
    }

    /// Who the caller has proved to be with the certificate of its TLS connection. None if the connection has no TLS,
    /// or the server asks its clients for no certificate: that is mutual TLS, of the feature `tls`.
    pub fn peer_identity(&self) -> Option<&PeerIdentity> {
        self.0.facts().peer.identity.as_deref()
    }

    /// When the caller will wait no longer, if it has said so: with [`timeout`](crate::client::Call::timeout) of a streamx
    /// client, the RPC timeout of a unary TTHeader call, or the timeout of a gRPC call. Kitex v0.16.3 says nothing about its
    /// streams over TTHeader Streaming.
    ///
    /// At that moment a unary call is over for its handler as if the caller had cancelled it, with Kitex code 12015; a
    /// stream is ended by its caller. So is every call over gRPC, and half a second later by this side, if the caller was
    /// not heard. Calls made in the handler take over what is left.
    pub fn deadline(&self) -> Option<Instant> {
        self.0.facts().deadline
    }

    /// A value of the metainfo that travels the whole chain of calls (Kitex: `metainfo.WithPersistentValue`).
    pub fn persistent(&self, key: &str) -> Option<&str> {
        self.0.facts().persistent.get(key)
    }

    /// All of it.
    pub fn persistent_iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.facts().persistent.iter()
    }

    /// A value of the metainfo that travels one hop (Kitex: `metainfo.WithValue`).
    pub fn transient(&self, key: &str) -> Option<&str> {
        self.0.facts().transient.get(key)
    }

    /// All of it.
    pub fn transient_iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.facts().transient.iter()
    }

    /// What the client sent besides.
    pub fn metadata(&self) -> &Metadata {
        &self.0.facts().metadata
    }

    /// Adds to what the caller's `header()` returns. Over gRPC the text travels in base64 under a key that ends in `-bin`; see
    /// [`set_header_bin`](Self::set_header_bin) for what is no text. It leaves with the first message, with
    /// [`send_header`](Self::send_header), or before the end. A unary answer has no header apart from itself: there the
    /// pair travels with the answer.
    ///
    /// # Errors
    ///
    /// The header has left, the pair does not fit, the key belongs to the protocol, or the protocol (Framed, Buffered) has no
    /// place for it.
    pub fn set_header(&self, key: &str, value: &str) -> Result<()> {
        check_pair(key, value)?;
        self.0.set_header(key, value.into())
    }

    /// As [`set_header`](Self::set_header), with a value that may be any bytes, which travel over gRPC alone. The key
    /// ends in `-bin`, as gRPC demands it. The caller finds them with [`Metadata::get_bin`].
    ///
    /// # Errors
    ///
    /// As for [`set_header`](Self::set_header); the key ends otherwise; or the call came over another protocol, which has
    /// texts only: send them in base64 there, or as part of a message.
    pub fn set_header_bin(&self, key: &str, value: impl Into<Bytes>) -> Result<()> {
        let value = value.into();
        check_bytes(key, &value)?;
        self.0.set_header(key, Value::Bytes(value))
    }

    /// Adds to what the caller's `trailer()` returns. It leaves when the handler returns.
    ///
    /// # Errors
    ///
    /// As for [`set_header`](Self::set_header).
    pub fn set_trailer(&self, key: &str, value: &str) -> Result<()> {
        check_pair(key, value)?;
        self.0.set_trailer(key, value.into())
    }

    /// As [`set_header_bin`](Self::set_header_bin), in the trailer.
    ///
    /// # Errors
    ///
    /// As for [`set_header_bin`](Self::set_header_bin).
    pub fn set_trailer_bin(&self, key: &str, value: impl Into<Bytes>) -> Result<()> {
        let value = value.into();
        check_bytes(key, &value)?;
        self.0.set_trailer(key, Value::Bytes(value))
    }

    /// Sends the header now, before any message. For a unary call there is nothing to do.
    ///
    /// # Errors
    ///
    /// The header has left already, or the call is over.
    pub async fn send_header(&self) -> Result<()> {
        self.0.send_header()
    }

    /// Waits until the caller is gone, or the handler has returned: the reason, with the code, the side and the path of
    /// the cancel.
    pub async fn cancelled(&self) -> Error {
        poll_fn(|cx| self.0.poll_cancelled(cx)).await
    }

    pub(crate) fn served(&self) -> &dyn Served {
        &*self.0
    }

    pub(crate) fn facts(&self) -> &Facts {
        self.0.facts()
    }

    /// Ends a call with this one.
    pub(crate) fn attach<C: Child + 'static>(&self, child: &Arc<C>) {
        self.0.children().attach(child);
    }

    /// Why the calls that belong to this one are over, if they are.
    pub(crate) fn over(&self) -> Option<Error> {
        self.0.children().over()
    }

    /// The context of the handler that is being polled, if there is one.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Polls a handler as the current one.
    pub(crate) fn enter<T>(this: &mut Option<Self>, poll: impl FnOnce() -> T) -> T {
        let entered = Entered { context: this };
        CURRENT.with_borrow_mut(|current| std::mem::swap(current, entered.context));
        let polled = poll();
        drop(entered);
        polled
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// Puts the former context back, also when the handler panics.
struct Entered<'a> {
    context: &'a mut Option<Context>,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(|current| std::mem::swap(current, self.context));
    }
}

/// How much all pairs that one side sends with a call may take. A header area has 64 KiB, and what the protocol says
/// needs room too.
const MOST: usize = 48 << 10;

/// Whether pairs together can travel.
pub(crate) fn check_size(pairs: &Metadata) -> Result<()> {
    let size = pairs.size();
    if size <= MOST {
        return Ok(());
    }
    let text = format!(
        "the pairs that travel beside the messages take {size} bytes, of {MOST} that fit: send large values as messages"
    );
    Err(Error::new(Code::InvalidArgument, text))
}

/// Adds a pair that a handler has set, unless it does not fit any more.
pub(crate) fn add(pairs: &mut Metadata, key: &str, value: Value) -> Result<()> {
    let mut more = pairs.clone();
    more.set(key, value);
    check_size(&more)?;
    *pairs = more;
    Ok(())
}

/// How long a key or a value may be; the wire counts with two bytes, and the whole header area has no more.
const LONGEST: usize = 32 << 10;

pub(crate) fn check_pair(key: &str, value: &str) -> Result<()> {
    check(key, value.len())
}

/// As [`check_pair`], for bytes.
pub(crate) fn check_bytes(key: &str, value: &[u8]) -> Result<()> {
    if !key.to_ascii_lowercase().ends_with("-bin") {
        return Err(refused(key, "a key whose value is bytes ends in `-bin`, as gRPC demands it"));
    }
    // In base64 every three bytes are four.
    check(key, value.len().saturating_mul(4).div_ceil(3))
}

/// Why bytes cannot leave over another protocol than gRPC: there all values are taken for text.
pub(crate) fn no_bytes(key: &str) -> Error {
    refused(
        key,
        "its value is bytes, which travel over gRPC alone: set a text in its place, as base64, or send it in a message",
    )
}

fn check(key: &str, value: usize) -> Result<()> {
    let why = if key.is_empty() {
        "a key may not be empty"
    } else if key.starts_with("biz-") || ["isn", "ttscp", "crrst"].contains(&key) {
        "the key belongs to the protocol"
    } else if ["RPC_PERSIST_", "RPC_TRANSIT_"].iter().any(|prefix| key.starts_with(prefix)) {
        "the protocol puts that prefix before the keys of metainfo, which are set without it"
    } else if key.len() > LONGEST || value > LONGEST {
        "a key or a value may have at most 32 KiB"
    } else {
        return Ok(());
    };
    Err(refused(key, why))
}

/// As [`check_pair`], for transient metainfo.
pub(crate) fn check_transient(key: &str, value: &str) -> Result<()> {
    if key.starts_with("UPSTREAM_") {
        return Err(refused(
            key,
            "peers take that prefix for what has travelled its hop already, and drop it",
        ));
    }
    check_pair(key, value)
}

fn refused(key: &str, why: &str) -> Error {
    let shown: String = key.chars().take(40).collect();
    Error::new(Code::InvalidArgument, format!("cannot take the pair with the key `{shown}`: {why}"))
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Context").field(self.0.facts()).finish()
    }
}
