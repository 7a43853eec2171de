//! What connections have done and hold: the numbers that prove batching and the absence of leaks.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What the connections of a server or a channel have done so far, and what they hold at this moment.
        ///
        /// A snapshot, from [`Channel::counters`](crate::Channel::counters) or
        /// [`BoundServer::counters`](crate::server::BoundServer::counters); take another one to see what has changed.
        /// The numbers of one snapshot are read one after another, while connections go on.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)*
        }

        /// The live counters behind [`Counters`]; shared by all connections of one server or channel.
        #[derive(Debug, Default)]
        pub(crate) struct Meter {
            $(pub(crate) $name: Count,)*
        }

        impl Meter {
            pub(crate) fn snapshot(&self) -> Counters {
                Counters { $($name: self.$name.get(),)* }
            }
        }
    };
}

counters! {
    /// Frames (or unary messages; over gRPC messages, headers and trailers) received.
    frames_received,
    /// Frames (or unary messages; over gRPC messages, headers and trailers) written.
    frames_sent,
    /// Reads from sockets that brought bytes.
    reads,
    /// Writes to sockets that took bytes.
    writes,
    /// Connections made or accepted so far.
    connections_opened,
    /// Connections alive.
    connections,
    /// Streams and unary calls begun so far.
    streams_opened,
    /// Streams and unary calls alive.
    streams,
    /// Handlers alive; a handler may outlive its stream for a moment.
    handlers,
    /// Bytes received that no reader has taken yet.
    queued_bytes,
    /// How often a connection with a single stream was left unread because its reader was behind.
    receive_pauses,
    /// How often a sender waited because the reader at the streamx peer was behind.
    send_pauses,
    /// Streams ended because their reader was too far behind, and unary calls refused because handlers were.
    receive_overflows,
}

/// One number that many tasks change.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    /// Returns what it was before.
    pub(crate) fn add(&self, n: usize) -> u64 {
        self.0.fetch_add(n as u64, Relaxed)
    }

    pub(crate) fn sub(&self, n: usize) {
        self.0.fetch_sub(n as u64, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
