//! The three streaming modes when nothing goes wrong.

use futures::future::join_all;
use streamx::client;

use super::Peer;
use super::unary::{mirrored, packet, same_packet};
use crate::interop::samples::samples;
use crate::interop::{Command, InteropClient, Packet};

macro_rules! sizes {
    ($($case:ident = $with:ident($count:literal, $size:expr);)*) => {
        $(
            pub async fn $case(peer: Peer) {
                $with(&peer.client().await, $count, $size).await;
            }
        )*
    };
}

sizes! {
    echo = echo_with(3, 100);
    echo_empty = echo_with(0, 0);
    echo_1000 = echo_with(1000, 100);
    echo_1mib = echo_with(3, 1 << 20);
    echo_8mib = echo_with(2, 8 << 20);
    upload = upload_with(3, 100);
    upload_empty = upload_with(0, 0);
    upload_1000 = upload_with(1000, 100);
    upload_1mib = upload_with(3, 1 << 20);
    upload_8mib = upload_with(2, 8 << 20);
    download = download_with(3, 100);
    download_empty = download_with(0, 0);
    download_1000 = download_with(1000, 100);
    download_1mib = download_with(3, 1 << 20);
    download_8mib = download_with(2, 8 << 20);
}

/// Sends and receives at once, as a bidirectional stream may.
pub(super) async fn echo_with(client: &InteropClient, count: i64, size: usize) {
    echo_over(client.echo().await.unwrap(), count, size).await;
}

pub(super) async fn echo_over(stream: client::Bidi<Packet, Packet>, count: i64, size: usize) {
    let (mut requests, mut replies) = stream.split();
    let send = async move {
        for number in 0..count {
            requests.send(packet(number, size)).await.unwrap();
        }
        requests.close_send().await.unwrap();
    };
    let receive = async move {
        for number in 0..count {
            let got = replies.recv().await.unwrap().expect("every packet comes back");
            same_packet(&got, &packet(number, size));
        }
        assert_eq!(replies.recv().await.unwrap(), None);
        assert_eq!(replies.recv().await.unwrap(), None);
    };
    futures::join!(send, receive);
}

pub(super) async fn upload_with(client: &InteropClient, count: i64, size: usize) {
    sum_over(client.upload().await.unwrap(), count, size).await;
}

pub(super) async fn sum_over(mut stream: client::ClientStream<Packet, Packet>, count: i64, size: usize) {
    for number in 0..count {
        stream.send(packet(number, size)).await.unwrap();
    }
    let answer = stream.close_and_recv().await.unwrap();
    assert_eq!(answer.number, count);
    assert_eq!(answer.text, (0..count).map(|_| size).sum::<usize>().to_string());
}

pub(super) async fn download_with(client: &InteropClient, count: i64, size: usize) {
    let command = Command { what: String::new(), count, size: i64::try_from(size).unwrap() };
    let mut stream = client.download(command).await.unwrap();
    for number in 0..count {
        let got = stream.recv().await.unwrap().expect("as many packets as asked for");
        assert_eq!((got.number, got.body.len()), (number, size));
    }
    assert_eq!(stream.recv().await.unwrap(), None);
    assert_eq!(stream.recv().await.unwrap(), None);
}

pub async fn mirror_all(peer: Peer) {
    let (mut values, mut returned) = peer.client().await.mirror_all().await.unwrap().split();
    for (_, value) in &samples() {
        values.send(value).await.unwrap();
    }
    values.close_send().await.unwrap();
    for (name, value) in samples() {
        let got = returned.recv().await.unwrap().expect("every value comes back");
        // As text: -0.0 equals 0.0 otherwise.
        assert_eq!(format!("{got:?}"), format!("{:?}", mirrored(&peer, value)), "{name}");
    }
    assert_eq!(returned.recv().await.unwrap(), None);
}

/// Keeps 64 streams of one connection in step, so that a message of one stream on another is seen.
pub async fn interleaved(peer: Peer) {
    const ROUNDS: i64 = 10;
    let client = peer.client().await;
    let mut streams = Vec::new();
    for number in 0..64 {
        streams.push((number, client.echo().await.unwrap()));
    }
    let of = |stream: i64, round: i64| packet(stream * ROUNDS + round, usize::try_from(stream).unwrap() * 10);
    for round in 0..ROUNDS {
        for (number, stream) in &mut streams {
            stream.send(of(*number, round)).await.unwrap();
        }
        for (number, stream) in streams.iter_mut().rev() {
            let got = stream.recv().await.unwrap().expect("every packet comes back");
            same_packet(&got, &of(*number, round));
        }
    }
    let closed = streams.into_iter().map(|(_, mut stream)| async move {
        stream.close_send().await.unwrap();
        assert_eq!(stream.recv().await.unwrap(), None);
    });
    join_all(closed).await;
}
