//! The corners of the runtime: who is woken, what is counted, and what is let go of when things end out of order.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use streamx::{Bidi, Channel, Context, Limits, Placement, Result, Server};
use streamx_tests::probe::{Handlers, Note, ProbeClient, ProbeServer};
use streamx_tests::raw::{self, Raw};
use streamx_tests::rig::{Rig, Setup, echo, eventually, settle, soon};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::time::advance;

const KIB: usize = 1024;

#[tokio::test]
async fn every_unary_call_that_waits_for_room_is_woken() {
    let client = Limits::default().connection_send_buffer(64 * KIB);
    let rig = Setup { client, ..Setup::default() }.start().await;
    rig.client.ask(Note::number(0)).await.unwrap();
    let calls = (0..64).map(|number| tokio::spawn(rig.client.ask(Note::of_size(number, 256 * KIB))));
    for answer in soon(join_all(calls)).await {
        answer.unwrap().unwrap();
    }
    rig.at_rest().await;
}

#[tokio::test]
async fn every_answer_that_waits_for_room_is_woken_even_if_its_client_numbers_all_calls_alike() {
    const CALLS: usize = 64;
    const SIZE: usize = 256 * KIB;
    let server = Limits::default().connection_send_buffer(64 * KIB);
    let rig = Setup { placement: Placement::Task, server, ..Setup::default() }.start().await;
    let mut peer = Raw::connect(rig.address()).await;
    let size = u32::try_from(SIZE).unwrap().to_be_bytes();
    let head = [&[0x0c, 0, 1, 0x0b, 0, 2][..], &size].concat();
    let body = [&head[..], &vec![0x5a; SIZE], &[0, 0]].concat();
    for _ in 0..CALLS {
        peer.write(&raw::framed(1, "Wait", 7, &body)).await;
    }
    eventually(|| rig.handlers.alive() == CALLS).await;
    rig.handlers.open_gate();
    settle().await;
    for _ in 0..CALLS {
        assert!(peer.read_framed().await.len() > SIZE);
    }
}

#[tokio::test]
async fn a_call_whose_answer_does_not_decode_fails_with_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("framed://{}", listener.local_addr().unwrap());
    let client = ProbeClient::new(Channel::builder(url).connect_lazy().unwrap());
    let call = tokio::spawn(client.ask(Note::number(1)));
    let mut peer = Raw::accepted(soon(listener.accept()).await.unwrap().0);
    peer.read_framed().await;
    peer.write(&raw::framed(3, "Ask", 1, &[0x0b, 0, 1, 0xff])).await;
    soon(call).await.unwrap().unwrap_err();
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_not_counted_for_ever() {
    let rig = Rig::start().await;
    let mut call = rig.client.ask(Note::of_size(1, 64 * KIB));
    soon(async {
        while rig.client().queued_bytes == 0 {
            if rig.client().frames_received == 0 {
                assert!(futures::poll!(&mut call).is_pending());
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(call);
    rig.at_rest().await;
}

#[tokio::test]
async fn a_limit_of_time_may_be_as_long_as_there_is() {
    let forever = Limits::default().frame_timeout(Duration::MAX).first_frame_timeout(Duration::MAX);
    let server = forever.write_stall_timeout(Duration::MAX).lone_stream_pause(Duration::MAX);
    let rig = Setup { server, ..Setup::default() }.start().await;
    let mut peer = Raw::connect(rig.address()).await;
    peer.write(&raw::frame(1, raw::HEADER, "Echo", b"")).await;
    for _ in 0..2 {
        let message = raw::frame(1, raw::DATA, "Echo", &[0]);
        peer.write(&message[..20]).await;
        settle().await;
        assert!(!peer.is_closed());
        peer.write(&message[20..]).await;
        let received = rig.server().frames_received;
        eventually(|| rig.server().frames_received > received).await;
    }
    assert_eq!(rig.handlers.alive(), 1);
}

#[tokio::test]
async fn a_handler_whose_stream_ended_before_it_goes_with_its_connection() {
    for placement in [Placement::Connection, Placement::Task] {
        let server = Limits::default().max_message_size(4 * KIB);
        let mut rig = Setup { placement, server, ..Setup::default() }.start().await;
        let mut stream = rig.client.ignore().await.unwrap();
        stream.send(Note::of_size(1, 5 * KIB)).await.unwrap();
        soon(stream.close_and_recv()).await.unwrap_err();
        assert_eq!(rig.handlers.alive(), 1);
        rig.kill_server().await;
        eventually(|| rig.handlers.alive() == 0).await;
    }
}

#[tokio::test]
async fn a_client_that_takes_no_answers_is_not_read_until_it_does() {
    const CALLS: usize = 200_000;
    let server = Limits::default().connection_send_buffer(64 * KIB).max_message_size(64 * KIB);
    let rig = Setup { server, ..Setup::default() }.start().await;
    let peer = Raw::connect(rig.address()).await;
    let (mut answers, mut calls) = tokio::io::split(peer.into_inner());
    let writing = tokio::spawn(async move {
        let call = raw::framed(1, "Unknown", 1, &[0]).repeat(100);
        for _ in 0..CALLS / 100 {
            tokio::io::AsyncWriteExt::write_all(&mut calls, &call).await.unwrap();
        }
        calls
    });
    let mut before = u64::MAX;
    while before != rig.server().frames_received {
        before = rig.server().frames_received;
        settle().await;
    }
    assert!(!writing.is_finished() || before < CALLS as u64, "{before} calls were read");
    let mut bytes = vec![0; 64 * KIB];
    soon(async {
        while rig.server().frames_sent < CALLS as u64 {
            tokio::io::AsyncReadExt::read(&mut answers, &mut bytes).await.unwrap();
        }
    })
    .await;
    soon(writing).await.unwrap();
}

#[tokio::test]
async fn a_stream_in_this_process_outlives_its_channel_as_over_a_network() {
    let client = ProbeClient::in_process(Handlers::default());
    let mut stream = client.echo().await.unwrap();
    drop(client);
    settle().await;
    echo(&mut stream, 1).await;
}

#[test]
fn a_stream_whose_runtime_is_gone_fails() {
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let mut stream = first.block_on(async {
        let server = Server::builder().add_service(ProbeServer::new(Handlers::default()));
        let server = server.bind("127.0.0.1:0").await.unwrap();
        let url = format!("ttheader://{}", server.local_addr());
        tokio::spawn(server.serve());
        let mut stream = ProbeClient::connect(&url).await.unwrap().echo().await.unwrap();
        echo(&mut stream, 1).await;
        stream
    });
    drop(first);
    let error = runtime().block_on(async { soon(stream.recv()).await.unwrap_err() });
    assert!(error.to_string().contains("runtime"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_nobody_uses_is_not_made_again() {
    let rig = Rig::start().await;
    for _ in 0..60 {
        advance(Duration::from_secs(1)).await;
        settle().await;
    }
    assert_eq!((rig.client().connections, rig.client().connections_opened), (0, 1));
    echo(&mut rig.client.echo().await.unwrap(), 1).await;
}

#[tokio::test]
async fn a_connection_that_ended_is_closed_though_a_handle_of_it_is_kept() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ttheader://{}", listener.local_addr().unwrap());
    let client = ProbeClient::new(Channel::builder(url).connect_lazy().unwrap());
    let mut stream = client.echo().await.unwrap();
    stream.send(Note::number(1)).await.unwrap();
    let mut peer = Raw::accepted(soon(listener.accept()).await.unwrap().0);
    peer.read().await;
    peer.write(&[0xa5; 64]).await;
    soon(stream.recv()).await.unwrap_err();
    while !peer.read().await.is_empty() {}
    drop(stream);
}

/// The Thrift binary form of a note with so many bytes.
fn note(size: usize) -> Vec<u8> {
    let length = u32::try_from(size).unwrap().to_be_bytes();
    [&[0x0b, 0, 2][..], &length, &vec![0x5a; size], &[0]].concat()
}

#[test]
fn a_few_bytes_that_queue_do_not_keep_the_buffer_of_the_large_message_before_them() {
    const ROUNDS: u64 = 32;
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let rig = runtime.block_on(Setup::placed(Placement::Connection).start());
    let held = allocation_counter::measure(|| {
        runtime.block_on(async {
            let mut peer = Raw::connect(rig.address()).await;
            peer.write(&raw::frame(1, raw::HEADER, "Sum", b"")).await;
            peer.write(&raw::frame(2, raw::HEADER, "Hold", b"")).await;
            let large = raw::frame(1, raw::DATA, "Sum", &note(9000 * KIB));
            let small = raw::frame(2, raw::DATA, "Hold", &note(5 * KIB));
            let both = [large, small].concat();
            for round in 1..=ROUNDS {
                peer.write(&both).await;
                eventually(|| rig.server().frames_received == 2 + 2 * round).await;
            }
            assert!(rig.server().queued_bytes < 256 << 10);
            std::mem::forget(peer);
        });
    });
    let held = held.bytes_current;
    assert!(held < 4 << 20, "{held} bytes are held for {ROUNDS} messages of 5 KiB");
}

#[tokio::test]
async fn buffers_of_no_bytes_slow_down_and_stop_nothing() {
    let none =
        Limits::default().stream_send_buffer(0).connection_send_buffer(0).lone_stream_receive_buffer(0);
    let rig = Setup { client: none.clone(), server: none, ..Setup::default() }.start().await;
    let mut stream = rig.client.echo().await.unwrap();
    for number in 0..10 {
        soon(echo(&mut stream, number)).await;
    }
    assert_eq!(soon(rig.client.ask(Note::number(1))).await.unwrap(), Note::number(1));
    assert_eq!((rig.client().receive_pauses, rig.server().receive_pauses), (0, 0));
}

#[streamx::service]
trait Late {
    /// Ends only when it is told, whatever its caller does.
    #[bidi]
    async fn linger(&self, ctx: Context, stream: Bidi<Note, Note>) -> Result<()>;

    #[bidi]
    async fn answer(&self, stream: Bidi<Note, Note>) -> Result<()>;
}

struct Lingers(Arc<Notify>);

impl Late for Lingers {
    async fn linger(&self, _: Context, mut stream: Bidi<Note, Note>) -> Result<()> {
        self.0.notified().await;
        // Fails, because the call is over.
        let _over = stream.send(Note::number(666)).await;
        self.0.notify_waiters();
        Ok(())
    }

    async fn answer(&self, mut stream: Bidi<Note, Note>) -> Result<()> {
        while let Some(note) = stream.recv().await? {
            stream.send(note).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_handler_whose_call_is_over_does_nothing_to_the_next_stream_of_its_id() {
    let told = Arc::new(Notify::new());
    let server = Server::builder().add_service(LateServer::new(Lingers(Arc::clone(&told))));
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let (address, counters) = (server.local_addr().to_string(), server.counters());
    tokio::spawn(server.serve());
    let mut peer = Raw::connect(&address).await;
    let header = |method| raw::ttheader(2, 1, &[(9, method), (27, raw::HEADER)], &[("isn", "Late")], b"");
    peer.write(&header("Linger")).await;
    eventually(|| counters().handlers == 1).await;
    peer.write(&raw::frame(1, raw::RESET, "Linger", b"")).await;
    peer.write(&header("Answer")).await;
    eventually(|| counters().handlers == 2).await;
    told.notify_one();
    eventually(|| counters().handlers == 1).await;
    assert_eq!(counters().streams, 1);
    peer.write(&raw::frame(1, raw::DATA, "Answer", &[0])).await;
    peer.write(&raw::frame(1, raw::TRAILER, "Answer", b"")).await;
    eventually(|| counters().handlers == 0).await;
    // The header, the answer and the trailer of the second stream, and nothing of the first.
    eventually(|| counters().frames_sent == 3).await;
    assert_eq!(counters().streams, 0);
}
