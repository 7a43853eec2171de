//! How a channel ends: what runs may finish, what does not is cut off, and nothing new begins.

use std::time::Duration;

use streamx::{Channel, Code, Limits, Placement, Pool};
use streamx_tests::probe::{Note, ProbeClient};
use streamx_tests::rig::{Rig, Setup, echo, eventually, eventually_or, settle, soon};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

const HOUR: Duration = Duration::from_secs(3600);

/// A channel of its own to the server of a rig, with its clients.
async fn channel(rig: &Rig, pool: Pool) -> (Channel, ProbeClient) {
    let channel = Channel::builder(format!("ttheader://{}", rig.address())).pool(pool);
    let channel = channel.connect().await.unwrap();
    (channel.clone(), ProbeClient::new(channel))
}

fn pools() -> [Pool; 4] {
    [Pool::default(), Pool::mux(2), Pool::long(), Pool::short()]
}

#[tokio::test]
async fn running_calls_finish_and_new_ones_fail() {
    for pool in pools() {
        let rig = Rig::start().await;
        settle().await;
        let tasks = Handle::current().metrics().num_alive_tasks();
        let (channel, client) = channel(&rig, pool).await;
        let mut stream = client.echo().await.unwrap();
        echo(&mut stream, 1).await;
        let call = tokio::spawn(client.wait(Note::number(1)));
        eventually(|| rig.handlers.alive() == 2).await;
        let ending = channel.clone();
        let ending = tokio::spawn(async move { ending.shutdown(HOUR).await });
        settle().await;

        for _ in 0..2 {
            let error = client.echo().await.unwrap_err();
            assert!(error.is_closed() && !error.is_retryable(), "{error}");
            assert!(
                error
                    .to_string()
                    .ends_with("the channel was shut down; no call is made on it any more [client side]"),
                "{error}"
            );
            assert!(client.ask(Note::number(2)).wait_for_ready(true).await.unwrap_err().is_closed());
        }
        echo(&mut stream, 2).await;
        assert!(!ending.is_finished());
        rig.handlers.open_gate();
        assert_eq!(soon(call).await.unwrap().unwrap(), Note::number(1));
        stream.close_send().await.unwrap();
        assert_eq!(soon(stream.recv()).await.unwrap(), None);
        // The handle of the stream is still there.
        assert_eq!(soon(ending).await.unwrap(), 0);
        assert_eq!((channel.counters().connections, channel.counters().streams), (0, 0));
        assert_eq!(soon(channel.shutdown(HOUR)).await, 0, "again");
        drop(stream);
        rig.at_rest().await;
        eventually(|| rig.server().connections == 0).await;
        eventually(|| Handle::current().metrics().num_alive_tasks() <= tasks).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_finished_in_time_is_cut_off_on_both_sides_and_counted() {
    for placement in [Placement::Connection, Placement::Task] {
        for pool in pools() {
            let rig = Setup::placed(placement).start().await;
            let (channel, client) = channel(&rig, pool).await;
            let mut streams = [client.echo().await.unwrap(), client.hold().await.unwrap()];
            echo(&mut streams[0], 1).await;
            let call = tokio::spawn(client.wait(Note::number(1)));
            eventually(|| rig.handlers.alive() == 3).await;
            let ending = channel.clone();
            let ending = tokio::spawn(async move { ending.shutdown(Duration::from_secs(5)).await });
            settle().await;
            tokio::time::advance(Duration::from_millis(4990)).await;
            settle().await;
            assert_eq!((rig.handlers.alive(), ending.is_finished()), (3, false));
            tokio::time::advance(Duration::from_millis(20)).await;
            let now = Instant::now();
            assert_eq!(soon(ending).await.unwrap(), 3);
            assert!(now.elapsed() < Duration::from_millis(500), "the server takes what it is told");
            for stream in &mut streams {
                let error = soon(stream.recv()).await.unwrap_err();
                assert!(error.is_cancelled(), "{error}");
                assert_eq!((error.code(), error.kitex_code()), (Code::Cancelled, Some(12013)));
                assert!(
                    error.to_string().contains("the channel was shut down before the call had ended"),
                    "{error}"
                );
                stream.send(Note::number(1)).await.unwrap_err();
            }
            assert!(soon(call).await.unwrap().unwrap_err().is_cancelled());
            assert_eq!((channel.counters().connections, channel.counters().streams), (0, 0));
            eventually_or(
                || rig.handlers.alive() == 0 && rig.server().connections == 0,
                || format!("{rig:#?}"),
            )
            .await;
            rig.at_rest().await;
        }
    }
}

#[tokio::test]
async fn a_second_shutdown_cuts_off_at_once() {
    let rig = Rig::start().await;
    let (channel, client) = channel(&rig, Pool::default()).await;
    let mut stream = client.echo().await.unwrap();
    echo(&mut stream, 1).await;
    let first = channel.clone();
    let first = tokio::spawn(async move { first.shutdown(HOUR).await });
    settle().await;
    assert_eq!(soon(channel.shutdown(Duration::ZERO)).await, 1);
    assert_eq!(soon(first).await.unwrap(), 0, "the other one has cut it off");
    assert!(soon(stream.recv()).await.unwrap_err().is_cancelled());
    rig.at_rest().await;
}

#[tokio::test]
async fn dropping_the_shutdown_leaves_the_calls_that_run() {
    let rig = Rig::start().await;
    let (channel, client) = channel(&rig, Pool::default()).await;
    let mut stream = client.echo().await.unwrap();
    echo(&mut stream, 1).await;
    let ending = channel.clone();
    let ending = tokio::spawn(async move { ending.shutdown(HOUR).await });
    settle().await;
    ending.abort();
    let _cancelled = ending.await;
    echo(&mut stream, 2).await;
    assert!(client.echo().await.unwrap_err().is_closed());
    stream.close_send().await.unwrap();
    assert_eq!(soon(stream.recv()).await.unwrap(), None);
    eventually(|| channel.counters().connections == 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_nothing_holds_up_the_end_for_no_longer_than_a_second() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ttheader://{}", listener.local_addr().unwrap());
    let channel = Channel::connect(url).await.unwrap();
    let _deaf = soon(listener.accept()).await.unwrap();
    let client = ProbeClient::new(channel.clone());
    let mut stream = client.ignore().await.unwrap();
    let sender = tokio::spawn(async move {
        loop {
            if let Err(error) = stream.send(Note::of_size(1, 64 << 10)).await {
                return error;
            }
        }
    });
    settle().await;
    assert!(!sender.is_finished(), "the buffers are full");
    let ending = channel.clone();
    let ending = tokio::spawn(async move { ending.shutdown(Duration::ZERO).await });
    settle().await;
    assert!(!ending.is_finished());
    tokio::time::advance(Duration::from_millis(1010)).await;
    assert_eq!(soon(ending).await.unwrap(), 1);
    soon(sender).await.unwrap();
    assert_eq!((channel.counters().connections, channel.counters().streams), (0, 0));
}

#[tokio::test]
async fn a_channel_inside_the_process_ends_as_well() {
    let handlers = streamx_tests::probe::Handlers::default();
    let channel = Channel::in_process(streamx_tests::probe::ProbeServer::new(handlers.clone()));
    let mut stream = ProbeClient::new(channel.clone()).echo().await.unwrap();
    echo(&mut stream, 1).await;
    assert_eq!(soon(channel.shutdown(Duration::ZERO)).await, 1);
    assert!(stream.recv().await.unwrap_err().is_cancelled());
    eventually(|| handlers.alive() == 0).await;
}

/// The server reads what is on its way when the channel is over, so that there is room for a call that cannot begin.
#[tokio::test]
async fn unary_calls_that_wait_for_room_end_with_their_channel() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ttheader://{}", listener.local_addr().unwrap());
    let (reads, mut may_read) = watch::channel(false);
    tokio::spawn(async move {
        let mut socket = listener.accept().await.unwrap().0;
        may_read.wait_for(|reads| *reads).await.unwrap();
        let mut bytes = vec![0; 1 << 20];
        while socket.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
    });
    let limits = Limits::default().connection_send_buffer(1);
    let channel = Channel::builder(url).pool(Pool::mux(1)).limits(limits).connect_lazy().unwrap();
    let client = ProbeClient::new(channel.clone());
    let large = tokio::spawn(client.ask(Note::of_size(1, 12 << 20)).into_future());
    eventually(|| channel.counters().writes > 0).await;
    settle().await;
    let waiting: Vec<_> = (0..3).map(|_| tokio::spawn(client.ask(Note::number(2)).into_future())).collect();
    settle().await;
    let ending = tokio::spawn(async move { channel.shutdown(Duration::ZERO).await });
    settle().await;
    reads.send_replace(true);
    soon(ending).await.unwrap();
    for call in waiting.into_iter().chain([large]) {
        soon(call).await.unwrap().unwrap_err();
    }
}
