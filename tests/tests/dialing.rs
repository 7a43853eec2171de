//! How long dialing may take, and who waits for it.

use std::time::Duration;

use futures::future::join_all;
use streamx::{Channel, Code, Pool, Result};
use streamx_tests::place::{HOUR, SECOND};
use streamx_tests::probe::{Note, ProbeClient};
use streamx_tests::rig::{jumping, settle, soon};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// A listener with a short queue.
fn small() -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket.listen(1).unwrap()
}

/// Fills the queue of a listener, so that it takes no connection any more.
async fn fill(listener: &TcpListener) -> Vec<TcpStream> {
    let mut queued = Vec::new();
    let connect = || TcpStream::connect(listener.local_addr().unwrap());
    while let Ok(connected) = tokio::time::timeout(Duration::from_millis(50), connect()).await {
        queued.push(connected.unwrap());
    }
    queued
}

/// The URL of a listener that takes no connection.
async fn deaf() -> (String, impl Sized) {
    let listener = small();
    let queued = fill(&listener).await;
    (format!("ttheader://{}", listener.local_addr().unwrap()), (listener, queued))
}

#[tokio::test]
async fn dialing_ends_at_its_own_time_or_at_the_deadline_of_the_call() {
    let (url, _deaf) = deaf().await;
    let connect = Channel::builder(&url).connect_timeout(2 * SECOND).connect();
    let (failed, took) = jumping(connect).await;
    let error = failed.unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), (Code::Unavailable, true));
    assert!(error.to_string().ends_with("no answer within 2s"), "{error}");
    assert!(took >= 2 * SECOND && took < 3 * SECOND, "{took:?}");

    let client = ProbeClient::new(Channel::builder(&url).connect_lazy().unwrap());
    assert!(jumping(client.echo().timeout(SECOND)).await.0.unwrap_err().is_timeout());
    assert!(jumping(client.ask(Note::number(1)).timeout(SECOND)).await.0.unwrap_err().is_timeout());
}

#[tokio::test]
async fn calls_that_wait_for_one_dial_all_end_when_it_has_taken_too_long() {
    let (url, _deaf) = deaf().await;
    for pool in [Pool::default(), Pool::mux(2), Pool::long()] {
        let channel = Channel::builder(&url).pool(pool).connect_timeout(2 * SECOND).connect_lazy().unwrap();
        let client = ProbeClient::new(channel);
        let (ended, took) = jumping(join_all((0..10).map(|_| client.echo()))).await;
        for error in ended.into_iter().map(Result::unwrap_err) {
            assert!(error.is_retryable() && error.to_string().ends_with("no answer within 2s"), "{error}");
        }
        assert!(took < 3 * SECOND, "{took:?}");
    }
}

#[tokio::test]
async fn a_connection_that_cannot_be_added_holds_up_no_more_than_one_call_for_a_while() {
    let listener = small();
    let url = format!("ttheader://{}", listener.local_addr().unwrap());
    let channel = Channel::builder(&url).pool(Pool::mux(2)).connect_timeout(2 * SECOND);
    let channel = channel.connect().await.unwrap();
    let _queued = fill(&listener).await;
    let client = ProbeClient::new(channel.clone());
    let mut streams = Vec::new();
    for want in [2 * SECOND, Duration::ZERO, Duration::ZERO] {
        let (stream, took) = jumping(client.echo()).await;
        assert!(took >= want && took < want + SECOND, "{took:?}");
        streams.push(stream.unwrap());
    }
    assert_eq!((channel.counters().connections, channel.counters().streams), (1, 3));
}

#[tokio::test]
async fn a_dial_that_takes_long_ends_when_the_channel_is_shut_down() {
    let (url, _deaf) = deaf().await;
    for pool in [Pool::default(), Pool::mux(2), Pool::long(), Pool::short()] {
        let channel = Channel::builder(&url).pool(pool).connect_timeout(HOUR).connect_lazy().unwrap();
        let client = ProbeClient::new(channel.clone());
        let calls = [tokio::spawn(client.ask(Note::number(1))), tokio::spawn(client.ask(Note::number(2)))];
        settle().await;
        assert_eq!(soon(channel.shutdown(HOUR)).await, 0);
        for call in calls {
            assert!(soon(call).await.unwrap().unwrap_err().is_closed());
        }
    }
}
