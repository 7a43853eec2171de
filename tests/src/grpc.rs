//! The interop tests of gRPC: the service that every implementation of gRPC serves for them, the cases that every client
//! runs, and the programs of other makes that do so too.

use streamx::Server;
use streamx::server::Addr;
use tokio::task::JoinHandle;

use crate::authority::{Authority, Files};

pub mod cases;
pub mod go;
pub mod handlers;
pub mod orca;
pub mod python;
pub mod test_service;

pub use handlers::Handlers;

use cases::Target;
use orca::OpenRcaServiceServer;
use test_service::TestServiceServer;

/// A server of streamx, and what its clients need.
#[derive(Debug)]
pub struct Serving {
    addr: Addr,
    authority: Option<Authority>,
    task: JoinHandle<streamx::Result<()>>,
}

impl Serving {
    /// Serves `TestService` on a free port of this machine.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// The same, with TLS.
    pub async fn start_over_tls() -> Self {
        Self::start_with(Some(Authority::new())).await
    }

    async fn start_with(authority: Option<Authority>) -> Self {
        let handlers = Handlers::default();
        let server = Server::builder().add_service(TestServiceServer::new(handlers.clone()));
        let mut server = server.add_service(OpenRcaServiceServer::new(handlers));
        if let Some(authority) = &authority {
            server = server.tls(authority.server());
        }
        let server = server.bind("127.0.0.1:0").await.expect("a free port");
        Self { addr: server.local_addr(), authority, task: tokio::spawn(server.serve()) }
    }

    pub fn port(&self) -> u16 {
        self.addr.port().expect("a port")
    }

    /// `IP:PORT`.
    pub fn addr(&self) -> String {
        self.addr.to_string()
    }

    /// Whom its clients trust, in PEM, over TLS.
    pub fn roots(&self) -> Option<String> {
        self.authority.as_ref().map(Authority::pem)
    }

    /// For clients of other makes over TLS.
    pub fn files(&self) -> Option<Files> {
        self.authority.as_ref().map(Authority::files)
    }

    /// For a client of streamx; the scheme is the one without TLS.
    pub fn target(self, scheme: &str) -> Target<Self> {
        let tls = self.authority.as_ref().map(Authority::client);
        let secured = if tls.is_some() { "+tls" } else { "" };
        Target { url: format!("{scheme}{secured}://{}", self.addr), tls, compression: None, server: self }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}
