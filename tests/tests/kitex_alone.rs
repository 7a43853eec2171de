//! Kitex against Kitex: proves the peer that the tests of streamx rely on, and the harness that runs it.

use streamx_tests::kitex::{self, Kitex};
use streamx_tests::process::Server;

#[tokio::test]
async fn every_case_holds_over_framed() {
    let Some(kitex) = kitex::build() else { return };
    every_case_holds(&kitex, "all", "framed").await;
}

#[tokio::test]
async fn every_case_holds_over_ttheader_framed() {
    let Some(kitex) = kitex::build() else { return };
    every_case_holds(&kitex, "all", "ttheader-framed").await;
}

#[tokio::test]
async fn every_unary_case_holds_without_an_inner_length() {
    let Some(kitex) = kitex::build() else { return };
    every_case_holds(&kitex, "unary", "buffered").await;
    every_case_holds(&kitex, "unary", "ttheader").await;
}

async fn every_case_holds(kitex: &Kitex, group: &str, unary: &str) {
    let server = kitex.server().await;
    let output = kitex.client(server.addr(), group, &["-unary", unary]).await;
    assert!(output.ok(), "{output}");
    let least = if group == "all" { 40 } else { 15 };
    assert!(output.lines().len() > least, "only these cases ran:\n{output}");
    server.stop().await;
}

/// What unary calls travel over, and streams too if it is gRPC.
const PROTOCOLS: [&str; 2] = ["framed", IN_PROTOBUF];
const IN_PROTOBUF: &str = "grpc-protobuf";

async fn server(kitex: &Kitex, protocol: &str) -> Server {
    if protocol == IN_PROTOBUF { kitex.server_in_protobuf().await } else { kitex.server().await }
}

#[tokio::test]
async fn a_killed_server_fails_every_mode() {
    let Some(kitex) = kitex::build() else { return };
    for protocol in PROTOCOLS {
        let mut server = server(&kitex, protocol).await;
        let mut client = kitex.attended(server.addr(), "server-killed", &["-unary", protocol]);
        client.asks_for("kill").await;
        server.kill().await;
        client.done().await;
        let output = client.finish().await;
        assert!(output.ok(), "{protocol}: {output}");
    }
}

#[tokio::test]
async fn a_client_works_again_after_a_restart() {
    let Some(kitex) = kitex::build() else { return };
    for protocol in PROTOCOLS {
        let mut server = server(&kitex, protocol).await;
        let mut client = kitex.attended(server.addr(), "reconnect", &["-unary", protocol]);
        client.asks_for("restart").await;
        server.restart().await;
        client.done().await;
        let output = client.finish().await;
        assert!(output.ok(), "{protocol}: {output}");
    }
}

#[tokio::test]
async fn a_case_that_does_not_hold_is_reported() {
    let Some(kitex) = kitex::build() else { return };
    let mut gone = kitex.server().await;
    gone.kill().await;
    let output = kitex.client(gone.addr(), "ping", &[]).await;
    assert!(!output.ok(), "a dead server passed: {output}");
    assert!(output.lines()[0].starts_with("FAIL ping: "), "{output}");
}
