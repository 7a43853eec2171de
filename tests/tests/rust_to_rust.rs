//! A client of streamx against a server of streamx.

use streamx_tests::cases::Peer;

async fn start() -> Option<Peer> {
    Some(Peer::streamx(env!("CARGO_BIN_EXE_interop-server")).await)
}

streamx_tests::every_case!(start, "multi_thread");
