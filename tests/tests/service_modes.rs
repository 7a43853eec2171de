//! A service in every mode, as a user writes it.

#![allow(clippy::exhaustive_structs, reason = "messages are written as in the documentation")]

#[allow(unused_imports, reason = "with them in scope the methods below are still this crate's")]
use futures::{SinkExt, StreamExt};
use streamx::{Bidi, Message, Result, Sender, Streaming};

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Request {
    #[field(1)]
    pub message: String,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Response {
    #[field(1)]
    pub message: String,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(exception)]
pub struct NotFound {
    #[field(1)]
    pub key: String,
}

/// Echo in every streaming mode.
#[streamx::service(namespace = "echo")]
pub trait TestService {
    /// A normal method.
    async fn ping_pong(&self, req: Request) -> Result<Response>;

    #[bidi]
    async fn echo(&self, stream: Bidi<Request, Response>) -> Result<()>;

    #[client_stream]
    async fn echo_client(&self, stream: Streaming<Request>) -> Result<Response>;

    #[server_stream]
    async fn echo_server(&self, req: Request, stream: Sender<Response>) -> Result<()>;

    async fn get(&self, req: Request) -> Result<Response, NotFound>;

    async fn add(&self, a: i64, b: i64) -> Result<i64>;

    #[oneway]
    async fn notify(&self, req: Request);
}

#[derive(Clone)]
struct Echo;

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
        Ok(last)
    }

    async fn echo_server(&self, req: Request, mut stream: Sender<Response>) -> Result<()> {
        let res = Response { message: req.message };
        for _ in 0..3 {
            stream.send(&res).await?;
        }
        Ok(())
    }

    async fn get(&self, req: Request) -> Result<Response, NotFound> {
        Err(NotFound { key: req.message })
    }

    async fn add(&self, a: i64, b: i64) -> Result<i64> {
        Ok(a + b)
    }

    async fn notify(&self, req: Request) {
        let _ = req;
    }
}

#[tokio::test]
async fn every_mode_answers() -> Result<()> {
    let client = TestServiceClient::in_process(Echo);
    let req = Request { message: "hello".into() };

    let res: Response = client.ping_pong(req.clone()).await?;
    assert_eq!(res.message, "hello");
    assert_eq!(client.add(2, 3).await?, 5);
    let error = client.get(req.clone()).await.unwrap_err();
    assert_eq!(error.exception::<NotFound>(), Some(&NotFound { key: "hello".into() }));
    client.notify(req.clone()).await?;

    let mut stream = client.echo_client().await?;
    for _ in 0..3 {
        stream.send(&req).await?;
    }
    assert_eq!(stream.close_and_recv().await?.message, "hello");

    let mut stream = client.echo_server(req.clone()).await?;
    let mut count = 0;
    while let Some(res) = stream.recv().await? {
        assert_eq!(res.message, "hello");
        count += 1;
    }
    assert_eq!(count, 3);

    let (mut tx, mut rx) = client.echo().await?.split();
    let send = async move {
        for _ in 0..3 {
            tx.send(&req).await?;
        }
        tx.close_send().await
    };
    let recv = async move {
        let mut count = 0;
        while let Some(res) = rx.recv().await? {
            assert_eq!(res.message, "hello");
            count += 1;
        }
        Result::Ok(count)
    };
    let ((), count) = futures::try_join!(send, recv)?;
    assert_eq!(count, 3);
    Ok(())
}

#[test]
fn the_schema_is_in_the_binary() {
    let idl = TestServiceServer::<Echo>::thrift_idl();
    let service = r#"// Echo in every streaming mode.
service TestService {
    // A normal method.
    Response PingPong(1: Request req)
    Response Echo(1: Request request) (streaming.mode = "bidirectional")
    Response EchoClient(1: Request request) (streaming.mode = "client")
    Response EchoServer(1: Request request) (streaming.mode = "server")
    Response Get(1: Request req) throws (1: NotFound not_found)
    i64 Add(1: i64 a, 2: i64 b)
    oneway void Notify(1: Request req)
}
"#;
    assert!(idl.starts_with("namespace go echo\n") && idl.ends_with(service), "{idl}");
    assert!(idl.contains("exception NotFound {"), "{idl}");
}
