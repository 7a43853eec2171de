//! How a socket becomes a secure one, before anything is said on it. The module `tls` knows; without its feature nobody
//! does.

use std::{fmt, io};

use futures::future::BoxFuture;

use super::Socket;
use crate::Result;

/// The server's side of a handshake.
pub(crate) trait Accept: fmt::Debug + Send + Sync {
    /// `None` when the client has closed the connection without a word.
    fn accept(&self, socket: Socket) -> BoxFuture<'static, Result<Option<Socket>>>;
}

/// The client's side of a handshake.
pub(crate) trait Connect: fmt::Debug + Send + Sync {
    /// Whether the server of this URL, whose host is given if it has one, can be told from others.
    fn check(&self, host: Option<&str>) -> Result<()>;

    /// `protocol` is the name under which the handshake offers what is to be spoken, if it has one (ALPN). An error of the
    /// kind `InvalidData` means that another try ends alike.
    fn connect(
        &self,
        socket: Socket,
        host: Option<&str>,
        protocol: Option<&str>,
    ) -> BoxFuture<'static, io::Result<Socket>>;
}
