//! Every bound on what a peer can make us hold or wait for, in one place.

use std::time::Duration;

/// The bounds of a server or a channel. Builder style:
///
/// ```
/// let limits = streamx::Limits::default().max_message_size(8 << 20).max_streams(256);
/// # let _ = limits;
/// ```
///
/// Sizes are bytes; a message is counted as it is encoded. Each side has its own limits, and neither tells the other,
/// except for `stream_receive_window`.
/// When a stream or a connection ends for a limit, the text of the error names it. The defaults suit a service inside a
/// data centre; where they differ from gRPC's or Kitex's the method says why.
#[derive(Clone, Debug)]
pub struct Limits {
    pub(crate) max_message_size: usize,
    pub(crate) max_header_size: usize,
    pub(crate) max_streams: usize,
    pub(crate) max_connections: usize,
    pub(crate) first_frame_timeout: Duration,
    pub(crate) frame_timeout: Duration,
    pub(crate) stream_receive_window: usize,
    pub(crate) stream_receive_buffer: usize,
    pub(crate) connection_receive_buffer: usize,
    pub(crate) server_receive_buffer: usize,
    pub(crate) lone_stream_receive_buffer: usize,
    pub(crate) lone_stream_pause: Duration,
    pub(crate) stream_send_buffer: usize,
    pub(crate) connection_send_buffer: usize,
    pub(crate) write_stall_timeout: Duration,
    pub(crate) send_stall_timeout: Duration,
    pub(crate) unanswered_resets_per_second: usize,
    #[cfg(feature = "grpc")]
    pub(crate) min_ping_interval: Duration,
    pub(crate) cancel_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_size: 16 << 20,
            max_header_size: 64 << 10,
            max_streams: 1024,
            max_connections: 10_000,
            first_frame_timeout: Duration::from_secs(10),
            frame_timeout: Duration::from_secs(60),
            stream_receive_window: 256 << 10,
            stream_receive_buffer: 16 << 20,
            connection_receive_buffer: 64 << 20,
            server_receive_buffer: 512 << 20,
            lone_stream_receive_buffer: 1 << 20,
            lone_stream_pause: Duration::from_secs(1),
            stream_send_buffer: 256 << 10,
            connection_send_buffer: 4 << 20,
            write_stall_timeout: Duration::from_secs(30),
            send_stall_timeout: Duration::from_secs(30),
            unanswered_resets_per_second: 1000,
            #[cfg(feature = "grpc")]
            min_ping_interval: Duration::from_secs(5 * 60),
            cancel_grace: Duration::from_secs(5),
        }
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {
        impl Limits {
            $($(#[$doc])* #[must_use] pub fn $name(mut self, $name: $type) -> Self { self.$name = $name; self })*
        }
    };
}

setters! {
    /// The largest message that is sent or received. Default 16 MiB, in every protocol; Kitex has no such limit
    /// and gRPC's usual one is 4 MiB. A larger one that arrives ends its stream, or the connection of a unary call; a
    /// larger one is not sent, `send` fails, and the stream goes on.
    max_message_size: usize;
    /// The largest header area of one TTHeader frame, and the largest header list of gRPC. Default 64 KiB; TTHeader allows
    /// 262,140 bytes, Kitex before v0.15.4 reads at most 65,536. A larger area closes the connection. A larger list of gRPC
    /// ends its call alone: a server answers it with the HTTP status 431, at a client the call fails; one of more than
    /// four times the limit closes the connection.
    max_header_size: usize;
    /// How many streams (or unary calls) one connection may carry at once, until they are answered or given up.
    /// Default 1,024; Kitex and tonic have no limit. A server refuses what is above it; a client opens a further
    /// connection before it gets there. As many handlers whose callers are gone may use their
    /// [`cancel_grace`](Self::cancel_grace), and further ones are dropped at once; when twice as many will not end, a
    /// server refuses calls until some have.
    max_streams: usize;
    /// How many connections a server holds. Default 10,000; further ones are accepted and closed.
    max_connections: usize;
    /// How long a new connection may take for its TLS handshake if the server serves TLS, to show which protocol it
    /// speaks, and to complete its first frame, all together, before it is closed. Default 10 s.
    first_frame_timeout: Duration;
    /// How long a frame that has begun may take to arrive without any progress, before the connection is closed.
    /// Default 60 s.
    frame_timeout: Duration;
    /// How many bytes a streamx peer may send on a stream before the reader has taken some: then its `send` waits.
    /// Default 256 KiB; a message that begins within it passes whole, and each costs 32 bytes more than it has. Streams
    /// above 64 on one connection get less: a fourth of `connection_receive_buffer` by their number. 0 turns this flow
    /// control off. TTHeader Streaming has none of its own, so for a Kitex peer, which ignores it, the limits
    /// below are all there is. Over gRPC this is the window of a stream, which every peer respects, and
    /// `connection_receive_buffer` that of the connection; with 0 it is `stream_receive_buffer`.
    stream_receive_window: usize;
    /// How many bytes a stream may queue for a reader that is behind, on a connection that has carried two streams
    /// at once. Default 16 MiB. The alternative is to end the stream: both sides get an error that names this limit.
    stream_receive_buffer: usize;
    /// How many bytes all streams of one connection may queue together. Default 64 MiB. Beyond it the stream that
    /// is furthest behind ends; of unary calls, the next one is refused.
    connection_receive_buffer: usize;
    /// How many bytes all connections of a server, or of a channel, may queue together. Default 512 MiB. Beyond it the
    /// stream ends that is furthest behind on the connection that receives; of unary calls, the next one is refused.
    server_receive_buffer: usize;
    /// How many bytes the only stream of a connection may queue before its socket is left unread, so that the
    /// sender has to wait. Default 1 MiB.
    lone_stream_receive_buffer: usize;
    /// How long the socket of such a stream is left unread at most before one more buffer is read, to see a reset,
    /// an end or a second stream. Default 1 s.
    lone_stream_pause: Duration;
    /// How many bytes one stream may have in the send buffer of its connection before `send` waits. Default 256 KiB.
    /// A message may be sent while any room is left, so one message larger than this passes.
    stream_send_buffer: usize;
    /// How many bytes all streams of one connection may have in its send buffer before `send` waits. Default 4 MiB.
    connection_send_buffer: usize;
    /// How long a peer may take to accept any byte before the connection is given up. Default 30 s.
    write_stall_timeout: Duration;
    /// How long `send` waits for a peer whose reader takes nothing (see
    /// [`stream_receive_window`](Self::stream_receive_window)) before it fails with an `is_timeout()` error: over gRPC
    /// for every peer, over TTHeader Streaming for one of streamx. Default 30 s. The message was not sent, and the stream
    /// goes on. Over gRPC, what a handler has sent before it returned is given up too, with its stream, when the client
    /// takes nothing of it for once to twice as long.
    send_stall_timeout: Duration;
    /// How many streams or unary calls a client may give up before they were answered, each second, before a server
    /// closes the connection. Default 1,000: a client that cancels most of its calls is legitimate, a flood is not.
    unanswered_resets_per_second: usize;
    /// How often a gRPC client may ask a server whether it is there (PING of HTTP/2), and every 2 h without a call. Default
    /// 5 min, as grpc-go; zero lifts it. Pings after something was sent do not count, and two that come too early are
    /// forgiven; then the server closes the connection (GOAWAY, ENHANCE_YOUR_CALM).
    #[cfg(feature = "grpc")]
    min_ping_interval: Duration;
    /// How long a handler that takes the context of its call goes on after its caller is gone, before it is dropped.
    /// Default 5 s. Other handlers are dropped at once, and so are those of a connection on which
    /// [`max_streams`](Self::max_streams) are on their way out already.
    cancel_grace: Duration;
}
