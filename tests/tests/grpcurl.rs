//! grpcurl, with which people look at gRPC servers, against a server of streamx.

use streamx_tests::grpc::{Serving, go};
use streamx_tests::process::Output;

/// Calls a method with messages in JSON. None without Go.
async fn call(method: &str, messages: &str) -> Option<Output> {
    let go = go::build()?;
    let server = Serving::start().await;
    let addr = format!("127.0.0.1:{}", server.port());
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/grpcio");
    let schema = ["-import-path", schema, "-proto", "test_service.proto"];
    let method = format!("grpc.testing.TestService/{method}");
    Some(go.grpcurl(&[&["-plaintext", "-d", messages], &schema[..], &[&addr, &method]].concat()).await)
}

/// What it printed, without spaces.
fn printed(output: &Output) -> String {
    assert!(output.ok(), "{output}");
    output.lines().concat().replace(' ', "")
}

#[tokio::test]
async fn it_calls_every_mode() {
    let Some(unary) = call("UnaryCall", r#"{"response_size": 3}"#).await else { return };
    assert_eq!(printed(&unary), r#"{"payload":{"body":"AAAA"}}"#);

    let asked = r#"{"response_parameters": [{"size": 3}, {"size": 6}]}"#;
    let answers = r#"{"payload":{"body":"AAAA"}}{"payload":{"body":"AAAAAAAA"}}"#;
    let server_stream = call("StreamingOutputCall", asked).await.unwrap();
    assert_eq!(printed(&server_stream), answers);

    let sent = r#"{"payload": {"body": "AAAA"}} {"payload": {"body": "AAAAAAAA"}}"#;
    let client_stream = call("StreamingInputCall", sent).await.unwrap();
    assert_eq!(printed(&client_stream), r#"{"aggregatedPayloadSize":9}"#);

    let asked = r#"{"response_parameters": {"size": 3}} {"response_parameters": {"size": 6}}"#;
    let bidi = call("FullDuplexCall", asked).await.unwrap();
    assert_eq!(printed(&bidi), answers);
}

#[tokio::test]
async fn it_prints_how_a_call_failed() {
    let asked = r#"{"response_status": {"code": 5, "message": "there is no cat"}}"#;
    let Some(output) = call("UnaryCall", asked).await else { return };
    let text = output.to_string();
    assert!(!output.ok() && text.contains("Code: NotFound") && text.contains("there is no cat"), "{text}");
}
