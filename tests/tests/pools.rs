//! Which connections a channel has, and what happens when one cannot be made.

use std::collections::HashSet;

use futures::future::join_all;
use streamx::{Channel, Code, Limits, Pool, Result};
use streamx_tests::place::{HOUR, finish, over, place, port, serve, with_limits};
use streamx_tests::probe::{Handlers, Note, ProbeClient};
use streamx_tests::rig::{echo, eventually, soon};
use tokio::net::TcpListener;

#[tokio::test]
async fn streams_take_the_connections_of_mux_in_turn() {
    let place = place(Pool::mux(2)).await;
    let mut streams = Vec::new();
    let mut ports = Vec::new();
    for _ in 0..6 {
        let (stream, port) = place.stream().await;
        streams.push(stream);
        ports.push(port);
    }
    assert_eq!((place.connections(), place.made()), (2, 2));
    assert_ne!(ports[0], ports[1]);
    for two in ports.windows(3) {
        assert_eq!(two[0], two[2], "{ports:?}");
    }
    drop(streams);
    place.ends().await;
}

#[tokio::test]
async fn a_further_connection_is_made_when_those_of_mux_are_full() {
    let place = with_limits(Pool::mux(2), Limits::default().max_streams(2)).await;
    let mut ports = Vec::new();
    let mut streams = Vec::new();
    for _ in 0..5 {
        let (stream, port) = place.stream().await;
        streams.push(stream);
        ports.push(port);
    }
    assert_eq!(ports.iter().collect::<HashSet<_>>().len(), 3, "{ports:?}");
    assert_eq!(ports.iter().filter(|&port| *port == ports[4]).count(), 1, "{ports:?}");
    drop(streams);
    place.ends().await;
}

#[tokio::test]
async fn calls_that_come_at_once_make_no_more_connections_than_mux_has() {
    let place = place(Pool::mux(2)).await;
    let opened = join_all((0..20).map(|_| place.probe.echo())).await;
    let streams: Vec<_> = opened.into_iter().map(Result::unwrap).collect();
    eventually(|| place.handlers.alive() == 20).await;
    let calls = place.waiting(20).await;
    assert_eq!((place.connections(), place.made()), (4, 4), "two for streams, two for unary calls");
    place.handlers.open_gate();
    for call in soon(join_all(calls)).await {
        call.unwrap().unwrap();
    }
    drop(streams);
    place.ends().await;
}

#[tokio::test]
async fn what_there_is_serves_when_mux_cannot_make_the_next_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ttheader://{}", listener.local_addr().unwrap());
    let channel = Channel::builder(url).pool(Pool::mux(2)).connect().await.unwrap();
    let (_peer, _) = soon(listener.accept()).await.unwrap();
    drop(listener);
    let client = ProbeClient::new(channel.clone());
    let first = soon(client.echo()).await.unwrap();
    let second = soon(client.echo()).await.unwrap();
    assert_eq!((channel.counters().connections, channel.counters().streams), (1, 2));
    drop((first, second));
    assert_eq!(soon(channel.shutdown(HOUR)).await, 0);
}

#[tokio::test]
async fn a_connection_of_long_carries_one_stream_and_then_the_next() {
    let place = place(Pool::long()).await;
    let (mut a, first) = place.stream().await;
    let (mut b, second) = place.stream().await;
    assert_ne!(first, second);
    // Free when the stream is over, though its handle is there.
    finish(&mut a).await;
    let (c, third) = place.stream().await;
    assert_eq!(third, first);
    // And when it was cancelled.
    drop(c);
    let (d, fourth) = place.stream().await;
    assert_eq!(fourth, first);
    assert_eq!(port(&mut b).await, second);
    assert_eq!((place.connections(), place.made()), (2, 2));
    drop((a, b, d));
    place.at_rest().await;
    place.ends().await;
}

#[tokio::test]
async fn a_connection_of_long_with_messages_nobody_has_read_is_not_used_again() {
    let place = place(Pool::long()).await;
    let mut counted = place.probe.count(Note::of_size(3, 1000)).await.unwrap();
    counted.trailer().await.unwrap();
    let (stream, _) = place.stream().await;
    assert_eq!(place.made(), 2);
    for _ in 0..3 {
        counted.recv().await.unwrap().unwrap();
    }
    let (again, _) = place.stream().await;
    assert_eq!(place.made(), 2);
    drop((stream, again));
    place.ends().await;
}

#[tokio::test]
async fn a_connection_of_long_carries_one_unary_call_also_to_a_streamx_server() {
    let place = place(Pool::long()).await;
    place.probe.ask(Note::number(0)).await.unwrap();
    let calls = place.waiting(4).await;
    assert_eq!((place.connections(), place.made()), (4, 4));
    place.handlers.open_gate();
    for call in soon(join_all(calls)).await {
        call.unwrap().unwrap();
    }
    for number in 0..10 {
        soon(place.probe.ask(Note::number(number))).await.unwrap();
    }
    assert_eq!((place.connections(), place.made()), (4, 4));
    place.ends().await;
}

#[tokio::test]
async fn no_more_than_max_idle_connections_are_kept() {
    let place = place(Pool::long().max_idle(2)).await;
    let calls = place.waiting(5).await;
    place.handlers.open_gate();
    for call in soon(join_all(calls)).await {
        call.unwrap().unwrap();
    }
    soon(place.probe.ask(Note::number(0))).await.unwrap();
    place.comes_to(2).await;
    let mut streams = Vec::new();
    for _ in 0..5 {
        streams.push(place.stream().await.0);
    }
    drop(streams);
    drop(place.stream().await);
    place.comes_to(4).await;
    assert_eq!(place.made(), 10);
    place.ends().await;
}

#[tokio::test]
async fn short_has_a_connection_for_each_call_that_ends_with_it() {
    let place = place(Pool::short()).await;
    let (mut a, first) = place.stream().await;
    let (mut b, second) = place.stream().await;
    assert_ne!(first, second);
    place.comes_to(2).await;
    finish(&mut a).await;
    // Though its handle is there.
    place.comes_to(1).await;
    assert_eq!(port(&mut b).await, second);
    drop(b);
    place.comes_to(0).await;
    for number in 0..3 {
        soon(place.probe.ask(Note::number(number))).await.unwrap();
    }
    place.comes_to(0).await;
    assert_eq!(place.made(), 5);
    // Also when the server ends the stream first, with messages that were not read.
    let mut counted = place.probe.count(Note::of_size(3, 1000)).await.unwrap();
    counted.trailer().await.unwrap();
    place.comes_to(0).await;
    assert_eq!(counted.recv().await.unwrap(), Some(Note::of_size(3, 1000)));
    drop((a, counted));
    place.at_rest().await;
    place.ends().await;
}

#[tokio::test]
async fn a_connection_of_long_carries_one_call_and_then_the_next_without_a_header_too() {
    for scheme in ["framed", "buffered", "framed+nonstrict", "buffered+nonstrict"] {
        let place = over(scheme, Pool::long().max_idle(2)).await;
        let calls = place.waiting(3).await;
        assert_eq!((place.connections(), place.made()), (3, 3), "{scheme}");
        place.handlers.open_gate();
        for (number, call) in (0..).zip(soon(join_all(calls)).await) {
            assert_eq!(call.unwrap().unwrap(), Note::number(number), "{scheme}");
        }
        for number in 0..10 {
            assert_eq!(soon(place.probe.ask(Note::number(number))).await.unwrap(), Note::number(number));
        }
        place.comes_to(2).await;
        assert_eq!(place.made(), 3, "{scheme}");

        // A call that is given up takes its connection with it: its answer is not that of the next call.
        place.handlers.close_gate();
        let [given_up] = place.waiting(1).await.try_into().unwrap();
        given_up.abort();
        place.comes_to(1).await;
        place.handlers.open_gate();
        for number in 10..20 {
            assert_eq!(soon(place.probe.ask(Note::number(number))).await.unwrap(), Note::number(number));
        }
        assert_eq!((place.connections(), place.made()), (1, 3), "{scheme}");
        place.at_rest().await;
        place.ends().await;
    }
}

#[tokio::test]
async fn short_has_a_connection_for_each_call_without_a_header_too() {
    for scheme in ["framed", "buffered", "framed+nonstrict", "buffered+nonstrict"] {
        let place = over(scheme, Pool::short()).await;
        let calls = place.waiting(3).await;
        assert_eq!((place.connections(), place.made()), (3, 3), "{scheme}");
        place.handlers.open_gate();
        for (number, call) in (0..).zip(soon(join_all(calls)).await) {
            assert_eq!(call.unwrap().unwrap(), Note::number(number), "{scheme}");
        }
        place.comes_to(0).await;
        for number in 0..3 {
            assert_eq!(soon(place.probe.ask(Note::number(number))).await.unwrap(), Note::number(number));
        }
        place.comes_to(0).await;
        assert_eq!(place.made(), 6, "{scheme}");
        place.at_rest().await;
        place.ends().await;
    }
}

#[tokio::test]
async fn a_failed_dial_fails_its_call_and_the_next_one_dials_again() {
    for pool in [Pool::default(), Pool::mux(2), Pool::long(), Pool::short()] {
        let mut place = place(pool).await;
        place.server.abort();
        let _cancelled = (&mut place.server).await;
        for _ in 0..3 {
            let error = soon(place.probe.echo()).await.unwrap_err();
            assert!(error.is_retryable() && error.to_string().contains("cannot connect"), "{error}");
            let error = soon(place.probe.ask(Note::number(1))).await.unwrap_err();
            assert!(error.is_retryable() && error.to_string().contains("cannot connect"), "{error}");
        }
        let address = place.address.clone();
        place.server = soon(serve(&address, &place.handlers)).await.1;
        echo(&mut soon(place.probe.echo()).await.unwrap(), 1).await;
        soon(place.probe.ask(Note::number(1))).await.unwrap();

        // And when connections are lost that were there.
        place.server.abort();
        let _cancelled = (&mut place.server).await;
        place.comes_to(0).await;
        soon(place.probe.echo()).await.unwrap_err();
        place.server = soon(serve(&address, &place.handlers)).await.1;
        echo(&mut soon(place.probe.echo()).await.unwrap(), 1).await;
        soon(place.probe.ask(Note::number(1))).await.unwrap();
        place.at_rest().await;
        place.ends().await;
    }
}

#[tokio::test]
async fn connecting_makes_one_connection_and_a_short_one_is_not_kept() {
    for (pool, kept) in [(Pool::mux(3), 1), (Pool::long(), 1), (Pool::short(), 0)] {
        let handlers = Handlers::default();
        let (address, server) = serve("127.0.0.1:0", &handlers).await;
        for scheme in ["ttheader", "framed", "buffered"] {
            let channel = Channel::builder(format!("{scheme}://{address}")).pool(pool.clone());
            let channel = channel.connect().await.unwrap();
            assert_eq!(channel.counters().connections_opened, 1);
            eventually(|| channel.counters().connections == kept).await;
        }
        server.abort();
    }
}

#[test]
fn a_pool_of_no_connection_is_refused() {
    let error = Channel::builder("ttheader://127.0.0.1:1").pool(Pool::mux(0)).connect_lazy().unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(error.to_string().contains("Pool::mux(0)"), "{error}");
}
