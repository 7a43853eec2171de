//! Dropping cancels: whatever a client drops frees the handler and everything else, and one stream's end is no other
//! stream's business.

use std::time::Duration;

use streamx::testing::Network;
use streamx::{Bidi, Channel, Context, Error, Limits, Message, Placement, Result, Sender, Server};
use streamx_tests::probe::{End, Note, ProbeClient};
use streamx_tests::raw::{DATA, HEADER, RESET, Raw, frame};
use streamx_tests::rig::{Rig, Setup, echo, eventually, settle, soon};
use tokio::sync::mpsc;

/// Starts a server, lets a handler begin, drops what the caller holds, and waits until all is gone.
macro_rules! dropped {
    ($($name:ident: |$rig:ident| $open:block)*) => { $(
        #[tokio::test]
        async fn $name() {
            for placement in [Placement::Connection, Placement::Task] {
                let $rig = Setup::placed(placement).start().await;
                let held = $open;
                soon(eventually(|| $rig.handlers.alive() == 1)).await;
                drop(held);
                $rig.at_rest().await;
                assert_eq!($rig.handlers.begun(), 1);
                // The connection is as good as before.
                if $rig.client().connections == 1 && $rig.client().connections_opened == 1 {
                    $rig.echoes(1).await;
                }
            }
        }
    )* };
}

dropped! {
    a_bidi_that_is_dropped_before_its_first_message_drops_the_handler: |rig| {
        rig.client.echo().await.unwrap()
    }

    a_bidi_that_is_dropped_drops_the_handler: |rig| {
        let mut stream = rig.client.echo().await.unwrap();
        echo(&mut stream, 1).await;
        stream
    }

    a_bidi_that_is_dropped_after_close_send_drops_the_handler: |rig| {
        let mut stream = rig.client.hold().await.unwrap();
        stream.send(Note::number(1)).await.unwrap();
        stream.close_send().await.unwrap();
        stream
    }

    a_sending_half_that_is_dropped_drops_the_handler: |rig| {
        let (mut tx, rx) = rig.client.echo().await.unwrap().split();
        tx.send(Note::number(1)).await.unwrap();
        // Only this half is dropped; the other one stays where it is.
        std::mem::forget(rx);
        tx
    }

    a_receiving_half_that_is_dropped_drops_the_handler: |rig| {
        let (mut tx, rx) = rig.client.echo().await.unwrap().split();
        tx.send(Note::number(1)).await.unwrap();
        std::mem::forget(tx);
        rx
    }

    a_client_stream_that_is_dropped_drops_the_handler: |rig| {
        let mut stream = rig.client.sum().await.unwrap();
        stream.send(Note::number(1)).await.unwrap();
        stream
    }

    a_reply_that_is_dropped_drops_the_handler: |rig| {
        rig.client.ignore().await.unwrap().close_send().await.unwrap()
    }

    a_streaming_that_is_dropped_drops_the_handler: |rig| {
        let mut stream = rig.client.flood(Note::number(1)).await.unwrap();
        assert_eq!(stream.recv().await.unwrap(), Some(Note::number(1)));
        stream
    }

    a_future_of_a_reply_that_is_dropped_drops_the_handler: |rig| {
        let mut reply = Box::pin(rig.client.ignore().await.unwrap().close_and_recv());
        assert!(futures::poll!(&mut reply).is_pending());
        reply
    }

    a_unary_call_that_is_dropped_while_it_runs_drops_the_handler: |rig| {
        let mut call = rig.client.wait(Note::number(1));
        soon(async {
            while rig.handlers.alive() == 0 {
                assert!(futures::poll!(&mut call).is_pending());
                tokio::task::yield_now().await;
            }
        }).await;
        call
    }
}

#[tokio::test]
async fn a_call_that_was_never_polled_reaches_nobody() {
    let rig = Rig::start().await;
    drop(rig.client.echo());
    drop(rig.client.ask(Note::number(1)));
    echo(&mut rig.client.echo().await.unwrap(), 1).await;
    rig.at_rest().await;
    assert_eq!(rig.server().streams_opened, 1);
    assert_eq!(rig.client().streams_opened, 1);
}

#[tokio::test]
async fn a_unary_call_on_a_shared_connection_is_cancelled_without_losing_the_connection() {
    let rig = Rig::start().await;
    rig.client.ask(Note::number(1)).await.unwrap();
    let opened = rig.client().connections_opened;
    let mut call = rig.client.wait(Note::number(1));
    soon(async {
        while rig.handlers.alive() == 0 {
            assert!(futures::poll!(&mut call).is_pending());
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(call);
    assert_eq!(rig.client().streams, 0, "the client forgets it at once");
    assert_eq!(soon(rig.client.ask(Note::number(2))).await.unwrap().number, 2);
    assert_eq!(rig.client().connections_opened, opened);
    // The gate of its handler was never opened.
    rig.at_rest().await;
}

#[tokio::test]
async fn both_halves_say_why_the_call_was_cancelled() {
    let rig = Rig::start().await;
    let (mut tx, mut rx) = rig.client.echo().await.unwrap().split();
    tx.send(Note::number(1)).await.unwrap();
    assert_eq!(soon(rx.recv()).await.unwrap(), Some(Note::number(1)));
    rx.cancel("the user has closed the window");
    for error in [tx.send(Note::number(2)).await.unwrap_err(), rx.recv().await.unwrap_err()] {
        assert!(error.is_cancelled(), "{error}");
        assert_eq!(error.to_string(), "Probe.Echo: the user has closed the window [client side]");
    }
    rig.at_rest().await;
}

#[tokio::test]
async fn a_lost_connection_ends_the_calls_of_the_client_with_a_sentence() {
    let mut rig = Rig::start().await;
    let mut echoing = rig.echoes(1).await;
    let reply = rig.client.ignore().await.unwrap().close_send().await.unwrap();
    let waiting = tokio::spawn(rig.client.wait(Note::number(1)));
    eventually(|| rig.handlers.alive() == 3).await;
    rig.kill_server().await;
    let errors = [
        soon(echoing[0].recv()).await.unwrap_err(),
        soon(reply.recv()).await.unwrap_err(),
        soon(waiting).await.unwrap().unwrap_err(),
    ];
    for error in errors {
        assert!(error.to_string().contains("connection"), "{error}");
    }
    echoing[0].send(Note::number(1)).await.unwrap_err();
    let error = soon(echoing[0].recv()).await.unwrap_err();
    assert!(error.to_string().contains("connection"), "still: {error}");
    rig.at_rest().await;
}

#[tokio::test]
async fn a_lost_connection_drops_the_handlers_of_the_server() {
    for placement in [Placement::Connection, Placement::Task] {
        let rig = Setup::placed(placement).start().await;
        drop(rig.echoes(1).await);
        rig.at_rest().await;
        // A client in a runtime of its own that goes away with everything in it.
        let url = format!("ttheader://{}", rig.address());
        let alive = rig.handlers.clone();
        let (gone, wait) = std::sync::mpsc::channel::<()>();
        let client = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let held = runtime.block_on(async {
                let client = ProbeClient::connect(&url).await.unwrap();
                let mut stream = client.echo().await.unwrap();
                echo(&mut stream, 1).await;
                let held = (client.hold().await.unwrap(), client.flood(Note::number(1)).await.unwrap());
                eventually(|| alive.alive() == 3).await;
                (stream, held)
            });
            wait.recv().unwrap();
            drop(runtime);
            drop(held);
        });
        eventually(|| rig.handlers.alive() == 3 && rig.server().connections == 2).await;
        gone.send(()).unwrap();
        rig.at_rest().await;
        client.join().unwrap();
        assert_eq!(rig.server().connections, 1, "that of the rig");
    }
}

/// `Probe` of somebody whose schema differs: its notes do not decode there.
#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Strict {
    #[field(7, required)]
    id: i64,
}

#[streamx::service(name = "Other")]
trait Lax {
    #[bidi]
    async fn talk(&self, stream: Bidi<Note, Note>) -> Result<()>;
}

#[streamx::service(name = "Other")]
trait Other {
    #[bidi]
    async fn talk(&self, stream: Bidi<Strict, Strict>) -> Result<()>;
}

struct Talks;

impl Other for Talks {
    async fn talk(&self, mut stream: Bidi<Strict, Strict>) -> Result<()> {
        while let Some(strict) = stream.recv().await? {
            stream.send(strict).await?;
        }
        Ok(())
    }
}

/// Sixty-three streams echo; the sixty-fourth meets its fate; they go on echoing over the same connection.
async fn a_fate<F: Future<Output = ()>>(placement: Placement, limits: Limits, fate: impl Fn(Fate) -> F) {
    let setup = Setup { placement, client: limits.clone(), server: limits, ..Setup::default() };
    let rig = setup.start_with(OtherServer::new(Talks)).await;
    let mut others = rig.echoes(63).await;
    let lax = LaxClient::new(rig.channel.clone());
    soon(fate(Fate { client: rig.client.clone(), lax })).await;
    for (number, stream) in (100..).zip(&mut others) {
        soon(echo(stream, number)).await;
    }
    drop(others);
    rig.at_rest().await;
    assert_eq!(rig.server().connections, 1);
    assert_eq!(rig.client().connections_opened, 1);
}

struct Fate {
    client: ProbeClient,
    lax: LaxClient,
}

async fn everywhere<F: Future<Output = ()>>(limits: Limits, fate: impl Fn(Fate) -> F) {
    for placement in [Placement::Connection, Placement::Task] {
        a_fate(placement, limits.clone(), &fate).await;
    }
}

#[tokio::test]
async fn a_failure_leaves_the_sixty_three_other_streams_alone() {
    everywhere(Limits::default(), |fate| async move {
        let mut stream = fate.client.end().await.unwrap();
        stream.send(Note::number(End::FAILED)).await.unwrap();
        assert!(stream.recv().await.unwrap_err().to_string().contains("the disk is full"));
    })
    .await;
}

#[tokio::test]
async fn a_panic_leaves_the_sixty_three_other_streams_alone() {
    everywhere(Limits::default(), |fate| async move {
        let mut stream = fate.client.end().await.unwrap();
        stream.send(Note::number(End::PANICKED)).await.unwrap();
        assert!(stream.recv().await.unwrap_err().to_string().contains("panicked"));
    })
    .await;
}

#[tokio::test]
async fn a_message_that_does_not_decode_leaves_the_sixty_three_other_streams_alone() {
    everywhere(Limits::default(), |fate| async move {
        let mut stream = fate.lax.talk().await.unwrap();
        stream.send(Note::number(1)).await.unwrap();
        let error: Error = stream.recv().await.unwrap_err();
        assert!(error.to_string().contains("Strict.id"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_too_large_to_send_fails_and_its_stream_goes_on() {
    everywhere(Limits::default().max_message_size(4096), |fate| async move {
        let mut stream = fate.client.echo().await.unwrap();
        let error = stream.send(Note::of_size(1, 5000)).await.unwrap_err();
        assert!(error.to_string().contains("max_message_size"), "{error}");
        echo(&mut stream, 2).await;
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_too_large_to_receive_leaves_the_sixty_three_other_streams_alone() {
    for placement in [Placement::Connection, Placement::Task] {
        let server = Limits::default().max_message_size(4096);
        let rig = Setup { placement, server, ..Setup::default() }.start().await;
        let mut others = rig.echoes(63).await;
        let mut stream = rig.client.echo().await.unwrap();
        stream.send(Note::of_size(1, 5000)).await.unwrap();
        let error = soon(stream.recv()).await.unwrap_err();
        assert!(error.to_string().contains("max_message_size"), "{error}");
        for (number, stream) in (100..).zip(&mut others) {
            soon(echo(stream, number)).await;
        }
        drop(others);
        rig.at_rest().await;
    }
}

#[streamx::service]
trait Tap {
    /// Sends for ever, and tells what has stopped it.
    #[server_stream]
    async fn run(&self, ctx: Context, note: Note, stream: Sender<Note>) -> Result<()>;

    /// Reads nothing.
    #[bidi]
    async fn fill(&self, stream: Bidi<Note, Note>) -> Result<()>;
}

struct Water(mpsc::UnboundedSender<Error>);

impl Tap for Water {
    async fn run(&self, _: Context, note: Note, mut stream: Sender<Note>) -> Result<()> {
        let error = loop {
            if let Err(error) = stream.send(&note).await {
                break error;
            }
        };
        self.0.send(error.clone()).map_err(Error::other)?;
        Err(error)
    }

    async fn fill(&self, stream: Bidi<Note, Note>) -> Result<()> {
        std::future::pending::<()>().await;
        drop(stream);
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_send_that_waits_for_room_fails_as_soon_as_its_call_is_cancelled() {
    let network = Network::default();
    let client = TapClient::new(network.channel(TapServer::new(Water(mpsc::unbounded_channel().0))));
    let (mut tx, mut rx) = client.fill().await.unwrap().split();
    network.hold();
    let send_all = async { while tx.send(Note::of_size(1, 60_000)).await.is_ok() {} };
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        rx.cancel("enough");
    };
    // Nothing leaves any more, so room would never come.
    let both = async { tokio::join!(send_all, cancel) };
    tokio::time::timeout(Duration::from_millis(2), both).await.expect("the send has failed");
}

#[tokio::test]
async fn a_handler_whose_send_waits_for_room_is_told_at_once_that_its_caller_is_gone() {
    let (tells, mut told) = mpsc::unbounded_channel();
    let server = Server::builder().add_service(TapServer::new(Water(tells)));
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let mut raw = Raw::connect(&server.local_addr().to_string()).await;
    tokio::spawn(server.serve());
    raw.write(&frame(1, HEADER, "Run", b"")).await;
    // 1: i64 = 1, 2: binary of 60,000 bytes
    let note = [&[10, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 11, 0, 2, 0, 0, 0xea, 0x60][..], &[7; 60_000], &[0]];
    raw.write(&frame(1, DATA, "Run", &note.concat())).await;
    // It reads nothing, so the handler has to wait when the buffers are full.
    settle().await;
    raw.write(&frame(1, RESET, "Run", b"")).await;
    // Without a word it would be dropped after its grace.
    let reason = soon(told.recv()).await.expect("it was told");
    assert!(reason.is_cancelled(), "{reason}");
}

#[tokio::test]
async fn without_resets_the_handler_reads_that_its_caller_has_given_up() {
    let rig = Rig::start().await;
    let channel = Channel::builder(format!("ttheader://{}", rig.address())).without_resets();
    let client = ProbeClient::new(channel.connect().await.unwrap());
    let mut other = client.echo().await.unwrap();
    echo(&mut other, 1).await;
    let mut held = client.hold().await.unwrap();
    held.send(Note::number(1)).await.unwrap();
    held.cancel("changed my mind");
    let mut unread = client.hold().await.unwrap();
    unread.close_send().await.unwrap();
    drop(unread);
    eventually(|| rig.handlers.begun() == 3).await;
    // Nothing has told the handlers to go.
    echo(&mut other, 2).await;
    assert_eq!(rig.handlers.alive(), 3);
    rig.handlers.open_gate();
    eventually(|| rig.handlers.alive() == 1).await;
    let failures = rig.handlers.failures();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(failures[0].to_string().contains("changed my mind"), "{failures:?}");
    echo(&mut other, 3).await;
    drop(other);
    rig.handlers.close_gate();
    drop(client);
    rig.at_rest().await;
}
