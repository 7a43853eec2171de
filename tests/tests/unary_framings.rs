//! What is around a unary message: every framing is answered in kind, on one connection, also where something is wrong.

use std::time::Duration;

use streamx::{Channel, Error, Limits, Result, Server};
use streamx_tests::probe::{Handlers, Note, ProbeClient, ProbeServer};
use streamx_tests::raw::{self, Raw};
use streamx_tests::rig::{Rig, Setup, eventually, soon};
use tokio::net::TcpListener;

/// The arguments of `Ask` with a note whose number is 7, and the answer to it.
const ARGUMENTS: &[u8] = b"\x0c\0\x01\x0a\0\x01\0\0\0\0\0\0\0\x07\0\0";
const NUMBER: &[u8] = b"\x0a\0\x01\0\0\0\0\0\0\0\x07";

/// The flag of a frame of TTHeader Streaming.
const STREAMING: u8 = 2;

/// The URL of each framing, in the order of [`framings`].
const SCHEMES: [&str; 6] =
    ["framed", "framed+nonstrict", "buffered", "buffered+nonstrict", "ttheader+unframed", "ttheader"];

/// A message of the form that has no version.
fn old(kind: u8, method: &str, sequence: i32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(method.len()).unwrap();
    [&length.to_be_bytes()[..], method.as_bytes(), &[kind], &sequence.to_be_bytes(), body].concat()
}

/// A message with its length in front.
fn with_length(message: &[u8]) -> Vec<u8> {
    [&u32::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat()
}

/// One message in every framing: those without a TTHeader first.
fn framings(kind: u8, method: &str, sequence: i32, body: &[u8]) -> [Vec<u8>; 6] {
    let strict = raw::buffered(kind, method, sequence, body);
    let headed = |payload: &[u8]| raw::ttheader(0, sequence, &[], &[], payload);
    [
        with_length(&strict),
        with_length(&old(kind, method, sequence, body)),
        strict.clone(),
        old(kind, method, sequence, body),
        headed(&strict),
        headed(&with_length(&strict)),
    ]
}

/// Whether `answer` is in the framing with this place in [`framings`], and is this message up to its body.
#[track_caller]
fn is_in_framing(place: usize, answer: &[u8], kind: u8, method: &str, sequence: i32) {
    let strict = raw::buffered(kind, method, sequence, b"");
    let old = old(kind, method, sequence, b"");
    let start = if matches!(place, 1 | 3) { old } else { strict };
    let length = |at: usize| u32::from_be_bytes(answer[at..at + 4].try_into().unwrap()) as usize;
    let header = if place >= 4 { 14 + 4 * usize::from(answer[13]) } else { 0 };
    if place >= 4 {
        let seen = (length(0) + 4, &answer[4..6], answer[7] & STREAMING);
        assert_eq!(seen, (answer.len(), &[0x10, 0][..], 0), "framing {place}");
    }
    let message = if matches!(place, 0 | 1 | 5) {
        assert_eq!(length(header) + 4 + header, answer.len(), "framing {place}");
        &answer[header + 4..]
    } else {
        &answer[header..]
    };
    assert!(message.starts_with(&start), "framing {place}: {message:02x?}");
}

#[tokio::test]
async fn a_client_may_alternate_framings_and_each_answer_has_that_of_its_call() {
    let rig = Rig::start().await;
    let mut peer = Raw::connect(rig.address()).await;
    for round in 0..2 {
        for (place, call) in framings(1, "Ask", 5, ARGUMENTS).into_iter().enumerate() {
            // At once, and in pieces that end anywhere.
            for piece in call.chunks(if round == 0 { call.len() } else { 7 }) {
                peer.write(piece).await;
                tokio::task::yield_now().await;
            }
            let answer = peer.read().await;
            is_in_framing(place, &answer, 2, "Ask", 5);
            assert!(answer.windows(NUMBER.len()).any(|bytes| bytes == NUMBER), "{answer:02x?}");
        }
    }
    // All of them in one write.
    peer.write(&framings(1, "Ask", 5, ARGUMENTS).concat()).await;
    eventually(|| rig.server().streams_opened == 18).await;
    eventually(|| rig.handlers.alive() == 0).await;
    assert!(!peer.is_closed());
}

#[streamx::service]
trait Words {
    async fn length(&self, word: String) -> Result<i64>;
}

struct Lengths;

impl Words for Lengths {
    async fn length(&self, word: String) -> Result<i64> {
        match i64::try_from(word.len()).map_err(Error::other)? {
            0 => Err(Error::other("no word")),
            length => Ok(length),
        }
    }
}

/// Also without any framing the end of the call is known, so the connection goes on; a Kitex server closes it.
#[tokio::test]
async fn what_cannot_be_served_is_answered_in_its_framing_and_the_connection_stays() {
    let server = Server::builder().add_service(ProbeServer::new(Handlers::default()));
    let server = server.add_service(WordsServer::new(Lengths)).bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().to_string();
    tokio::spawn(server.serve());
    let mut peer = Raw::connect(&address).await;
    for (method, body, text) in [
        ("Absent", ARGUMENTS, &b"unknown"[..]),
        ("Echo", ARGUMENTS, b"is a streaming method"),
        ("Length", b"\x0b\0\x01\0\0\0\x01\xff\0", b"UTF-8"),
        ("Length", b"\x0b\0\x01\0\0\0\x00\0", b"no word"),
    ] {
        for (place, call) in framings(1, method, 9, body).into_iter().enumerate() {
            peer.write(&call).await;
            let answer = peer.read().await;
            is_in_framing(place, &answer, 3, method, 9);
            assert!(answer.windows(text.len()).any(|bytes| bytes == text), "{}", answer.escape_ascii());
        }
    }
    peer.write(&raw::buffered(1, "Ask", 10, ARGUMENTS)).await;
    is_in_framing(2, &peer.read().await, 2, "Ask", 10);
}

#[tokio::test]
async fn a_client_writes_the_framing_that_its_url_names() {
    for (place, scheme) in SCHEMES.into_iter().enumerate() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let client = ProbeClient::new(Channel::builder(url).connect_lazy().unwrap());
        let call = tokio::spawn(client.ask(Note::number(7)));
        let mut peer = Raw::accepted(soon(listener.accept()).await.unwrap().0);
        let message = peer.read().await;
        is_in_framing(place, &message, 1, "Ask", 1);
        // What it is called in a TTHeader, under the key 1, as by Kitex.
        let told = |name: &[u8]| message.windows(name.len()).any(|bytes| bytes == name);
        assert_eq!(told(b"\0\x01\0\x06framed"), scheme == "ttheader", "{scheme}");
        assert_eq!(told(b"\0\x01\0\x08unframed"), scheme == "ttheader+unframed", "{scheme}");
        call.abort();
    }
}

/// As a Kitex client, ours reads whatever framing an answer has.
#[tokio::test]
async fn an_answer_may_have_another_framing_than_its_call() {
    for scheme in SCHEMES {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let channel = Channel::builder(url).connect_lazy().unwrap();
        let client = ProbeClient::new(channel.clone());
        let mut peer = None;
        for (sequence, place) in (1..).zip(0..6) {
            let call = tokio::spawn(client.ask(Note::number(7)));
            if peer.is_none() {
                peer = Some(Raw::accepted(soon(listener.accept()).await.unwrap().0));
            }
            let peer = peer.as_mut().unwrap();
            assert_ne!(peer.read().await, b"");
            let body = [b"\x0c\0\0", NUMBER, b"\0\0"].concat();
            peer.write(&framings(2, "Ask", sequence, &body)[place]).await;
            assert_eq!(soon(call).await.unwrap().unwrap(), Note::number(7));
        }
        assert_eq!(channel.counters().connections_opened, 1);
    }
}

#[tokio::test]
async fn a_buffered_message_above_max_message_size_closes_its_connection_before_it_is_there() {
    let server = Limits::default().max_message_size(1000);
    let rig = Setup { server, ..Setup::default() }.start().await;
    let mut peer = Raw::connect(rig.address()).await;
    peer.write(&raw::buffered(1, "Ask", 1, b"\x0c\0\x01\x0b\0\x02\0\0\x10\0")).await;
    assert_eq!(peer.read().await, b"");
    // Nor may many small parts add up to it.
    let mut peer = Raw::connect(rig.address()).await;
    let parts = b"\x02\0\x09\x01".repeat(251);
    peer.write(&raw::buffered(1, "Ask", 1, &parts)).await;
    assert_eq!(peer.read().await, b"");
    assert_eq!(rig.server().streams_opened, 0);
}

#[tokio::test(start_paused = true)]
async fn a_buffered_message_whose_rest_does_not_come_closes_its_connection_after_frame_timeout() {
    let rig = Rig::start().await;
    let mut peer = Raw::connect(rig.address()).await;
    peer.write(&raw::buffered(1, "Ask", 1, ARGUMENTS)).await;
    assert_ne!(peer.read().await, b"");
    peer.write(&raw::buffered(1, "Ask", 2, &ARGUMENTS[..5])).await;
    streamx_tests::rig::settle().await;
    tokio::time::advance(Duration::from_secs(59)).await;
    streamx_tests::rig::settle().await;
    assert!(!peer.is_closed());
    tokio::time::advance(Duration::from_secs(2)).await;
    eventually(|| peer.is_closed()).await;
}
