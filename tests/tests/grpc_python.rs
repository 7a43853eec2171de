//! gRPC for Python: the cases of gRPC's interop tests, from the schema that our trait prints.

use std::path::Path;

use streamx::Code;
use streamx_tests::authority::Authority;
use streamx_tests::grpc::cases::Target;
use streamx_tests::grpc::test_service::{
    EchoStatus, SimpleRequest, StreamingOutputCallRequest, TestServiceClient, TestServiceServer,
};
use streamx_tests::grpc::{Handlers, Serving, python};
use streamx_tests::process::{Output, Talkative};
use streamx_tests::rig::soon;

/// How many cases `peer.py` has.
const CASES: usize = 16;

mod rust_client_to_python_server {
    use super::*;

    async fn start() -> Option<Target<Talkative>> {
        let server = python::install()?.server(None).await;
        Some(Target {
            url: format!("grpc://127.0.0.1:{}", server.port()),
            tls: None,
            compression: None,
            server,
        })
    }

    streamx_tests::every_grpc_case!(start);

    #[tokio::test]
    async fn details_of_a_status_arrive() {
        let Some(target) = start().await else { return };
        let client = TestServiceClient::connect(&target.url).await.unwrap();
        let status = EchoStatus { code: 5, message: "with details".into() };
        let request = SimpleRequest { response_status: Some(status.clone()), ..SimpleRequest::default() };
        let unary = soon(client.unary_call(request)).await.unwrap_err();
        let request = StreamingOutputCallRequest {
            response_status: Some(status.clone()),
            ..StreamingOutputCallRequest::default()
        };
        let mut stream = soon(client.full_duplex_call()).await.unwrap();
        stream.send(request).await.unwrap();
        let streamed = soon(stream.recv()).await.unwrap_err();
        for error in [unary, streamed] {
            assert_eq!(error.code(), Code::NotFound, "{error}");
            let [detail] = &error.details()[..] else { panic!("{error:?}") };
            assert_eq!(detail.unpack("grpc.testing.EchoStatus").unwrap(), Some(status.clone()));
        }
    }
}

mod python_client_to_rust_server {
    use super::*;

    #[tokio::test]
    async fn every_case_holds() {
        let Some(python) = python::install() else { return };
        let server = Serving::start().await;
        assert_holds(&python.client(server.port(), None).await);
    }

    #[tokio::test]
    async fn every_case_holds_over_tls() {
        let Some(python) = python::install() else { return };
        let server = Serving::start_over_tls().await;
        assert_holds(&python.client(server.port(), server.files().as_ref()).await);
    }
}

/// Proves the peer that the tests of streamx rely on, and the harness that runs it.
mod python_alone {
    use super::*;

    #[tokio::test]
    async fn every_case_holds() {
        let Some(python) = python::install() else { return };
        let server = python.server(None).await;
        assert_holds(&python.client(server.port(), None).await);
    }

    #[tokio::test]
    async fn every_case_holds_over_tls() {
        let Some(python) = python::install() else { return };
        let files = Authority::new().files();
        let server = python.server(Some(&files)).await;
        assert_holds(&python.client(server.port(), Some(&files)).await);
    }

    #[tokio::test]
    async fn a_case_that_does_not_hold_is_reported() {
        let Some(python) = python::install() else { return };
        let (files, others) = (Authority::new().files(), Authority::new().files());
        let server = python.server(Some(&files)).await;
        let output = python.client(server.port(), Some(&others)).await;
        assert!(!output.ok(), "a server that is not trusted passed: {output}");
        assert!(output.lines()[0].starts_with("FAIL empty_unary: "), "{output}");
    }
}

/// Python compiles the committed file with protoc, so this makes it the judge of our schema. With `UPDATE_SNAPSHOTS=1` the
/// file is written instead.
#[test]
fn the_committed_idl_is_what_the_trait_prints() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("grpcio/test_service.proto");
    let printed = TestServiceServer::<Handlers>::proto_idl();
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&committed, &printed).unwrap();
    }
    assert_eq!(std::fs::read_to_string(committed).unwrap(), printed);
}

#[track_caller]
fn assert_holds(output: &Output) {
    assert!(output.ok() && output.lines().len() == CASES, "{output}");
}
