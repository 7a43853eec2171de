//! A reader that is behind, and a peer that takes no part in flow control, as Kitex: a lone stream makes its sender wait,
//! a shared connection is always read, and beyond the limits the one stream that is furthest behind ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use streamx::{Error, Limits, Placement, Result, client};
use streamx_tests::probe::Note;
use streamx_tests::rig::{Rig, Setup, echo, eventually, settle, soon};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
/// The size of the messages of these tests.
const PIECE: usize = 64 * KIB;
/// What may be queued above a limit: the message that has reached it, and what was read along with it.
const A_BIT: usize = 3 * PIECE;
const NEVER: Duration = Duration::from_secs(3600);

/// Without flow control.
fn limits() -> Limits {
    Limits::default().stream_receive_window(0)
}

fn never_look_again() -> Limits {
    limits().lone_stream_pause(NEVER)
}

/// Sends so many pieces; how many are in the send buffer is counted on the way.
async fn send_all(stream: &mut client::Bidi<Note, Note>, pieces: usize, sent: &AtomicUsize) -> Result<()> {
    let piece = Note::of_size(1, PIECE);
    for _ in 0..pieces {
        stream.send(&piece).await?;
        sent.fetch_add(1, SeqCst);
    }
    Ok(())
}

/// Sends until it fails.
async fn overrun(stream: &mut client::Bidi<Note, Note>) -> Error {
    let piece = Note::of_size(1, PIECE);
    loop {
        if let Err(error) = stream.send(&piece).await {
            return error;
        }
        // There is no back-pressure to wait for.
        tokio::task::yield_now().await;
    }
}

fn held(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap()
}

#[track_caller]
fn names(error: &Error, limit: usize, option: &str) {
    let text = error.to_string();
    assert!(text.contains(&limit.to_string()) && text.contains(option), "{text}");
}

#[tokio::test]
async fn the_sender_of_a_lone_stream_that_nobody_reads_waits_and_loses_nothing() {
    for placement in [Placement::Connection, Placement::Task] {
        let rig = Setup { placement, server: never_look_again(), ..Setup::default() }.start().await;
        let mut stream = rig.client.hold().await.unwrap();
        let pieces = 64 * MIB / PIECE;
        let sent = Arc::new(AtomicUsize::new(0));
        let sender = tokio::spawn({
            let sent = Arc::clone(&sent);
            async move {
                send_all(&mut stream, pieces, &sent).await.unwrap();
                stream.close_send().await.unwrap();
                stream
            }
        });
        eventually(|| rig.server().receive_pauses == 1).await;
        // The buffers of the kernel fill up, then everything stands still.
        let mut before = usize::MAX;
        while before != sent.load(SeqCst) {
            before = sent.load(SeqCst);
            settle().await;
        }
        assert!(before < pieces / 2, "{before} of {pieces} pieces were sent to nobody");
        let queued = held(rig.server().queued_bytes);
        println!("{queued} bytes queued, {before} pieces sent");
        assert!((MIB..MIB + A_BIT).contains(&queued), "{queued} bytes are queued");

        rig.handlers.open_gate();
        let mut stream = soon(sender).await.unwrap();
        assert_eq!(soon(stream.recv()).await.unwrap(), Some(Note::number(pieces.try_into().unwrap())));
        assert_eq!(stream.recv().await.unwrap(), None);
        rig.at_rest().await;
        assert_eq!(rig.server().receive_overflows, 0);
    }
}

#[tokio::test]
async fn the_server_of_a_lone_stream_that_the_client_does_not_read_waits_too() {
    let rig = Setup { client: never_look_again(), ..Setup::default() }.start().await;
    let mut stream = rig.client.flood(Note::of_size(1, PIECE)).await.unwrap();
    eventually(|| rig.client().receive_pauses == 1).await;
    let mut before = u64::MAX;
    while before != rig.server().frames_sent {
        before = rig.server().frames_sent;
        settle().await;
    }
    let queued = held(rig.client().queued_bytes);
    assert!((MIB..MIB + A_BIT).contains(&queued), "{queued} bytes are queued");
    for _ in 0..1000 {
        assert_eq!(soon(stream.recv()).await.unwrap().unwrap().body.len(), PIECE);
    }
    drop(stream);
    rig.at_rest().await;
}

#[tokio::test]
async fn a_connection_with_two_streams_is_always_read_and_a_burst_ends_nothing() {
    for placement in [Placement::Connection, Placement::Task] {
        let rig = Setup { placement, server: never_look_again(), ..Setup::default() }.start().await;
        let mut other = rig.echoes(1).await;
        let mut slow = rig.client.hold().await.unwrap();
        let pieces = 8 * MIB / PIECE;
        soon(send_all(&mut slow, pieces, &AtomicUsize::new(0))).await.unwrap();
        eventually(|| held(rig.server().queued_bytes) >= 8 * MIB).await;
        soon(echo(&mut other[0], 2)).await;
        assert_eq!((rig.server().receive_pauses, rig.server().receive_overflows), (0, 0));

        slow.close_send().await.unwrap();
        rig.handlers.open_gate();
        assert_eq!(soon(slow.recv()).await.unwrap(), Some(Note::number(pieces.try_into().unwrap())));
        drop((slow, other));
        rig.at_rest().await;
    }
}

#[tokio::test]
async fn beyond_its_limit_the_slow_stream_alone_ends_and_both_sides_are_told_why() {
    for placement in [Placement::Connection, Placement::Task] {
        let server = never_look_again().stream_receive_buffer(512 * KIB);
        let rig = Setup { placement, server, ..Setup::default() }.start().await;
        let mut other = rig.echoes(1).await;
        let mut slow = rig.client.hold().await.unwrap();
        let error = soon(overrun(&mut slow)).await;
        assert!(error.is_closed(), "{error}");
        names(&soon(slow.recv()).await.unwrap_err(), 512 * KIB, "stream_receive_buffer");
        assert_eq!(rig.server().receive_overflows, 1);
        assert_eq!(rig.server().queued_bytes, 0, "what is lost is not kept");

        rig.handlers.open_gate();
        eventually(|| rig.handlers.failures().len() == 1).await;
        names(&rig.handlers.failures()[0], 512 * KIB, "stream_receive_buffer");
        soon(echo(&mut other[0], 2)).await;
        drop((slow, other));
        rig.at_rest().await;
    }
}

#[tokio::test]
async fn beyond_its_limit_a_slow_stream_of_the_client_alone_ends_and_the_handler_is_dropped() {
    let client = never_look_again().stream_receive_buffer(512 * KIB);
    let rig = Setup { client, ..Setup::default() }.start().await;
    let mut other = rig.echoes(1).await;
    let mut slow = rig.client.flood(Note::of_size(1, PIECE)).await.unwrap();
    eventually(|| rig.client().receive_overflows == 1).await;
    eventually(|| rig.handlers.alive() == 1).await;
    names(&soon(slow.recv()).await.unwrap_err(), 512 * KIB, "stream_receive_buffer");
    assert_eq!(rig.client().queued_bytes, 0);
    soon(echo(&mut other[0], 2)).await;
    drop((slow, other));
    rig.at_rest().await;
}

#[tokio::test]
async fn beyond_the_limit_of_the_connection_the_stream_furthest_behind_ends() {
    let server = never_look_again().connection_receive_buffer(MIB);
    let rig = Setup { server, ..Setup::default() }.start().await;
    let mut little = rig.client.hold().await.unwrap();
    let mut much = rig.client.hold().await.unwrap();
    send_all(&mut little, 6, &AtomicUsize::new(0)).await.unwrap();
    eventually(|| held(rig.server().queued_bytes) >= 6 * PIECE).await;
    let error = soon(overrun(&mut much)).await;
    assert!(error.is_closed(), "{error}");
    names(&soon(much.recv()).await.unwrap_err(), MIB, "connection_receive_buffer");
    assert_eq!(rig.server().receive_overflows, 1);

    little.close_send().await.unwrap();
    rig.handlers.open_gate();
    assert_eq!(soon(little.recv()).await.unwrap(), Some(Note::number(6)));
    drop((little, much));
    rig.at_rest().await;
}

#[tokio::test]
async fn beyond_the_limit_of_the_server_a_stream_of_the_connection_that_reaches_it_ends() {
    let server = never_look_again().server_receive_buffer(MIB);
    let rig: Rig = Setup { server, ..Setup::default() }.start().await;
    let another = rig.another_client(Limits::default()).await;
    let mut idle = another.echo().await.unwrap();
    let mut first = another.hold().await.unwrap();
    echo(&mut idle, 1).await;
    send_all(&mut first, 10, &AtomicUsize::new(0)).await.unwrap();
    eventually(|| held(rig.server().queued_bytes) >= 10 * PIECE).await;

    let mut other = rig.echoes(1).await;
    let mut second = rig.client.hold().await.unwrap();
    let error = soon(overrun(&mut second)).await;
    assert!(error.is_closed(), "{error}");
    names(&soon(second.recv()).await.unwrap_err(), MIB, "server_receive_buffer");
    assert_eq!(rig.server().receive_overflows, 1);

    first.close_send().await.unwrap();
    rig.handlers.open_gate();
    assert_eq!(soon(first.recv()).await.unwrap(), Some(Note::number(10)));
    soon(echo(&mut other[0], 2)).await;
    drop((idle, first, second, other));
    rig.at_rest().await;
}

#[tokio::test(start_paused = true)]
async fn a_reset_is_seen_while_a_lone_stream_is_not_read() {
    let pause = Duration::from_secs(1);
    let server = limits().lone_stream_receive_buffer(PIECE);
    let rig = Setup { server, ..Setup::default() }.start().await;
    let mut stream = rig.client.hold().await.unwrap();
    send_all(&mut stream, 1, &AtomicUsize::new(0)).await.unwrap();
    eventually(|| rig.server().receive_pauses == 1).await;
    drop(stream);
    eventually(|| rig.client().streams == 0).await;
    settle().await;
    assert_eq!(rig.handlers.alive(), 1, "the socket is left unread for {pause:?}");
    tokio::time::advance(pause).await;
    rig.at_rest().await;
}

#[tokio::test(start_paused = true)]
async fn a_second_stream_is_seen_while_a_lone_stream_is_not_read() {
    let server = limits().lone_stream_receive_buffer(PIECE);
    let rig = Setup { server, ..Setup::default() }.start().await;
    let mut slow = rig.client.hold().await.unwrap();
    send_all(&mut slow, 1, &AtomicUsize::new(0)).await.unwrap();
    eventually(|| rig.server().receive_pauses == 1).await;
    let mut second = rig.client.echo().await.unwrap();
    second.send(Note::number(2)).await.unwrap();
    settle().await;
    assert_eq!(rig.handlers.alive(), 1);
    tokio::time::advance(Duration::from_secs(1)).await;
    eventually(|| rig.client().queued_bytes > 0).await;
    assert_eq!(second.recv().await.unwrap(), Some(Note::number(2)));
    // From now on the connection is shared and always read.
    send_all(&mut slow, 20, &AtomicUsize::new(0)).await.unwrap();
    eventually(|| held(rig.server().queued_bytes) >= 21 * PIECE).await;
    drop((slow, second));
    rig.at_rest().await;
}
