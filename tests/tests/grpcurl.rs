//! grpcurl, with which people look at gRPC servers, against a server of streamx: with the `.proto` file that is printed, and
//! without it, from what the server tells of itself.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use streamx::health::HealthReporter;
use streamx::server::ServerBuilder;
use streamx::{Code, Error, Server};
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
