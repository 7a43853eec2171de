//! Sections 4 and 6: a client of the server of section 3, and the schema.

use std::sync::Mutex;

use super::messages::*;
use super::server::{self, Echo};
use super::service::*;
use streamx::Context;

async fn program(req: Request) -> streamx::Result<Vec<String>> {
    static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    macro_rules! println { ($($text:tt)*) => { SEEN.lock().unwrap().push(format!($($text)*)) }; }

#[allow(unused_imports)]                     // with them in scope the methods below are still this crate's
use futures::{SinkExt, StreamExt};
use std::time::Duration;

// ttheader://, grpc:// (protobuf payloads), grpc+thrift://, framed:// and buffered:// (both unary only), unix paths, TLS: see decisions.md section 6
let client = TestServiceClient::connect("ttheader://127.0.0.1:8888").await?;

let res: Response = client.ping_pong(req.clone()).await?;
    println!("{}", res.message);

// Client streaming
let mut stream = client.echo_client().await?;
for _ in 0..3 { stream.send(&req).await?; }
let res: Response = stream.close_and_recv().await?;             // consumes the stream
// … or in two steps: `let reply = stream.close_send().await?;` says that no more comes, `reply.recv().await?` is the answer.
    println!("{}", res.message);

// Server streaming
let mut stream = client.echo_server(req.clone()).await?;
while let Some(res) = stream.recv().await? { println!("{}", res.message); }

// Bidirectional, both halves at once
let (mut tx, mut rx) = client.echo().await?.split();
let send = async move {
    for _ in 0..3 { tx.send(&req).await?; }
    tx.close_send().await
};
let recv = async move {
    while let Some(res) = rx.recv().await? { println!("{}", res.message); }
    streamx::Result::Ok(())
};
futures::try_join!(send, recv)?;

// Options of one call are methods on the call; a call is a future.
let mut stream = client
    .watch(Request::default())
    .persistent("user", "42")                // travels the whole chain
    .transient("k2", "v2")                   // travels one hop
    .timeout(Duration::from_secs(30))        // the whole call, told to the server
    .recv_timeout(Duration::from_secs(3))    // each recv; .keep_open(true) leaves the stream usable
    .await?;
let header = stream.header().await?;         // what the server set, repeatable
let end = loop {
    match stream.recv().await { Ok(Some(_)) => continue, Ok(None) => break None, Err(e) => break Some(e) }
};
if let Some(biz) = end.as_ref().and_then(|e| e.as_biz()) { println!("{} {} {:?}", biz.code(), biz.message(), biz.extra()); }
let trailer = stream.trailer().await?;

    println!("{:?} {:?}", header.get("h1"), trailer.get("t1"));
    Ok(SEEN.lock().unwrap().clone())
}

/// Everything a field can be.
fn request(message: &str) -> Request {
    Request {
        message: message.into(),
        retries: Some(-1),
        id: i64::MIN,
        user_tags: [("a".into(), vec![Tag { name: "b".into() }])].into(),
        limit: 0,
        blob: vec![0xff; 300].into(),
        level: Level::Unknown(77),
        body: Some(Body::Tag(Tag { name: "c".into() })),
        parent: Some(Box::default()),
        seen: ["d".into()].into(),
        ordered: [(3, true), (1, false)].into(),
    }
}

/// Runs a client while the program of section 3 serves. There is one port, and so one server for all.
pub(crate) fn with_the_server_program<T>(client: impl Future<Output = streamx::Result<T>>) -> T {
    static SERVING: std::sync::Once = std::sync::Once::new();
    // The port is the one of the program; another run of this test may have it for a moment.
    SERVING.call_once(|| drop(std::thread::spawn(|| {
        while let Err(error) = server::run() {
            assert!(error.to_string().contains("127.0.0.1:8888"), "{error}");
            std::thread::yield_now();
        }
    })));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        while tokio::net::TcpStream::connect("127.0.0.1:8888").await.is_err() {
            tokio::task::yield_now().await;
        }
        client.await.unwrap()
    })
}

#[test]
fn the_server_program_serves_the_client_program() {
    let seen = with_the_server_program(program(request("hello")));
    assert_eq!(seen[..8], ["hello"; 8]);
    let end = ["10001 insufficient user balance {\"testKey\": \"testVal\"}", "Some(\"v1\") Some(\"v1\")"];
    assert_eq!(seen[8..], end);
}

#[tokio::test]
async fn a_message_of_every_kind_of_field_arrives_as_it_was_sent() {
    struct Compare;
    impl TestService for Compare {
        async fn ping_pong(&self, req: Request) -> streamx::Result<Response> {
            assert_eq!(req, request("hello"));
            Ok(Response { message: req.message })
        }
        async fn echo(&self, _: streamx::Bidi<Request, Response>) -> streamx::Result<()> {
            Ok(())
        }
        async fn echo_client(&self, _: streamx::Streaming<Request>) -> streamx::Result<Response> {
            Ok(Response::default())
        }
        async fn echo_server(&self, req: Request, _: streamx::Sender<Response>) -> streamx::Result<()> {
            assert_eq!(req, request("hello"));
            Ok(())
        }
        async fn watch(&self, _: Context, _: Request, _: streamx::Sender<Response>) -> streamx::Result<()> {
            Ok(())
        }
        async fn get(&self, _: Request) -> streamx::Result<Response, NotFound> {
            Ok(Response::default())
        }
        async fn notify(&self, _: Request) {}
    }
    let client = TestServiceClient::in_process(Compare);
    assert_eq!(client.ping_pong(request("hello")).await.unwrap().message, "hello");
    let mut none = client.echo_server(request("hello")).await.unwrap();
    assert_eq!(none.recv().await.unwrap(), None);
}

#[tokio::test]
async fn a_client_in_the_process_of_its_server_needs_no_port() {
    let client = TestServiceClient::in_process(Echo);
    let mut stream = client.echo_client().await.unwrap();
    stream.send(request("one")).await.unwrap();
    let reply = stream.close_send().await.unwrap();
    assert_eq!(reply.recv().await.unwrap().message, "one");
    let error = client.get(request("key")).await.unwrap_err();
    assert_eq!(error.exception::<NotFound>(), Some(&NotFound { key: "key".into() }));
    client.notify(request("noted")).await.unwrap();
}

#[test]
fn the_schema_is_in_the_binary() {
    use std::cell::RefCell;
    thread_local!(static PRINTED: RefCell<String> = const { RefCell::new(String::new()) });
    macro_rules! println { ($($text:tt)*) => { PRINTED.with_borrow_mut(|all| all.push_str(&format!($($text)*))) }; }

println!("{}", TestServiceServer::<Echo>::thrift_idl());   // a complete .thrift file; the Apache compiler and Kitex's tool accept it
println!("{}", TestServiceServer::<Echo>::proto_idl());    // a complete .proto file; protoc accepts it

    let idl = PRINTED.take();
    for part in [
        "namespace",
        "exception NotFound {",
        "union Body {",
        "enum Level {",
        "service TestService {",
        "3: required i64 id",
        "userTags",
        "syntax = \"proto3\";",
        "rpc EchoClient(stream Request) returns (Response);",
        "throws (1: NotFound",
        "oneway void Notify(",
        "streaming.mode = \"bidirectional\"",
    ] {
        assert!(idl.contains(part), "{part} in\n{idl}");
    }
}
