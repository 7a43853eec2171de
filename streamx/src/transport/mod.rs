//! The bytes half: sockets, connection tasks, and the protocols on them. Knows no message type.

mod connection;
mod handlers;
mod inbox;
mod link;
mod outbox;
mod recognise;
mod socket;
mod task_waker;
mod ttheader;
mod turns;
mod unary;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use futures::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use connection::Connection;
use link::Link;

pub(crate) use recognise::{Serve, Stop, serve};
pub(crate) use socket::Socket;
pub(crate) use ttheader::Client as StreamClient;
pub(crate) use unary::Client as UnaryClient;

use crate::Limits;
use crate::counters::Meter;
use crate::wire::unary::Framing;

/// Starts a client's connection for streams in a task of its own.
/// The future is ready when the connection has ended.
pub(crate) fn stream_client(
    socket: Socket,
    limits: Arc<Limits>,
    meter: Arc<Meter>,
) -> (StreamClient, impl Future<Output = ()> + use<>) {
    let (reader, link) = link(socket, limits, meter);
    let (client, reading) = StreamClient::new(&link);
    let ended = tokio::spawn(Connection::new(link, reading, reader, BytesMut::new(), Instant::now()));
    (client, ended.map(drop))
}

/// Starts a client's connection for unary calls in a task of its own.
pub(crate) fn unary_client(
    socket: Socket,
    framing: Framing,
    limits: Arc<Limits>,
    meter: Arc<Meter>,
) -> UnaryClient {
    let (reader, link) = link(socket, limits, meter);
    let (client, reading) = UnaryClient::new(&link, framing);
    tokio::spawn(Connection::new(link, reading, reader, BytesMut::new(), Instant::now()));
    client
}

fn link(
    socket: Socket,
    limits: Arc<Limits>,
    meter: Arc<Meter>,
) -> (Box<dyn AsyncRead + Send + Unpin>, Arc<Link>) {
    let (reader, writer): (_, Box<dyn AsyncWrite + Send + Unpin>) = socket.split();
    (reader, Arc::new(Link::new(writer, limits, meter)))
}

/// Locks. A panic while one of our locks is held cannot happen between two states that matter: what is encoded under
/// a lock by the user's types is cut back when it fails, and a poisoned lock would take down every other stream.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
