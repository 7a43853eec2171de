//! What Kitex's own tests do with a caller that gives up: in each mode before, amid and after its messages. The server
//! learns why, and by whom.

use super::endings::{act, count, noticed};
use super::unary::packet;
use super::{CALLER, Peer};
use crate::interop::{Command, Packet};

impl Peer {
    /// What the server has to say of a caller that is gone.
    pub(super) fn gone(&self, code: i32) -> [String; 2] {
        [self.reason(code), self.path(&[CALLER])]
    }
}

pub async fn cancel_client_streaming_without_sending(peer: Peer) {
    cancel_upload(peer, 0).await;
}

pub async fn cancel_client_streaming_amid_messages(peer: Peer) {
    cancel_upload(peer, 3).await;
}

async fn cancel_upload(peer: Peer, sent: i64) {
    let client = peer.client().await;
    let (before, _) = count(&client, 0, 0).await;
    let mut stream = client.gather().await.unwrap();
    for number in 0..sent {
        stream.send(packet(number, 10)).await.unwrap();
    }
    count(&client, 0, before.alive + 1).await; // a handler that never started cannot notice
    stream.cancel("the user has closed the window");
    let error = stream.close_and_recv().await.unwrap_err();
    assert!(error.is_cancelled() && error.kitex_code() == Some(12007), "{error}");
    let [code, path] = peer.gone(12007);
    let text = if peer.is_grpc() { "" } else { "the user has closed the window" };
    noticed(&client, before, &[&code, &path, text]).await;
}

pub async fn cancel_client_streaming_deferred(peer: Peer) {
    let client = peer.client().await;
    let (before, _) = count(&client, 0, 0).await;
    {
        let mut stream = client.gather().await.unwrap();
        stream.send(packet(0, 10)).await.unwrap();
        count(&client, 0, before.alive + 1).await;
    }
    noticed(&client, before, &peer.gone(12007)).await;
}

pub async fn cancel_server_streaming_slow_server(peer: Peer) {
    cancel_download(peer, 0).await;
}

pub async fn cancel_server_streaming_amid_messages(peer: Peer) {
    cancel_download(peer, 10).await;
}

fn wait(count: i64) -> Command {
    Command { what: "wait".to_owned(), count, size: 10 }
}

async fn cancel_download(peer: Peer, sent: i64) {
    let client = peer.client().await;
    let (before, _) = count(&client, 0, 0).await;
    let mut stream = client.download(wait(sent)).await.unwrap();
    for number in 0..sent / 2 {
        assert_eq!(stream.recv().await.unwrap().expect("half of the packets").number, number);
    }
    count(&client, 0, before.alive + 1).await;
    stream.cancel("the user has closed the window");
    let error = loop {
        // What has arrived before may come before.
        match stream.recv().await {
            Ok(packet) => drop::<Packet>(packet.expect("a call that is cancelled has no end")),
            Err(error) => break error,
        }
    };
    assert!(error.is_cancelled() && error.kitex_code() == Some(12007), "{error}");
    noticed(&client, before, &peer.gone(12007)).await;
}

pub async fn cancel_server_streaming_deferred(peer: Peer) {
    let client = peer.client().await;
    let (before, _) = count(&client, 0, 0).await;
    {
        let mut stream = client.download(wait(3)).await.unwrap();
        for number in 0..3 {
            assert_eq!(stream.recv().await.unwrap().expect("three packets").number, number);
        }
    }
    noticed(&client, before, &peer.gone(12007)).await;
}

/// One half sends while the other one receives; both are told.
pub async fn cancel_bidi_streaming_both_halves(peer: Peer) {
    let client = peer.client().await;
    let (before, _) = count(&client, 0, 0).await;
    let (mut commands, mut packets) = act(&client, "listen", 10).await.split();
    let send = async move {
        loop {
            if let Err(error) = commands.send(Command::default()).await {
                return error;
            }
        }
    };
    let receive = async move {
        for number in 0..10 {
            assert_eq!(packets.recv().await.unwrap().expect("ten packets").number, number);
        }
        packets.cancel("enough");
        packets.recv().await.unwrap_err()
    };
    let (sending, receiving) = futures::join!(send, receive);
    for error in [sending, receiving] {
        assert_eq!(error.kitex_code(), Some(12007), "{error}");
    }
    noticed(&client, before, &peer.gone(12007)).await;
}
