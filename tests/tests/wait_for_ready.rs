//! Calls that wait for a connection while none can be made.

use futures::future::join_all;
use streamx::{Channel, Code, Pool};
use streamx_tests::place::{HOUR, SECOND, pass, serve};
use streamx_tests::probe::{Handlers, Note, ProbeClient};
use streamx_tests::rig::{echo, eventually, soon};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// An address nobody listens at.
async fn nowhere() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_a_connection_is_served_when_there_is_a_server() {
    for pool in [Pool::default(), Pool::mux(2), Pool::long(), Pool::short()] {
        let address = nowhere().await;
        let channel = Channel::builder(format!("ttheader://{address}")).pool(pool).wait_for_ready(true);
        let channel = channel.connect_lazy().unwrap();
        let client = ProbeClient::new(channel.clone());
        let calls: Vec<_> = (0..5).map(|number| tokio::spawn(client.ask(Note::number(number)))).collect();
        let streams: Vec<_> = (0..5).map(|_| tokio::spawn(client.echo())).collect();
        pass(20 * SECOND).await;
        assert!(
            calls.iter().all(|call| !call.is_finished()) && streams.iter().all(|call| !call.is_finished())
        );
        assert_eq!(client.echo().wait_for_ready(false).await.unwrap_err().code(), Code::Unavailable);

        let handlers = Handlers::default();
        let (_, server) = soon(serve(&address, &handlers)).await;
        pass(20 * SECOND).await;
        for (number, call) in (0..).zip(soon(join_all(calls)).await) {
            assert_eq!(call.unwrap().unwrap(), Note::number(number));
        }
        for stream in soon(join_all(streams)).await {
            echo(&mut stream.unwrap().unwrap(), 1).await;
        }
        assert_eq!(soon(channel.shutdown(HOUR)).await, 0);
        eventually(|| handlers.alive() == 0).await;
        server.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_a_connection_uses_the_one_that_another_call_makes() {
    let address = nowhere().await;
    let channel = Channel::builder(format!("ttheader://{address}")).connect_lazy().unwrap();
    let client = ProbeClient::new(channel.clone());
    let waiting: Vec<_> = (0..3).map(|_| tokio::spawn(client.echo().wait_for_ready(true))).collect();
    pass(10 * SECOND).await;
    let handlers = Handlers::default();
    let (_, server) = soon(serve(&address, &handlers)).await;
    let other = client.echo().await.unwrap();
    // Without a tick of the clock.
    eventually(|| waiting.iter().all(JoinHandle::is_finished)).await;
    assert_eq!(channel.counters().connections_opened, 1);
    drop((waiting, other));
    assert_eq!(soon(channel.shutdown(HOUR)).await, 0);
    server.abort();
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_connection_ends_with_the_time_of_the_call_or_the_channel() {
    let url = format!("ttheader://{}", nowhere().await);
    let channel = Channel::builder(&url).wait_for_ready(true).connect_lazy().unwrap();
    let client = ProbeClient::new(channel.clone());
    let first = tokio::spawn(client.echo().timeout(5 * SECOND));
    let second = tokio::spawn(client.ask(Note::number(1)).timeout(9 * SECOND));
    let last = tokio::spawn(client.echo());
    pass(6 * SECOND).await;
    assert!(soon(first).await.unwrap().unwrap_err().is_timeout());
    assert!(!second.is_finished());
    pass(4 * SECOND).await;
    assert!(soon(second).await.unwrap().unwrap_err().is_timeout());
    assert!(!last.is_finished());
    let now = Instant::now();
    assert_eq!(soon(channel.shutdown(HOUR)).await, 0);
    let error = soon(last).await.unwrap().unwrap_err();
    assert!(error.is_closed() && error.to_string().contains("the channel was shut down"), "{error}");
    assert_eq!(channel.counters().connections_opened, 0);
    assert!(now.elapsed() < SECOND / 2, "not at the next attempt");
}
