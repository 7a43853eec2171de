//! Calls that are polled, and then left while their program waits for something else: no other call waits for them.

use std::pin::pin;

use futures::stream::FuturesUnordered;
use futures::{StreamExt, poll};
use streamx::{Channel, Code, Pool};
use streamx_tests::place::{HOUR, SECOND, pass, place, serve};
use streamx_tests::probe::{Handlers, Note, ProbeClient};
use streamx_tests::rig::{echo, eventually, settle, soon};
use tokio::net::TcpListener;
use tokio::runtime::Handle;

fn pools() -> [Pool; 4] {
    [Pool::default(), Pool::mux(2), Pool::long(), Pool::short()]
}

/// A server that says nothing, and a channel to it that has made no connection yet.
async fn silent(pool: Pool) -> (TcpListener, Channel, ProbeClient) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ttheader://{}", listener.local_addr().unwrap());
    let channel = Channel::builder(url).pool(pool).connect_lazy().unwrap();
    (listener, channel.clone(), ProbeClient::new(channel))
}

#[tokio::test(start_paused = true)]
async fn a_call_that_dials_and_is_left_holds_up_no_other() {
    for pool in pools() {
        let place = place(pool).await;
        let (mut left, mut also_left) = (pin!(place.probe.echo()), pin!(place.probe.ask(Note::number(1))));
        assert!(poll!(&mut left).is_pending() && poll!(&mut also_left).is_pending());
        echo(&mut soon(place.probe.echo()).await.unwrap(), 1).await;
        assert_eq!(soon(place.probe.ask(Note::number(2))).await.unwrap(), Note::number(2));
        echo(&mut soon(left).await.unwrap(), 3).await;
        assert_eq!(soon(also_left).await.unwrap(), Note::number(1));
        place.at_rest().await;
        place.ends().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_a_connection_and_is_left_holds_up_no_other() {
    for pool in pools() {
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
        let channel = Channel::builder(format!("ttheader://{address}")).pool(pool).wait_for_ready(true);
        let channel = channel.connect_lazy().unwrap();
        let client = ProbeClient::new(channel.clone());
        let (mut dials, mut waits) = (pin!(client.echo()), pin!(client.echo()));
        let mut asks = pin!(client.ask(Note::number(1)));
        assert!(poll!(&mut dials).is_pending());
        for _ in 0..3 {
            assert!(poll!(&mut waits).is_pending() && poll!(&mut asks).is_pending());
            settle().await;
        }

        let handlers = Handlers::default();
        let (_, server) = serve(&address, &handlers).await;
        // Without a pause: a call that is new dials at once.
        let now = tokio::time::Instant::now();
        let streams = tokio::spawn(client.echo());
        let answers = tokio::spawn(client.ask(Note::number(2)));
        eventually(|| streams.is_finished() && answers.is_finished()).await;
        assert_eq!(now.elapsed(), std::time::Duration::ZERO);
        echo(&mut streams.await.unwrap().unwrap(), 1).await;
        assert_eq!(answers.await.unwrap().unwrap(), Note::number(2));
        for left in [dials, waits] {
            echo(&mut soon(left).await.unwrap(), 2).await;
        }
        assert_eq!(soon(asks).await.unwrap(), Note::number(1));
        assert_eq!(soon(channel.shutdown(HOUR)).await, 0);
        server.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn calls_of_a_set_that_nobody_polls_hold_up_no_other() {
    for (pool, connections) in [(Pool::default(), 1), (Pool::mux(2), 2)] {
        let place = place(pool).await;
        let mut set: FuturesUnordered<_> = (0..10).map(|_| place.probe.echo()).collect();
        assert!(poll!(set.next()).is_pending());
        echo(&mut soon(place.probe.echo()).await.unwrap(), 1).await;
        let mut number = 0;
        while let Some(stream) = soon(set.next()).await {
            echo(&mut stream.unwrap(), number).await;
            number += 1;
        }
        assert_eq!((number, place.made()), (10, connections));
        drop(set);
        place.at_rest().await;
        place.ends().await;
    }
}

#[tokio::test]
async fn calls_that_may_wait_dial_at_once_and_not_one_after_another() {
    for pool in [Pool::long(), Pool::short()] {
        let (listener, _channel, client) = silent(pool).await;
        let mut calls: Vec<_> = (0..5).map(|_| client.echo().wait_for_ready(true)).collect();
        for call in &mut calls {
            assert!(poll!(call).is_pending());
        }
        for _ in 0..5 {
            soon(listener.accept()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_shared_dial_goes_on_when_its_call_is_dropped() {
    let (listener, channel, client) = silent(Pool::default()).await;
    assert!(poll!(Box::pin(client.echo())).is_pending());
    let _peer = soon(listener.accept()).await.unwrap();
    eventually(|| channel.counters().connections == 1).await;
    drop(listener);
    soon(client.echo()).await.unwrap();
    assert_eq!(channel.counters().connections_opened, 1);
}

#[tokio::test]
async fn a_call_whose_connection_was_lost_while_it_was_left_may_be_made_again() {
    let (listener, channel, client) = silent(Pool::default()).await;
    let mut left = pin!(client.echo());
    assert!(poll!(&mut left).is_pending());
    drop(soon(listener.accept()).await.unwrap());
    eventually(|| channel.counters().connections_opened == 1 && channel.counters().connections == 0).await;
    let error = soon(left).await.unwrap_err();
    assert!(error.code() == Code::Unavailable && error.is_retryable(), "{error}");
    assert!(error.to_string().ends_with("the connection was lost before a call could use it"), "{error}");
    let (again, peer) = tokio::join!(client.echo(), soon(listener.accept()));
    assert!(again.is_ok() && peer.is_ok());
}

#[tokio::test(start_paused = true)]
async fn nothing_dials_for_a_channel_that_is_dropped() {
    for pool in pools() {
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let channel = Channel::builder(format!("ttheader://{address}")).pool(pool).connect_lazy().unwrap();
        let client = ProbeClient::new(channel);
        let mut calls: Vec<_> = (0..3).map(|_| client.echo().wait_for_ready(true)).collect();
        let mut answers = Box::pin(client.ask(Note::number(1)).wait_for_ready(true));
        for _ in 0..3 {
            assert!(poll!(&mut answers).is_pending());
            for call in &mut calls {
                assert!(poll!(call).is_pending());
            }
            settle().await;
        }
        pass(10 * SECOND).await;
        let tasks = || Handle::current().metrics().num_alive_tasks();
        assert_eq!(tasks(), 2, "one dials for the streams, one for the unary calls");
        drop((client, calls, answers));
        eventually(|| tasks() == 0).await;
    }
}
