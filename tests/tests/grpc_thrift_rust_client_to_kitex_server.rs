//! A client of streamx against the real Kitex, over gRPC with messages in Thrift.

use streamx_tests::cases::Peer;

async fn start() -> Option<Peer> {
    Some(Peer::kitex().await?.over_grpc_thrift())
}

streamx_tests::every_case!(start, "current_thread");
