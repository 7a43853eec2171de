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

mod rust_client_to_tonic_server {
    use super::*;

    async fn start() -> Option<Target<()>> {
        Some(Target { url: format!("grpc://{}", server::start().await), tls: None, server: () })
    }

    // Its server cannot send the trailers of a call that went well.
    streamx_tests::every_grpc_case!(start, besides unary metadata);
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
