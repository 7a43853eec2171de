//! Unary calls: many on one connection, one at a time where the server cannot do more, and what they can carry.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;

use futures::future::join_all;
use streamx::{Channel, Error, Limits, Message, Placement, Result, Server, Service};
use streamx_tests::probe::{Handlers, Note, ProbeServer};
use streamx_tests::raw::{self, Raw};
use streamx_tests::rig::{Rig, Setup, echo, eventually, settle, soon};
use tokio::net::TcpListener;
use tokio::sync::watch;

#[tokio::test]
async fn sixty_four_calls_in_flight_share_a_connection_after_the_first_reply() {
    for placement in [Placement::Connection, Placement::Task] {
        let rig = Setup::placed(placement).start().await;
        rig.client.ask(Note::number(0)).await.unwrap();
        let opened = rig.client().connections_opened;
        let calls = (0..64).map(|number| tokio::spawn(rig.client.wait(Note::number(number))));
        let calls: Vec<_> = calls.collect();
        eventually(|| rig.handlers.alive() == 64).await;
        rig.handlers.open_gate();
        for (number, answer) in (0..).zip(soon(join_all(calls)).await) {
            assert_eq!(answer.unwrap().unwrap(), Note::number(number));
        }
        assert_eq!(rig.client().connections_opened, opened);
        assert_eq!(rig.client().connections, 2, "one for streams, one for calls");
        rig.at_rest().await;
    }
}

#[tokio::test]
async fn answers_find_their_calls_in_whatever_order_they_come() {
    let rig = Rig::start().await;
    rig.client.ask(Note::number(0)).await.unwrap();
    let slow = tokio::spawn(rig.client.wait(Note::number(1)));
    eventually(|| rig.handlers.alive() == 1).await;
    for number in 2..10 {
        assert_eq!(soon(rig.client.ask(Note::number(number))).await.unwrap(), Note::number(number));
    }
    assert!(!slow.is_finished());
    rig.handlers.open_gate();
    assert_eq!(soon(slow).await.unwrap().unwrap(), Note::number(1));
}

/// Where the connection polls the handlers; those in tasks of their own answer one by one.
#[tokio::test]
async fn sixty_four_calls_in_flight_share_writes() {
    let rig = Setup::placed(Placement::Connection).start().await;
    rig.client.ask(Note::number(0)).await.unwrap();
    rig.all_arrived().await;
    let before = (rig.client().writes, rig.server().writes);
    let calls: Vec<_> = (0..64).map(|number| tokio::spawn(rig.client.ask(Note::number(number)))).collect();
    for answer in soon(join_all(calls)).await {
        answer.unwrap().unwrap();
    }
    rig.all_arrived().await;
    let (client, server) = (rig.client().writes - before.0, rig.server().writes - before.1);
    assert!(client * 16 <= 64 && server * 16 <= 64, "{client} and {server} writes for 64 calls");
}

/// A peer that shows no private key, as Kitex: the connections it was given, and what it answers is up to the test.
async fn foreign() -> (Channel, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("framed://{}", listener.local_addr().unwrap());
    (Channel::builder(url).connect_lazy().unwrap(), listener)
}

/// The sequence id of a call that a foreign peer has read.
fn sequence(message: &[u8]) -> i32 {
    let name = usize::from(message[7]);
    i32::from_be_bytes(message[8 + name..12 + name].try_into().unwrap())
}

#[tokio::test]
async fn towards_a_peer_without_private_keys_each_connection_carries_one_call_at_a_time() {
    let (channel, listener) = foreign().await;
    let client = MathClient::new(channel.clone());
    let calls: Vec<_> = (0..4).map(|number| tokio::spawn(client.add(number, 1))).collect();
    let mut peers = Vec::new();
    for _ in 0..4 {
        let mut peer = Raw::accepted(soon(listener.accept()).await.unwrap().0);
        let message = peer.read_framed().await;
        peers.push((peer, message));
    }
    settle().await;
    assert_eq!(channel.counters().connections, 4);
    // Answered in the opposite order, each on its own connection.
    for (peer, message) in peers.iter_mut().rev() {
        let value = message[message.len() - 13] + message[message.len() - 2];
        let body = [&[0x0a, 0, 0][..], &i64::from(value).to_be_bytes(), &[0]].concat();
        peer.write(&raw::framed(2, "Add", sequence(message), &body)).await;
    }
    for (number, answer) in (1..).zip(soon(join_all(calls)).await) {
        assert_eq!(answer.unwrap().unwrap(), number);
    }
    // The next call takes one of the connections that are free.
    let next = tokio::spawn(client.add(5, 5));
    eventually(|| channel.counters().streams == 1).await;
    settle().await;
    assert_eq!(channel.counters().connections_opened, 4);
    next.abort();
    let _cancelled = next.await;
    eventually(|| channel.counters().connections == 3).await;
}

#[tokio::test]
async fn an_exception_of_a_foreign_peer_is_an_error_with_its_text() {
    let (channel, listener) = foreign().await;
    let call = tokio::spawn(MathClient::new(channel).add(1, 2));
    let mut peer = Raw::accepted(soon(listener.accept()).await.unwrap().0);
    let message = peer.read_framed().await;
    let body = [&[0x0b, 0, 1, 0, 0, 0, 4][..], b"oops", &[0x08, 0, 2, 0, 0, 0, 6, 0]].concat();
    peer.write(&raw::framed(3, "Add", sequence(&message), &body)).await;
    let error = soon(call).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "Math.Add: oops");
    assert!(!error.is_retryable());
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(exception)]
struct NotFound {
    #[field(1)]
    key: String,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(exception)]
struct Denied {
    #[field(1)]
    user: i64,
}

#[derive(Message, Clone, Debug)]
#[message(exception)]
enum GetError {
    #[field(1)]
    NotFound(NotFound),
    #[field(2)]
    Denied(Denied),
    #[other]
    Other(Error),
}

#[streamx::service]
trait Math {
    async fn add(&self, a: i64, b: i64) -> Result<i64>;
    async fn nothing(&self) -> Result<()>;
    async fn seven(&self) -> Result<i32>;
    async fn store(&self, value: i64) -> Result<()>;
    async fn many(&self, a: bool, b: i8, c: f64, d: String, e: Vec<i16>, f: Option<Note>) -> Result<String>;
    async fn find(&self, key: String) -> Result<String, NotFound>;
    async fn get(&self, which: i32) -> Result<String, GetError>;
    #[oneway]
    async fn note(&self, value: i64);
}

#[derive(Clone, Default)]
struct Calculator {
    stored: Arc<AtomicI64>,
    noted: Arc<AtomicI64>,
    gate: Option<watch::Receiver<bool>>,
}

impl Math for Calculator {
    async fn add(&self, a: i64, b: i64) -> Result<i64> {
        a.checked_add(b).ok_or_else(|| Error::other("too large"))
    }

    async fn nothing(&self) -> Result<()> {
        Ok(())
    }

    async fn seven(&self) -> Result<i32> {
        Ok(7)
    }

    async fn store(&self, value: i64) -> Result<()> {
        self.stored.store(value, SeqCst);
        Ok(())
    }

    async fn many(&self, a: bool, b: i8, c: f64, d: String, e: Vec<i16>, f: Option<Note>) -> Result<String> {
        Ok(format!("{a} {b} {c} {d} {e:?} {:?}", f.map(|note| note.number)))
    }

    async fn find(&self, key: String) -> Result<String, NotFound> {
        if key == "here" { Ok(key) } else { Err(NotFound { key }) }
    }

    async fn get(&self, which: i32) -> Result<String, GetError> {
        match which {
            0 => Ok("found".into()),
            1 => Err(GetError::NotFound(NotFound { key: "one".into() })),
            2 => Err(GetError::Denied(Denied { user: 2 })),
            _ => Err(GetError::Other(Error::other("three"))),
        }
    }

    async fn note(&self, value: i64) {
        if let Some(mut gate) = self.gate.clone() {
            let _open = gate.wait_for(|open| *open).await;
        }
        self.noted.store(value, SeqCst);
    }
}

async fn serve(calculator: &Calculator) -> String {
    let service = MathServer::new(calculator.clone());
    let server = Server::builder().add_service(service).bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().to_string();
    tokio::spawn(server.serve());
    address
}

/// Everything that a unary method can take and give, over each framing and in process.
#[tokio::test]
async fn arguments_answers_and_declared_exceptions_travel_over_every_framing() {
    let calculator = Calculator::default();
    let address = serve(&calculator).await;
    let clients = [
        MathClient::connect(&format!("ttheader://{address}")).await.unwrap(),
        MathClient::connect(&format!("framed://{address}")).await.unwrap(),
        MathClient::connect(&format!("buffered://{address}")).await.unwrap(),
        MathClient::connect(&format!("ttheader+unframed://{address}")).await.unwrap(),
        MathClient::connect(&format!("framed+nonstrict://{address}")).await.unwrap(),
        MathClient::connect(&format!("buffered+nonstrict://{address}")).await.unwrap(),
        MathClient::in_process(calculator.clone()),
    ];
    for client in clients {
        assert_eq!(client.add(2, -5).await.unwrap(), -3);
        let error = client.add(i64::MAX, 1).await.unwrap_err();
        assert_eq!(error.to_string(), "Math.Add: too large");
        client.nothing().await.unwrap();
        assert_eq!(client.seven().await.unwrap(), 7);
        client.store(i64::MIN).await.unwrap();
        assert_eq!(calculator.stored.swap(0, SeqCst), i64::MIN);
        let text = client.many(true, -1, 0.5, "ä".into(), vec![1, -2], Some(Note::number(3))).await.unwrap();
        assert_eq!(text, "true -1 0.5 ä [1, -2] Some(3)");
        let text = client.many(false, 0, 0.0, String::new(), vec![], None).await.unwrap();
        assert_eq!(text, "false 0 0  [] None");

        assert_eq!(client.find("here".into()).await.unwrap(), "here");
        let error = client.find("there".into()).await.unwrap_err();
        assert_eq!(error.exception::<NotFound>(), Some(&NotFound { key: "there".into() }));
        assert_eq!(error.exception::<Denied>(), None);

        assert_eq!(client.get(0).await.unwrap(), "found");
        let error = client.get(1).await.unwrap_err();
        assert_eq!(error.exception::<NotFound>(), Some(&NotFound { key: "one".into() }));
        let error = client.get(2).await.unwrap_err();
        assert_eq!(error.exception::<Denied>(), Some(&Denied { user: 2 }));
        let error = client.get(3).await.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.exception::<NotFound>()), ("Math.Get: three", None));

        client.note(9).await.unwrap();
        eventually(|| calculator.noted.load(SeqCst) == 9).await;
        calculator.noted.store(0, SeqCst);
    }
}

#[tokio::test]
async fn a_one_way_call_is_handled_although_its_client_closes_at_once() {
    for scheme in ["ttheader", "framed", "buffered"] {
        let open = watch::Sender::new(false);
        let calculator = Calculator { gate: Some(open.subscribe()), ..Calculator::default() };
        let address = serve(&calculator).await;
        let client = MathClient::connect(&format!("{scheme}://{address}")).await.unwrap();
        client.note(5).await.unwrap();
        drop(client);
        settle().await;
        assert_eq!(calculator.noted.load(SeqCst), 0);
        open.send_replace(true);
        eventually(|| calculator.noted.load(SeqCst) == 5).await;
    }
}

#[tokio::test]
async fn a_channel_for_unary_calls_only_says_that_it_carries_no_streams() {
    let rig = Rig::start().await;
    for scheme in ["framed", "buffered", "ttheader+unframed", "framed+nonstrict", "buffered+nonstrict"] {
        let channel = Channel::connect(format!("{scheme}://{}", rig.address())).await.unwrap();
        let client = streamx_tests::probe::ProbeClient::new(channel);
        let error = client.echo().await.unwrap_err();
        assert!(error.to_string().contains("ttheader://"), "{error}");
        assert_eq!(client.ask(Note::number(1)).await.unwrap(), Note::number(1));
    }
}

/// A server of its own at an address, until it is killed.
async fn server_at(address: &str) -> tokio::task::JoinHandle<Result<()>> {
    let service = Service::from(ProbeServer::new(Handlers::default()));
    let mut server = Server::builder().add_service(service.clone()).bind(address).await;
    while server.is_err() {
        tokio::task::yield_now().await;
        server = Server::builder().add_service(service.clone()).bind(address).await;
    }
    tokio::spawn(server.unwrap().serve())
}

#[tokio::test]
async fn the_next_call_after_a_restart_of_the_server_works() {
    let mut rig = Rig::start().await;
    let address = rig.address().to_owned();
    let mut stream = rig.echoes(1).await.remove(0);
    rig.client.ask(Note::number(1)).await.unwrap();
    rig.kill_server().await;
    soon(stream.recv()).await.unwrap_err();
    eventually(|| rig.client().connections == 0).await;
    let error = rig.client.ask(Note::number(2)).await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("cannot connect"), "{error}");
    let error = rig.client.echo().await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("cannot connect"), "{error}");

    let server = soon(server_at(&address)).await;
    assert_eq!(soon(rig.client.ask(Note::number(3))).await.unwrap(), Note::number(3));
    echo(&mut soon(rig.client.echo()).await.unwrap(), 4).await;
    server.abort();
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_made_again_in_the_background_with_growing_pauses() {
    let mut rig = Rig::start().await;
    let address = rig.address().to_owned();
    drop(rig.echoes(1).await);
    rig.kill_server().await;
    eventually(|| rig.client().connections == 0).await;
    // Attempts after about 1, 2.6 and 5.2 s fail, the one after about 9.3 s meets a server.
    for _ in 0..60 {
        tokio::time::advance(Duration::from_millis(100)).await;
        settle().await;
    }
    assert_eq!(rig.client().connections_opened, 1);
    let server = soon(server_at(&address)).await;
    for _ in 0..100 {
        if rig.client().connections == 1 {
            break;
        }
        tokio::time::advance(Duration::from_millis(100)).await;
        settle().await;
    }
    assert_eq!((rig.client().connections, rig.client().connections_opened), (1, 2));
    echo(&mut rig.client.echo().await.unwrap(), 1).await;
    assert_eq!(rig.client().connections_opened, 2);
    server.abort();
}

#[tokio::test]
async fn a_call_larger_than_max_message_size_fails_and_the_connection_stays() {
    let client = Limits::default().max_message_size(1000);
    let rig = Setup { client, ..Setup::default() }.start().await;
    rig.client.ask(Note::number(1)).await.unwrap();
    let opened = rig.client().connections_opened;
    let error = rig.client.ask(Note::of_size(2, 2000)).await.unwrap_err();
    assert!(error.to_string().contains("max_message_size"), "{error}");
    assert_eq!(rig.client.ask(Note::number(3)).await.unwrap(), Note::number(3));
    assert_eq!(rig.client().connections_opened, opened);
    rig.at_rest().await;
}

#[tokio::test]
async fn arguments_that_no_handler_has_taken_are_bounded_and_the_call_above_is_refused() {
    const SIZE: usize = 4096;
    let body = || {
        let mut body = b"\x0c\0\x01\x0b\0\x02\0\0\x10\0".to_vec();
        body.resize(body.len() + SIZE, 0x5a);
        body.extend_from_slice(b"\0\0");
        body
    };
    let server = Limits::default().connection_receive_buffer(SIZE + SIZE / 2);
    let rig = Setup { placement: Placement::Task, server, ..Setup::default() }.start().await;
    let mut peer = Raw::connect(rig.address()).await;
    let calls: Vec<u8> = (1..=3).flat_map(|sequence| raw::framed(1, "Ask", sequence, &body())).collect();
    peer.write(&calls).await;
    let mut answered = BTreeMap::new();
    for _ in 0..3 {
        let answer = peer.read_framed().await;
        answered.insert(sequence(&answer), answer);
    }
    assert_eq!(answered[&1][3], 2, "a reply");
    assert_eq!(answered[&2][3], 2, "a reply");
    assert_eq!(answered[&3][3], 3, "an exception");
    let text = String::from_utf8_lossy(&answered[&3]).into_owned();
    assert!(text.contains("(limit connection_receive_buffer)"), "{text}");
    assert_eq!(rig.server().receive_overflows, 1);
    drop(peer);
    rig.at_rest().await;
}
