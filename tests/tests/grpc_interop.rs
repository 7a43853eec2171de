//! gRPC's interop tests: the list of cases, between streamx and grpc-go and among themselves.

use streamx_tests::authority::Authority;
use streamx_tests::grpc::go;

/// Proves the peer that the tests of streamx rely on, and the harness that runs it.
mod go_alone {
    use super::*;

    #[tokio::test]
    async fn every_case_holds() {
        let Some(go) = go::build() else { return };
        let server = go.server(None).await;
        for case in go::CASES {
            let output = go.client(server.port(), case, None).await;
            assert!(output.ok(), "{case}: {output}");
        }
    }

    #[tokio::test]
    async fn every_case_holds_over_tls() {
        let Some(go) = go::build() else { return };
        let files = Authority::new().files();
        let server = go.server(Some(&files)).await;
        for case in go::CASES {
            let output = go.client(server.port(), case, Some(&files)).await;
            assert!(output.ok(), "{case}: {output}");
        }
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
