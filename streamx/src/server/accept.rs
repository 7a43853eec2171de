//! Listening and accepting.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::sync::Semaphore;

use super::Addr;
use crate::transport::{Serve, Socket, serve};
use crate::{Error, Result};

/// Pauses after an accept that failed, for example because there are no file descriptors left.
const PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What follows the scheme of a URL when the socket is a file.
const UNIX: &str = "unix:";

pub(super) struct Listener {
    socket: Listening,
    address: Addr,
}

enum Listening {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix {
        listener: UnixListener,
        _file: SocketFile,
    },
}

/// The file of a unix socket; goes with it.
struct SocketFile(PathBuf);

impl Listener {
    pub(super) async fn bind(address: &str) -> Result<Self> {
        Self::open(address).await.map_err(|error| {
            Error::transport(format!("cannot listen at {address}: {error}")).with_source(error)
        })
    }

    async fn open(address: &str) -> io::Result<Self> {
        #[cfg(unix)]
        if let Some(path) = address.strip_prefix(UNIX) {
            let socket = UnixListener::bind(path)?;
            let path = PathBuf::from(path);
            return Ok(Self {
                socket: Listening::Unix { listener: socket, _file: SocketFile(path.clone()) },
                address: Addr::unix(path),
            });
        }
        let socket = TcpListener::bind(address).await?;
        let local: SocketAddr = socket.local_addr()?;
        Ok(Self { socket: Listening::Tcp(socket), address: Addr::tcp(local) })
    }

    pub(super) fn address(&self) -> Addr {
        self.address.clone()
    }

    /// Accepts for ever, each connection in a task of its own. An accept that fails is tried again: the server goes
    /// on when descriptors are free again.
    pub(super) async fn accept(&self, all: &Serve) {
        let limit = all.limits.max_connections.min(Semaphore::MAX_PERMITS);
        let room = Arc::new(Semaphore::new(limit));
        let mut pause = PAUSE;
        loop {
            let socket = match self.next().await {
                Ok(socket) => socket,
                Err(error) => {
                    tracing::warn!(%error, ?pause, "cannot accept a connection");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    continue;
                }
            };
            pause = PAUSE;
            let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
                tracing::warn!(limit, "closed a connection at once: there are max_connections already");
                continue;
            };
            let connection = serve(socket, all.clone());
            tokio::spawn(async move {
                connection.await;
                drop(permit);
            });
        }
    }

    async fn next(&self) -> io::Result<Socket> {
        match &self.socket {
            Listening::Tcp(listener) => loop {
                let (stream, _) = listener.accept().await?;
                // Fails when the client is gone already; that is no reason to pause.
                if let Ok(socket) = Socket::tcp(stream) {
                    return Ok(socket);
                }
            },
            #[cfg(unix)]
            Listening::Unix { listener, .. } => {
                listener.accept().await.map(|(stream, _)| Socket::Unix(stream))
            }
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // It may have been removed by others; a file that stays would only make the next bind fail, and say so.
        let _gone = std::fs::remove_file(&self.0);
    }
}
