//! A unary call that is given up ends at its server too, where its connection carries other calls.

use std::time::Duration;

use futures::future::join_all;
use streamx::{Channel, Context, Error, Limits, Pool, Result};
use streamx_tests::probe::{Note, ProbeClient};
use streamx_tests::raw::{self, Raw};
use streamx_tests::rig::{Rig, Setup, eventually, jumping, settle, soon};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

const SECOND: Duration = Duration::from_secs(1);
/// Longer than a test may take by the real clock.
const HOUR: Duration = Duration::from_secs(3600);

#[streamx::service]
trait Slow {
    /// Never ends by itself.
    async fn plain(&self) -> Result<()>;

    /// The same, and passes on why it was cancelled.
    async fn told(&self, ctx: Context) -> Result<()>;

    /// The same, and goes on then.
    async fn stubborn(&self, ctx: Context) -> Result<()>;
}

struct Sleeper(UnboundedSender<Error>);

impl Slow for Sleeper {
    async fn plain(&self) -> Result<()> {
        std::future::pending().await
    }

    async fn told(&self, ctx: Context) -> Result<()> {
        let reason = ctx.cancelled().await;
        self.0.send(reason.clone()).map_err(Error::other)?;
        Err(reason)
    }

    async fn stubborn(&self, ctx: Context) -> Result<()> {
        let reason = ctx.cancelled().await;
        self.0.send(reason.clone()).map_err(Error::other)?;
        std::future::pending().await
    }
}

/// A client whose connection for unary calls is known to be shared.
struct Warm {
    rig: Rig,
    slow: SlowClient,
    reasons: UnboundedReceiver<Error>,
}

impl Warm {
    async fn start(server: Limits, client: Limits) -> Self {
        let (sender, reasons) = mpsc::unbounded_channel();
        let setup = Setup { server, client, ..Setup::default() };
        let slow = SlowServer::new(Sleeper(sender));
        let rig = setup.start_around(|server| server.add_service(slow), |channel| channel.caller("A")).await;
        rig.client.ask(Note::number(1)).await.unwrap();
        let slow = SlowClient::new(rig.channel.clone());
        Self { rig, slow, reasons }
    }

    async fn serves(&self, handlers: u64) {
        eventually(|| self.rig.server().handlers == handlers).await;
    }

    /// What the handler was told: code, path and text.
    async fn reason(&mut self) -> (Option<i32>, Vec<String>, String) {
        let reason = soon(self.reasons.recv()).await.unwrap();
        assert!(reason.is_cancelled(), "{reason}");
        (reason.kitex_code(), reason.cancel_path().map(str::to_owned).collect(), reason.to_string())
    }

    /// Nothing is left of the calls, and the connections are those that there were.
    async fn is_as_before(&self, opened: u64) {
        self.rig.at_rest().await;
        self.rig.client.ask(Note::number(2)).await.unwrap();
        assert_eq!(self.rig.client().connections_opened, opened);
    }
}

/// Polls a call until its handler runs, and drops it.
async fn drop_when_served(warm: &Warm, call: streamx::client::Call<()>) {
    let call = tokio::spawn(call);
    warm.serves(1).await;
    call.abort();
    let _cancelled = call.await;
}

#[tokio::test]
async fn a_handler_without_a_context_is_dropped_when_its_call_is() {
    let warm = Warm::start(Limits::default(), Limits::default()).await;
    let opened = warm.rig.client().connections_opened;
    drop_when_served(&warm, warm.slow.plain()).await;
    warm.is_as_before(opened).await;
}

#[tokio::test]
async fn a_handler_with_a_context_is_told_why_its_call_was_dropped() {
    let mut warm = Warm::start(Limits::default(), Limits::default()).await;
    let opened = warm.rig.client().connections_opened;
    drop_when_served(&warm, warm.slow.told()).await;
    let (code, path, text) = warm.reason().await;
    assert_eq!((code, path), (Some(12007), vec!["A".to_owned()]));
    assert!(text.contains("the caller gave up the call"), "{text}");
    warm.is_as_before(opened).await;
}

#[tokio::test]
async fn without_the_inner_length_calls_share_a_connection_and_are_cancelled_on_it_as_well() {
    let mut warm = Warm::start(Limits::default(), Limits::default()).await;
    let channel = Channel::builder(format!("ttheader+unframed://{}", warm.rig.address())).caller("B");
    let channel = channel.connect().await.unwrap();
    let probe = ProbeClient::new(channel.clone());
    probe.ask(Note::number(1)).await.unwrap();
    warm.slow = SlowClient::new(channel.clone());
    drop_when_served(&warm, warm.slow.told()).await;
    let (code, path, _) = warm.reason().await;
    assert_eq!((code, path), (Some(12007), vec!["B".to_owned()]));
    probe.ask(Note::number(2)).await.unwrap();
    assert_eq!(channel.counters().connections_opened, 1);
}

#[tokio::test]
async fn at_its_deadline_a_call_ends_on_both_sides() {
    let mut warm = Warm::start(Limits::default(), Limits::default()).await;
    let opened = warm.rig.client().connections_opened;
    let (failed, took) = jumping(warm.slow.plain().timeout(SECOND)).await;
    let error = failed.unwrap_err();
    assert!(error.is_timeout() && took <= SECOND + Duration::from_millis(2), "{error} after {took:?}");
    assert_eq!(error.to_string(), "Slow.Plain: the time for the call is over: it had 1s [client side]");
    warm.is_as_before(opened).await;

    jumping(warm.slow.told().timeout(SECOND)).await.0.unwrap_err();
    let (code, _, text) = warm.reason().await;
    assert!(
        code == Some(12015) && text.contains("the time for the call is over: it had 1s"),
        "{code:?} {text}"
    );
    warm.is_as_before(opened).await;
}

/// The bytes of a unary call with a TTHeader.
fn call(kind: u8, method: &str, sequence: i32, ints: &[(u16, &str)], body: &[u8]) -> Vec<u8> {
    raw::ttheader(0, sequence, ints, &[], &raw::framed(kind, method, sequence, body))
}

/// One message with a TTHeader: kind, method, sequence and body.
async fn read_message(peer: &mut Raw) -> (u8, String, i32, Vec<u8>) {
    let bytes = peer.read_framed().await;
    let head = 10 + 4 * usize::from(u16::from_be_bytes([bytes[8], bytes[9]]));
    let message = &bytes[head + 4..];
    let name = 8 + usize::from(message[7]);
    let sequence = i32::from_be_bytes(message[name..name + 4].try_into().unwrap());
    let method = String::from_utf8(message[8..name].to_vec()).unwrap();
    (message[3], method, sequence, message[name + 4..].to_vec())
}

/// What a peer that knows no cancel needs: a Kitex client with a time limit.
#[tokio::test]
async fn the_server_ends_a_call_at_its_deadline_by_itself_and_answers() {
    let mut warm = Warm::start(Limits::default(), Limits::default()).await;
    for (sequence, key) in [(7, 12), (8, 28)] {
        for (method, handlers) in [("Plain", 0), ("Told", 0), ("Stubborn", 1)] {
            let mut peer = Raw::connect(warm.rig.address()).await;
            let ((kind, name, answered, body), took) = jumping(async {
                peer.write(&call(1, method, sequence, &[(key, "1000")], &[0])).await;
                read_message(&mut peer).await
            })
            .await;
            assert!(took >= SECOND && took <= SECOND + Duration::from_millis(2), "{took:?}");
            assert_eq!((kind, &*name, answered), (3, method, sequence));
            let (text, code) = (String::from_utf8_lossy(&body), 12015_i32.to_be_bytes());
            assert!(text.contains("the time for the call is over: it had 1s"), "{text}");
            assert!(body.windows(4).any(|bytes| bytes == code), "{body:x?}");
            warm.serves(handlers).await;
            if method != "Plain" {
                assert_eq!(warm.reason().await.0, Some(12015));
            }
            if handlers > 0 {
                // It is dropped when its grace is over, although its connection goes on.
                let ((), took) = jumping(async {
                    while warm.rig.server().handlers > 0 {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                })
                .await;
                assert!(took > 4 * SECOND && took < 6 * SECOND, "{took:?}");
            }
            assert_eq!(warm.rig.server().streams, 0);
        }
    }
}

#[tokio::test]
async fn calls_without_a_time_and_one_way_calls_have_no_deadline() {
    let warm = Warm::start(Limits::default(), Limits::default()).await;
    let mut peer = Raw::connect(warm.rig.address()).await;
    peer.write(&call(1, "Plain", 1, &[], &[0])).await;
    warm.serves(1).await;
    tokio::time::pause();
    tokio::time::advance(HOUR).await;
    tokio::time::resume();
    settle().await;
    warm.serves(1).await;
    drop(peer);
    warm.rig.at_rest().await;
}

#[tokio::test]
async fn the_places_of_calls_that_are_over_are_free() {
    let limits = Limits::default().max_streams(4).cancel_grace(HOUR);
    let warm = Warm::start(limits.clone(), limits).await;
    let opened = warm.rig.client().connections_opened;
    for _ in 0..4 {
        jumping(warm.slow.plain().timeout(SECOND)).await.0.unwrap_err();
    }
    warm.is_as_before(opened).await;
    // The handlers go on, but nobody waits for them; those above `max_streams` are dropped at once.
    for round in 1..=8 {
        jumping(warm.slow.stubborn().timeout(SECOND)).await.0.unwrap_err();
        warm.serves(round.min(4)).await;
        let ask = |number| warm.rig.client.ask(Note::number(number));
        for answer in join_all((0..4).map(ask)).await {
            answer.unwrap();
        }
    }
    assert_eq!(warm.rig.client().connections_opened, opened);
}

const CODE: (u16, &str) = (0x8002, "0");

/// The cancel of a call, as another client might write it.
fn cancel(sequence: &str) -> Vec<u8> {
    raw::ttheader(0, 0, &[(0x8005, sequence)], &[], &cancel_message())
}

fn cancel_message() -> Vec<u8> {
    let text = b"the caller gave up the call: it dropped a handle before the end";
    let size = u8::try_from(text.len()).unwrap();
    let body = [&[11, 0, 1, 0, 0, 0, size][..], text, &[8, 0, 2, 0, 0, 0x2e, 0xe7, 0]].concat();
    raw::framed(4, "streamx.Cancel", 0, &body)
}

#[tokio::test]
async fn a_server_takes_the_cancel_of_a_call_by_its_sequence() {
    let mut warm = Warm::start(Limits::default(), Limits::default()).await;
    let mut peer = Raw::connect(warm.rig.address()).await;
    peer.write(&[call(1, "Told", 7, &[], &[0]), call(1, "Plain", -8, &[], &[0])].concat()).await;
    warm.serves(2).await;
    // What names no call of this connection is nothing.
    for sequence in ["", "8", "0", "7.", "99999999999", "+-7"] {
        peer.write(&cancel(sequence)).await;
    }
    settle().await;
    warm.serves(2).await;
    peer.write(&cancel("7")).await;
    let (code, path, _) = warm.reason().await;
    assert_eq!((code, path), (Some(12007), Vec::new()));
    warm.serves(1).await;
    peer.write(&[cancel("7"), cancel("-8")].concat()).await;
    warm.serves(0).await;
    // No call that was cancelled is answered: the next answer is that of another.
    peer.write(&call(1, "Ask", 9, &[], &[12, 0, 1, 0, 0])).await;
    assert_eq!(read_message(&mut peer).await.2, 9);
    drop(peer);
    warm.rig.at_rest().await;
}

/// A server made of bytes, and a client.
async fn foreign(pool: Pool, limits: Limits) -> (Channel, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ttheader://{}", listener.local_addr().unwrap());
    (Channel::builder(url).pool(pool).limits(limits).caller("").connect_lazy().unwrap(), listener)
}

/// Makes a call, has the peer read it, and gives the peer and the sequence of the call.
async fn begin(
    client: &ProbeClient,
    listener: &TcpListener,
    peer: Option<Raw>,
) -> (tokio::task::JoinHandle<Result<Note>>, Raw, i32) {
    let call = tokio::spawn(client.ask(Note::number(1)));
    let mut peer = match peer {
        Some(peer) => peer,
        None => Raw::accepted(soon(listener.accept()).await.unwrap().0),
    };
    let (kind, method, sequence, _) = read_message(&mut peer).await;
    assert_eq!((kind, &*method), (1, "Ask"));
    (call, peer, sequence)
}

async fn give_up(call: tokio::task::JoinHandle<Result<Note>>) {
    call.abort();
    let _cancelled = call.await;
    settle().await;
}

/// The answer of `Ask`: an empty note.
fn answer(sequence: i32, ints: &[(u16, &str)]) -> Vec<u8> {
    call(2, "Ask", sequence, ints, &[12, 0, 0, 0, 0])
}

#[tokio::test]
async fn a_client_says_that_it_gives_up_a_call_in_these_bytes() {
    let (channel, listener) = foreign(Pool::default(), Limits::default()).await;
    let client = ProbeClient::new(channel.clone());
    let (call, mut peer, sequence) = begin(&client, &listener, None).await;
    peer.write(&answer(sequence, &[CODE])).await;
    soon(call).await.unwrap().unwrap();
    let (call, mut peer, sequence) = begin(&client, &listener, Some(peer)).await;
    give_up(call).await;
    assert_eq!(sequence, 2);
    let header = b"\0\0\0\x82\x10\0\0\0\0\0\0\0\0\x03\0\0\x10\0\x01\x80\x05\0\x012\0\0";
    assert_eq!(peer.read().await, [&header[..], &cancel_message()].concat());
    // The answer that was under way hurts nobody.
    let (call, mut peer, next) = begin(&client, &listener, Some(peer)).await;
    peer.write(&[answer(sequence, &[CODE]), answer(next, &[CODE])].concat()).await;
    soon(call).await.unwrap().unwrap();
    assert_eq!((channel.counters().connections_opened, channel.counters().streams), (1, 0));
}

#[tokio::test]
async fn a_peer_without_private_keys_never_gets_a_cancel() {
    let (channel, listener) = foreign(Pool::default(), Limits::default()).await;
    let client = ProbeClient::new(channel.clone());
    let (call, mut peer, sequence) = begin(&client, &listener, None).await;
    peer.write(&answer(sequence, &[])).await;
    soon(call).await.unwrap().unwrap();
    let (call, mut peer, _) = begin(&client, &listener, Some(peer)).await;
    give_up(call).await;
    assert_eq!(peer.read().await, b"", "the connection is closed, and nothing said before");
}

#[tokio::test]
async fn where_no_cancel_can_be_said_a_call_keeps_its_place_until_its_answer_comes() {
    let (channel, listener) = foreign(Pool::mux(1), Limits::default().max_streams(2)).await;
    let client = ProbeClient::new(channel.clone());
    let (first, peer, sequence) = begin(&client, &listener, None).await;
    let (second, mut peer, second_sequence) = begin(&client, &listener, Some(peer)).await;
    give_up(first).await;
    assert_eq!(peer.read_some(), b"", "nothing is said");
    assert_eq!(channel.counters().streams, 1);
    // The third call needs another connection.
    let (third, mut other, third_sequence) = begin(&client, &listener, None).await;
    assert_eq!(channel.counters().connections, 2);
    // With the answer the place is free.
    peer.write(&answer(sequence, &[])).await;
    settle().await;
    let (fourth, mut peer, fourth_sequence) = begin(&client, &listener, Some(peer)).await;
    peer.write(&[answer(fourth_sequence, &[]), answer(second_sequence, &[])].concat()).await;
    other.write(&answer(third_sequence, &[])).await;
    for call in [second, third, fourth] {
        soon(call).await.unwrap().unwrap();
    }
    // When nobody waits for anything on a connection that is full, it is closed.
    let (first, peer, _) = begin(&client, &listener, Some(peer)).await;
    let (second, mut peer, _) = begin(&client, &listener, Some(peer)).await;
    give_up(first).await;
    give_up(second).await;
    assert_eq!(peer.read().await, b"");
}

#[tokio::test]
async fn ten_thousand_cancelled_calls_leave_nothing_behind() {
    let server = Limits::default().unanswered_resets_per_second(usize::MAX);
    let warm = Warm::start(server, Limits::default()).await;
    warm.rig.at_rest().await;
    let opened = warm.rig.client().connections_opened;
    let (client, server) = (warm.rig.client().connections, warm.rig.server().connections);
    for round in 0..100 {
        let calls: Vec<_> = (0..100)
            .map(|number| match number % 2 {
                0 => tokio::spawn(warm.slow.plain()),
                _ => tokio::spawn(warm.slow.told()),
            })
            .collect();
        if round % 2 == 0 {
            warm.serves(100).await;
        }
        calls.iter().for_each(tokio::task::JoinHandle::abort);
        join_all(calls).await;
    }
    warm.is_as_before(opened).await;
    assert_eq!((warm.rig.client().connections, warm.rig.server().connections), (client, server));
}

#[tokio::test]
async fn a_flood_of_cancels_closes_its_connection() {
    let warm = Warm::start(Limits::default().unanswered_resets_per_second(10), Limits::default()).await;
    let opened = warm.rig.client().connections_opened;
    let mut peer = Raw::connect(warm.rig.address()).await;
    let pair =
        |sequence: i32| [call(1, "Plain", sequence, &[], &[0]), cancel(&sequence.to_string())].concat();
    peer.write(&(1..=10).flat_map(pair).collect::<Vec<u8>>()).await;
    settle().await;
    assert!(!peer.is_closed());
    peer.write(&pair(11)).await;
    assert_eq!(peer.read().await, b"");
    warm.is_as_before(opened).await;
}
