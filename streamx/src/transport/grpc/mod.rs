//! gRPC over HTTP/2, on the crate `h2`.
//!
//! Everything that has to do with HTTP/2 happens in the connection task (`task.rs`), which alone holds the handles of
//! `h2`. A handle of ours puts its messages into the stream it shares with that task (`stream.rs`) and rings; the task
//! gives them to `h2` as far as the peer's windows allow, many in one DATA frame, and writes what comes out at once
//! (`cork.rs`). What arrives goes into the inbox of the stream, and the peer may send more when its reader has taken it.

mod client;
mod compression;
mod context;
mod cork;
mod failure;
mod headers;
mod keepalive;
mod receiving;
mod sending;
mod server;
mod serving;
mod slot;
mod stream;
mod task;
#[cfg(test)]
mod tests;
mod trailers;

pub(crate) use client::Client;
#[cfg_attr(
    not(any(feature = "gzip", feature = "zstd")),
    allow(unused_imports, reason = "nothing can be chosen")
)]
pub use compression::Compression;
pub(crate) use headers::Target;

use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::AsyncRead;
use tokio::time::Instant;

use self::cork::Cork;
use self::keepalive::{Age, Pings};
use self::stream::Peer;
use self::task::Task;
use super::link::Link;
use crate::Limits;
use crate::call::router::Router;

/// What is set on a server for its gRPC connections alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerSettings {
    /// How answers are compressed for clients that take it.
    pub(crate) compression: Option<Compression>,
    pub(crate) pings: Pings,
    pub(crate) age: Age,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self { compression: None, pings: Pings::SERVER, age: Age::ANY }
    }
}

/// What is set on a channel for its gRPC connections alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientSettings {
    /// How requests are compressed.
    pub(crate) compression: Option<Compression>,
    pub(crate) pings: Pings,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self { compression: None, pings: Pings::CLIENT }
    }
}

/// A server's connection that exists since `born`, and whose first bytes are `first`.
pub(super) fn server(
    link: &Arc<Link>,
    router: Arc<Router>,
    settings: ServerSettings,
    reader: Box<dyn AsyncRead + Send + Unpin>,
    first: BytesMut,
    born: Instant,
) -> Task<server::Server> {
    let peer = Peer::new(Arc::clone(link), false);
    let cork = Cork::new(reader, first, Arc::clone(&peer));
    let role = server::Server::new(Arc::clone(&peer), router, settings, cork);
    Task::new(peer, role, born, settings.pings, settings.age)
}

/// A client's connection: the handle of the channel, and the task.
pub(super) fn client(
    link: &Arc<Link>,
    target: Target,
    caller: Arc<str>,
    reader: Box<dyn AsyncRead + Send + Unpin>,
) -> (Client, Task<client::Calls>) {
    let peer = Peer::new(Arc::clone(link), true);
    let cork = Cork::new(reader, BytesMut::new(), Arc::clone(&peer));
    let pings = target.settings.pings;
    let (client, role) = Client::new(Arc::clone(&peer), target, caller, cork);
    (client, Task::new(peer, role, Instant::now(), pings, Age::ANY))
}

/// The windows of HTTP/2: what a peer may send on one stream, and on the connection, before somebody has read it.
struct Windows {
    stream: u32,
    connection: u32,
    /// How much small DATA frames may cost before `h2` takes their sender for an attacker. As a peer that keeps to its
    /// windows can send frames of any size, it must be more than they can hold: 16 times as much is enough for messages of
    /// 15 bytes and more.
    budget: usize,
}

/// The largest window of HTTP/2.
const LARGEST_WINDOW: u32 = (1 << 31) - 1;

impl Windows {
    fn of(limits: &Limits) -> Self {
        let window = |bytes| u32::try_from(bytes).unwrap_or(LARGEST_WINDOW).clamp(1, LARGEST_WINDOW);
        // Without flow control of our own that of HTTP/2 is there still.
        let stream = match limits.stream_receive_window {
            0 => limits.stream_receive_buffer,
            bytes => bytes,
        };
        let connection = window(limits.connection_receive_buffer.max(stream));
        let budget = usize::try_from(connection).unwrap_or(usize::MAX).saturating_mul(16);
        Self { stream: window(stream), connection, budget }
    }
}
