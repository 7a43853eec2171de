//! A client of streamx against a server of streamx, over gRPC with messages in protobuf.

use streamx_tests::cases::Peer;

async fn start() -> Option<Peer> {
    Some(Peer::streamx(env!("CARGO_BIN_EXE_interop-server")).await.over_grpc())
}

streamx_tests::every_case!(start, "multi_thread");
