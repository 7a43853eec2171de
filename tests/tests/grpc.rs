//! gRPC between streamx peers, and what a server of streamx says to other clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures::future::join_all;
use http::StatusCode;
use streamx::{Channel, Code, Limits, Placement, Server, Service};
use streamx_tests::batching::sixty_four_grpc_streams_share_writes;
use streamx_tests::foreign::{Answer, answer};
use streamx_tests::logs::Logs;
use streamx_tests::probe::{Handlers, Note, ProbeClient, ProbeServer};
use streamx_tests::raw::Raw;
use streamx_tests::rig::{Rig, Setup, echo, eventually, settle, soon};

const KIB: usize = 1024;

async fn rig(limits: Limits) -> Rig {
    Setup { server: limits, ..Setup::default() }.start_over_grpc().await
}

#[tokio::test]
async fn sixty_four_streams_take_a_write_for_sixteen_messages_on_the_current_thread_runtime() {
    for scheme in ["grpc", "grpc+thrift"] {
        for placement in [Placement::Connection, Placement::Task, Placement::Adaptive] {
            sixty_four_grpc_streams_share_writes(scheme, placement).await;
        }
    }
}

#[tokio::test]
async fn a_unary_call_is_one_write_on_each_side() {
    let rig = rig(Limits::default()).await;
    rig.client.ask(Note::number(1)).await.unwrap();
    settle().await;
    let (client, server) = (rig.client().writes, rig.server().writes);
    rig.client.ask(Note::number(2)).await.unwrap();
    settle().await;
    assert_eq!((rig.client().writes - client, rig.server().writes - server), (1, 1));
    rig.at_rest().await;
}

#[tokio::test]
async fn a_sender_waits_for_a_reader_that_is_behind_and_loses_nothing() {
    let rig = rig(Limits::default()).await;
    let mut stream = rig.client.hold().await.unwrap();
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let sending = tokio::spawn(async move {
        let piece = Note::of_size(1, 16 * KIB);
        for _ in 0..200 {
            stream.send(&piece).await.unwrap();
            counted.fetch_add(1, SeqCst);
        }
        stream.close_send().await.unwrap();
        stream
    });
    // The window of the stream, and its share of the send buffer.
    eventually(|| rig.server().queued_bytes > 200 * KIB as u64 && sent.load(SeqCst) > 16).await;
    settle().await;
    assert!(sent.load(SeqCst) < 64, "{} of 200 were sent", sent.load(SeqCst));
    assert!(rig.server().queued_bytes < 300 * KIB as u64, "{}", rig.server().queued_bytes);
    echo(&mut rig.client.echo().await.unwrap(), 1).await;
    rig.handlers.open_gate();
    let mut stream = soon(sending).await.unwrap();
    assert_eq!(soon(stream.recv()).await.unwrap(), Some(Note::number(200)));
    assert_eq!(soon(stream.recv()).await.unwrap(), None);
    rig.at_rest().await;
}

#[tokio::test]
async fn small_messages_that_nobody_reads_wait_too() {
    let rig = rig(Limits::default()).await;
    let mut stream = rig.client.flood(Note::of_size(1, 100)).await.unwrap();
    soon(stream.recv()).await.unwrap().unwrap();
    eventually(|| rig.client().queued_bytes > 200 * KIB as u64).await;
    settle().await;
    let queued = rig.client().queued_bytes;
    assert!(queued < 400 * KIB as u64, "{queued}");
    echo(&mut rig.client.echo().await.unwrap(), 1).await;
    for _ in 0..10_000 {
        soon(stream.recv()).await.unwrap().unwrap();
    }
    drop(stream);
    rig.at_rest().await;
}

#[tokio::test]
async fn a_client_opens_a_further_connection_before_one_carries_what_the_server_allows() {
    let rig = rig(Limits::default().max_streams(4)).await;
    let mut streams = rig.echoes(6).await;
    assert_eq!(rig.client().connections, 2);
    for stream in &mut streams {
        echo(stream, 7).await;
    }
    drop(streams);
    rig.at_rest().await;
}

#[tokio::test]
async fn a_message_above_the_limit_ends_its_stream_only_and_both_sides_are_told_why() {
    let rig = rig(Limits::default().max_message_size(4 * KIB)).await;
    let mut safe = rig.client.echo().await.unwrap();
    echo(&mut safe, 1).await;
    let mut stream = rig.client.echo().await.unwrap();
    stream.send(Note::of_size(1, 8 * KIB)).await.unwrap();
    let error = soon(stream.recv()).await.unwrap_err();
    assert_eq!((error.code(), error.grpc_status()), (Code::ResourceExhausted, Some(8)));
    assert!(error.to_string().contains("limit max_message_size"), "{error}");
    echo(&mut safe, 2).await;
    drop((safe, stream));
    rig.at_rest().await;
    let small = Setup { client: Limits::default().max_message_size(4 * KIB), ..Setup::default() };
    let rig = small.start_over_grpc().await;
    let error = rig.client.ask(Note::of_size(1, 8 * KIB)).await.unwrap_err();
    assert!(error.to_string().contains("limit max_message_size"), "{error}");
    let mut stream = rig.client.flood(Note::of_size(1, 4 * KIB - 50)).await.unwrap();
    soon(stream.recv()).await.unwrap().unwrap();
    drop(stream);
    rig.at_rest().await;
}

/// A server that can be told to end, and a client of it.
async fn ending(drain: Duration) -> (ProbeClient, Handlers, streamx::server::ShutdownHandle, Serving) {
    let handlers = Handlers::default();
    let service = Service::from(ProbeServer::new(handlers.clone()));
    let server =
        Server::builder().add_service(service).drain_timeout(drain).bind("127.0.0.1:0").await.unwrap();
    let channel = Channel::connect(format!("grpc+thrift://{}", server.local_addr())).await.unwrap();
    let shutdown = server.shutdown_handle();
    (ProbeClient::new(channel), handlers, shutdown, tokio::spawn(server.serve()))
}

type Serving = tokio::task::JoinHandle<streamx::Result<()>>;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn running_calls_finish_when_a_server_drains_and_new_ones_may_be_tried_elsewhere() {
    let (client, handlers, shutdown, serving) = ending(HOUR).await;
    let mut stream = client.echo().await.unwrap();
    echo(&mut stream, 1).await;
    let call = tokio::spawn(client.wait(Note::number(2)));
    eventually(|| handlers.alive() == 2).await;
    shutdown.drain();
    settle().await;
    let error = soon(client.ask(Note::number(3))).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert!(!serving.is_finished());
    echo(&mut stream, 4).await;
    stream.close_send().await.unwrap();
    assert_eq!(soon(stream.recv()).await.unwrap(), None);
    handlers.open_gate();
    assert_eq!(soon(call).await.unwrap().unwrap(), Note::number(2));
    soon(serving).await.unwrap().unwrap();
    assert_eq!((handlers.alive(), shutdown.cut_off()), (0, &[][..]));
}

#[tokio::test]
async fn calls_that_are_cut_off_are_told_why() {
    let (client, handlers, shutdown, serving) = ending(HOUR).await;
    let mut stream = client.echo().await.unwrap();
    echo(&mut stream, 1).await;
    let call = tokio::spawn(client.wait(Note::number(2)));
    eventually(|| handlers.alive() == 2).await;
    shutdown.cut();
    for error in [soon(stream.recv()).await.unwrap_err(), soon(call).await.unwrap().unwrap_err()] {
        assert_eq!(error.code(), Code::Unavailable, "{error}");
        assert!(error.to_string().contains("the server was shut down before the call had ended"), "{error}");
    }
    soon(serving).await.unwrap().unwrap();
    assert_eq!((handlers.alive(), shutdown.cut_off().len()), (0, 2));
}

#[tokio::test]
async fn a_channel_that_is_shut_down_cuts_off_its_calls() {
    let rig = rig(Limits::default()).await;
    let mut stream = rig.client.echo().await.unwrap();
    echo(&mut stream, 1).await;
    assert_eq!(soon(rig.channel.shutdown(Duration::ZERO)).await, 1);
    assert!(soon(stream.recv()).await.unwrap_err().is_cancelled());
    rig.at_rest().await;
    assert_eq!(rig.client().connections, 0);
}

#[tokio::test]
async fn calls_go_on_when_connections_become_old() {
    let server = Server::builder().add_service(ProbeServer::new(Handlers::default()));
    let server = server.max_connection_age(Duration::from_millis(5)).bind("127.0.0.1:0").await.unwrap();
    let channel = Channel::connect(format!("grpc://{}", server.local_addr())).await.unwrap();
    tokio::spawn(server.serve());
    let client = ProbeClient::new(channel.clone());
    let mut streams = Vec::new();
    while channel.counters().connections_opened < 10 {
        if streams.len() < 20 {
            streams.push(client.echo().await.unwrap());
        }
        for (number, stream) in (0..).zip(&mut streams) {
            echo(stream, number).await;
        }
        let calls = (0..32).map(|number| client.ask(Note::number(number)).into_future());
        for (number, note) in (0..).zip(soon(join_all(calls)).await) {
            assert_eq!(note.unwrap(), Note::number(number));
        }
    }
    for mut stream in streams {
        stream.close_send().await.unwrap();
        assert_eq!(soon(stream.recv()).await.unwrap(), None);
    }
}

/// More than `h2` would forgive by itself, with messages of each on the way when it is given up.
#[tokio::test]
async fn thousands_of_streams_may_be_given_up_on_one_connection() {
    let rig = rig(Limits::default()).await;
    for _ in 0..30 {
        let opened = join_all((0..100).map(|_| rig.client.flood(Note::of_size(1, 100)).into_future())).await;
        let mut streams: Vec<_> = opened.into_iter().map(Result::unwrap).collect();
        for stream in &mut streams {
            soon(stream.recv()).await.unwrap().unwrap();
        }
    }
    echo(&mut rig.client.echo().await.unwrap(), 1).await;
    rig.at_rest().await;
    assert_eq!(rig.client().connections_opened, 1);
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The beginning of a call, whose messages are to come.
fn begin(stream: u32, path: &str) -> Vec<u8> {
    // POST, http, and pairs whose names have these numbers in HPACK: the path, the authority, the content type.
    let pair =
        |name: &[u8], value: &str| [name, &[u8::try_from(value.len()).unwrap()], value.as_bytes()].concat();
    let pairs = [
        vec![0x83, 0x86],
        pair(&[0x04], path),
        pair(&[0x01], "localhost"),
        pair(&[0x0f, 0x10], "application/grpc+thrift"),
    ];
    frame(1, 4, stream, &pairs.concat())
}

/// A client that has said that it speaks HTTP/2.
async fn greeted(rig: &Rig) -> Raw {
    let mut peer = Raw::connect(rig.address()).await;
    peer.write(&[&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, &[])].concat()).await;
    peer
}

/// They arrive in one piece, so that the server learns of the begin and the end of a call at once.
#[tokio::test]
async fn a_flood_of_calls_that_are_given_up_closes_its_connection_only() {
    let rig = rig(Limits::default().unanswered_resets_per_second(40)).await;
    let mut other = rig.client.echo().await.unwrap();
    let mut peer = greeted(&rig).await;
    let given_up =
        |call: u32| [begin(2 * call + 1, "/Probe/Hold"), frame(3, 0, 2 * call + 1, &[0, 0, 0, 8])].concat();
    peer.write(&(0..40).flat_map(given_up).collect::<Vec<u8>>()).await;
    settle().await;
    assert!(!peer.is_closed(), "not before the limit");
    peer.write(&given_up(40)).await;
    eventually(|| peer.is_closed()).await;
    echo(&mut other, 1).await;
    drop(other);
    rig.at_rest().await;
}

/// More than `h2` would forgive by itself, as above: here the server ends them, with a message of each on the way.
#[tokio::test]
async fn thousands_of_calls_may_be_refused_on_one_connection_whose_client_goes_on_sending() {
    let rig = rig(Limits::default()).await;
    let mut peer = greeted(&rig).await;
    for round in 0..12 {
        let streams = || (0..100).map(move |call| 200 * round + 2 * call + 1);
        peer.write(&streams().flat_map(|stream| begin(stream, "/Probe/Nothing")).collect::<Vec<u8>>()).await;
        settle().await;
        peer.write(&streams().flat_map(|stream| frame(0, 0, stream, &[0; 5])).collect::<Vec<u8>>()).await;
        settle().await;
        assert!(!peer.is_closed(), "after {} calls", 100 * (round + 1));
    }
}

/// The arguments of `ask` without a note.
const EMPTY: &[u8] = b"\0\0\0\0\x05\x0c\0\x01\0\0";
const THRIFT: (&str, &str) = ("content-type", "application/grpc+thrift");
const PROTOBUF: (&str, &str) = ("content-type", "application/grpc");

#[tokio::test]
async fn a_client_of_another_make_is_answered_as_grpc_says() {
    let rig = rig(Limits::default()).await;
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [u8], &'a str, &'a str);
    let table: [Case<'_>; 15] = [
        ("/Probe/Ask", &[THRIFT], EMPTY, "0", ""),
        ("/any.package.Probe/Ask", &[THRIFT, ("grpc-encoding", "identity")], EMPTY, "0", ""),
        ("/Probe/Ask", &[THRIFT, ("grpc-timeout", "10S")], EMPTY, "0", ""),
        ("/Probe/Gone", &[THRIFT], EMPTY, "12", "unknown method Gone"),
        ("/Gone/Ask", &[THRIFT], EMPTY, "12", "unknown service Gone"),
        ("/Ask", &[THRIFT], EMPTY, "12", "names no service"),
        ("/probe.Probe/Ask", &[PROTOBUF], b"\0\0\0\0\x02\x08\x07", "0", ""),
        ("/probe.Probe/Ask", &[("content-type", "application/grpc+proto;x")], b"\0\0\0\0\0", "0", ""),
        ("/probe.Probe/Ask", &[PROTOBUF], b"\0\0\0\0\x02\x08\xff", "13", "Ask"),
        (
            "/any.package.Probe/Ask",
            &[PROTOBUF],
            EMPTY,
            "12",
            "this server has probe.Probe; the package is part",
        ),
        (
            "/Probe/Ask",
            &[("content-type", "application/grpc+json")],
            b"\0\0\0\0\0",
            "12",
            "messages in protobuf",
        ),
        ("/Probe/Ask", &[THRIFT, ("grpc-timeout", "10s")], EMPTY, "13", "grpc-timeout is malformed"),
        ("/Probe/Echo", &[THRIFT], b"\x01\0\0\0\x01\0", "13", "has not said how it compresses"),
        ("/Probe/Echo", &[THRIFT], b"\x07\0\0\0\x01\0", "13", "begins with the byte 7"),
        ("/Probe/Echo", &[THRIFT], b"\0\0\0\0\x05\0", "13", "in part only"),
    ];
    for (path, headers, body, grpc_status, text) in table {
        let is_thrift = headers.contains(&THRIFT);
        let Answer { status, headers, .. } = answer(rig.address(), path, headers, body).await;
        let of = |name| headers.get(name).map_or("", |value| value.to_str().unwrap());
        assert_eq!((status, of("grpc-status")), (StatusCode::OK, grpc_status), "{path} {text} {headers:?}");
        let format = if is_thrift { THRIFT } else { PROTOBUF };
        assert_eq!(of("content-type"), format.1);
        assert!(of("grpc-message").contains(text), "{text}: {headers:?}");
    }
    for foreign in ["application/json", "application/grpc-web"] {
        let answer = answer(rig.address(), "/Probe/Ask", &[("content-type", foreign)], EMPTY).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert!(answer.body.starts_with(b"This server speaks gRPC"), "{answer:?}");
    }
    rig.at_rest().await;
}

#[tokio::test]
async fn what_cannot_travel_over_grpc_is_named() {
    let rig = rig(Limits::default()).await;
    let call = rig.client.ask(Note::number(1)).metadata("schlüssel", "1");
    let error = call.await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(error.to_string().contains("`schlüssel` cannot travel over gRPC"), "{error}");
    // Metainfo may come from others, who know nothing of gRPC.
    assert!(rig.client.ask(Note::number(1)).persistent("schlüssel", "1").await.is_ok());
    assert_eq!(rig.client().connections_opened, 1, "the call has failed, not the connection");
    rig.at_rest().await;
}

#[tokio::test]
async fn bytes_that_are_no_http_2_close_their_own_connection_and_are_named_in_the_log() {
    let rig = rig(Limits::default()).await;
    let logs = Logs::capture();
    let mut safe = rig.client.echo().await.unwrap();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    // A preface that goes on as something else, a frame above the limit, a message on a stream that nobody has opened.
    let mistakes: [&[u8]; 3] = [
        b"PRI * HTTP/1.1\r\n\r\nSM\r\n\r\n",
        &[&preface[..], &settings, &[0xff; 9]].concat(),
        &[&preface[..], &settings, &[0, 0, 1, 0, 1, 0, 0, 0, 1, 0]].concat(),
    ];
    for bytes in mistakes {
        let mut peer = Raw::connect(rig.address()).await;
        peer.write(bytes).await;
        // The settings of the server, and perhaps what is wrong.
        while !peer.read().await.is_empty() {}
        let logged = logs.take();
        assert!(logged.contains("closed a connection"), "{logged}");
        echo(&mut safe, 1).await;
    }
    drop(safe);
    rig.at_rest().await;
}
