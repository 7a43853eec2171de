//! What Kitex's own tests do with the time of a stream: in each mode the time of a `recv` alone, the same before that of the
//! whole call, and the latter before the former; each set for all calls of a client, and for one call.

use std::time::Duration;

use streamx::client::{self, Call, ChannelBuilder};
use streamx::{Error, Result};

use super::Peer;
use super::beside::command;
use super::endings::{act_of, count, noticed};
use super::normal::{BRIEF, LONG};
use super::unary::{packet, same_packet};
use crate::interop::{InteropClient, Packet};

/// Time enough for a handler to begin.
pub(super) const SOON: Duration = Duration::from_millis(300);

/// How long a call, and each `recv` of it, may take, and the code of the error.
#[derive(Clone, Copy)]
struct Times {
    recv: Duration,
    whole: Option<Duration>,
    code: i32,
}

const RECV: Times = Times { recv: BRIEF, whole: None, code: 12014 };
const RECV_BEFORE_STREAM: Times = Times { recv: BRIEF, whole: Some(LONG), code: 12014 };
const STREAM_BEFORE_RECV: Times = Times { recv: LONG, whole: Some(SOON), code: 12015 };

/// A client, and what is set on each of its calls beside its defaults.
struct Caller {
    client: InteropClient,
    times: Option<Times>,
}

impl Caller {
    /// Whose calls are all bounded by default.
    async fn by_default(peer: &Peer, times: Times) -> Self {
        let channel = peer.channel_builder(peer.scheme).recv_timeout(times.recv);
        let channel = times.whole.into_iter().fold(channel, ChannelBuilder::timeout);
        let client = InteropClient::new(channel.connect().await.expect("the server listens"));
        Self { client, times: None }
    }

    fn set<T>(&self, call: Call<T>) -> Call<T> {
        let Some(times) = self.times else { return call };
        times.whole.into_iter().fold(call.recv_timeout(times.recv), Call::timeout)
    }
}

async fn client_streaming(caller: &Caller) -> Error {
    let mut stream = caller.set(caller.client.gather()).await.unwrap();
    stream.send(Packet { text: "hold".into(), ..Packet::default() }).await.unwrap();
    stream.header().await.unwrap(); // the handler runs
    stream.close_and_recv().await.unwrap_err()
}

async fn server_streaming(caller: &Caller) -> Error {
    let mut stream = caller.set(caller.client.download(command("wait", 1))).await.unwrap();
    stream.header().await.unwrap();
    failure(async || stream.recv().await).await
}

async fn bidi_streaming(caller: &Caller) -> Error {
    let mut stream = act_of(caller.set(caller.client.act()), command("wait", 0)).await;
    stream.header().await.unwrap();
    failure(async || stream.recv().await).await
}

/// What receiving fails with in the end.
async fn failure(mut recv: impl AsyncFnMut() -> Result<Option<Packet>>) -> Error {
    loop {
        match recv().await {
            Ok(packet) => drop(packet.expect("the server never ends the call")),
            Err(error) => return error,
        }
    }
}

async fn times_out(peer: Peer, times: Times, wait: impl AsyncFn(&Caller) -> Error) {
    let client = peer.client().await;
    let by_call = Caller { client: client.clone(), times: Some(times) };
    for caller in [Caller::by_default(&peer, times).await, by_call] {
        let (before, _) = count(&client, 0, 0).await;
        let error = wait(&caller).await;
        // Over gRPC a handler of Kitex is told of the time of its call and may be first to end it, with what it calls this.
        let by_server = peer.is_grpc()
            && peer.kitex
            && times.code == 12015
            && error.to_string().contains("context deadline exceeded");
        if !by_server {
            assert!(error.is_timeout(), "{error}");
            assert_eq!(error.kitex_code(), Some(times.code), "{error}");
        }
        noticed(&client, before, &peer.gone(times.code)).await;
    }
}

/// Nothing is sent when a `recv` has waited too long, and the stream goes on.
pub async fn timeout_bidi_streaming_kept_open(peer: Peer) {
    let default = peer.channel_builder(peer.scheme).recv_timeout(BRIEF).keep_open(true);
    let default = InteropClient::new(default.connect().await.expect("the server listens"));
    let by_call = peer.client().await.echo().recv_timeout(BRIEF).keep_open(true);
    for call in [default.echo(), by_call] {
        let mut stream = call.await.unwrap();
        for number in 0..2 {
            let error = stream.recv().await.unwrap_err();
            assert!(error.is_timeout() && error.is_retryable(), "{error}");
            assert_eq!(error.kitex_code(), Some(12014), "{error}");
            stream.send(packet(number, 10)).await.unwrap();
            same_packet(&patient(&mut stream).await.expect("the packet comes back"), &packet(number, 10));
        }
        stream.close_send().await.unwrap();
        assert_eq!(patient(&mut stream).await, None);
    }
}

/// Tries again for as long as it waits too long.
async fn patient(stream: &mut client::Bidi<Packet, Packet>) -> Option<Packet> {
    loop {
        match stream.recv().await {
            Err(error) if error.is_retryable() => {}
            outcome => return outcome.unwrap(),
        }
    }
}

macro_rules! cases {
    ($($case:ident = $wait:ident, $times:ident;)*) => {
        $(
            pub async fn $case(peer: Peer) {
                times_out(peer, $times, $wait).await;
            }
        )*
    };
}

cases! {
    timeout_client_streaming_recv = client_streaming, RECV;
    timeout_client_streaming_recv_before_stream = client_streaming, RECV_BEFORE_STREAM;
    timeout_client_streaming_stream_before_recv = client_streaming, STREAM_BEFORE_RECV;
    timeout_server_streaming_recv = server_streaming, RECV;
    timeout_server_streaming_recv_before_stream = server_streaming, RECV_BEFORE_STREAM;
    timeout_server_streaming_stream_before_recv = server_streaming, STREAM_BEFORE_RECV;
    timeout_bidi_streaming_recv = bidi_streaming, RECV;
    timeout_bidi_streaming_recv_before_stream = bidi_streaming, RECV_BEFORE_STREAM;
    timeout_bidi_streaming_stream_before_recv = bidi_streaming, STREAM_BEFORE_RECV;
}
