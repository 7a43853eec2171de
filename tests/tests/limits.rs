//! What a peer can make us hold or wait for, and what it is told.

use std::time::Duration;

use streamx::{Bidi, Code, Limits, Result, Sender};
use streamx_tests::logs::Logs;
use streamx_tests::probe::Note;
use streamx_tests::raw::{self, Raw};
use streamx_tests::rig::{Rig, Setup, echo, eventually, eventually_or, settle, soon};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::advance;

fn serving(server: Limits) -> Setup {
    Setup { server, ..Setup::default() }
}

#[tokio::test]
async fn a_stream_above_max_streams_is_refused_at_once_and_may_be_tried_again() {
    let rig = serving(Limits::default().max_streams(4)).start().await;
    let mut streams = rig.echoes(4).await;
    let mut refused = rig.client.echo().await.unwrap();
    let error = soon(refused.recv()).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert!(error.to_string().contains("max_streams"), "{error}");
    for stream in &mut streams {
        echo(stream, 5).await;
    }
    drop(streams.pop());
    eventually(|| rig.handlers.alive() == 3).await;
    drop(refused);
    echo(&mut rig.client.echo().await.unwrap(), 6).await;
    drop(streams);
    rig.at_rest().await;
}

#[tokio::test]
async fn a_client_opens_a_further_connection_before_one_carries_its_max_streams() {
    let limits = Limits::default().max_streams(4);
    let rig = Setup { server: limits.clone(), client: limits, ..Setup::default() }.start().await;
    let mut streams = rig.echoes(10).await;
    assert_eq!(rig.client().connections, 3);
    for stream in &mut streams {
        echo(stream, 1).await;
    }
    drop(streams);
    rig.at_rest().await;
}

#[tokio::test]
async fn a_connection_above_max_connections_is_closed_at_once() {
    let rig = serving(Limits::default().max_connections(2)).start().await;
    let mut stream = rig.echoes(1).await;
    let second = Raw::connect(rig.address()).await;
    let mut third = Raw::connect(rig.address()).await;
    assert_eq!(third.read().await, b"");
    echo(&mut stream[0], 1).await;
    assert!(!second.is_closed());
    drop(second);
    let another = soon(async {
        loop {
            let another = Raw::connect(rig.address()).await;
            settle().await;
            if !another.is_closed() {
                return another;
            }
        }
    })
    .await;
    assert!(!another.is_closed(), "there is room again");
}

/// Moves the clock up to a moment before the limit and beyond it.
async fn closes_after(raw: &Raw, limit: Duration) {
    settle().await;
    advance(limit - Duration::from_millis(10)).await;
    settle().await;
    assert!(!raw.is_closed(), "not before {limit:?}");
    advance(Duration::from_millis(20)).await;
    eventually(|| raw.is_closed()).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_or_half_a_header_is_closed_after_first_frame_timeout() {
    let logs = Logs::capture();
    let rig = Rig::start().await;
    let mut stream = rig.echoes(1).await;
    let whole = raw::frame(1, raw::HEADER, "Echo", b"");
    for length in [0, 1, 7] {
        let mut peer = Raw::connect(rig.address()).await;
        peer.write(&whole[..length]).await;
        closes_after(&peer, Duration::from_secs(10)).await;
        assert!(logs.take().contains("has not shown its protocol"), "after {length} bytes");
    }
    for length in [8, 14, whole.len() - 1] {
        let mut peer = Raw::connect(rig.address()).await;
        peer.write(&whole[..length]).await;
        closes_after(&peer, Duration::from_secs(10)).await;
    }
    echo(&mut stream[0], 1).await;
    drop(stream);
    rig.at_rest().await;
}

#[tokio::test(start_paused = true)]
async fn first_frame_timeout_counts_from_the_begin_of_the_connection() {
    let rig = Rig::start().await;
    let mut peer = Raw::connect(rig.address()).await;
    settle().await;
    advance(Duration::from_secs(9)).await;
    peer.write(&raw::frame(1, raw::HEADER, "Echo", b"")[..20]).await;
    closes_after(&peer, Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_frame_whose_rest_does_not_come_closes_its_connection_after_frame_timeout() {
    let rig = Rig::start().await;
    let mut other = rig.echoes(1).await;
    let mut peer = Raw::connect(rig.address()).await;
    peer.write(&raw::frame(1, raw::HEADER, "Echo", b"")).await;
    eventually(|| rig.handlers.alive() == 2).await;
    let message = raw::frame(1, raw::DATA, "Echo", &[0; 100]);
    peer.write(&message[..60]).await;
    closes_after(&peer, Duration::from_secs(60)).await;
    eventually(|| rig.handlers.alive() == 1).await;
    echo(&mut other[0], 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_makes_progress_may_take_as_long_as_it_needs() {
    let rig = Rig::start().await;
    let mut peer = Raw::connect(rig.address()).await;
    peer.write(&raw::frame(1, raw::HEADER, "Echo", b"")).await;
    eventually(|| rig.handlers.alive() == 1).await;
    let message = raw::frame(1, raw::DATA, "Echo", &[0; 100]);
    for byte in message.chunks(1) {
        peer.write(byte).await;
        settle().await;
        advance(Duration::from_secs(50)).await;
        settle().await;
        assert!(!peer.is_closed());
    }
    eventually(|| rig.server().frames_received == 2).await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_between_frames_has_no_time_limit() {
    let rig = Rig::start().await;
    let mut streams = rig.echoes(1).await;
    for _ in 0..10 {
        advance(Duration::from_secs(3600)).await;
        settle().await;
    }
    echo(&mut streams[0], 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_no_byte_is_closed_after_write_stall_timeout() {
    let rig = Rig::start().await;
    let mut other = rig.echoes(1).await;
    let mut peer = Raw::connect(rig.address()).await;
    peer.write(&raw::frame(1, raw::HEADER, "Flood", b"")).await;
    let note = [0x0b, 0, 2, 0, 0, 0, 4, 1, 2, 3, 4, 0];
    peer.write(&raw::frame(1, raw::DATA, "Flood", &note)).await;
    let mut before = u64::MAX;
    while before != rig.server().frames_sent || before < 100 {
        before = rig.server().frames_sent;
        settle().await;
    }
    assert_eq!(rig.handlers.alive(), 2);
    advance(Duration::from_millis(29_900)).await;
    settle().await;
    assert_eq!(rig.handlers.alive(), 2);
    advance(Duration::from_millis(200)).await;
    eventually(|| rig.handlers.alive() == 1).await;
    eventually(|| rig.server().connections == 1).await;
    echo(&mut other[0], 1).await;
}

/// What a client of a newer version of the service may call.
#[streamx::service(name = "Probe")]
trait Newer {
    async fn not_yet(&self, note: Note) -> Result<Note>;
    #[bidi]
    async fn neither(&self, stream: Bidi<Note, Note>) -> Result<()>;
    #[bidi(name = "Ask")]
    async fn unary_as_stream(&self, stream: Bidi<Note, Note>) -> Result<()>;
    #[unary(name = "Echo")]
    async fn stream_as_unary(&self, note: Note) -> Result<Note>;
}

#[streamx::service]
trait Elsewhere {
    async fn far(&self, note: Note) -> Result<Note>;
    #[server_stream]
    async fn away(&self, note: Note, stream: Sender<Note>) -> Result<()>;
}

#[tokio::test]
async fn what_the_server_does_not_have_is_answered_at_once_with_a_sentence() {
    let rig = Rig::start().await;
    let newer = NewerClient::new(rig.channel.clone());
    let elsewhere = ElsewhereClient::new(rig.channel.clone());
    let note = Note::number(1);
    let errors = [
        (soon(newer.not_yet(note.clone())).await.unwrap_err(), "unknown method NotYet"),
        (soon(newer.neither().await.unwrap().recv()).await.unwrap_err(), "unknown method Neither"),
        (soon(newer.unary_as_stream().await.unwrap().recv()).await.unwrap_err(), "is a unary method"),
        (soon(newer.stream_as_unary(note.clone())).await.unwrap_err(), "is a streaming method"),
        (soon(elsewhere.far(note.clone())).await.unwrap_err(), "unknown service Elsewhere"),
        (soon(elsewhere.away(note).await.unwrap().recv()).await.unwrap_err(), "unknown service Elsewhere"),
    ];
    for (error, text) in errors {
        assert_eq!(error.code(), Code::Unimplemented, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
    rig.at_rest().await;
    echo(&mut rig.client.echo().await.unwrap(), 1).await;
}

#[tokio::test]
async fn a_flood_of_unanswered_resets_closes_its_connection_only() {
    let rig = serving(Limits::default().unanswered_resets_per_second(10)).start().await;
    let other = rig.another_client(Limits::default()).await;
    let mut safe = other.echo().await.unwrap();
    echo(&mut safe, 1).await;
    let mut lost = rig.client.hold().await.unwrap();
    for answered in 0..10 {
        let mut stream = rig.client.echo().await.unwrap();
        echo(&mut stream, answered).await;
    }
    for _unanswered in 0..11 {
        drop(rig.client.hold().await.unwrap());
    }
    let error = soon(lost.recv()).await.unwrap_err();
    assert!(error.to_string().contains("connection"), "{error}");
    echo(&mut safe, 2).await;
    drop(safe);
    rig.at_rest().await;
}

#[tokio::test]
async fn hostile_bytes_close_their_own_connection_and_are_named_in_the_log() {
    let logs = Logs::capture();
    let rig = Rig::start().await;
    let mut stream = rig.echoes(1).await;
    let tls = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03];
    let cases: [(&[u8], &str); 5] = [
        (&[0xa5; 64], "neither TTHeader nor Thrift binary"),
        (&[0; 64], "neither TTHeader nor Thrift binary"),
        (&[0xff; 4096], "neither TTHeader nor Thrift binary"),
        (&tls, "TLS"),
        (&[0xff, 0xaf, 0, 8, 0, 1, 0, 1], "MeshHeader"),
    ];
    for (bytes, text) in cases {
        let mut peer = Raw::connect(rig.address()).await;
        peer.write(bytes).await;
        assert_eq!(peer.read().await, b"", "{text}");
        let logged = logs.take();
        assert!(logged.contains(text), "{text} is not in {logged}");
        echo(&mut stream[0], 1).await;
    }
}

/// Closed with a part of the request unread, TCP would tell the client of a reset in place of the answer. So it would with
/// one that goes on sending.
#[tokio::test]
async fn a_client_of_http_1_is_told_what_the_port_serves() {
    let logs = Logs::capture();
    let rig = Rig::start().await;
    let mut peer = TcpStream::connect(rig.address()).await.unwrap();
    let request = format!("POST / HTTP/1.1\r\nContent-Length: 200000\r\n\r\n{}", "a".repeat(100_000));
    peer.write_all(request.as_bytes()).await.unwrap();
    soon(peer.readable()).await.unwrap();
    for _half in 0..2 {
        peer.write_all(&[b'a'; 50_000]).await.expect("the server reads what it does not want");
        settle().await;
    }
    let mut answer = String::new();
    soon(peer.read_to_string(&mut answer)).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
    assert!(body.contains("gRPC over HTTP/2"), "{body}");
    assert!(logs.take().contains("HTTP/1"));
    echo(&mut rig.echoes(1).await[0], 1).await;
}

#[tokio::test]
async fn bytes_that_break_the_protocol_later_close_their_own_connection_and_are_named_in_the_log() {
    let logs = Logs::capture();
    let rig = Rig::start().await;
    let mut other = rig.echoes(1).await;
    let open = raw::frame(1, raw::HEADER, "Echo", b"");
    let unary = raw::framed(1, "Wait", 1, &[0x0c, 0, 1, 0, 0]);
    let huge_header = {
        let mut bytes = open.clone();
        bytes[12..14].copy_from_slice(&[0xff, 0xff]);
        bytes[..4].copy_from_slice(&[0x00, 0x0f, 0xff, 0xff]);
        bytes
    };
    let garbage = [raw::buffered(1, "Wait", 1, b""), vec![0xa5; 64]].concat();
    let cases: [(&[u8], Vec<u8>); 6] = [
        (&open, vec![0xa5; 64]),
        (&open, raw::frame(1, "9", "Echo", b"")),
        (&open, huge_header),
        (&open, unary.clone()),
        (&unary, vec![0xa5; 64]),
        (&unary, garbage),
    ];
    for (number, (first, then)) in cases.into_iter().enumerate() {
        let mut peer = Raw::connect(rig.address()).await;
        peer.write(first).await;
        eventually_or(|| rig.handlers.alive() == 2, || format!("case {number} begins")).await;
        peer.write(&then).await;
        eventually_or(|| peer.is_closed(), || format!("case {number} is closed")).await;
        eventually_or(|| rig.handlers.alive() == 1, || format!("case {number} leaves")).await;
        assert!(!logs.take().is_empty(), "case {number} is not in the log");
        soon(echo(&mut other[0], 1)).await;
    }
}
