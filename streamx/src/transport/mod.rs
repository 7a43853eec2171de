//! The bytes half: sockets, connection tasks, and the protocols on them. Knows no message type.

mod connection;
mod failure;
#[cfg(feature = "grpc")]
mod grpc;
mod handlers;
mod inbox;
mod link;
mod metainfo;
mod outbox;
mod overdue;
mod recognise;
mod resets;
mod secure;
mod socket;
mod task_waker;
mod ttheader;
mod turns;
mod unary;
mod writer;

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::BytesMut;
use futures::FutureExt;
use tokio::io::AsyncRead;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use connection::{Connection, Protocol};
use link::Link;

#[cfg(feature = "grpc")]
pub use grpc::Compression;
#[cfg(feature = "grpc")]
pub(crate) use grpc::{
    Client as GrpcClient, ClientSettings as GrpcSettings, ServerSettings as GrpcServerSettings,
    Target as GrpcTarget,
};
#[cfg(feature = "tls")]
pub(crate) use recognise::linger;
pub(crate) use recognise::{Serve, Stop, serve};
pub(crate) use secure::{Accept, Connect};
pub(crate) use socket::Socket;
pub(crate) use ttheader::Client as StreamClient;
pub(crate) use unary::Client as UnaryClient;

use crate::call::Encode;
use crate::counters::Meter;
use crate::wire::unary::Framing;
use crate::{Error, Limits, Result};

/// What every connection of a channel needs.
pub(crate) struct Calling {
    pub(crate) limits: Arc<Limits>,
    pub(crate) meter: Arc<Meter>,
    /// What servers see of this side.
    pub(crate) caller: Arc<str>,
    /// Whether a server is told by a reset that a stream is given up.
    pub(crate) resets: bool,
    /// Held until the connection has ended.
    pub(crate) alive: watch::Receiver<()>,
}

/// Ends a client's connection, and does not keep it open.
pub(crate) struct Cutter(Weak<Link>);

impl Cutter {
    /// Whether nothing is left of the connection.
    pub(crate) fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }

    /// Ends every call with this error, tells the server, and then ends the connection.
    pub(crate) fn cut(&self, error: Error) {
        if let Some(link) = self.0.upgrade() {
            link.cut(error);
        }
    }

    /// Ends the connection whether or not the server has been told.
    pub(crate) fn close(&self, error: Error) {
        if let Some(link) = self.0.upgrade() {
            link.close(error);
        }
    }
}

/// Starts a client's connection for streams in a task of its own.
/// The future is ready when the connection has ended, and says whether it was lost although it has carried a stream.
pub(crate) fn stream_client(
    socket: Socket,
    calling: Calling,
) -> (StreamClient, Cutter, impl Future<Output = bool> + use<>) {
    let Calling { limits, meter, caller, resets, alive } = calling;
    let (reader, link) = link(socket, limits, meter);
    let (client, reading) = StreamClient::new(&link, caller, resets);
    let was_lost = client.was_lost();
    let ended = start(&link, reading, reader, alive);
    (client, Cutter(Arc::downgrade(&link)), ended.map(move |_| was_lost()))
}

/// Starts a client's connection for unary calls in a task of its own.
pub(crate) fn unary_client(socket: Socket, framing: Framing, calling: Calling) -> (UnaryClient, Cutter) {
    let Calling { limits, meter, caller, alive, .. } = calling;
    let (reader, link) = link(socket, limits, meter);
    let (client, reading) = UnaryClient::new(&link, framing, caller);
    let _runs_by_itself = start(&link, reading, reader, alive);
    (client, Cutter(Arc::downgrade(&link)))
}

/// Starts a client's gRPC connection in a task of its own. The future is as that of [`stream_client`].
#[cfg(feature = "grpc")]
pub(crate) fn grpc_client(
    socket: Socket,
    target: GrpcTarget,
    calling: Calling,
) -> (GrpcClient, Cutter, impl Future<Output = bool> + use<>) {
    let Calling { limits, meter, caller, alive, .. } = calling;
    let (reader, link) = link(socket, limits, meter);
    let (client, task) = grpc::client(&link, target, caller, reader);
    let was_lost = client.was_lost();
    let ended = tokio::spawn(task.map(move |()| drop(alive)));
    (client, Cutter(Arc::downgrade(&link)), ended.map(move |_| was_lost()))
}

fn start(
    link: &Arc<Link>,
    protocol: impl Protocol,
    reader: Box<dyn AsyncRead + Send + Unpin>,
    alive: watch::Receiver<()>,
) -> JoinHandle<()> {
    let connection = Connection::new(Arc::clone(link), protocol, reader, BytesMut::new(), Instant::now());
    tokio::spawn(connection.map(move |()| drop(alive)))
}

fn link(
    socket: Socket,
    limits: Arc<Limits>,
    meter: Arc<Meter>,
) -> (Box<dyn AsyncRead + Send + Unpin>, Arc<Link>) {
    let peer = socket.peer();
    let (reader, writer) = socket.split();
    (reader, Arc::new(Link::new(writer, peer, limits, meter)))
}

/// Encodes one message to the end of the send buffer. When that fails, panics, or gives more than `limit` bytes, the
/// buffer is cut back to `mark`, where the frame began: what other streams have put there must leave whole.
fn encode_into(out: &mut BytesMut, mark: usize, encode: Encode<'_>, limit: usize) -> Result<usize> {
    let start = out.len();
    let encoded = catch_unwind(AssertUnwindSafe(|| encode(out)));
    let checked = match encoded {
        Ok(encoded) => encoded.and_then(|()| check_size(out.len() - start, limit)),
        Err(panic) => {
            out.truncate(mark);
            resume_unwind(panic);
        }
    };
    checked.inspect_err(|_| out.truncate(mark))
}

fn check_size(size: usize, limit: usize) -> Result<usize> {
    if size <= limit { Ok(size) } else { Err(too_large(size, limit)) }
}

#[cold]
fn too_large(size: usize, limit: usize) -> Error {
    Error::limit(format!(
        "the message has {size} bytes; at most {limit} may be sent (limit max_message_size)"
    ))
}

/// Locks. A panic while one of our locks is held cannot happen between two states that matter: what is encoded under
/// a lock by the user's types is cut back when it fails, and a poisoned lock would take down every other stream.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
