//! Flow control between two streamx peers: who sends to a reader that is behind waits, and nothing is lost or ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use streamx::{Limits, Placement, Result, client};
use streamx_tests::probe::{End, Note};
use streamx_tests::raw::{self, Raw};
use streamx_tests::rig::{Rig, Setup, echo, eventually, settle, soon};
use tokio::task::JoinHandle;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
/// The window of these tests, which is the default one.
const WINDOW: usize = 256 * KIB;
const NEVER: Duration = Duration::from_secs(3600);
/// The size of the messages of these tests.
const PIECE: usize = 16 * KIB;

type Stream = client::Bidi<Note, Note>;

/// Sends so many pieces in a task of its own, and counts them.
fn send_pieces(mut stream: Stream, pieces: usize) -> (JoinHandle<Result<Stream>>, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let sender = tokio::spawn(async move {
        let piece = Note::of_size(1, PIECE);
        for _ in 0..pieces {
            stream.send(&piece).await?;
            counted.fetch_add(1, SeqCst);
        }
        Ok(stream)
    });
    (sender, sent)
}

/// Has a stream whose answer to the window has arrived, so that nothing is sent without it.
async fn held(rig: &Rig) -> Stream {
    let mut stream = rig.client.hold().await.unwrap();
    stream.send(Note::number(0)).await.unwrap();
    rig.all_arrived().await;
    eventually(|| rig.handlers.alive() > 0).await;
    settle().await;
    stream
}

#[track_caller]
fn fits_the_window(bytes: u64) {
    let bytes = usize::try_from(bytes).unwrap();
    assert!((WINDOW - PIECE..WINDOW + 2 * PIECE).contains(&bytes), "{bytes} bytes are queued");
}

#[tokio::test]
async fn the_sender_waits_for_a_handler_that_does_not_read_and_the_other_streams_go_on() {
    for placement in [Placement::Connection, Placement::Task] {
        let rig = Setup::placed(placement).start().await;
        let mut other = rig.echoes(1).await;
        let pieces = 64 * MIB / PIECE;
        let (sender, sent) = send_pieces(held(&rig).await, pieces);
        eventually(|| rig.client().send_pauses == 1).await;
        soon(echo(&mut other[0], 2)).await;
        rig.all_arrived().await;
        fits_the_window(rig.server().queued_bytes);
        assert!(sent.load(SeqCst) <= WINDOW / PIECE + 1);

        rig.handlers.open_gate();
        let mut stream = soon(sender).await.unwrap().unwrap();
        stream.close_send().await.unwrap();
        let count = i64::try_from(pieces).unwrap() + 1;
        assert_eq!(soon(stream.recv()).await.unwrap(), Some(Note::number(count)));
        assert_eq!((rig.server().receive_overflows, rig.server().receive_pauses), (0, 0));
        drop((stream, other));
        rig.at_rest().await;
    }
}

#[tokio::test]
async fn a_handler_waits_for_a_client_that_does_not_read() {
    for placement in [Placement::Connection, Placement::Task] {
        let rig = Setup::placed(placement).start().await;
        let mut other = rig.echoes(1).await;
        let mut slow = rig.client.flood(Note::of_size(1, PIECE)).await.unwrap();
        eventually(|| rig.server().send_pauses == 1).await;
        soon(echo(&mut other[0], 2)).await;
        rig.all_arrived().await;
        fits_the_window(rig.client().queued_bytes);
        for _ in 0..1000 {
            assert_eq!(soon(slow.recv()).await.unwrap().unwrap().body.len(), PIECE);
        }
        assert_eq!(rig.client().receive_overflows, 0);
        drop((slow, other));
        rig.at_rest().await;
    }
}

#[tokio::test]
async fn a_message_larger_than_the_window_passes_both_ways() {
    let limits = || Limits::default().stream_receive_window(64 * KIB);
    let rig = Setup { server: limits(), client: limits(), ..Setup::default() }.start().await;
    let mut stream = rig.client.echo().await.unwrap();
    for number in 0..5 {
        let note = Note::of_size(number, 8 * MIB);
        soon(stream.send(&note)).await.unwrap();
        assert_eq!(soon(stream.recv()).await.unwrap().unwrap(), note);
    }
    drop(stream);
    rig.at_rest().await;
}

#[tokio::test]
async fn a_peer_that_reads_only_what_it_must_stops_nobody() {
    let limits = || Limits::default().stream_receive_window(1);
    for placement in [Placement::Connection, Placement::Task] {
        let setup = Setup { placement, server: limits(), client: limits(), ..Setup::default() };
        let rig = setup.start().await;
        let mut streams = rig.echoes(8).await;
        for round in 0..50 {
            for stream in &mut streams {
                soon(echo(stream, round)).await;
            }
        }
        let (sum, sent) = (rig.client.sum().await.unwrap(), Note::number(1));
        let mut sum = sum;
        for _ in 0..100 {
            soon(sum.send(&sent)).await.unwrap();
        }
        assert_eq!(soon(sum.close_and_recv()).await.unwrap(), Note::number(100));
        drop(streams);
        rig.at_rest().await;
    }
}

#[tokio::test]
async fn a_sender_that_waits_is_told_when_its_call_is_over() {
    let rig = Rig::start().await;
    let (mut tx, mut rx) = held(&rig).await.split();
    let sender = tokio::spawn(async move {
        let piece = Note::of_size(1, PIECE);
        loop {
            if let Err(error) = tx.send(&piece).await {
                return error;
            }
        }
    });
    eventually(|| rig.client().send_pauses == 1).await;
    rx.cancel("enough");
    let error = soon(sender).await.unwrap();
    assert!(error.is_cancelled(), "{error}");
    rig.at_rest().await;
}

#[tokio::test]
async fn a_sender_that_waits_is_told_when_the_connection_is_lost() {
    let mut rig = Rig::start().await;
    let (sender, _) = send_pieces(held(&rig).await, usize::MAX);
    eventually(|| rig.client().send_pauses == 1).await;
    rig.kill_server().await;
    assert!(soon(sender).await.unwrap().is_err());
    eventually(|| rig.client().streams == 0).await;
}

#[tokio::test]
async fn a_handler_that_waits_to_send_is_dropped_with_its_caller() {
    let rig = Rig::start().await;
    let slow = rig.client.flood(Note::of_size(1, PIECE)).await.unwrap();
    eventually(|| rig.server().send_pauses == 1).await;
    drop(slow);
    rig.at_rest().await;
}

#[tokio::test]
async fn nobody_waits_for_a_handler_that_reads_no_further() {
    let rig = Rig::start().await;
    let mut stream = rig.client.end().await.unwrap();
    stream.send(Note::number(End::WELL)).await.unwrap();
    let error = loop {
        // The handler returns with its first message; its call is over then.
        match soon(stream.send(Note::of_size(1, PIECE))).await {
            Ok(()) => tokio::task::yield_now().await,
            Err(error) => break error,
        }
    };
    assert!(error.is_closed(), "{error}");
    assert_eq!(stream.recv().await.unwrap(), None);
    rig.at_rest().await;
}

#[tokio::test(start_paused = true)]
async fn a_send_that_waits_too_long_fails_and_the_stream_goes_on() {
    let client = Limits::default().send_stall_timeout(Duration::from_secs(7));
    let rig = Setup { client, ..Setup::default() }.start().await;
    let mut stream = held(&rig).await;
    let piece = Note::of_size(1, PIECE);
    let mut sent = 1;
    let error = loop {
        match stream.send(&piece).await {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
    };
    assert!(error.is_timeout(), "{error}");
    assert!(error.to_string().contains("7s (limit send_stall_timeout)"), "{error}");
    rig.handlers.open_gate();
    stream.send(&piece).await.unwrap();
    stream.close_send().await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), Some(Note::number(sent + 1)));
    drop(stream);
    rig.at_rest().await;
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_slow_is_not_one_that_reads_nothing() {
    for (seconds, reads) in [(1, 120), (4, 40), (25, 20)] {
        let rig = Rig::start().await;
        let mut slow = rig.client.flood(Note::of_size(1, PIECE)).await.unwrap();
        for _ in 0..reads {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            assert_eq!(slow.recv().await.unwrap().unwrap().body.len(), PIECE);
        }
        assert!(rig.server().send_pauses > 0);
        drop(slow);
        rig.at_rest().await;
    }
}

#[tokio::test]
async fn credits_do_not_wait_behind_a_lone_stream_that_is_left_unread() {
    let rig = Setup { server: Limits::default().lone_stream_pause(NEVER), ..Setup::default() }.start().await;
    let mut stream = rig.client.echo().await.unwrap();
    let notes = [Note::of_size(1, 2 * MIB), Note::of_size(2, 2 * MIB)];
    for note in &notes {
        // Both pass before the window of the server is known.
        stream.send(note).await.unwrap();
    }
    for note in notes {
        assert_eq!(soon(stream.recv()).await.unwrap(), Some(note));
    }
    assert_eq!(rig.server().receive_pauses, 0);
    drop(stream);
    rig.at_rest().await;
}

#[tokio::test]
async fn all_the_streams_a_connection_may_have_fit_into_its_buffer() {
    let rig = Setup::placed(Placement::Connection).start().await;
    let mut slow = Vec::new();
    for _ in 0..1000 {
        slow.push(rig.client.flood(Note::of_size(1, KIB)).await.unwrap());
    }
    soon(eventually(|| rig.server().send_pauses == 1000)).await;
    rig.all_arrived().await;
    assert_eq!(rig.client().receive_overflows, 0);
    drop(slow);
    rig.at_rest().await;
}

/// A header frame that offers a window, or does not.
fn header(offer: Option<&str>) -> Vec<u8> {
    let ints = [(9, "Flood"), (27, raw::HEADER), (0x8001, offer.unwrap_or_default())];
    let ints = if offer.is_some() { &ints[..] } else { &ints[..2] };
    raw::ttheader(0x0002, 1, ints, &[("isn", "Probe")], b"")
}

/// The argument: a note with the number 5.
const NOTE: &[u8] = b"\x0a\0\x01\0\0\0\0\0\0\0\x05\0";
/// The same as the handler sends it, with its empty body.
const SENT: &[u8] = b"\x0a\0\x01\0\0\0\0\0\0\0\x05\x0b\0\x02\0\0\0\0\0";

/// What arrives until nothing more does.
async fn arrives(peer: &mut Raw, counted: impl Fn() -> u64) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let before = counted();
        settle().await;
        all.extend(peer.read_some());
        if counted() == before {
            return all;
        }
    }
}

fn messages(bytes: &[u8]) -> usize {
    bytes.windows(SENT.len()).filter(|&found| found == SENT).count()
}

#[tokio::test]
async fn on_the_wire_a_window_is_offered_answered_and_refilled() {
    let rig = Setup::placed(Placement::Connection).start().await;
    let mut peer = Raw::connect(rig.address()).await;
    let sent = || rig.server().frames_sent;
    peer.write(&header(Some("1;w=100"))).await;
    peer.write(&raw::frame(1, raw::DATA, "Flood", NOTE)).await;
    let first = arrives(&mut peer, sent).await;
    assert!(first.windows(10).any(|text| text == b"1;w=262144"), "{}", first.escape_ascii());
    // A message costs 19 + 32 bytes, and goes while any are left.
    assert_eq!((messages(&first), rig.server().send_pauses), (2, 1));

    let credit = raw::ttheader(0x0002, 1, &[(9, "Flood"), (27, "1"), (0x8001, "c=103")], &[], b"");
    peer.write(&credit).await;
    assert_eq!(messages(&arrives(&mut peer, sent).await), 2);
    peer.write(&raw::frame(1, raw::RESET, "Flood", b"")).await;
    rig.at_rest().await;
}

#[tokio::test]
async fn a_peer_that_offers_nothing_is_told_nothing() {
    for offer in [None, Some("2;whatever")] {
        let rig = Rig::start().await;
        let mut peer = Raw::connect(rig.address()).await;
        peer.write(&header(offer)).await;
        let sent = || rig.server().frames_sent;
        assert_eq!(arrives(&mut peer, sent).await, b"");
        drop(peer);
        rig.at_rest().await;
    }
}
