//! The connection task from seam to seam, over real sockets: what arrives, and how many writes it takes.

use std::future::poll_fn;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use futures::future::join_all;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::call::{Context, Exchange, Handler, Method, Mode, NewCall};
use crate::client::ChannelBuilder;
use crate::schema::ServiceSchema;
use crate::wire::ttheader::frame::{self, Frame, FrameKind};
use crate::wire::{Bounds, Cut};
use crate::{Channel, Code, Counters, Error, Placement, Result, Server, Service};

/// Sends every message back.
struct Echo;

impl Handler for Echo {
    fn handle(&self, mut exchange: Exchange, _: Context) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            while let Some(message) = receive(&mut exchange).await? {
                send(&mut exchange, &message).await?;
            }
            Ok(())
        })
    }
}

async fn receive(exchange: &mut Exchange) -> Result<Option<Bytes>> {
    poll_fn(|cx| exchange.incoming.poll_message(cx)).await
}

async fn send(exchange: &mut Exchange, message: &[u8]) -> Result<()> {
    poll_fn(|cx| exchange.outgoing.poll_ready(cx)).await?;
    exchange.outgoing.put(
        &mut |out| {
            out.extend_from_slice(message);
            Ok(())
        },
        false,
    )
}

const ECHO: NewCall = NewCall {
    namespace: "",
    service: "Test",
    method: "Echo",
    mode: Mode::Bidi,
    strings: Vec::new(),
    binary: Vec::new(),
    parent: None,
    timeout: None,
    wait_for_ready: false,
};

fn service(placement: Placement) -> Service {
    let echo = Method { name: "Echo", mode: Mode::Bidi, takes_context: false, handler: Arc::new(Echo) };
    let schema = ServiceSchema::new("Test", None, "", &[]);
    Service::new(schema, vec![echo]).placement(placement)
}

struct Pair {
    channel: Channel,
    server: Box<dyn Fn() -> Counters + Send + Sync>,
}

async fn pair(placement: Placement) -> Pair {
    let server = Server::builder().add_service(service(placement)).bind("127.0.0.1:0").await.unwrap();
    let (address, counters) = (server.local_addr(), server.counters());
    tokio::spawn(server.serve());
    let channel = Channel::connect(format!("ttheader://{address}")).await.unwrap();
    Pair { channel, server: Box::new(counters) }
}

impl Pair {
    /// `streams` streams echo `rounds` messages each, one in flight per stream. The writes of both sides.
    async fn ping_pong(&self, streams: usize, rounds: usize) -> (u64, u64) {
        let mut open = Vec::new();
        for _ in 0..streams {
            let mut exchange = self.channel.open(ECHO).await.unwrap();
            send(&mut exchange, b"first").await.unwrap();
            receive(&mut exchange).await.unwrap().unwrap();
            open.push(exchange);
        }
        let before = (self.channel.counters().writes, (self.server)().writes);
        let tasks = open.into_iter().map(|mut exchange| {
            tokio::spawn(async move {
                for round in 0..rounds {
                    let message = [u8::try_from(round % 251).unwrap(); 100];
                    send(&mut exchange, &message).await.unwrap();
                    assert_eq!(receive(&mut exchange).await.unwrap().unwrap()[..], message);
                }
                exchange
            })
        });
        let mut done: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
        let after = (self.channel.counters().writes, (self.server)().writes);
        for exchange in &mut done {
            exchange.outgoing.finish();
            assert_eq!(receive(exchange).await.unwrap(), None);
        }
        (after.0 - before.0, after.1 - before.1)
    }
}

#[tokio::test]
async fn one_stream_takes_one_write_per_message() {
    for placement in [Placement::Connection, Placement::Task] {
        let writes = pair(placement).await.ping_pong(1, 100).await;
        assert_eq!(writes, (100, 100), "{placement:?}");
    }
}

#[tokio::test]
async fn a_client_that_only_sends_shares_writes() {
    let pair = pair(Placement::Connection).await;
    let mut exchange = pair.channel.open(ECHO).await.unwrap();
    let before = pair.channel.counters().writes;
    for _ in 0..1_000 {
        send(&mut exchange, &[0; 100]).await.unwrap();
    }
    exchange.outgoing.finish();
    let mut answers = 0;
    while receive(&mut exchange).await.unwrap().is_some() {
        answers += 1;
    }
    assert_eq!(answers, 1_000);
    let writes = pair.channel.counters().writes - before;
    assert!(writes * 16 <= 1_000, "{writes}");
}

async fn many_streams_share_writes() {
    for placement in [Placement::Connection, Placement::Task] {
        let pair = pair(placement).await;
        let (client, server) = pair.ping_pong(64, 500).await;
        let messages = 64 * 500;
        assert!(client * 16 <= messages && server * 16 <= messages, "{placement:?}: {client}, {server}");
    }
}

#[tokio::test]
async fn many_streams_share_writes_on_the_current_thread_runtime() {
    many_streams_share_writes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_streams_share_writes_on_the_multi_thread_runtime() {
    many_streams_share_writes().await;
}

#[tokio::test]
async fn nothing_is_left_behind() {
    let pair = pair(Placement::Adaptive).await;
    pair.ping_pong(8, 200).await;
    let Counters { streams, queued_bytes, .. } = pair.channel.counters();
    assert_eq!((streams, queued_bytes), (0, 0));
    let server = pair.server;
    drop(pair.channel);
    while server().connections > 0 {
        tokio::task::yield_now().await;
    }
    let Counters { streams, handlers, queued_bytes, .. } = server();
    assert_eq!((streams, handlers, queued_bytes), (0, 0, 0));
}

/// The kinds of frames that a client sends which gives up two streams, the second one after it has said that it sends no
/// more.
async fn frames_of_a_client_that_gives_up(
    builder: fn(ChannelBuilder) -> ChannelBuilder,
) -> Vec<(i32, FrameKind, bool)> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ttheader://{}", listener.local_addr().unwrap());
    let channel = builder(Channel::builder(url)).connect().await.unwrap();
    let (mut peer, _) = listener.accept().await.unwrap();
    for finish in [false, true] {
        let mut exchange = channel.open(ECHO).await.unwrap();
        send(&mut exchange, b"first").await.unwrap();
        if finish {
            exchange.outgoing.finish();
        }
        exchange.incoming.reset(Error::new(Code::Cancelled, "enough").with_kitex_code(12007));
    }
    drop(channel);
    let mut input = BytesMut::new();
    while peer.read_buf(&mut input).await.unwrap() > 0 {}
    let bounds = Bounds { max_header: 1 << 10, max_payload: 1 << 10 };
    let mut frames = Vec::new();
    while let Ok(Cut::Whole(Frame { id, kind, payload, .. })) = frame::cut(&mut input, &bounds) {
        frames.push((id, kind, payload.windows(6).any(|text| text == b"enough")));
    }
    frames
}

#[tokio::test]
async fn a_stream_that_is_given_up_ends_with_a_reset_or_without() {
    let begun = |id| [(id, FrameKind::Header, false), (id, FrameKind::Data, false)];
    let end = [(1, FrameKind::Rst, true), (1, FrameKind::Trailer, false)];
    let finished = [(2, FrameKind::Trailer, false), (2, FrameKind::Rst, true)];
    let frames = frames_of_a_client_that_gives_up(|builder| builder).await;
    assert_eq!(frames, [&begun(1)[..], &end, &begun(2), &finished].concat());

    let end = [(1, FrameKind::Trailer, true)];
    let frames = frames_of_a_client_that_gives_up(ChannelBuilder::without_resets).await;
    assert_eq!(frames, [&begun(1)[..], &end, &begun(2), &finished[..1]].concat());
}
