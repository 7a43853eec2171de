//! Time limits of a caller: the whole call, and each `recv`. The clock stands still where it can, so nothing
//! waits for real.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use streamx::{Bidi, Channel, Code, Context, Error, Message, Result, Server};
use streamx_tests::probe::{Handlers, Note, ProbeClient, ProbeServer};
use streamx_tests::rig::{Rig, Setup, echo, eventually, jumping, settle, soon};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
/// Longer than a test may take by the real clock.
const HOUR: Duration = Duration::from_secs(3600);

/// A client and the handlers it reaches, in this process or over TCP.
struct Place {
    client: ProbeClient,
    channel: Channel,
    handlers: Handlers,
    rig: Option<Rig>,
}

impl Place {
    async fn every() -> [Self; 2] {
        let handlers = Handlers::default();
        let channel = Channel::in_process(ProbeServer::new(handlers.clone()));
        let here = Self { client: ProbeClient::new(channel.clone()), channel, handlers, rig: None };
        let rig = Setup::default().start().await;
        let (client, channel) = (rig.client.clone(), rig.channel.clone());
        let far = Self { client, channel, handlers: rig.handlers.clone(), rig: Some(rig) };
        for place in [&here, &far] {
            // Both connections stand, and all their tasks run.
            echo(&mut place.client.echo().await.unwrap(), 1).await;
            place.at_rest().await;
        }
        [here, far]
    }

    async fn at_rest(&self) {
        eventually(|| self.channel.counters().streams == 0 && self.handlers.alive() == 0).await;
        if let Some(rig) = &self.rig {
            rig.at_rest().await;
        }
    }

    async fn serves(&self, handlers: usize) {
        eventually(|| self.handlers.alive() == handlers).await;
    }
}

#[track_caller]
fn assert_passed(error: &Error, kitex_code: i32, text: &str) {
    assert!(error.is_timeout() && !error.is_closed(), "{error}");
    assert_eq!((error.code(), error.kitex_code()), (Code::DeadlineExceeded, Some(kitex_code)), "{error}");
    assert!(
        error.to_string().starts_with("Probe.")
            && error.to_string().ends_with(&format!("{text} [client side]")),
        "{error}"
    );
}

#[track_caller]
fn assert_whole(error: &Error, text: &str) {
    assert_passed(error, 12015, &format!(": stream timeout, timeout in ctx: {text}"));
    assert!(!error.is_retryable());
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test]
async fn at_the_deadline_everything_fails_that_is_done_with_the_call() {
    for place in Place::every().await {
        let before = tasks();
        let mut stream = place.client.echo().timeout(5 * SECOND).await.unwrap();
        echo(&mut stream, 1).await;
        let (ended, took) = jumping(stream.recv()).await;
        assert_whole(&ended.unwrap_err(), "5s");
        assert!(took > 4 * SECOND && took <= 5 * SECOND + Duration::from_millis(2), "{took:?}");
        assert_whole(&stream.recv().await.unwrap_err(), "5s");
        assert_whole(&stream.send(Note::number(1)).await.unwrap_err(), "5s");
        assert_whole(&stream.trailer().await.unwrap_err(), "5s");
        place.at_rest().await;
        eventually(|| tasks() <= before).await;
    }
}

#[tokio::test]
async fn whatever_waits_at_the_deadline_fails() {
    for place in Place::every().await {
        let mut stream = place.client.hold().timeout(SECOND).await.unwrap();
        place.serves(1).await;
        assert_whole(&jumping(stream.header()).await.0.unwrap_err(), "1s");

        let mut stream = place.client.hold().timeout(SECOND).await.unwrap();
        place.serves(1).await;
        assert_whole(&jumping(stream.trailer()).await.0.unwrap_err(), "1s");

        let stream = place.client.ignore().timeout(SECOND).await.unwrap();
        place.serves(1).await;
        assert_whole(&jumping(stream.close_and_recv()).await.0.unwrap_err(), "1s");
        place.at_rest().await;
    }
}

#[tokio::test]
async fn a_send_that_waits_for_room_fails_at_the_deadline() {
    for place in Place::every().await {
        let mut stream = place.client.ignore().timeout(SECOND).await.unwrap();
        place.serves(1).await;
        let note = Note::of_size(1, 64 << 10);
        let (failed, took) = jumping(async {
            loop {
                if let Err(error) = stream.send(&note).await {
                    return error;
                }
            }
        })
        .await;
        assert_whole(&failed, "1s");
        assert!(took < 2 * SECOND, "long before the connection counts as stalled: {took:?}");
        assert_eq!(place.channel.counters().streams, 0);
    }
}

#[tokio::test]
async fn the_handler_is_dropped_at_the_deadline_though_nobody_polls_the_call() {
    for place in Place::every().await {
        let (mut tx, mut rx) = place.client.echo().timeout(SECOND).await.unwrap().split();
        tx.send(Note::number(1)).await.unwrap();
        assert_eq!(rx.recv().await.unwrap(), Some(Note::number(1)));
        jumping(tokio::time::sleep(SECOND + Duration::from_millis(2))).await;
        place.at_rest().await;
        assert_whole(&tx.start_send_unpin(Note::number(2)).unwrap_err(), "1s");
        assert_whole(&tx.send(Note::number(2)).await.unwrap_err(), "1s");
        assert_whole(&rx.recv().await.unwrap_err(), "1s");
    }
}

#[tokio::test]
async fn a_call_that_ends_before_leaves_no_timer() {
    let places = Place::every().await;
    for place in &places {
        // The connection of unary calls stands too.
        place.client.ask(Note::number(1)).await.unwrap();
        place.at_rest().await;
        settle().await;
        let before = tasks();
        let mut ended = place.client.count(Note::number(2)).timeout(HOUR).await.unwrap();
        assert_eq!(soon(ended.by_ref().count()).await, 2);
        let mut failed = place.client.end().timeout(HOUR).await.unwrap();
        failed.send(Note::number(1)).await.unwrap();
        assert!(!soon(failed.recv()).await.unwrap_err().is_timeout());
        let mut dropped = place.client.echo().timeout(HOUR).await.unwrap();
        echo(&mut dropped, 1).await;
        drop(dropped);
        assert_eq!(soon(place.client.ask(Note::number(1)).timeout(HOUR)).await.unwrap().number, 1);
        place.at_rest().await;
        eventually(|| tasks() <= before).await;
        jumping(tokio::time::sleep(HOUR + SECOND)).await;
        assert_eq!(ended.recv().await.unwrap(), None);
        assert!(!failed.recv().await.unwrap_err().is_timeout());
    }
}

#[tokio::test]
async fn a_unary_call_ends_at_its_deadline() {
    for place in Place::every().await {
        // Alone on its connection, which is given up; then on one that others share.
        for _ in 0..2 {
            let call = tokio::spawn(place.client.wait(Note::number(1)).timeout(SECOND));
            place.serves(1).await;
            let text = ": the time for the call is over: it had 1s";
            let error = jumping(call).await.0.unwrap().unwrap_err();
            assert_passed(&error, 12015, text);
            assert!(!error.is_retryable());
            eventually(|| place.channel.counters().streams == 0).await;
            place.handlers.open_gate();
            place.at_rest().await;
            place.client.ask(Note::number(1)).await.unwrap();
            place.handlers.close_gate();
        }
    }
}

#[tokio::test]
async fn each_recv_of_a_call_waits_so_long_and_then_the_call_is_reset() {
    let text = ": stream Recv timeout, timeout config={Timeout:1.5s DisableCancelRemote:false}";
    for place in Place::every().await {
        let mut stream = place.client.echo().recv_timeout(3 * SECOND / 2).await.unwrap();
        echo(&mut stream, 1).await;
        let (ended, took) = jumping(stream.recv()).await;
        let error = ended.unwrap_err();
        assert_passed(&error, 12014, text);
        assert!(!error.is_retryable());
        assert!(took >= 3 * SECOND / 2 && took < 2 * SECOND, "{took:?}");
        assert_passed(&stream.recv().await.unwrap_err(), 12014, text);
        place.at_rest().await;

        let stream = place.client.ignore().recv_timeout(3 * SECOND / 2).await.unwrap();
        place.serves(1).await;
        assert_passed(&jumping(stream.close_and_recv()).await.0.unwrap_err(), 12014, text);
        place.at_rest().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_the_call_comes_before_that_of_a_recv() {
    let client = ProbeClient::in_process(Handlers::default());
    for keep_open in [false, true] {
        let call = client.ignore().timeout(SECOND).recv_timeout(SECOND).keep_open(keep_open);
        assert_whole(&call.await.unwrap().close_and_recv().await.unwrap_err(), "1s");
    }
}

#[tokio::test]
async fn a_stream_that_is_kept_open_goes_on_after_a_recv_that_waited_too_long() {
    let text = ": stream Recv timeout, timeout config={Timeout:1s DisableCancelRemote:true}";
    for place in Place::every().await {
        let mut stream = place.client.echo().recv_timeout(SECOND).keep_open(true).await.unwrap();
        echo(&mut stream, 1).await;
        let sent = place.channel.counters().frames_sent;
        for _ in 0..2 {
            let (waited, took) = jumping(stream.recv()).await;
            let error = waited.unwrap_err();
            assert_passed(&error, 12014, text);
            assert!(error.is_retryable());
            assert!(took >= SECOND && took < 2 * SECOND, "each waits anew: {took:?}");
        }
        assert!(jumping(stream.next()).await.0.unwrap().unwrap_err().is_timeout());
        assert_eq!(place.channel.counters().frames_sent, sent, "the server is not told");
        echo(&mut stream, 2).await;
        stream.close_send().await.unwrap();
        assert_eq!(stream.recv().await.unwrap(), None);
        place.at_rest().await;
    }
}

#[tokio::test]
async fn a_channel_has_default_times_that_a_call_may_change() {
    let rig = Rig::start().await;
    let builder = || Channel::builder(format!("ttheader://{}", rig.address()));
    let client = ProbeClient::new(builder().timeout(5 * SECOND).connect().await.unwrap());
    let stream = client.ignore().await.unwrap();
    eventually(|| rig.handlers.alive() == 1).await;
    assert_whole(&jumping(stream.close_and_recv()).await.0.unwrap_err(), "5s");
    let stream = client.ignore().timeout(SECOND).await.unwrap();
    eventually(|| rig.handlers.alive() == 1).await;
    assert_whole(&jumping(stream.close_and_recv()).await.0.unwrap_err(), "1s");

    let client = ProbeClient::new(builder().recv_timeout(SECOND).connect().await.unwrap());
    let mut stream = client.echo().await.unwrap();
    echo(&mut stream, 1).await;
    assert_eq!(jumping(stream.recv()).await.0.unwrap_err().kitex_code(), Some(12014));
    assert!(stream.recv().await.unwrap_err().is_timeout(), "the stream was not kept open");
    let mut lifted = client.echo().recv_timeout(Duration::MAX).timeout(SECOND).await.unwrap();
    echo(&mut lifted, 1).await;
    assert_eq!(jumping(lifted.recv()).await.0.unwrap_err().kitex_code(), Some(12015));

    let keeping = builder().recv_timeout(SECOND).keep_open(true).connect().await.unwrap();
    let keeping = ProbeClient::new(keeping);
    let mut stream = keeping.echo().await.unwrap();
    echo(&mut stream, 1).await;
    assert!(jumping(stream.recv()).await.0.unwrap_err().is_retryable());
    echo(&mut stream, 2).await;
    let mut given_up = keeping.echo().keep_open(false).await.unwrap();
    echo(&mut given_up, 1).await;
    assert!(!jumping(given_up.recv()).await.0.unwrap_err().is_retryable());
    drop(stream);
    eventually(|| rig.handlers.alive() == 0).await;

    let waiting = tokio::spawn(client.wait(Note::number(1)));
    eventually(|| rig.handlers.alive() == 1).await;
    jumping(tokio::time::sleep(2 * SECOND)).await;
    rig.handlers.open_gate();
    assert_eq!(soon(waiting).await.unwrap().unwrap().number, 1, "a unary call has no recv");
    rig.at_rest().await;
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Left {
    /// Milliseconds.
    #[field(1)]
    millis: Option<i64>,
}

/// Says how much time its callers leave it.
#[streamx::service]
trait Clock {
    async fn left(&self, ctx: Context) -> Result<Left>;

    #[bidi]
    async fn watch(&self, ctx: Context, stream: Bidi<Left, Left>) -> Result<()>;

    /// Asks the next clock: as it is, with a shorter and a longer time, and detached.
    async fn relay(&self, ctx: Context) -> Result<Vec<Left>>;

    /// Asks the next clock when there is no time left.
    async fn late(&self, ctx: Context) -> Result<()>;
}

#[derive(Clone, Default)]
struct Wall {
    next: Option<ClockClient>,
    late: Option<mpsc::UnboundedSender<Result<Left>>>,
}

fn left(ctx: &Context) -> Left {
    let deadline = ctx.deadline().map(Instant::from_std);
    let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
    Left { millis: left.map(|left| i64::try_from(left.as_millis()).unwrap()) }
}

impl Clock for Wall {
    async fn left(&self, ctx: Context) -> Result<Left> {
        Ok(left(&ctx))
    }

    async fn watch(&self, ctx: Context, mut stream: Bidi<Left, Left>) -> Result<()> {
        stream.send(left(&ctx)).await
    }

    async fn relay(&self, _ctx: Context) -> Result<Vec<Left>> {
        let next = self.next.as_ref().ok_or_else(|| Error::other("nobody is next"))?;
        tokio::time::sleep(4 * SECOND).await;
        let as_it_is = next.watch().await?.recv().await?.unwrap_or_default();
        let shorter = next.left().timeout(SECOND).await?;
        let longer = next.left().timeout(60 * SECOND).await?;
        Ok(vec![as_it_is, shorter, longer, next.left().detached().await?])
    }

    async fn late(&self, ctx: Context) -> Result<()> {
        let (Some(next), Some(late)) = (self.next.clone(), self.late.clone()) else { return Ok(()) };
        tokio::spawn(async move {
            ctx.cancelled().await;
            late.send(next.left().context(&ctx).await).unwrap();
        });
        std::future::pending().await
    }
}

const fn millis(millis: i64) -> Left {
    Left { millis: Some(millis) }
}

#[tokio::test(start_paused = true)]
async fn the_handler_knows_the_deadline_and_its_calls_inherit_what_is_left() {
    let next = Some(ClockClient::in_process(Wall::default()));
    let client = ClockClient::in_process(Wall { next, late: None });
    assert_eq!(client.left().await.unwrap(), Left::default());
    assert_eq!(client.left().timeout(30 * SECOND).await.unwrap(), millis(30_000));
    let mut stream = client.watch().timeout(30 * SECOND).await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), Some(millis(30_000)));
    let mut stream = client.watch().await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), Some(Left::default()));

    let relayed = client.relay().timeout(10 * SECOND).await.unwrap();
    assert_eq!(relayed, [millis(6_000), millis(1_000), millis(6_000), Left::default()]);
}

#[tokio::test(start_paused = true)]
async fn a_call_made_for_a_handler_whose_time_is_over_fails_at_once() {
    let (late, mut failed) = mpsc::unbounded_channel();
    let channel = Channel::in_process(ClockServer::new(Wall::default()));
    let next = Some(ClockClient::new(channel.clone()));
    let client = ClockClient::in_process(Wall { next, late: Some(late) });
    client.late().timeout(SECOND).await.unwrap_err();
    let error = failed.recv().await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "Clock.Left: the time for the call is over: it had 0s [client side]");
    assert_eq!(channel.counters().connections_opened, 0);
}

#[tokio::test]
async fn the_deadline_travels_over_every_protocol_that_has_a_place_for_it() {
    let handlers = Handlers::default();
    let server = Server::builder().add_service(ClockServer::new(Wall::default()));
    let server = server.add_service(ProbeServer::new(handlers.clone())).bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().to_string();
    tokio::spawn(server.serve());
    let about = |left: Left| left.millis.is_some_and(|millis| (10_000..=30_000).contains(&millis));
    for scheme in ["ttheader", "grpc", "grpc+thrift"] {
        let client = ClockClient::connect(format!("{scheme}://{address}")).await.unwrap();
        assert!(about(client.left().timeout(30 * SECOND).await.unwrap()), "{scheme}");
        let mut stream = client.watch().timeout(30 * SECOND).await.unwrap();
        assert!(about(stream.recv().await.unwrap().unwrap()), "{scheme}");
        assert_eq!(client.left().await.unwrap(), Left::default(), "{scheme}");
    }
    // These have no place for it, and the client keeps it alone.
    for scheme in ["framed", "buffered"] {
        let channel = Channel::connect(format!("{scheme}://{address}")).await.unwrap();
        let (clock, probe) = (ClockClient::new(channel.clone()), ProbeClient::new(channel));
        assert_eq!(clock.left().timeout(30 * SECOND).await.unwrap(), Left::default(), "{scheme}");
        let call = tokio::spawn(probe.wait(Note::number(1)).timeout(SECOND));
        eventually(|| handlers.alive() == 1).await;
        let error = jumping(call).await.0.unwrap().unwrap_err();
        assert_passed(&error, 12015, ": the time for the call is over: it had 1s");
        eventually(|| handlers.alive() == 0).await;
    }
}
