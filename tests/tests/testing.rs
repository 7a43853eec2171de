//! `streamx::testing`: a handler whose caller is the test, and a network whose faults are the test's.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use streamx::testing::{self, Network};
use streamx::{Bidi, Channel, Code, Context, Error, Result, Sender, Side, Streaming};
use streamx_tests::probe::Note;
use tokio::sync::mpsc;
use tokio::time::Instant;

#[streamx::service]
trait Desk {
    async fn who(&self, ctx: Context) -> Result<String>;
    #[client_stream]
    async fn sum(&self, notes: Streaming<Note>) -> Result<Note>;
    #[server_stream]
    async fn count(&self, to: Note, notes: Sender<Note>) -> Result<()>;
    #[bidi]
    async fn echo(&self, ctx: Context, notes: Bidi<Note, Note>) -> Result<()>;
}

/// Tells the test what its handler of `echo` was told instead of a message, and how often.
#[derive(Clone)]
struct Clerk {
    told: mpsc::UnboundedSender<[Error; 2]>,
}

impl Clerk {
    fn new() -> (Self, mpsc::UnboundedReceiver<[Error; 2]>) {
        let (told, tells) = mpsc::unbounded_channel();
        (Self { told }, tells)
    }
}

impl Desk for Clerk {
    async fn who(&self, ctx: Context) -> Result<String> {
        ctx.set_header("method", ctx.method())?;
        Ok(format!("{:?} {:?} {:?}", ctx.persistent("user"), ctx.transient("try"), ctx.metadata().get("k")))
    }

    async fn sum(&self, mut notes: Streaming<Note>) -> Result<Note> {
        let mut sum = 0;
        while let Some(note) = notes.recv().await? {
            sum += note.number;
        }
        Ok(Note::number(sum))
    }

    async fn count(&self, to: Note, mut notes: Sender<Note>) -> Result<()> {
        for number in 0..to.number {
            notes.send(Note::number(number)).await?;
        }
        Ok(())
    }

    async fn echo(&self, ctx: Context, mut notes: Bidi<Note, Note>) -> Result<()> {
        ctx.set_header("room", "main")?;
        loop {
            match notes.recv().await {
                Ok(Some(note)) => notes.send(note).await?,
                Ok(None) => return ctx.set_trailer("end", "well"),
                Err(error) => {
                    let sent = notes.send(Note::default()).await.unwrap_err();
                    let cancelled = ctx.cancelled().await;
                    assert_eq!(cancelled.to_string(), sent.to_string());
                    self.told.send([error.clone(), sent]).expect("the test listens");
                    return Err(error);
                }
            }
        }
    }
}

fn clerk() -> Clerk {
    Clerk::new().0
}

#[tokio::test]
async fn a_test_feeds_a_handler_and_looks_at_what_it_has_sent() {
    let (notes, mut caller) = testing::bidi::<Note, Note>();
    caller.send(Note::number(1));
    let note = Note::of_size(2, 100);
    caller.send(&note);
    caller.send(Arc::new(Note::number(3)));
    caller.close_send();
    clerk().echo(caller.context(), notes).await.unwrap();
    assert_eq!(caller.recv().await, Some(Note::number(1)));
    assert_eq!(caller.received(), [Note::of_size(2, 100), Note::number(3)]);
    assert_eq!(caller.recv().await, None, "the handler has dropped its handle");
    assert_eq!(caller.header().get("room"), Some("main"));
    assert_eq!(caller.trailer().get("end"), Some("well"));
}

#[tokio::test]
async fn the_other_modes_have_a_caller_too() {
    let (notes, mut caller) = testing::client_stream::<Note>();
    let answer = async {
        caller.send(Note::number(2));
        tokio::task::yield_now().await;
        caller.send(Note::number(3));
        caller.close_send();
    };
    let clerk = clerk();
    assert_eq!(tokio::join!(clerk.sum(notes), answer).0.unwrap(), Note::number(5));

    let (notes, mut caller) = testing::server_stream::<Note>();
    clerk.count(Note::number(2), notes).await.unwrap();
    assert_eq!(caller.received(), [Note::number(0), Note::number(1)]);

    let mut caller = testing::unary();
    caller.persistent("user", "7").transient("try", "1").metadata("k", "v").calls("Desk", "Who");
    let answer = clerk.who(caller.context()).await.unwrap();
    assert_eq!(answer, r#"Some("7") Some("1") Some("v")"#);
    assert_eq!(caller.header().get("method"), Some("Who"));
}

#[tokio::test]
async fn a_failure_and_garbage_come_behind_what_was_sent() {
    for garbage in [false, true] {
        let (mut notes, mut caller) = testing::bidi::<Note, Note>();
        caller.send(Note::number(1));
        if garbage {
            caller.send_garbage();
        } else {
            caller.fail(Error::biz(7, "no paper"));
        }
        assert_eq!(notes.recv().await.unwrap(), Some(Note::number(1)));
        let error = notes.recv().await.unwrap_err();
        assert_eq!(error.as_biz().map(|biz| biz.code()), (!garbage).then_some(7));
        notes.send(Note::number(2)).await.unwrap();
        assert_eq!(caller.received(), [Note::number(2)]);
    }
}

#[tokio::test]
async fn a_caller_that_does_not_read_makes_the_handler_wait() {
    let (notes, mut caller) = testing::server_stream::<Note>();
    caller.stop_reading(true);
    let clerk = clerk();
    let mut handler = Box::pin(clerk.count(Note::number(1), notes));
    assert!((&mut handler).now_or_never().is_none());
    caller.stop_reading(false);
    handler.await.unwrap();
    assert_eq!(caller.received(), [Note::number(0)]);
}

#[tokio::test]
async fn the_header_leaves_once() {
    let (mut notes, mut caller) = testing::bidi::<Note, Note>();
    let ctx = caller.context();
    ctx.set_header("a", "1").unwrap();
    assert!(!caller.has_header());
    notes.send(Note::number(1)).await.unwrap();
    assert!(caller.has_header());
    assert!(ctx.set_header("b", "2").unwrap_err().is_closed());
    assert!(ctx.send_header().await.unwrap_err().is_closed());
    caller.cancel("enough");
    assert!(ctx.set_header("", "").unwrap_err().code() == Code::InvalidArgument);
}

/// How an error looks to a handler.
fn looks([received, sent]: [Error; 2]) -> [(String, Code, Option<i32>, Side, bool); 2] {
    [received, sent].map(|error| {
        (error.to_string(), error.code(), error.kitex_code(), error.side(), error.is_cancelled())
    })
}

/// A handler that waits for a message, and the end of its caller as this test brings it about.
async fn told_by_caller(end: impl FnOnce(&mut testing::Caller<Note, Note>)) -> [Error; 2] {
    let (clerk, mut tells) = Clerk::new();
    let (notes, mut caller) = testing::bidi::<Note, Note>();
    let ctx = caller.context();
    let handler = tokio::spawn(async move { clerk.echo(ctx, notes).await });
    caller.send(Note::number(1));
    assert_eq!(caller.recv().await, Some(Note::number(1)));
    end(&mut caller);
    handler.await.unwrap().unwrap_err();
    tells.recv().await.unwrap()
}

/// The same over a network.
async fn told_over_network(
    timeout: Duration,
    end: impl FnOnce(&Network, &mut streamx::client::Bidi<Note, Note>),
) -> [Error; 2] {
    let (clerk, mut tells) = Clerk::new();
    let network = Network::default();
    let client = DeskClient::new(network.channel(DeskServer::new(clerk)));
    let mut notes = client.echo().timeout(timeout).await.unwrap();
    notes.send(Note::number(1)).await.unwrap();
    assert_eq!(notes.recv().await.unwrap(), Some(Note::number(1)));
    end(&network, &mut notes);
    tells.recv().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_handler_is_told_the_same_as_over_a_network() {
    let cancelled = told_by_caller(|caller| caller.cancel("enough")).await;
    let really = told_over_network(Duration::MAX, |_, notes| notes.cancel("enough")).await;
    assert_eq!(looks(cancelled), looks(really));

    let lost = told_by_caller(testing::Caller::disconnect).await;
    let really = told_over_network(Duration::MAX, |network, _| _ = network.cut()).await;
    assert_eq!(looks(lost), looks(really));

    let minute = Duration::from_secs(60);
    let late = told_by_caller(|caller| _ = caller.timeout(minute)).await;
    let really = told_over_network(minute, |_, _| {}).await;
    assert_eq!(looks(late), looks(really));
}

#[tokio::test]
async fn dropping_the_caller_cancels() {
    let (mut notes, mut caller) = testing::bidi::<Note, Note>();
    caller.send(Note::number(1));
    drop(caller);
    let error = notes.recv().await.unwrap_err();
    assert!(error.is_cancelled(), "{error}");
    assert_eq!(error.kitex_code(), Some(12007));
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_caller_is_that_of_the_runtime() {
    let (mut notes, mut caller) = testing::bidi::<Note, Note>();
    let start = Instant::now();
    let ctx = caller.timeout(Duration::from_secs(5)).context();
    assert_eq!(ctx.deadline(), Some((start + Duration::from_secs(5)).into_std()));
    assert!(ctx.cancelled().await.is_cancelled());
    assert_eq!(start.elapsed().as_secs(), 5);
    assert!(notes.recv().await.is_err());
}

#[tokio::test]
async fn calls_of_a_handler_that_is_run_belong_to_its_call() {
    let (clerk, mut tells) = Clerk::new();
    let next = DeskClient::in_process(clerk);
    let mut caller = testing::unary();
    caller.persistent("user", "7");
    let handler = async { next.who().await };
    assert_eq!(caller.run(handler).await.unwrap(), r#"Some("7") None None"#);

    let (kept, caller) = (Mutex::new(None), testing::unary());
    let handler = async {
        let mut notes = next.echo().await?;
        notes.send(Note::number(1)).await?;
        assert_eq!(notes.recv().await?, Some(Note::number(1)));
        *kept.lock().expect("no panic") = Some(notes);
        Ok::<_, Error>(())
    };
    caller.run(handler).await.unwrap();
    let [told, _] = tells.recv().await.unwrap();
    assert!(told.to_string().contains("the handler has returned"), "{told}");
    assert!(caller.context().cancelled().await.is_closed());
}

/// What a conversation over a network looks like on its wires.
async fn pieces(seed: u64) -> Vec<(Duration, usize, Side, Vec<u8>)> {
    let (network, start) = (Network::seeded(seed), Instant::now());
    network.delay(Duration::from_millis(1)..=Duration::from_millis(9)).split(40);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sees = Arc::clone(&seen);
    network.tap(move |connection, side, bytes| {
        sees.lock().expect("no panic").push((start.elapsed(), connection, side, bytes.to_vec()));
    });
    let client = DeskClient::new(network.channel(DeskServer::new(clerk())));
    let mut notes = client.echo().await.unwrap();
    for number in 0..20 {
        notes.send(Note::of_size(number, 200)).await.unwrap();
        assert_eq!(notes.recv().await.unwrap(), Some(Note::of_size(number, 200)));
    }
    notes.close_send().await.unwrap();
    assert_eq!(notes.recv().await.unwrap(), None);
    seen.lock().expect("no panic").clone()
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_pieces_at_the_same_times() {
    let first = pieces(1).await;
    assert!(first.iter().all(|(.., bytes)| (1..=40).contains(&bytes.len())));
    assert!(first.len() > 40, "{}", first.len());
    assert!(first.last().unwrap().0 > Duration::from_millis(40));
    assert_eq!(first, pieces(1).await);
    assert_ne!(first, pieces(2).await);
}

/// A stream over a network that has echoed one note.
async fn begin(network: &Network) -> (DeskClient, streamx::client::Bidi<Note, Note>) {
    let client = DeskClient::new(network.channel(DeskServer::new(clerk_that_is_not_asked())));
    let mut notes = client.echo().await.unwrap();
    notes.send(Note::number(1)).await.unwrap();
    assert_eq!(notes.recv().await.unwrap(), Some(Note::number(1)));
    (client, notes)
}

/// What it tells goes nowhere.
fn clerk_that_is_not_asked() -> Clerk {
    let (clerk, mut tells) = Clerk::new();
    tokio::spawn(async move { while tells.recv().await.is_some() {} });
    clerk
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_survives_a_cut_and_not_a_reset() {
    for breaks in [false, true] {
        let network = Network::default();
        let (client, mut notes) = begin(&network).await;
        let step = Duration::from_millis(10);
        network.delay(step..=step);
        notes.send(Note::number(2)).await.unwrap();
        // It has reached the server, and its echo is under way.
        tokio::time::sleep(step + step / 2).await;
        if breaks {
            network.reset();
        } else {
            network.cut();
            assert_eq!(notes.recv().await.unwrap(), Some(Note::number(2)));
        }
        assert_eq!(notes.recv().await.unwrap_err().code(), Code::Unavailable);
        let mut notes = client.echo().await.unwrap();
        notes.close_send().await.unwrap();
        assert_eq!(notes.recv().await.unwrap(), None, "a new connection was made");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cut_in_the_middle_of_a_message_delivers_no_part_of_it() {
    for bytes in [1, 20, 100, 1000] {
        let network = Network::default();
        let (_client, mut notes) = begin(&network).await;
        network.cut_after(bytes);
        for number in 0..20 {
            // The first one that does not fit finds out.
            _ = notes.send(Note::of_size(number, 50)).await;
        }
        let mut echoed = 0;
        let error = loop {
            let received = tokio::time::timeout(Duration::from_secs(60), notes.recv());
            match received.await.expect("the network is cut") {
                Ok(note) => assert_eq!(note, Some(Note::of_size(echoed, 50))),
                Err(error) => break error,
            }
            echoed += 1;
        };
        assert!(echoed < 20 && error.code() == Code::Unavailable, "{echoed} {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_network_that_holds_delays_and_one_that_refuses_fails() {
    let network = Network::default();
    let (client, mut notes) = begin(&network).await;
    network.hold();
    notes.send(Note::number(2)).await.unwrap();
    let late = tokio::time::timeout(Duration::from_secs(5), notes.recv());
    assert!(late.await.is_err());
    network.release();
    assert_eq!(notes.recv().await.unwrap(), Some(Note::number(2)));

    network.refuse(true).cut();
    assert!(notes.recv().await.is_err());
    let error = client.echo().await.unwrap_err();
    assert!(error.is_retryable() && error.code() == Code::Unavailable, "{error}");
    network.refuse(false);
    client.echo().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn delays_pass_in_stopped_time() {
    let network = Network::default();
    network.delay(Duration::from_secs(10)..=Duration::from_secs(10));
    let start = Instant::now();
    begin(&network).await;
    assert_eq!(start.elapsed().as_secs(), 20, "there and back");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_at_either_end() {
    let network = Network::default();
    network.split(7);
    let channel: Channel = network.channel(DeskServer::new(clerk_that_is_not_asked()));
    let client = DeskClient::new(channel.clone());
    let mut notes = client.echo().await.unwrap();
    notes.send(Note::of_size(1, 1000)).await.unwrap();
    notes.recv().await.unwrap();
    assert_eq!((network.server_counters().streams, channel.counters().streams), (1, 1));
    drop(notes);
    tokio::time::sleep(Duration::from_secs(6)).await;
    let (server, client_side) = (network.server_counters(), channel.counters());
    assert_eq!((server.streams, server.handlers, server.queued_bytes), (0, 0, 0));
    assert_eq!((client_side.streams, client_side.queued_bytes), (0, 0));
    drop((client, channel));
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(network.server_counters().connections, 0);
}
