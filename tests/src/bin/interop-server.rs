//! `interop-server ADDR` serves Interop until its stdin closes. Prints `listening IP:PORT`.
//! A process of its own, so that a test can kill it.

use std::io::Write;

use streamx_tests::interop::{Handlers, InteropServer};
use tokio::io::AsyncReadExt;

#[tokio::main]
async fn main() -> streamx::Result<()> {
    let addr = std::env::args().nth(1).ok_or_else(|| streamx::Error::other("usage: interop-server ADDR"))?;
    let server =
        streamx::Server::builder().add_service(InteropServer::new(Handlers::new())).bind(addr).await?;
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
