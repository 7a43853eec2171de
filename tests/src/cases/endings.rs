//! How streams end: in which order, by a failure, by a caller who goes away.

use std::time::Duration;

use streamx::client::Call;
use streamx::{Channel, client};

use super::streaming::echo_with;
use super::unary::packet;
use super::{Peer, is_no_balance, says};
use crate::interop::stranger::{LackingClient, StrangerClient};
use crate::interop::{Command, InteropClient, Packet};

/// How long a caller waits for an answer of which it is known that it never comes.
const IMPATIENCE: Duration = Duration::from_millis(200);

pub(super) type Act = client::Bidi<Command, Packet>;

pub(super) async fn act(client: &InteropClient, what: &str, count: i64) -> Act {
    act_of(client.act(), Command { what: what.to_owned(), count, size: 10 }).await
}

/// Opens a call of Act, which may have options.
pub(super) async fn act_of(call: Call<Act>, command: Command) -> Act {
    let mut stream = call.await.unwrap();
    stream.send(command).await.unwrap();
    stream
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tally {
    cancelled: i64,
    pub(super) alive: i64,
}

/// Asks, once the server has seen so many streams cancelled and has so many alive. Gives the reason of the last cancel too.
pub(super) async fn count(client: &InteropClient, cancelled: i64, alive: i64) -> (Tally, String) {
    let question = Command { what: "count".to_owned(), count: cancelled, size: alive };
    let mut stream = act_of(client.act(), question).await;
    let cancelled = stream.recv().await.unwrap().expect("a number of cancelled streams");
    let alive = stream.recv().await.unwrap().expect("a number of handlers alive");
    (Tally { cancelled: cancelled.number, alive: alive.number }, cancelled.text)
}

/// Waits until the server has seen one more stream cancelled than before, and demands that it has freed it.
pub(super) async fn noticed(client: &InteropClient, before: Tally, reasons: &[impl AsRef<str>]) {
    let (after, seen) = count(client, before.cancelled + 1, 0).await;
    assert_eq!(after, Tally { cancelled: before.cancelled + 1, ..before });
    for reason in reasons.iter().map(AsRef::as_ref) {
        assert!(seen.contains(reason), "the server saw {seen:?}, not {reason:?}");
    }
    echo_with(client, 1, 10).await;
}

pub(super) async fn waiting(client: &InteropClient) -> Act {
    let mut stream = act(client, "wait", 0).await;
    assert_eq!(stream.recv().await.unwrap().expect("a sign of life").text, "waiting");
    stream
}

pub async fn client_finishes_first(peer: Peer) {
    let mut stream = peer.client().await.echo().await.unwrap();
    for number in 0..3 {
        stream.send(packet(number, 10)).await.unwrap();
    }
    stream.close_send().await.unwrap();
    stream.close_send().await.unwrap();
    stream.send(packet(3, 10)).await.unwrap_err();
    for number in 0..3 {
        assert_eq!(stream.recv().await.unwrap(), Some(packet(number, 10)));
    }
    assert_eq!(stream.recv().await.unwrap(), None);
}

pub async fn server_finishes_first(peer: Peer) {
    let client = peer.client().await;
    let mut stream = act(&client, "finish-first", 3).await;
    for number in 0..3 {
        assert_eq!(stream.recv().await.unwrap().expect("three packets").number, number);
    }
    assert_eq!(stream.recv().await.unwrap(), None);
    let error = stream.send(Command::default()).await.unwrap_err();
    assert!(error.is_closed(), "{error}");
    stream.close_send().await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), None);
    echo_with(&client, 1, 10).await;
}

/// The answer ends a client stream while the client has neither closed nor stopped sending.
pub async fn server_answers_early(peer: Peer) {
    let client = peer.client().await;
    let mut stream = client.upload().await.unwrap();
    stream.send(packet(0, 10)).await.unwrap();
    stream.send(Packet { text: "enough".into(), ..Packet::default() }).await.unwrap();
    for number in 0..100 {
        if let Err(error) = stream.send(packet(number, 10)).await {
            assert!(error.is_closed(), "{error}");
            break;
        }
    }
    assert_eq!(stream.close_and_recv().await.unwrap().number, 2);
    echo_with(&client, 1, 10).await;
}

pub async fn server_returns_unread(peer: Peer) {
    let client = peer.client().await;
    let mut stream = act(&client, "return", 0).await;
    for _ in 0..100 {
        let unread = Command { what: "unread".repeat(100), ..Command::default() };
        if let Err(error) = stream.send(unread).await {
            assert!(error.is_closed(), "{error}");
            break;
        }
    }
    assert_eq!(stream.recv().await.unwrap(), None);
    echo_with(&client, 1, 10).await;
}

pub async fn handler_error(peer: Peer) {
    handler_failure(peer, "fail", 0, "boom").await;
}

pub async fn handler_error_after(peer: Peer) {
    handler_failure(peer, "fail-after", 5, "boom").await;
}

pub async fn handler_panic(peer: Peer) {
    handler_failure(peer, "panic", 0, "panic").await;
}

async fn handler_failure(peer: Peer, what: &str, before: i64, word: &str) {
    let client = peer.client().await;
    let mut stream = act(&client, what, before).await;
    for number in 0..before {
        assert_eq!(stream.recv().await.unwrap().expect("packets come before the failure").number, number);
    }
    says(&stream.recv().await.unwrap_err(), &[word]);
    says(&stream.recv().await.unwrap_err(), &[word]);
    echo_with(&client, 1, 10).await;
}

pub async fn biz_error(peer: Peer) {
    biz_failure(peer, "biz", 0).await;
}

pub async fn biz_error_after(peer: Peer) {
    biz_failure(peer, "biz-after", 5).await;
}

async fn biz_failure(peer: Peer, what: &str, before: i64) {
    let client = peer.client().await;
    let mut stream = act(&client, what, before).await;
    for number in 0..before {
        assert_eq!(stream.recv().await.unwrap().expect("packets come before the failure").number, number);
    }
    is_no_balance(&stream.recv().await.unwrap_err());
    is_no_balance(&stream.recv().await.unwrap_err());
    echo_with(&client, 1, 10).await;
}

pub async fn unknown_method(peer: Peer) {
    let channel = peer.channel(peer.scheme).await;
    let stream = LackingClient::new(channel.clone()).missing().await.unwrap();
    unknown(peer, channel, stream, "Missing").await;
}

pub async fn unknown_service(peer: Peer) {
    let channel = peer.channel(peer.scheme).await;
    let stream = StrangerClient::new(channel.clone()).lost().await.unwrap();
    unknown(peer, channel, stream, "Stranger").await;
}

/// A Kitex server never answers over TTHeader Streaming: there the caller gives up, and the connection must not suffer.
async fn unknown(peer: Peer, channel: Channel, mut stream: client::Bidi<Packet, Packet>, word: &str) {
    stream.send(packet(0, 10)).await.unwrap();
    if peer.kitex && !peer.is_grpc() {
        let answer = tokio::time::timeout(IMPATIENCE, stream.recv()).await;
        assert!(answer.is_err(), "Kitex has learned to answer: {answer:?}");
    } else {
        says(&stream.recv().await.unwrap_err(), &["unknown", word]);
    }
    drop(stream);
    echo_with(&InteropClient::new(channel), 1, 10).await;
}

/// Dropping a stream cancels it.
pub async fn client_cancels(peer: Peer) {
    let client = peer.client().await;
    let (before, _) = count(&client, 0, 0).await;
    drop(waiting(&client).await);
    noticed(&client, before, &[peer.reason(12007)]).await;
}

pub async fn client_cancels_closed(peer: Peer) {
    let client = peer.client().await;
    let (before, _) = count(&client, 0, 0).await;
    let mut stream = waiting(&client).await;
    stream.close_send().await.unwrap();
    drop(stream);
    noticed(&client, before, &[peer.reason(12007)]).await;
}

pub async fn upload_cancelled(peer: Peer) {
    let client = peer.client().await;
    let (before, _) = count(&client, 0, 0).await;
    let mut stream = client.upload().await.unwrap();
    stream.send(packet(0, 10)).await.unwrap();
    count(&client, 0, before.alive + 1).await; // a handler that never started cannot notice
    drop(stream);
    // Ours does without the context, so it is dropped where it stands.
    let reason = if peer.kitex { peer.reason(12007) } else { "dropped".to_owned() };
    noticed(&client, before, &[reason]).await;
}

/// The server would send for ever.
pub async fn download_cancelled(peer: Peer) {
    let client = peer.client().await;
    let (before, _) = count(&client, 0, 0).await;
    let endless = Command { what: String::new(), count: i64::MAX, size: 10 };
    let mut stream = client.download(endless).await.unwrap();
    for number in 0..3 {
        assert_eq!(stream.recv().await.unwrap().expect("packets without end").number, number);
    }
    drop(stream);
    noticed(&client, before, &[peer.reason(12007)]).await;
}

/// The whole client goes away, without a word on the wire.
pub async fn client_drops(peer: Peer) {
    let client = peer.client().await;
    let (before, _) = count(&client, 0, 0).await;
    let url = format!("{}://{}", peer.scheme, peer.server.addr());
    let gone = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let stream = runtime.block_on(async { waiting(&InteropClient::connect(&url).await.unwrap()).await });
        drop(runtime);
        drop(stream);
    });
    gone.await.unwrap();
    noticed(&client, before, &[peer.reason(12013)]).await;
}
