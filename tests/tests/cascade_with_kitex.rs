//! A cancel and a deadline over three hops, with the real Kitex at every place of the chain. Each learns the reason of the
//! first one, and the path with the names of all before it; over gRPC, which has no place for these, that its caller is gone.
//! Chains of streamx alone are in `cascade`.

use streamx_tests::cases::{Peer, cascade, within_patience};
use streamx_tests::kitex;

const STREAMX: &str = env!("CARGO_BIN_EXE_interop-server");

/// What serves at a place.
#[derive(Clone, Copy)]
enum Who {
    Kitex,
    Streamx,
}

use Who::{Kitex, Streamx};

/// What the calls of a chain travel over.
#[derive(Clone, Copy)]
enum Over {
    TtHeader,
    /// With messages in protobuf.
    Grpc,
}

const BOTH: [Over; 2] = [Over::TtHeader, Over::Grpc];

/// The server in the middle and the last one, none without Go.
async fn servers(over: Over, middle: Who, last: Who) -> Option<(Peer, Peer)> {
    let last = match (over, last) {
        (Over::TtHeader, Kitex) => Peer::kitex().await?,
        (Over::TtHeader, Streamx) => Peer::streamx(STREAMX).await,
        (Over::Grpc, Kitex) => Peer::kitex_in_protobuf().await?,
        (Over::Grpc, Streamx) => Peer::streamx(STREAMX).await.over_grpc(),
    };
    let middle = match middle {
        Kitex => Peer::kitex_before(&last).await?,
        Streamx => Peer::streamx_before(&last, STREAMX).await,
    };
    Some((middle, last))
}

async fn from_streamx(middle: Who, last: Who) {
    for over in BOTH {
        let Some((middle, last)) = servers(over, middle, last).await else { return };
        within_patience(cascade::cascade_cancel(&middle, &last)).await;
        within_patience(cascade::cascade_deadline(&middle, &last)).await;
    }
}

async fn from_kitex(middle: Who, last: Who) {
    let Some(kitex) = kitex::build() else { return };
    for over in BOTH {
        let Some((middle, last)) = servers(over, middle, last).await else { return };
        let mut options = vec!["-peer", middle.kind(), "-last", last.addr(), "-last-peer", last.kind()];
        if matches!(over, Over::Grpc) {
            options.extend(["-unary", "grpc-protobuf"]);
        }
        let output = kitex.client(middle.addr(), "chained", &options).await;
        assert!(output.ok(), "{output}");
        assert_eq!(output.lines().iter().filter(|line| line.starts_with("ok ")).count(), 2, "{output}");
    }
}

#[tokio::test]
async fn from_streamx_over_kitex_to_streamx() {
    from_streamx(Kitex, Streamx).await;
}

#[tokio::test]
async fn from_streamx_over_kitex_to_kitex() {
    from_streamx(Kitex, Kitex).await;
}

#[tokio::test]
async fn from_streamx_over_streamx_to_kitex() {
    from_streamx(Streamx, Kitex).await;
}

#[tokio::test]
async fn from_streamx_over_streamx_to_streamx() {
    from_streamx(Streamx, Streamx).await;
}

#[tokio::test]
async fn from_kitex_over_streamx_to_kitex() {
    from_kitex(Streamx, Kitex).await;
}

#[tokio::test]
async fn from_kitex_over_streamx_to_streamx() {
    from_kitex(Streamx, Streamx).await;
}

#[tokio::test]
async fn from_kitex_over_kitex_to_streamx() {
    from_kitex(Kitex, Streamx).await;
}

#[tokio::test]
async fn from_kitex_over_kitex_to_kitex() {
    from_kitex(Kitex, Kitex).await;
}
