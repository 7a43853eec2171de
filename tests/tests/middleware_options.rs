//! The four middleware options of Kitex's page "StreamX Basic Programming", by its names: those of a client before a server
//! of streamx and before the real Kitex, those of a server behind a client of streamx and behind the real Kitex.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use streamx::client::ChannelBuilder;
use streamx::server::ServerBuilder;
use streamx::{Channel, Server};
use streamx_tests::cases::Peer;
use streamx_tests::interop::{Handlers, InteropClient, InteropServer, Packet};
use streamx_tests::kitex;

/// How often a middleware ran.
type Runs = Arc<AtomicUsize>;

/// Serves Interop with these options.
async fn serve(options: impl FnOnce(ServerBuilder) -> ServerBuilder) -> String {
    let server = options(Server::builder().add_service(InteropServer::new(Handlers::new())));
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().to_string();
    tokio::spawn(server.serve());
    address
}

/// Sends three packets with these options, and receives three and the end.
async fn echo(address: &str, options: impl FnOnce(ChannelBuilder) -> ChannelBuilder) {
    let channel = options(Channel::builder(format!("ttheader://{address}")));
    let client = InteropClient::new(channel.connect().await.unwrap());
    let mut stream = client.echo().await.unwrap();
    for number in 0..3 {
        let packet = Packet { number, ..Packet::default() };
        stream.send(&packet).await.unwrap();
        assert_eq!(stream.recv().await.unwrap().unwrap().number, number);
    }
    stream.close_send().await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), None);
}

/// A server of streamx, and the real Kitex where there is Go.
async fn servers() -> (Vec<String>, Option<Peer>) {
    let kitex = Peer::kitex().await;
    let addresses = [Some(serve(|server| server).await), kitex.as_ref().map(|peer| peer.addr().to_owned())];
    (addresses.into_iter().flatten().collect(), kitex)
}

/// A client of streamx, and the real Kitex where there is Go.
async fn clients(address: &str) {
    echo(address, |channel| channel).await;
    if let Some(kitex) = kitex::build() {
        let output = kitex.client(address, "bidi-streaming-usage", &["-peer", "streamx"]).await;
        assert!(output.ok(), "{output}");
    }
}

#[tokio::test]
async fn client_with_stream_recv_middleware() {
    let (addresses, _kitex) = servers().await;
    for address in addresses {
        let runs = Runs::default();
        let counted = Arc::clone(&runs);
        echo(&address, |channel| {
            channel.stream_recv_middleware(move |_, next| {
                counted.fetch_add(1, SeqCst);
                Box::pin(async move { next.run().await })
            })
        })
        .await;
        assert_eq!(runs.load(SeqCst), 4, "three packets and the end");
    }
}

#[tokio::test]
async fn client_with_stream_send_middleware() {
    let (addresses, _kitex) = servers().await;
    for address in addresses {
        let runs = Runs::default();
        let counted = Arc::clone(&runs);
        echo(&address, |channel| {
            channel.stream_send_middleware(move |_, message, next| {
                counted.fetch_add(1, SeqCst);
                Box::pin(async move { next.run(message).await })
            })
        })
        .await;
        assert_eq!(runs.load(SeqCst), 3);
    }
}

#[tokio::test]
async fn server_with_stream_recv_middleware() {
    let runs = Runs::default();
    let counted = Arc::clone(&runs);
    let address = serve(|server| {
        server.stream_recv_middleware(move |_, next| {
            counted.fetch_add(1, SeqCst);
            Box::pin(async move { next.run().await })
        })
    })
    .await;
    clients(&address).await;
    let calls = if kitex::build().is_some() { 2 } else { 1 };
    assert_eq!(runs.load(SeqCst), 4 * calls, "three packets and the end of each call");
}

#[tokio::test]
async fn server_with_stream_send_middleware() {
    let runs = Runs::default();
    let counted = Arc::clone(&runs);
    let address = serve(|server| {
        server.stream_send_middleware(move |_, message, next| {
            counted.fetch_add(1, SeqCst);
            Box::pin(async move { next.run(message).await })
        })
    })
    .await;
    clients(&address).await;
    let calls = if kitex::build().is_some() { 2 } else { 1 };
    assert_eq!(runs.load(SeqCst), 3 * calls);
}
