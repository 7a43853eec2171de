//! grpcurl, with which people look at gRPC servers, against a server of streamx: with the `.proto` file that is printed, and
//! without it, from what the server tells of itself.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use streamx::health::HealthReporter;
use streamx::server::ServerBuilder;
use streamx::{Code, Error, Message, Result, Sender, Server};
use streamx_tests::grpc::go::{self, Go};
use streamx_tests::grpc::test_service::TestServiceServer;
use streamx_tests::grpc::{Handlers, Serving};
use streamx_tests::process::Output;

/// From the committed file, which is what the trait prints.
const FROM_FILE: &[&str] =
    &["-import-path", concat!(env!("CARGO_MANIFEST_DIR"), "/grpcio"), "-proto", "test_service.proto"];
const FROM_SERVER: &[&str] = &[];

const SERVICE: &str = "grpc.testing.TestService";

/// The address of a server with reflection that serves until the runtime ends.
async fn reflecting(more: impl FnOnce(ServerBuilder) -> ServerBuilder) -> String {
    let server = Server::builder().add_service(TestServiceServer::new(Handlers::default()));
    let server = more(server.add_service(HealthReporter::new().service()).reflection());
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().to_string();
    tokio::spawn(server.serve());
    addr
}

/// Calls a method with messages in JSON.
async fn call(go: &Go, addr: &str, schema: &[&str], method: &str, messages: &str) -> Output {
    let method = format!("{SERVICE}/{method}");
    go.grpcurl(&[&["-plaintext", "-d", messages], schema, &[addr, &method]].concat()).await
}

/// What it printed, without spaces.
fn printed(output: &Output) -> String {
    assert!(output.ok(), "{output}");
    output.lines().concat().replace(' ', "")
}

async fn calls_every_mode(go: &Go, addr: &str, schema: &[&str]) {
    let unary = call(go, addr, schema, "UnaryCall", r#"{"response_size": 3}"#).await;
    assert_eq!(printed(&unary), r#"{"payload":{"body":"AAAA"}}"#);

    let asked = r#"{"response_parameters": [{"size": 3}, {"size": 6}]}"#;
    let answers = r#"{"payload":{"body":"AAAA"}}{"payload":{"body":"AAAAAAAA"}}"#;
    let server_stream = call(go, addr, schema, "StreamingOutputCall", asked).await;
    assert_eq!(printed(&server_stream), answers);

    let sent = r#"{"payload": {"body": "AAAA"}} {"payload": {"body": "AAAAAAAA"}}"#;
    let client_stream = call(go, addr, schema, "StreamingInputCall", sent).await;
    assert_eq!(printed(&client_stream), r#"{"aggregatedPayloadSize":9}"#);

    let asked = r#"{"response_parameters": {"size": 3}} {"response_parameters": {"size": 6}}"#;
    let bidi = call(go, addr, schema, "FullDuplexCall", asked).await;
    assert_eq!(printed(&bidi), answers);
}

#[tokio::test]
async fn it_calls_every_mode_from_the_file_that_is_printed() {
    let Some(go) = go::build() else { return };
    let server = Serving::start().await;
    calls_every_mode(&go, &format!("127.0.0.1:{}", server.port()), FROM_FILE).await;
}

#[tokio::test]
async fn it_calls_every_mode_from_what_the_server_tells_of_itself() {
    let Some(go) = go::build() else { return };
    calls_every_mode(&go, &reflecting(|server| server).await, FROM_SERVER).await;
}

#[tokio::test]
async fn it_prints_how_a_call_failed() {
    let Some(go) = go::build() else { return };
    let server = Serving::start().await;
    let asked = r#"{"response_status": {"code": 5, "message": "there is no cat"}}"#;
    let output = call(&go, &format!("127.0.0.1:{}", server.port()), FROM_FILE, "UnaryCall", asked).await;
    let text = output.to_string();
    assert!(!output.ok() && text.contains("Code: NotFound") && text.contains("there is no cat"), "{text}");
}

#[tokio::test]
async fn it_lists_what_a_server_tells_of_itself() {
    let Some(go) = go::build() else { return };
    let addr = reflecting(|server| server).await;
    let list = async |more: &[&str]| {
        let output = go.grpcurl(&[&["-plaintext", &addr, "list"], more].concat()).await;
        assert!(output.ok(), "{output}");
        output.lines().to_vec()
    };
    let services = [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        SERVICE,
    ];
    assert_eq!(list(&[]).await, services);
    let methods = [
        "EmptyCall",
        "FullDuplexCall",
        "HalfDuplexCall",
        "StreamingInputCall",
        "StreamingOutputCall",
        "UnaryCall",
    ];
    assert_eq!(list(&[SERVICE]).await, methods.map(|method| format!("{SERVICE}.{method}")));
}

#[tokio::test]
async fn it_describes_the_same_from_the_file_and_from_the_server() {
    let Some(go) = go::build() else { return };
    let addr = reflecting(|server| server).await;
    // Comments are in the file only.
    let described = async |arguments: &[&str]| {
        let output = go.grpcurl(arguments).await;
        assert!(output.ok(), "{output}");
        let lines = output.lines().iter().filter(|line| !line.trim_start().starts_with("//"));
        lines.cloned().collect::<Vec<_>>()
    };
    for name in [
        "TestService",
        "TestService.FullDuplexCall",
        "SimpleRequest",
        "TestOrcaReport",
        "StreamingOutputCallRequest",
        "PayloadType",
    ] {
        let name = format!("grpc.testing.{name}");
        let from_server = described(&["-plaintext", &addr, "describe", &name]).await;
        assert!(from_server[0].starts_with(&format!("{name} is ")), "{from_server:?}");
        assert_eq!(from_server, described(&[FROM_FILE, &["describe", &name]].concat()).await);
    }
}

/// Arguments and results that protobuf has only within messages, which nobody has written down.
#[streamx::service(namespace = "sums.v1")]
trait Sums {
    async fn add(&self, first: i64, second: Option<i32>) -> Result<i64>;

    async fn divide(&self, dividend: i64, divisor: i64) -> Result<i64, Indivisible>;

    #[server_stream]
    async fn count(&self, counted: Counted, stream: Sender<Counted>) -> Result<()>;
}

#[derive(Message, Clone, Debug)]
#[message(exception)]
struct Indivisible {
    #[field(1)]
    dividend: i64,
}

#[derive(Message, Clone, Debug)]
struct Counted {
    #[field(1)]
    number: i32,
}

/// In no package.
#[streamx::service]
trait Alone {
    async fn joined(&self, parts: Vec<String>) -> Result<Option<String>>;
}

struct Answers;

impl Sums for Answers {
    async fn add(&self, first: i64, second: Option<i32>) -> Result<i64> {
        Ok(first + i64::from(second.unwrap_or(100)))
    }

    async fn divide(&self, dividend: i64, divisor: i64) -> Result<i64, Indivisible> {
        dividend.checked_div(divisor).ok_or(Indivisible { dividend })
    }

    async fn count(&self, counted: Counted, mut stream: Sender<Counted>) -> Result<()> {
        for number in 0..=counted.number {
            stream.send(Counted { number }).await?;
        }
        Ok(())
    }
}

impl Alone for Answers {
    async fn joined(&self, parts: Vec<String>) -> Result<Option<String>> {
        Ok((!parts.is_empty()).then(|| parts.concat()))
    }
}

/// The address of a server of both, and of nothing else that is not for those who look.
async fn answering() -> String {
    let server =
        Server::builder().add_service(SumsServer::new(Answers)).add_service(AloneServer::new(Answers));
    let server = server.reflection().bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().to_string();
    tokio::spawn(server.serve());
    addr
}

/// Asks a server for what it tells of itself.
async fn asked(go: &Go, addr: &str, arguments: &[&str]) -> Vec<String> {
    let output = go.grpcurl(&[&["-plaintext", addr], arguments].concat()).await;
    assert!(output.ok(), "{output}");
    output.lines().to_vec()
}

#[tokio::test]
async fn it_lists_services_with_a_namespace_and_without() {
    let Some(go) = go::build() else { return };
    let addr = answering().await;
    let reflection = ["v1", "v1alpha"].map(|version| format!("grpc.reflection.{version}.ServerReflection"));
    let services = [&["Alone".to_owned()], &reflection[..], &["sums.v1.Sums".to_owned()]].concat();
    assert_eq!(asked(&go, &addr, &["list"]).await, services);
    assert_eq!(asked(&go, &addr, &["list", "Alone"]).await, ["Alone.Joined"]);
    let methods = ["Add", "Count", "Divide"].map(|method| format!("sums.v1.Sums.{method}"));
    assert_eq!(asked(&go, &addr, &["list", "sums.v1.Sums"]).await, methods);
}

#[tokio::test]
async fn it_describes_the_messages_of_arguments_and_results() {
    let Some(go) = go::build() else { return };
    let addr = answering().await;
    for (name, described) in [
        (
            "sums.v1.Sums",
            "sums.v1.Sums is a service:
service Sums {
  rpc Add ( .sums.v1.AddRequest ) returns ( .sums.v1.AddResponse );
  rpc Count ( .sums.v1.Counted ) returns ( stream .sums.v1.Counted );
  rpc Divide ( .sums.v1.DivideRequest ) returns ( .sums.v1.DivideResponse );
}",
        ),
        (
            "sums.v1.Sums.Count",
            "sums.v1.Sums.Count is a method:
rpc Count ( .sums.v1.Counted ) returns ( stream .sums.v1.Counted );",
        ),
        (
            "sums.v1.AddRequest",
            "sums.v1.AddRequest is a message:
message AddRequest {
  int64 first = 1;
  optional int32 second = 2;
}",
        ),
        (
            "sums.v1.AddResponse",
            "sums.v1.AddResponse is a message:
message AddResponse {
  int64 result = 1;
}",
        ),
        (
            "sums.v1.Indivisible",
            "sums.v1.Indivisible is a message:
message Indivisible {
  int64 dividend = 1;
}",
        ),
        (
            "Alone",
            "Alone is a service:
service Alone {
  rpc Joined ( .JoinedRequest ) returns ( .JoinedResponse );
}",
        ),
        (
            "Alone.Joined",
            "Alone.Joined is a method:
rpc Joined ( .JoinedRequest ) returns ( .JoinedResponse );",
        ),
        (
            "JoinedRequest",
            "JoinedRequest is a message:
message JoinedRequest {
  repeated string parts = 1;
}",
        ),
    ] {
        assert_eq!(asked(&go, &addr, &["describe", name]).await.join("\n"), described);
    }
}

#[tokio::test]
async fn it_calls_with_several_arguments_and_prints_bare_results() {
    let Some(go) = go::build() else { return };
    let addr = answering().await;
    for (method, arguments, result) in [
        ("sums.v1.Sums/Add", r#"{"first": 1, "second": 2}"#, r#"{"result":"3"}"#),
        ("sums.v1.Sums/Add", r#"{"first": 1}"#, r#"{"result":"101"}"#),
        ("sums.v1.Sums/Divide", r#"{"dividend": 6, "divisor": 3}"#, r#"{"result":"2"}"#),
        ("sums.v1.Sums/Count", r#"{"number": 2}"#, r#"{}{"number":1}{"number":2}"#),
        ("Alone/Joined", r#"{"parts": ["a", "b"]}"#, r#"{"result":"ab"}"#),
        ("Alone/Joined", "{}", "{}"),
    ] {
        let output = go.grpcurl(&["-plaintext", "-d", arguments, &addr, method]).await;
        assert_eq!(printed(&output), result, "{method} {arguments}");
    }
}

/// It reads the status with grpc-go, and the type of a detail with what the server tells of itself.
#[tokio::test]
async fn it_prints_the_declared_exception_that_a_call_fails_with() {
    let Some(go) = go::build() else { return };
    let addr = answering().await;
    let output = go.grpcurl(&["-plaintext", "-d", r#"{"dividend": 6}"#, &addr, "sums.v1.Sums/Divide"]).await;
    assert!(!output.ok(), "{output}");
    let text = output.to_string();
    assert!(text.contains("Code: Unknown") && text.contains("declared exception Indivisible"), "{text}");
    let (_, details) = text.split_once("Details:").unwrap();
    let details: String = details.split_whitespace().collect();
    assert_eq!(details, r#"1){"@type":"type.googleapis.com/sums.v1.Indivisible","dividend":"6"}"#);
}

/// It asks for the newer version first, and for the older one where a server has no other.
#[tokio::test]
async fn it_falls_back_to_the_older_version_of_reflection() {
    let Some(go) = go::build() else { return };
    let asked = AtomicBool::new(false);
    let addr = reflecting(|server| {
        server.stream_middleware(move |call, next| {
            let newer = call.service() == "ServerReflection" && !asked.swap(true, Relaxed);
            Box::pin(async move {
                if newer {
                    Err(Error::new(Code::Unimplemented, "unknown service"))
                } else {
                    next.run(call).await
                }
            })
        })
    })
    .await;
    let unary = call(&go, &addr, FROM_SERVER, "UnaryCall", r#"{"response_size": 3}"#).await;
    assert_eq!(printed(&unary), r#"{"payload":{"body":"AAAA"}}"#);
}
