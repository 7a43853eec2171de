//! Ordinary methods, over Framed, Buffered and TTHeader-framed Thrift.

use bytes::Bytes;
use futures::future::join_all;
use streamx::Channel;

use super::{Peer, is_no_balance, says};
use crate::interop::samples::samples;
use crate::interop::stranger::{LackingClient, StrangerClient};
use crate::interop::{Choice, Command, Everything, InteropClient, NotFound, Packet};

/// A packet whose bytes depend on its number.
pub(super) fn packet(number: i64, size: usize) -> Packet {
    let [.., low] = number.to_be_bytes();
    Packet { number, body: Bytes::from(vec![low; size]), text: "täxt".into() }
}

/// Compares without printing megabytes.
#[track_caller]
pub(super) fn same_packet(got: &Packet, want: &Packet) {
    let short = |packet: &Packet| (packet.number, packet.text.clone(), packet.body.len());
    assert_eq!(short(got), short(want));
    assert!(got.body == want.body, "packet {} has other bytes", want.number);
}

async fn clients(peer: &Peer) -> Vec<InteropClient> {
    peer.unary_clients().await
}

async fn pings(peer: Peer, count: i64, size: usize) {
    for client in clients(&peer).await {
        ping_with(&client, count, size).await;
    }
}

pub(super) async fn ping_with(client: &InteropClient, count: i64, size: usize) {
    for number in 0..count {
        let want = packet(number, size);
        same_packet(&client.ping(want.clone()).await.unwrap(), &want);
    }
}

pub async fn ping(peer: Peer) {
    pings(peer, 1, 100).await;
}

pub async fn ping_empty(peer: Peer) {
    pings(peer, 1, 0).await;
}

pub async fn ping_1000(peer: Peer) {
    pings(peer, 1000, 100).await;
}

pub async fn ping_1mib(peer: Peer) {
    pings(peer, 3, 1 << 20).await;
}

pub async fn ping_8mib(peer: Peer) {
    pings(peer, 2, 8 << 20).await;
}

pub async fn ping_concurrent(peer: Peer) {
    for client in clients(&peer).await {
        join_all((0..64).map(|_| ping_with(&client, 5, 1000))).await;
    }
}

pub async fn mirror(peer: Peer) {
    for client in clients(&peer).await {
        for (name, value) in samples() {
            let got = client.mirror(value.clone()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            // As text: -0.0 equals 0.0 otherwise.
            assert_eq!(format!("{got:?}"), format!("{:?}", mirrored(&peer, value)), "{name}");
        }
    }
}

/// Kitex does not write the variant of a union in protobuf when it is zero or empty (prutal v0.1.3).
pub(super) fn mirrored(peer: &Peer, value: Everything) -> Everything {
    let lost = peer.is_kitex_in_protobuf() && value.choice == Some(Choice::Text(String::new()));
    if lost { Everything { choice: None, ..value } } else { value }
}

pub async fn get(peer: Peer) {
    for client in clients(&peer).await {
        assert_eq!(client.get("found".to_owned()).await.unwrap().text, "found");
    }
}

/// Kitex knows no declared exceptions in protobuf, where one is an ordinary error.
pub async fn declared_exception(peer: Peer) {
    for client in clients(&peer).await {
        let error = client.get("missing".to_owned()).await.unwrap_err();
        if peer.is_kitex_in_protobuf() {
            says(&error, &["missing"]);
        } else {
            let want = NotFound { key: "missing".into(), code: 404 };
            assert_eq!(error.exception::<NotFound>(), Some(&want), "{error}");
        }
        assert_eq!(client.get("found".to_owned()).await.unwrap().text, "found");
    }
}

pub async fn several_arguments(peer: Peer) {
    for client in clients(&peer).await {
        assert_eq!(client.add(2, 40).await.unwrap(), 42);
        assert_eq!(client.add(i64::MIN, i64::MAX).await.unwrap(), -1);
        assert_eq!(client.add(i64::MAX, 0).await.unwrap(), i64::MAX);
    }
}

pub async fn void(peer: Peer) {
    for client in clients(&peer).await {
        client.nothing().await.unwrap();
    }
}

/// Asks until the note is there: nothing orders a oneway call before the next one.
pub async fn oneway(peer: Peer) {
    if peer.is_grpc() {
        let error = peer.client().await.note("lost".to_owned()).await.unwrap_err();
        return says(&error, &["Interop.Note is a one-way method", "do not travel over gRPC"]);
    }
    for (number, client) in clients(&peer).await.into_iter().enumerate() {
        let text = format!("note {number}");
        client.note(text.clone()).await.unwrap();
        while !client.notes().await.unwrap().contains(&text) {}
    }
}

pub async fn unary_error(peer: Peer) {
    failure(peer, "error", "boom").await;
}

pub async fn unary_panic(peer: Peer) {
    failure(peer, "panic", "panic").await;
}

/// Messages without a TTHeader have no place for a business error: Kitex sends nothing there, streamx an ordinary error.
pub async fn unary_biz_error(peer: Peer) {
    biz_error_with(&peer, &clients(&peer).await).await;
}

pub(super) async fn biz_error_with(peer: &Peer, clients: &[InteropClient]) {
    let [bare @ .., full] = clients else { panic!("there is no client") };
    let command = || Command { what: "biz".to_owned(), ..Command::default() };
    is_no_balance(&full.fail(command()).await.unwrap_err());
    for bare in bare {
        let error = bare.fail(command()).await.unwrap_err();
        assert_eq!(error.as_biz(), None);
        if !peer.kitex {
            says(&error, &["business error 10001: no balance"]);
        }
    }
    for client in clients {
        ping_with(client, 1, 10).await;
    }
}

async fn failure(peer: Peer, what: &str, word: &str) {
    for client in clients(&peer).await {
        let command = |what: &str| Command { what: what.to_owned(), count: 7, size: 0 };
        says(&client.fail(command(what)).await.unwrap_err(), &[word]);
        ping_with(&client, 1, 10).await;
        assert_eq!(client.fail(command("nothing")).await.unwrap().number, 7);
    }
}

/// Apache Thrift begins its text with this word, and a capital.
const UNKNOWN: &str = "nknown";

pub async fn unary_unknown_method(peer: Peer) {
    for channel in peer.unary_channels().await {
        let error = LackingClient::new(channel.clone()).absent(Packet::default()).await.unwrap_err();
        says(&error, &[UNKNOWN, "Absent"]);
        works(channel).await;
    }
}

/// Only a TTHeader carries the name of the service.
pub async fn unary_unknown_service(peer: Peer) {
    for (channel, scheme) in peer.unary_channels().await.into_iter().zip(peer.unary_schemes()) {
        let is_bare = scheme.starts_with("framed") || scheme.starts_with("buffered");
        let name = if is_bare { "Gone" } else { "Stranger" };
        let error = StrangerClient::new(channel.clone()).gone(Packet::default()).await.unwrap_err();
        says(&error, &[UNKNOWN, name]);
        works(channel).await;
    }
}

async fn works(channel: Channel) {
    ping_with(&InteropClient::new(channel), 1, 10).await;
}
