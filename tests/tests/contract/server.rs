//! Section 3: a server.

use super::messages::*;
use super::service::*;
use streamx::{Bidi, Context, Result, Sender, Streaming};

#[derive(Clone)]
pub struct Echo;

impl TestService for Echo {
    async fn ping_pong(&self, req: Request) -> Result<Response> {
        Ok(Response { message: req.message })
    }

    async fn echo(&self, mut stream: Bidi<Request, Response>) -> Result<()> {
        while let Some(req) = stream.recv().await? {
            stream.send(Response { message: req.message }).await?;
        }
        Ok(())
    }

    async fn echo_client(&self, mut stream: Streaming<Request>) -> Result<Response> {
        let mut last = Response::default();
        while let Some(req) = stream.recv().await? {
            last.message = req.message;
        }
        Ok(last)                                   // SendAndClose: returning is answering
    }

    async fn echo_server(&self, req: Request, mut stream: Sender<Response>) -> Result<()> {
        let res = Response { message: req.message };
        for _ in 0..3 {
            stream.send(&res).await?;              // by value or by reference
        }
        Ok(())
    }

    async fn watch(&self, ctx: Context, req: Request, mut stream: Sender<Response>) -> Result<()> {
        let user = ctx.persistent("user");         // metainfo from the caller, Option<&str>
        ctx.set_header("h1", "v1")?;               // leaves with the first message, or send_header().await
        ctx.set_trailer("t1", "v1")?;              // leaves when the handler returns
        tokio::select! {
            reason = ctx.cancelled() => return Err(reason),   // the caller is gone: code, side, cancel path
            sent = stream.send(Response { message: format!("{user:?} {}", req.message) }) => sent?,
        }
        Err(streamx::Error::biz(10001, "insufficient user balance").with_extra("testKey", "testVal"))
    }

    async fn get(&self, req: Request) -> Result<Response, NotFound> {
        Err(NotFound { key: req.message })
    }

    async fn notify(&self, req: Request) {
        println!("{}", req.message);
    }
}

#[tokio::main]
async fn main() -> streamx::Result<()> {
    // One port: TTHeader Streaming, gRPC (Thrift and protobuf payloads), TTHeader/Framed/Buffered Thrift.
    streamx::Server::builder()
        .add_service(TestServiceServer::new(Echo))
        .serve("127.0.0.1:8888")
        .await
}

/// Runs the program until the process ends.
pub fn run() -> streamx::Result<()> {
    main()
}
