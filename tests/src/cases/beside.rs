//! What travels beside the messages: metainfo to the server, a header and a trailer back.

use streamx::Metadata;
use streamx::client::Call;

use super::endings::act;
use super::{Peer, is_no_balance};
use crate::interop::{Command, InteropClient};

impl Peer {
    /// What the server says of [`with_metainfo`]. In gRPC keys are in capitals, with `_` for `-` (spec 3.3).
    pub(super) fn told(&self) -> &'static str {
        if self.is_grpc() {
            "persistent [LOGID=a=b,USER_ID=42] transient [LOWER=1,TRACE_ID=Abc]"
        } else {
            "persistent [LogID=a=b,User_Id=42] transient [lower=1,trace-ID=Abc]"
        }
    }
}

/// Keys keep their case but over gRPC, and empty values are not there.
pub(super) fn with_metainfo<T>(call: Call<T>) -> Call<T> {
    let call = call.persistent("User_Id", "42").persistent("LogID", "a=b").persistent("Empty", "");
    call.transient("trace-ID", "Abc").transient("lower", "1").transient("empty", "")
}

pub(super) fn command(what: &str, count: i64) -> Command {
    Command { what: what.to_owned(), count, size: 10 }
}

/// Messages without a TTHeader have no place for it.
pub async fn unary_metainfo(peer: Peer) {
    unary_metainfo_with(&peer, &peer.unary_clients().await).await;
}

pub(super) async fn unary_metainfo_with(peer: &Peer, clients: &[InteropClient]) {
    let nothing = "persistent [] transient []";
    let [bare @ .., full] = clients else { panic!("there is no client") };
    assert_eq!(with_metainfo(full.told()).await.unwrap(), peer.told());
    for client in bare {
        assert_eq!(with_metainfo(client.told()).await.unwrap(), nothing);
    }
    for client in clients {
        assert_eq!(client.told().await.unwrap(), nothing, "the call before has left nothing behind");
    }
}

pub async fn metainfo(peer: Peer) {
    let client = peer.client().await;
    let mut stream = with_metainfo(client.act()).await.unwrap();
    stream.send(command("told", 0)).await.unwrap();
    assert_eq!(stream.recv().await.unwrap().expect("one packet").text, peer.told());
    let mut stream = with_metainfo(client.download(command("told", 0))).await.unwrap();
    assert_eq!(stream.recv().await.unwrap().expect("one packet").text, peer.told());
    assert_eq!(stream.recv().await.unwrap(), None);
}

/// The header is there before any message.
pub async fn header_and_trailer(peer: Peer) {
    let client = peer.client().await;
    let mut stream = act(&client, "headers", 0).await;
    for _ in 0..2 {
        holds(&stream.header().await.unwrap(), &[("h1", "v1"), ("h2", "v2")]);
    }
    stream.close_send().await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), None);
    for _ in 0..2 {
        holds(&stream.trailer().await.unwrap(), &[("t1", "v1")]);
        holds(&stream.header().await.unwrap(), &[("h1", "v1"), ("h2", "v2")]);
    }
}

pub async fn header_with_first_message(peer: Peer) {
    let mut stream = peer.client().await.download(command("headers", 3)).await.unwrap();
    for _ in 0..3 {
        holds(&stream.header().await.unwrap(), &[("h1", "v1")]);
        stream.recv().await.unwrap().expect("three packets");
    }
    for _ in 0..2 {
        holds(&stream.trailer().await.unwrap(), &[("t1", "v1")]);
    }
    assert_eq!(stream.recv().await.unwrap(), None);
}

pub async fn trailer_of_biz_error(peer: Peer) {
    let mut stream = act(&peer.client().await, "headers-biz", 0).await;
    stream.close_send().await.unwrap();
    is_no_balance(&stream.recv().await.unwrap_err());
    for _ in 0..2 {
        assert_eq!(stream.trailer().await.unwrap().get("t1"), Some("v1"));
    }
}

pub async fn no_header_no_trailer(peer: Peer) {
    let client = peer.client().await;
    let mut stream = act(&client, "finish-first", 1).await;
    stream.recv().await.unwrap().expect("one packet");
    for _ in 0..2 {
        holds(&stream.header().await.unwrap(), &[]);
        holds(&stream.trailer().await.unwrap(), &[]);
    }
    let (_, header, trailer) = client.upload().await.unwrap().close_and_recv_with_metadata().await.unwrap();
    holds(&header, &[]);
    holds(&trailer, &[]);
    let mut stream = act(&client, "return", 0).await;
    holds(&stream.trailer().await.unwrap(), &[]);
    holds(&stream.header().await.unwrap(), &[]);
}

/// Demands these pairs and no other.
#[track_caller]
pub(super) fn holds(pairs: &Metadata, want: &[(&str, &str)]) {
    let mut got: Vec<_> = pairs.iter().collect();
    got.sort_unstable();
    assert_eq!(got, want);
}
