//! `interop-server ADDR [NEXT]` serves Interop until its stdin closes. Prints `listening IP:PORT`. With NEXT, the URL of
//! another server, it can stand in the middle of a chain; then it calls itself `streamx-server`.
//! A process of its own, so that a test can kill it.

use std::io::Write;

use streamx::Channel;
use streamx_tests::interop::{Handlers, InteropClient, InteropServer};
use tokio::io::AsyncReadExt;

#[tokio::main]
async fn main() -> streamx::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let addr = arguments.next().ok_or_else(|| streamx::Error::other("usage: interop-server ADDR [NEXT]"))?;
    let handlers = match arguments.next() {
        Some(next) => {
            let next = Channel::builder(next).caller("streamx-server");
            Handlers::before(InteropClient::new(next.connect().await?))
        }
        None => Handlers::new(),
    };
    let server = streamx::Server::builder().add_service(InteropServer::new(handlers)).bind(addr).await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "listening {}", server.local_addr()).map_err(streamx::Error::other)?;
    stdout.flush().map_err(streamx::Error::other)?;
    server
        .serve_with_shutdown(async {
            let mut stdin = tokio::io::stdin();
            while stdin.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {}
        })
        .await
}
