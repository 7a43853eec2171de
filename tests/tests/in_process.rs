//! A server and a channel in one process, directly or over a network in memory, with the options of both sides.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use streamx::testing::Network;
use streamx::{Channel, Code, Limits, Pool, Server};
use streamx_tests::authority::Authority;
use streamx_tests::place::SECOND;
use streamx_tests::probe::{Handlers, Note, ProbeClient, ProbeServer};
use streamx_tests::rig::{echo, soon};
use tokio::sync::mpsc;
use tokio::time::Instant;

fn service() -> ProbeServer<Handlers> {
    ProbeServer::new(Handlers::default())
}

#[tokio::test(start_paused = true)]
async fn a_default_timeout_and_middlewares_of_both_sides_hold_in_process() {
    let calls = Arc::new(AtomicUsize::new(0));
    let (here, there) = (Arc::clone(&calls), Arc::clone(&calls));
    let channel = Server::builder()
        .add_service(service())
        .unary_middleware(move |call, note, next| {
            there.fetch_add(100, Relaxed);
            Box::pin(async move { next.run(call, note).await })
        })
        .in_process()
        .timeout(5 * SECOND)
        .unary_middleware(move |call, note, next| {
            here.fetch_add(1, Relaxed);
            Box::pin(async move { next.run(call, note).await })
        })
        .connect()
        .await
        .unwrap();
    let client = ProbeClient::new(channel);
    assert_eq!(client.ask(Note::number(1)).await.unwrap(), Note::number(1));
    assert_eq!(calls.load(Relaxed), 101);
    let now = Instant::now();
    assert!(client.wait(Note::number(2)).await.unwrap_err().is_timeout());
    assert_eq!(now.elapsed().as_secs(), 5);
    assert_eq!(calls.load(Relaxed), 202);
}

#[tokio::test]
async fn each_side_has_limits_of_its_own() {
    let small = Limits::default().max_message_size(1000);
    let (note, network) = (Note::of_size(1, 5000), Network::default());
    let of_server = || Server::builder().add_service(service()).limits(small.clone());
    let of_client = |channel: streamx::client::ChannelBuilder| channel.limits(small.clone());
    let server_says = [of_server().in_process(), network.channel_builder(of_server())];
    let any = || Server::builder().add_service(service());
    let client_says = [of_client(any().in_process()), of_client(network.channel_builder(any()))];
    for channel in server_says {
        let client = ProbeClient::new(channel.connect_lazy().unwrap());
        let mut stream = client.echo().await.unwrap();
        stream.send(&note).await.unwrap();
        assert_eq!(soon(stream.recv()).await.unwrap_err().code(), Code::ResourceExhausted);
    }
    for channel in client_says {
        let client = ProbeClient::new(channel.connect_lazy().unwrap());
        let mut stream = client.echo().await.unwrap();
        assert_eq!(stream.send(&note).await.unwrap_err().code(), Code::ResourceExhausted);
    }
}

#[tokio::test(start_paused = true)]
async fn a_middleware_of_the_server_sees_what_a_network_does() {
    let (saw, mut sees) = mpsc::unbounded_channel();
    let server = Server::builder().add_service(service()).stream_recv_middleware(move |_call, next| {
        let saw = saw.clone();
        Box::pin(async move {
            let received = next.run().await;
            let _nobody_looks =
                saw.send(received.as_ref().map(Option::is_some).map_err(|error| error.code()));
            received
        })
    });
    let network = Network::seeded(3);
    network.split(5).delay(SECOND..=2 * SECOND);
    let client = ProbeClient::new(network.channel_builder(server).connect_lazy().unwrap());
    let mut stream = client.echo().await.unwrap();
    echo(&mut stream, 1).await;
    assert_eq!(sees.recv().await, Some(Ok(true)));
    network.cut_after(20);
    stream.send(Note::of_size(2, 80)).await.unwrap();
    assert_eq!(stream.recv().await.unwrap_err().code(), Code::Unavailable);
    assert!(!matches!(sees.try_recv(), Ok(Ok(_))), "no part of a message");
}

#[tokio::test]
async fn a_network_has_the_pool_and_the_counters_of_its_channel() {
    let network = Network::default();
    let server = Server::builder().add_service(service());
    let channel: Channel = network.channel_builder(server).pool(Pool::mux(2)).connect_lazy().unwrap();
    let client = ProbeClient::new(channel.clone());
    let (mut one, mut other) = (client.echo().await.unwrap(), client.echo().await.unwrap());
    echo(&mut one, 1).await;
    echo(&mut other, 2).await;
    assert_eq!((channel.counters().connections, network.server_counters().connections), (2, 2));
}

#[tokio::test]
async fn what_is_wrong_with_a_server_is_an_error_of_connect() {
    let twice = || Server::builder().add_service(service()).add_service(service());
    let errors = [
        twice().in_process().connect().await.unwrap_err(),
        twice().in_process().connect_lazy().unwrap_err(),
        Network::default().channel_builder(twice()).connect_lazy().unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.to_string().contains("two services are called"), "{error}");
    }
}

#[tokio::test]
async fn certificates_are_refused_where_there_is_no_socket() {
    let authority = Authority::new();
    let (plain, network) = (|| Server::builder().add_service(service()), Network::default());
    let secure = || plain().tls(authority.server());
    let errors = [
        ("server", secure().in_process().connect_lazy().unwrap_err()),
        ("server", network.channel_builder(secure()).connect_lazy().unwrap_err()),
        ("channel", plain().in_process().tls(authority.client()).connect().await.unwrap_err()),
        ("channel", network.channel_builder(plain()).tls(authority.client()).connect_lazy().unwrap_err()),
    ];
    for (whose, error) in errors {
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.to_string().contains(&format!("the {whose} was given certificates")), "{error}");
    }
}
