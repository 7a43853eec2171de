//! Every pool against the real Kitex: streams and unary calls, several at once, and a server that is away for a while.

use bytes::Bytes;
use futures::future::join_all;
use streamx::{Channel, Pool};
use streamx_tests::cases::within_patience;
use streamx_tests::interop::{InteropClient, Packet};
use streamx_tests::kitex;
use streamx_tests::rig::eventually;

fn packet(number: i64) -> Packet {
    Packet { number, body: Bytes::from_static(&[1; 100]), text: String::new() }
}

fn pools() -> [Pool; 4] {
    [Pool::default(), Pool::mux(2), Pool::long(), Pool::short()]
}

async fn echo(client: &InteropClient) {
    let mut stream = client.echo().await.unwrap();
    for number in 0..3 {
        stream.send(packet(number)).await.unwrap();
        assert_eq!(stream.recv().await.unwrap(), Some(packet(number)));
    }
    stream.close_send().await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), None);
}

#[tokio::test]
async fn streams_and_calls_at_once_use_the_connections_of_their_pool() {
    let Some(kitex) = kitex::build() else { return };
    let server = kitex.server().await;
    // Connections for the four streams that are open at once, and for four more streams one after another.
    for (pool, at_once, after) in
        [(Pool::default(), 1, 1), (Pool::mux(2), 2, 2), (Pool::long(), 4, 4), (Pool::short(), 4, 8)]
    {
        let case = async {
            let channel = Channel::builder(format!("ttheader://{}", server.addr())).pool(pool.clone());
            let channel = channel.connect_lazy().unwrap();
            let client = InteropClient::new(channel.clone());
            let mut streams = Vec::new();
            for number in 0..4 {
                let mut stream = client.echo().await.unwrap();
                stream.send(packet(number)).await.unwrap();
                assert_eq!(stream.recv().await.unwrap(), Some(packet(number)));
                streams.push(stream);
            }
            assert_eq!(channel.counters().connections, at_once, "{pool:?}");
            for mut stream in streams {
                stream.close_send().await.unwrap();
                assert_eq!(stream.recv().await.unwrap(), None);
            }
            for _ in 0..4 {
                echo(&client).await;
            }
            assert_eq!(channel.counters().connections_opened, after, "{pool:?}");
            for answer in join_all((0..8).map(|number| client.ping(packet(number)))).await {
                answer.unwrap();
            }
            let made = channel.counters().connections_opened;
            if pool == Pool::mux(2) {
                assert_eq!(made, 4);
            }
            client.ping(packet(9)).await.unwrap();
            // Only a short one is made anew.
            assert_eq!(channel.counters().connections_opened, made + u64::from(pool == Pool::short()));
            // A stream that is given up leaves its connection fit for the next one.
            let mut given_up = client.echo().await.unwrap();
            given_up.send(packet(1)).await.unwrap();
            given_up.recv().await.unwrap();
            drop(given_up);
            echo(&client).await;
            assert_eq!(channel.shutdown(std::time::Duration::MAX).await, 0);
            assert_eq!((channel.counters().connections, channel.counters().streams), (0, 0));
        };
        within_patience(case).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn unary_calls_share_a_connection_of_mux_over_every_scheme() {
    let Some(kitex) = kitex::build() else { return };
    let server = kitex.server().await;
    for scheme in ["framed", "buffered", "ttheader", "ttheader+unframed"] {
        let case = async {
            let channel = Channel::builder(format!("{scheme}://{}", server.addr())).pool(Pool::mux(1));
            let channel = channel.connect_lazy().unwrap();
            let client = InteropClient::new(channel.clone());
            let pings = (0..64).map(|number| client.ping(packet(number)));
            for (number, answer) in (0..).zip(join_all(pings).await) {
                assert_eq!(answer.unwrap(), packet(number));
            }
            assert_eq!(channel.counters().connections_opened, 1);
        };
        within_patience(case).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_call_while_the_server_is_away_fails_and_the_next_one_after_that_works() {
    let Some(kitex) = kitex::build() else { return };
    let mut server = kitex.server().await;
    for pool in pools() {
        let case = async {
            let channel = Channel::builder(format!("ttheader://{}", server.addr())).pool(pool);
            let channel = channel.connect_lazy().unwrap();
            let client = InteropClient::new(channel.clone());
            server.kill().await;
            for _ in 0..2 {
                assert!(client.echo().await.unwrap_err().is_retryable());
                assert!(client.ping(packet(1)).await.unwrap_err().is_retryable());
            }
            let waiting = tokio::spawn(client.ping(packet(7)).wait_for_ready(true));
            server.restart().await;
            echo(&client).await;
            client.ping(packet(1)).await.unwrap();
            assert_eq!(waiting.await.unwrap().unwrap(), packet(7));
            server.kill().await;
            eventually(|| channel.counters().connections == 0).await;
            client.echo().await.unwrap_err();
            server.restart().await;
            echo(&client).await;
            client.ping(packet(1)).await.unwrap();
        };
        within_patience(case).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn without_resets_a_stream_that_is_given_up_ends_at_kitex() {
    let Some(kitex) = kitex::build() else { return };
    let server = kitex.server().await;
    let case = async {
        let channel = Channel::builder(format!("ttheader://{}", server.addr())).without_resets();
        let channel = channel.connect().await.unwrap();
        let client = InteropClient::new(channel.clone());
        let mut other = client.echo().await.unwrap();
        for number in 0..20 {
            let mut stream = client.echo().await.unwrap();
            stream.send(packet(number)).await.unwrap();
            stream.recv().await.unwrap();
            stream.cancel("enough");
            other.send(packet(number)).await.unwrap();
            assert_eq!(other.recv().await.unwrap(), Some(packet(number)));
        }
        assert_eq!(channel.counters().connections_opened, 1);
    };
    within_patience(case).await;
    server.stop().await;
}
