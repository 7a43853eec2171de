use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where a server listens. Prints as what follows the scheme in a client's URL: `127.0.0.1:8888` or `unix:/path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addr(Place);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Addr {
    pub(crate) fn tcp(address: SocketAddr) -> Self {
        Self(Place::Tcp(address))
    }

    pub(crate) fn unix(path: PathBuf) -> Self {
        Self(Place::Unix(path))
    }

    /// The TCP port; none for a unix socket.
    pub fn port(&self) -> Option<u16> {
        match &self.0 {
            Place::Tcp(address) => Some(address.port()),
            Place::Unix(_) => None,
        }
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Tcp(address) => address.fmt(f),
            Place::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}
