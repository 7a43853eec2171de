//! A client of streamx against the real Kitex, over gRPC with messages in protobuf.

use streamx_tests::cases::Peer;

async fn start() -> Option<Peer> {
    Peer::kitex_in_protobuf().await
}

streamx_tests::every_case!(start, "current_thread");
