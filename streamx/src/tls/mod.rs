//! TLS and mutual TLS, of version 1.2 and 1.3, by [rustls]. Feature `tls`.
//!
//! A server has an [`Identity`], its certificate and key, and serves TLS; a client has [`Roots`], the certificates it
//! trusts, and a URL that begins with `ttheader+tls://` or `framed+tls://`:
//!
//! ```no_run
//! # #[derive(streamx::Message, Clone, Debug, Default)]
//! # struct Line { #[field(1)] text: String }
//! # #[streamx::service]
//! # trait Echo { async fn echo(&self, line: Line) -> streamx::Result<Line>; }
//! # struct Parrot;
//! # impl Echo for Parrot { async fn echo(&self, line: Line) -> streamx::Result<Line> { Ok(line) } }
//! # #[tokio::main]
//! # async fn main() -> streamx::Result<()> {
//! use streamx::{Channel, Server, tls};
//!
//! let identity = tls::Identity::from_files("server.pem", "server.key")?;
//! let server = Server::builder().add_service(EchoServer::new(Parrot)).tls(tls::Server::new(identity)?);
//! tokio::spawn(server.serve("0.0.0.0:8888"));
//!
//! let trusted = tls::Client::new(tls::Roots::from_file("ca.pem")?)?;
//! let channel = Channel::builder("ttheader+tls://echo.internal:8888").tls(trusted).connect().await?;
//! # let _ = channel;
//! # Ok(())
//! # }
//! ```
//!
//! With [`Server::mutual`] and [`Client::mutual`] clients have certificates too, and handlers see whose in
//! [`Context::peer_identity`](crate::Context::peer_identity). A [`Replaceable`] takes new certificates while it is in use.
//! What is not here, rustls has: both [`Server`] and [`Client`] are made from its configurations too.
//!
//! The page [`tls`](crate::guide::tls) of the guide says more.

mod client;
mod pem;
mod replaceable;
mod server;

pub use client::Client;
pub use pem::{Identity, Roots};
pub use replaceable::Replaceable;
pub use server::Server;
/// The crate whose types [`Server`] and [`Client`] can be made from, in the version that is needed.
pub use tokio_rustls::rustls;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};

use crate::{Code, Error};

/// The cryptography of the configurations that are made here. Never that of the process, which is the program's to choose.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The names of the protocols that a server speaks and that have one in the handshake (ALPN). TTHeader, Framed and Buffered
/// have none: a connection without such a name is recognised by its first bytes, as one without TLS is.
fn protocols() -> Vec<Vec<u8>> {
    if cfg!(feature = "grpc") { vec![b"h2".to_vec()] } else { Vec::new() }
}

/// A configuration that cannot be.
fn unfit(what: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Code::InvalidArgument, format!("{what}: {error}")).with_source(error)
}
