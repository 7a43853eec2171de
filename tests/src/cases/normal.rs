//! What Kitex's own tests call normal: ten messages each way, with metainfo, a header and a trailer; and unary calls, whose
//! time may be over before their answer.

use std::time::Duration;

use super::beside::{command, holds, unary_metainfo_with, with_metainfo};
use super::endings::act_of;
use super::streaming::{echo_over, sum_over};
use super::unary::{biz_error_with, packet, ping_with};
use super::{Peer, says};

/// When an answer is given up that nobody will send.
pub(super) const BRIEF: Duration = Duration::from_millis(50);
/// Longer than a case takes.
pub(super) const LONG: Duration = Duration::from_secs(60);

pub async fn normal_bidi_streaming(peer: Peer) {
    let client = peer.client().await;
    let mut stream = act_of(with_metainfo(client.act()), command("talk", 0)).await;
    holds(&stream.header().await.unwrap(), &[("h1", "v1")]);
    assert_eq!(stream.recv().await.unwrap().expect("what was told").text, peer.told());
    for number in 0..10 {
        stream.send(command("", number)).await.unwrap();
        assert_eq!(stream.recv().await.unwrap().expect("ten packets").number, number);
    }
    stream.close_send().await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), None);
    holds(&stream.trailer().await.unwrap(), &[("t1", "v1")]);
}

pub async fn normal_client_streaming(peer: Peer) {
    let mut stream = with_metainfo(peer.client().await.gather()).await.unwrap();
    for number in 0..10 {
        stream.send(packet(number, 10)).await.unwrap();
    }
    let (answer, header, trailer) = stream.close_and_recv_with_metadata().await.unwrap();
    assert_eq!((answer.number, answer.text.as_str()), (10, peer.told()));
    holds(&header, &[("h1", "v1")]);
    holds(&trailer, &[("t1", "v1")]);
}

pub async fn normal_server_streaming(peer: Peer) {
    let mut stream = with_metainfo(peer.client().await.download(command("talk", 10))).await.unwrap();
    holds(&stream.header().await.unwrap(), &[("h1", "v1")]);
    assert_eq!(stream.recv().await.unwrap().expect("what was told").text, peer.told());
    for number in 0..10 {
        assert_eq!(stream.recv().await.unwrap().expect("ten packets").number, number);
    }
    assert_eq!(stream.recv().await.unwrap(), None);
    holds(&stream.trailer().await.unwrap(), &[("t1", "v1")]);
}

/// It travels in a key that Kitex does not know, which must not mind.
pub async fn whole_call_timeout(peer: Peer) {
    let client = peer.client().await;
    echo_over(client.echo().timeout(LONG).await.unwrap(), 3, 10).await;
    sum_over(client.upload().timeout(LONG).await.unwrap(), 3, 10).await;
    let mut stream = client.download(command("", 1)).timeout(LONG).await.unwrap();
    assert_eq!(stream.recv().await.unwrap().expect("one packet").number, 0);
    assert_eq!(stream.recv().await.unwrap(), None);
}

pub async fn normal_unary(peer: Peer) {
    let clients = peer.unary_clients().await;
    for client in &clients {
        ping_with(client, 10, 100).await;
    }
    unary_metainfo_with(&peer, &clients).await;
    biz_error_with(&peer, &clients).await;
}

/// The handler goes on until it is let go, and the client goes on at once.
pub async fn unary_timeout(peer: Peer) {
    for (number, client) in (1..).zip(peer.unary_clients().await) {
        let hold = || command("hold", number);
        let error = client.fail(hold()).timeout(BRIEF).await.unwrap_err();
        assert!(error.is_timeout(), "{error}");
        says(&error, &["Interop.Fail: ", "the time for the call is over: it had 50ms"]);
        client.fail(command("release", number)).await.unwrap();
        ping_with(&client, 1, 10).await;
        assert_eq!(client.fail(hold()).await.unwrap().number, 1);
    }
}

/// Messages without a TTHeader have no place for it.
pub async fn unary_timeout_is_told(peer: Peer) {
    let clients = peer.unary_clients().await;
    let [bare @ .., full] = &clients[..] else { panic!("there is no client") };
    for bare in bare {
        assert_eq!(bare.left().timeout(LONG).await.unwrap(), -1);
    }
    let left = full.left().timeout(LONG).await.unwrap();
    assert!((1..=60_000).contains(&left), "{left}");
    assert_eq!(full.left().await.unwrap(), -1);
}
