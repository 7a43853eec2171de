//! gRPC's interop tests: the list of cases, between streamx and grpc-go and among themselves.

use std::time::Duration;

use streamx::Channel;
use streamx_tests::authority::{Authority, Files};
use streamx_tests::grpc::Serving;
use streamx_tests::grpc::cases::Target;
use streamx_tests::grpc::go::{self, Go};
use streamx_tests::grpc::test_service::{Empty, SimpleRequest, TestServiceClient};
use streamx_tests::process::Talkative;
use streamx_tests::rig::soon;

mod rust_to_rust {
    use super::*;

    async fn start() -> Option<Target<Serving>> {
        Some(Serving::start().await.target("grpc"))
    }

    streamx_tests::every_grpc_case!(start, and load reports);
}

mod rust_to_rust_over_tls {
    use super::*;

    async fn start() -> Option<Target<Serving>> {
        Some(Serving::start_over_tls().await.target("grpc"))
    }

    streamx_tests::every_grpc_case!(start, and load reports);
}

/// What the cases demand is not bound to a protocol.
mod rust_to_rust_over_ttheader {
    use super::*;

    async fn start() -> Option<Target<Serving>> {
        Some(Serving::start().await.target("ttheader"))
    }

    streamx_tests::every_grpc_case!(start, besides unary metadata);

    #[tokio::test]
    async fn bytes_beside_messages_are_refused_on_both_sides() {
        let target = start().await.unwrap();
        let client = TestServiceClient::connect(&target.url).await.unwrap();
        // Whether they happen to be text or not.
        for bytes in [&b"text"[..], b"\xab"] {
            let call = client.full_duplex_call().metadata_bin("x-bin", bytes);
            let unary = client.unary_call(SimpleRequest::default()).metadata_bin("x-bin", bytes);
            let errors = [call.await.unwrap_err(), unary.await.unwrap_err()];
            errors.iter().for_each(assert_refused);
        }
        // The handlers send it back as bytes.
        let trailing = "x-grpc-test-echo-trailing-bin";
        let unary = client.unary_call(SimpleRequest::default()).metadata(trailing, "text").await;
        let mut stream = client.full_duplex_call().metadata(trailing, "text").await.unwrap();
        for error in [unary.unwrap_err(), soon(stream.recv()).await.unwrap_err()] {
            assert_refused(&error);
        }
        let odd = client.empty_call(Empty {}).metadata_bin("x", vec![0]).await.unwrap_err();
        assert!(odd.to_string().contains("ends in `-bin`"), "{odd}");
    }

    fn assert_refused(error: &streamx::Error) {
        assert_eq!(error.code(), streamx::Code::InvalidArgument, "{error}");
        assert!(error.to_string().contains("travel over gRPC alone"), "{error}");
    }
}

mod rust_client_to_go_server {
    use super::*;

    async fn start() -> Option<Target<Talkative>> {
        let server = go::build()?.server(None).await;
        Some(Target {
            url: format!("grpc://127.0.0.1:{}", server.port()),
            tls: None,
            compression: None,
            server,
        })
    }

    streamx_tests::every_grpc_case!(start, and load reports);

    /// A server of grpc-go forgives two pings within five minutes.
    #[tokio::test]
    async fn a_server_that_is_asked_too_often_says_so_and_calls_go_on() {
        let Some(target) = start().await else { return };
        let channel =
            Channel::builder(&target.url).keepalive(Duration::from_secs(1)).connect().await.unwrap();
        let client = TestServiceClient::new(channel.clone());
        let mut stream = client.full_duplex_call().await.unwrap();
        let error = soon(stream.recv()).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("the server") && text.contains("ENHANCE_YOUR_CALM"), "{text}");
        assert!(text.contains("keepalive"), "{text}");
        soon(client.empty_call(Empty {}).into_future()).await.unwrap();
        assert_eq!(channel.counters().connections_opened, 2);
    }
}

mod rust_client_to_go_server_over_tls {
    use super::*;

    /// The server reads its files after it has said where it listens.
    async fn start() -> Option<Target<(Talkative, Files)>> {
        let go = go::build()?;
        let authority = Authority::new();
        let files = authority.files();
        let server = go.server(Some(&files)).await;
        let url = format!("grpc+tls://127.0.0.1:{}", server.port());
        Some(Target { url, tls: Some(authority.client()), compression: None, server: (server, files) })
    }

    streamx_tests::every_grpc_case!(start, and load reports);
}

mod go_client_to_rust_server {
    use super::*;

    #[tokio::test]
    async fn every_case_holds() {
        let Some(go) = go::build() else { return };
        let server = Serving::start().await;
        every_case_and_the_name_hold(&go, server.port(), None).await;
    }

    #[tokio::test]
    async fn every_case_holds_over_tls() {
        let Some(go) = go::build() else { return };
        let server = Serving::start_over_tls().await;
        every_case_and_the_name_hold(&go, server.port(), server.files().as_ref()).await;
    }

    /// A server of ours has a name, too.
    async fn every_case_and_the_name_hold(go: &Go, port: u16, tls: Option<&Files>) {
        super::every_case_holds(go, port, tls).await;
        let output = go.client(port, "pick_first_unary", tls).await;
        assert!(output.ok(), "pick_first_unary: {output}");
    }
}

/// Proves the peer that the tests of streamx rely on, and the harness that runs it.
mod go_alone {
    use super::*;

    #[tokio::test]
    async fn every_case_holds() {
        let Some(go) = go::build() else { return };
        let server = go.server(None).await;
        super::every_case_holds(&go, server.port(), None).await;
    }

    #[tokio::test]
    async fn every_case_holds_over_tls() {
        let Some(go) = go::build() else { return };
        let files = Authority::new().files();
        let server = go.server(Some(&files)).await;
        super::every_case_holds(&go, server.port(), Some(&files)).await;
    }

    #[tokio::test]
    async fn a_case_that_does_not_hold_is_reported() {
        let Some(go) = go::build() else { return };
        let server = go.server(None).await;
        let output = go.client(server.port(), "pick_first_unary", None).await;
        assert!(!output.ok(), "a server without a name passed: {output}");
        assert!(output.to_string().contains("got empty server ID"), "{output}");
    }

    #[tokio::test]
    async fn a_server_of_another_authority_is_not_trusted() {
        let Some(go) = go::build() else { return };
        let (files, others) = (Authority::new().files(), Authority::new().files());
        let server = go.server(Some(&files)).await;
        let output = go.client(server.port(), "empty_unary", Some(&others)).await;
        assert!(output.to_string().contains("certificate signed by unknown authority"), "{output}");
    }
}

async fn every_case_holds(go: &Go, port: u16, tls: Option<&Files>) {
    for case in go::CASES {
        let output = go.client(port, case, tls).await;
        assert!(output.ok(), "{case}: {output}");
    }
}
