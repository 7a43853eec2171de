//! tonic, the gRPC of Rust: its client and its server in the cases of gRPC's interop tests.

#[allow(unreachable_pub, reason = "says what the other files of this test use")]
mod client;
#[allow(unreachable_pub, reason = "says what the other files of this test use")]
mod messages;
#[allow(unreachable_pub, reason = "says what the other files of this test use")]
mod server;

use streamx_tests::cases::within_patience;
use streamx_tests::grpc::Serving;
use streamx_tests::grpc::cases::Target;
use streamx_tests::grpc::test_service::{EchoStatus, SimpleRequest, TestServiceClient};

/// A status that the server sends with itself as a detail.
fn with_details() -> EchoStatus {
    EchoStatus { code: 5, message: "with details".to_owned() }
}

mod rust_client_to_tonic_server {
    use super::*;

    async fn start() -> Option<Target<()>> {
        Some(Target { url: format!("grpc://{}", server::start().await), tls: None, server: () })
    }

    // Its server cannot send the trailers of a call that went well.
    streamx_tests::every_grpc_case!(start, besides unary metadata);

    #[tokio::test]
    async fn the_details_of_a_status_arrive() {
        within_patience(async {
            let client = TestServiceClient::connect(start().await.unwrap().url).await.unwrap();
            let request = SimpleRequest { response_status: Some(with_details()), ..SimpleRequest::default() };
            let error = client.unary_call(request).await.unwrap_err();
            assert_eq!(error.code(), streamx::Code::NotFound);
            let echoed: EchoStatus = error.details()[0].unpack("grpc.testing.EchoStatus").unwrap().unwrap();
            assert_eq!(echoed, with_details());
        })
        .await;
    }
}

mod tonic_client_to_rust_server {
    use super::*;

    #[tokio::test]
    async fn every_case_holds() {
        let server = Serving::start().await;
        let addr = format!("127.0.0.1:{}", server.port());
        within_patience(async {
            client::unary(&addr).await;
            client::client_streaming(&addr).await;
            client::server_streaming(&addr).await;
            client::ping_pong(&addr).await;
            client::failures(&addr).await;
            client::a_deadline_that_passes(&addr).await;
            client::metadata(&addr).await;
            client::details(&addr).await;
        })
        .await;
    }
}

/// Proves the peer that the tests of streamx rely on. Its server does not look at the deadline once it
/// has sent a header, and echoes no metadata.
mod tonic_alone {
    use super::*;

    #[tokio::test]
    async fn every_case_holds() {
        let addr = server::start().await;
        within_patience(async {
            client::unary(&addr).await;
            client::client_streaming(&addr).await;
            client::server_streaming(&addr).await;
            client::ping_pong(&addr).await;
            client::failures(&addr).await;
        })
        .await;
    }
}
