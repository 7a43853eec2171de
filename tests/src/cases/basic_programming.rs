//! The page "StreamX Basic Programming" of Kitex: its three usages, and each of its rules that begin with \[Must\]. What a
//! rule demands of a client or a server of streamx is mostly what its types allow; what is left is tested here.

use super::endings::{act, count};
use super::streaming::{download_with, echo_with, upload_with};
use super::unary::{packet, ping_with, same_packet};
use super::{Peer, says};
use crate::interop::{Command, InteropClient, Packet};

/// Called by the very client that streams.
pub async fn normal_method(peer: Peer) {
    let client = peer.client().await;
    let mut stream = client.echo().await.unwrap();
    stream.send(packet(0, 10)).await.unwrap();
    ping_with(&client, 1, 10).await;
    same_packet(&stream.recv().await.unwrap().expect("the packet comes back"), &packet(0, 10));
    stream.close_send().await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), None);
}

pub async fn client_streaming_usage(peer: Peer) {
    upload_with(&peer.client().await, 3, 100).await;
}

/// Waits until so many handlers are left: one that has answered is still there for a moment.
async fn alive_again(client: &InteropClient, alive: i64) {
    while count(client, 0, 0).await.0.alive != alive {}
}

pub async fn client_streaming_client_must_close_and_recv(peer: Peer) {
    let client = peer.client().await;
    let (before, _) = count(&client, 0, 0).await;
    let mut stream = client.gather().await.unwrap();
    for number in 0..3 {
        stream.send(packet(number, 10)).await.unwrap();
    }
    count(&client, 0, before.alive + 1).await; // the server has no answer yet
    assert_eq!(stream.close_and_recv().await.unwrap().number, 3);
    alive_again(&client, before.alive).await;
}

pub async fn client_streaming_client_must_close_send_then_recv(peer: Peer) {
    let client = peer.client().await;
    let (before, _) = count(&client, 0, 0).await;
    let mut stream = client.gather().await.unwrap();
    for number in 0..3 {
        stream.send(packet(number, 10)).await.unwrap();
    }
    count(&client, 0, before.alive + 1).await;
    let reply = stream.close_send().await.unwrap();
    assert_eq!(reply.recv().await.unwrap().number, 3);
    alive_again(&client, before.alive).await;
}

/// A handler in Go can forget its response; that is a failure here, and never an empty answer.
pub async fn client_streaming_server_must_return_a_response(peer: Peer) {
    let mut stream = peer.client().await.upload().await.unwrap();
    stream.send(Packet { text: "forget".into(), ..Packet::default() }).await.unwrap();
    let answer = stream.close_and_recv().await;
    if peer.kitex {
        says(&answer.unwrap_err(), &["Interop.Upload: the server ended the call without a response"]);
    } else {
        assert_eq!(answer.unwrap().number, 1);
    }
}

pub async fn server_streaming_usage(peer: Peer) {
    download_with(&peer.client().await, 3, 100).await;
}

pub async fn server_streaming_client_must_check_for_the_end(peer: Peer) {
    let command = Command { what: String::new(), count: 3, size: 10 };
    let mut stream = peer.client().await.download(command).await.unwrap();
    let mut messages = 0;
    while stream.recv().await.unwrap().is_some() {
        messages += 1;
    }
    assert_eq!(messages, 3);
    assert_eq!(stream.recv().await.unwrap(), None, "the end stays the end");
}

pub async fn bidi_streaming_usage(peer: Peer) {
    echo_with(&peer.client().await, 3, 100).await;
}

pub async fn bidi_streaming_client_must_close_send(peer: Peer) {
    let client = peer.client().await;
    let (before, _) = count(&client, 0, 0).await;
    let mut stream = client.echo().await.unwrap();
    for number in 0..3 {
        stream.send(packet(number, 10)).await.unwrap();
        same_packet(&stream.recv().await.unwrap().expect("the packet comes back"), &packet(number, 10));
    }
    count(&client, 0, before.alive + 1).await; // the server expects more
    stream.close_send().await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), None);
    alive_again(&client, before.alive).await;
}

pub async fn bidi_streaming_client_must_check_for_the_end(peer: Peer) {
    let (mut requests, mut replies) = peer.client().await.echo().await.unwrap().split();
    let send = async move {
        for number in 0..3 {
            requests.send(packet(number, 10)).await.unwrap();
        }
        requests.close_send().await.unwrap();
    };
    let receive = async {
        let mut messages = 0;
        while replies.recv().await.unwrap().is_some() {
            messages += 1;
        }
        messages
    };
    assert_eq!(futures::join!(send, receive).1, 3);
    assert_eq!(replies.recv().await.unwrap(), None);
}

/// One that takes the end for an error fails with it, which is no end for its client.
pub async fn bidi_streaming_server_must_check_for_the_end(peer: Peer) {
    let client = peer.client().await;
    let mut stream = act(&client, "listen", 3).await;
    for number in 0..3 {
        assert_eq!(stream.recv().await.unwrap().expect("three packets").number, number);
    }
    stream.close_send().await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), None);
    let mut stream = act(&client, "eof", 0).await;
    stream.close_send().await.unwrap();
    says(&stream.recv().await.unwrap_err(), &["EOF"]);
}
