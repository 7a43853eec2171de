//! The kinds of sockets a connection runs on.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use crate::call::peer::Peer;

/// After so long without a byte TCP asks whether the peer is there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(10);
/// And asks again after so long.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(5);
const KEEPALIVE_TRIES: u32 = 2;
/// Sent bytes that are not acknowledged for so long break the connection. Above the write stall limit, because a peer
/// that is alive and does not read runs into this too.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(35);

/// How many bytes an in-process connection holds in each direction.
const MEMORY: usize = 64 << 10;

/// A connected socket.
pub(crate) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    Memory(DuplexStream),
    /// Whatever else moves bytes: TLS over one of the others, or what a test has in place of a network.
    Made(Box<dyn AsyncRead + Send + Unpin>, Box<dyn AsyncWrite + Send + Unpin>, Peer),
}

impl Socket {
    /// A TCP connection with the options every connection of ours has.
    pub(crate) fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let keepalive = socket2::TcpKeepalive::new().with_time(KEEPALIVE_AFTER);
        let keepalive = keepalive.with_interval(KEEPALIVE_EVERY).with_retries(KEEPALIVE_TRIES);
        let socket = socket2::SockRef::from(&stream);
        socket.set_tcp_keepalive(&keepalive)?;
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
        Ok(Self::Tcp(stream))
    }

    /// Two connected ends inside this process.
    pub(crate) fn pair() -> (Self, Self) {
        let (a, b) = tokio::io::duplex(MEMORY);
        (Self::Memory(a), Self::Memory(b))
    }

    /// Who and where the other end is, as far as that can be said.
    pub(crate) fn peer(&self) -> Peer {
        match self {
            Self::Tcp(stream) => Peer { addr: stream.peer_addr().ok(), identity: None },
            Self::Made(_, _, peer) => peer.clone(),
            _ => Peer::default(),
        }
    }

    pub(crate) fn split(self) -> (Box<dyn AsyncRead + Send + Unpin>, Box<dyn AsyncWrite + Send + Unpin>) {
        match self {
            Self::Tcp(stream) => {
                let (reader, writer) = stream.into_split();
                (Box::new(reader), Box::new(writer))
            }
            #[cfg(unix)]
            Self::Unix(stream) => {
                let (reader, writer) = stream.into_split();
                (Box::new(reader), Box::new(writer))
            }
            Self::Memory(stream) => {
                let (reader, writer) = tokio::io::split(stream);
                (Box::new(reader), Box::new(writer))
            }
            Self::Made(reader, writer, _) => (reader, writer),
        }
    }
}
