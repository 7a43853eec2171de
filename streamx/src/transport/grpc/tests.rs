//! What time and other threads do to a connection, in memory: pings, their answers, age, and the end of a call.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use h2::client::SendRequest;
use h2::{Ping, PingPong, Reason};
use http::Request;
use tokio::io::AsyncWriteExt;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::keepalive::{Age, Pings};
use super::{ClientSettings, ServerSettings};
use crate::call::router::Router;
use crate::call::{Context, Exchange, Format, Handler, Method, Mode, NewCall, Service};
use crate::counters::Meter;
use crate::schema::ServiceSchema;
use crate::transport::{Calling, GrpcTarget, Serve, Socket, Stop, grpc_client, serve};
use crate::{Code, Error, Limits, Result};

const MINUTE: Duration = Duration::from_secs(60);

/// Sends every message back.
struct Echo;

impl Handler for Echo {
    fn handle(&self, mut exchange: Exchange, _: Context) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            while let Some(message) = poll_fn(|cx| exchange.incoming.poll_message(cx)).await? {
                let put = &mut |out: &mut bytes::BytesMut| {
                    out.extend_from_slice(&message);
                    Ok(())
                };
                exchange.outgoing.put(put, false)?;
            }
            Ok(())
        })
    }
}

/// Sends from another thread until that fails, and tells how.
struct Pour(mpsc::UnboundedSender<Error>);

impl Handler for Pour {
    fn handle(&self, exchange: Exchange, _: Context) -> BoxFuture<'static, Result<()>> {
        let (mut outgoing, told) = (exchange.outgoing, self.0.clone());
        let put = |out: &mut bytes::BytesMut| {
            out.extend_from_slice(b"x");
            Ok(())
        };
        std::thread::spawn(move || {
            let failed = loop {
                if let Err(error) = outgoing.put(&mut { put }, false) {
                    break error;
                }
            };
            // Nobody may be there when the test has failed.
            let _gone = told.send(failed);
        });
        Box::pin(std::future::pending())
    }
}

/// Fails with as much as an error can have.
struct Fail;

impl Handler for Fail {
    fn handle(&self, _: Exchange, context: Context) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            context.set_trailer("large", "y".repeat(20_000).as_str())?;
            let text = "x".repeat(20_000);
            Err(Error::new(Code::NotFound, text).with_declared_bytes(vec![1; 30_000].into()))
        })
    }
}

/// A server with this set, and the other end of a connection to it.
fn server(settings: ServerSettings) -> (Socket, Arc<Meter>, watch::Sender<Stop>) {
    server_of(settings, Echo)
}

fn server_of(
    settings: ServerSettings,
    handler: impl Handler + 'static,
) -> (Socket, Arc<Meter>, watch::Sender<Stop>) {
    let echo = Method { name: "Echo", mode: Mode::Bidi, takes_context: false, handler: Arc::new(handler) };
    let fail = Method { name: "Fail", handler: Arc::new(Fail), ..echo.clone() };
    let mut router = Router::default();
    router.add(Service::new(ServiceSchema::new("Test", None, "", &[]), vec![echo, fail])).unwrap();
    let (near, far) = Socket::pair();
    let (stop, meter) = (watch::Sender::new(Stop::No), Arc::new(Meter::default()));
    let serving = Serve {
        router: Arc::new(router),
        limits: Arc::new(Limits::default()),
        meter: Arc::clone(&meter),
        stop: stop.subscribe(),
        tls: None,
        grpc: settings,
    };
    tokio::spawn(serve(far, serving));
    (near, meter, stop)
}

/// A client of another make, driven by a task.
struct Foreign {
    requests: SendRequest<Bytes>,
    pings: PingPong,
    connection: JoinHandle<Result<(), h2::Error>>,
}

impl Foreign {
    async fn on(socket: Socket) -> Self {
        // As a client of ours.
        Self::reading(u32::try_from(Limits::default().max_header_size).unwrap(), socket).await
    }

    /// A client that reads header lists of this size.
    async fn reading(header_list: u32, socket: Socket) -> Self {
        Self::set(h2::client::Builder::new().max_header_list_size(header_list), socket).await
    }

    async fn set(builder: &mut h2::client::Builder, socket: Socket) -> Self {
        let (reader, writer) = socket.split();
        let socket = tokio::io::join(reader, writer);
        let (requests, mut connection) =
            builder.data_frame_budget(usize::MAX).handshake(socket).await.unwrap();
        let pings = connection.ping_pong().unwrap();
        Self { requests, pings, connection: tokio::spawn(connection) }
    }

    /// Opens a stream and sees its first message come back.
    async fn echo(&mut self) -> (h2::SendStream<Bytes>, h2::RecvStream) {
        let (response, mut send) = self.open();
        echo(&mut send).await;
        let mut recv = response.await.unwrap().into_body();
        assert_eq!(recv.data().await.unwrap().unwrap(), MESSAGE);
        (send, recv)
    }

    fn open(&mut self) -> (h2::client::ResponseFuture, h2::SendStream<Bytes>) {
        let request = Request::post("http://test/Test/Echo").header("content-type", "application/grpc");
        self.requests.send_request(request.body(()).unwrap(), false).unwrap()
    }
}

const MESSAGE: &[u8] = b"\0\0\0\0\x01x";

async fn echo(send: &mut h2::SendStream<Bytes>) {
    send.send_data(Bytes::from_static(MESSAGE), false).unwrap();
}

fn pings(interval: Duration) -> Pings {
    Pings { interval, timeout: Duration::from_secs(20), while_idle: true }
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_asked_again_and_again_and_stays_as_long_as_it_answers() {
    let settings = ServerSettings { pings: pings(MINUTE), ..ServerSettings::default() };
    let (socket, meter, _stop) = server(settings);
    let client = Foreign::on(socket).await;
    tokio::time::sleep(MINUTE / 2).await;
    let before = meter.snapshot().reads;
    tokio::time::sleep(10 * MINUTE).await;
    let answers = meter.snapshot().reads - before;
    assert!((9..=11).contains(&answers), "{answers} answers in ten minutes");
    assert_eq!(meter.snapshot().connections, 1);
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_answer_is_given_up() {
    let settings = ServerSettings { pings: pings(MINUTE), ..ServerSettings::default() };
    let (socket, meter, _stop) = server(settings);
    // It speaks, keeps its socket, and looks at nothing any more.
    let (reader, mut writer) = socket.split();
    writer.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    writer.write_all(SETTINGS).await.unwrap();
    tokio::time::sleep(MINUTE / 2).await;
    assert_eq!(meter.snapshot().connections, 1);
    tokio::time::sleep(2 * MINUTE).await;
    assert_eq!(meter.snapshot().connections, 0);
    drop((reader, writer));
}

/// A client of ours whose server says nothing after the beginning.
async fn call_into_silence(pings: Pings) -> (Exchange, Socket) {
    let (near, far) = Socket::pair();
    let target = GrpcTarget {
        format: Format::Protobuf,
        is_secure: false,
        authority: "test".into(),
        settings: ClientSettings { pings, ..ClientSettings::default() },
    };
    let alive = watch::Sender::new(());
    let calling = Calling {
        limits: Arc::new(Limits::default()),
        meter: Arc::default(),
        caller: "".into(),
        resets: true,
        alive: alive.subscribe(),
    };
    let (client, _cutter, _ended) = grpc_client(near, target, calling);
    let call = NewCall {
        namespace: "",
        service: "Test",
        method: "Echo",
        mode: Mode::Bidi,
        strings: Vec::new(),
        binary: Vec::new(),
        parent: None,
        timeout: None,
        wait_for_ready: false,
    };
    let exchange = client.open(&call).unwrap();
    (exchange, far)
}

/// What a server says when it is reached.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

#[tokio::test(start_paused = true)]
async fn a_call_fails_when_its_server_does_not_answer_a_ping() {
    let asks = Pings { while_idle: false, ..pings(MINUTE) };
    let (mut exchange, far) = call_into_silence(asks).await;
    let (_reader, mut writer) = far.split();
    writer.write_all(SETTINGS).await.unwrap();
    let begun = tokio::time::Instant::now();
    let error = poll_fn(|cx| exchange.incoming.poll_message(cx)).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.to_string().contains("silent for 60s and has not answered a ping for 20s"), "{error}");
    let passed = begun.elapsed();
    assert!((80..=82).contains(&passed.as_secs()), "{passed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_asks_too_often_is_sent_away() {
    let (socket, meter, _stop) = server(ServerSettings::default());
    let mut client = Foreign::on(socket).await;
    let ended = loop {
        match client.pings.ping(Ping::opaque()).await {
            Ok(_answer) => tokio::time::sleep(Duration::from_secs(1)).await,
            Err(_ended) => break (&mut client.connection).await.unwrap().unwrap_err(),
        }
    };
    assert_eq!(ended.reason(), Some(Reason::ENHANCE_YOUR_CALM));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(meter.snapshot().connections, 0);
}

#[tokio::test(start_paused = true)]
async fn pings_after_data_do_not_count() {
    let (socket, meter, _stop) = server(ServerSettings::default());
    let mut client = Foreign::on(socket).await;
    let (mut send, mut recv) = client.echo().await;
    for _ in 0..20 {
        client.pings.ping(Ping::opaque()).await.unwrap();
        echo(&mut send).await;
        assert_eq!(recv.data().await.unwrap().unwrap(), MESSAGE);
        recv.flow_control().release_capacity(MESSAGE.len()).unwrap();
    }
    assert_eq!(meter.snapshot().connections, 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_too_old_takes_no_further_calls_and_ends_with_its_last_one() {
    let age = Age { most: 10 * MINUTE, grace: Duration::MAX };
    let (socket, meter, _stop) = server(ServerSettings { age, ..ServerSettings::default() });
    let mut client = Foreign::on(socket).await;
    let (mut send, mut recv) = client.echo().await;
    tokio::time::sleep(12 * MINUTE).await;
    assert!(poll_fn(|cx| client.requests.poll_ready(cx)).await.is_err(), "it was told to go");
    echo(&mut send).await;
    assert_eq!(recv.data().await.unwrap().unwrap(), MESSAGE);
    assert_eq!(meter.snapshot().connections, 1);
    send.send_data(Bytes::new(), true).unwrap();
    assert_eq!(recv.trailers().await.unwrap().unwrap().get("grpc-status").unwrap(), "0");
    client.connection.await.unwrap().unwrap();
    assert_eq!(meter.snapshot().connections, 0);
}

#[tokio::test(start_paused = true)]
async fn the_grace_of_an_old_connection_ends() {
    let age = Age { most: 10 * MINUTE, grace: MINUTE };
    let (socket, meter, _stop) = server(ServerSettings { age, ..ServerSettings::default() });
    let mut client = Foreign::on(socket).await;
    let (_send, mut recv) = client.echo().await;
    let trailers = recv.trailers().await.unwrap().unwrap();
    assert_eq!(trailers.get("grpc-status").unwrap(), "14");
    let text = trailers.get("grpc-message").unwrap().to_str().unwrap();
    assert!(text.contains("max_connection_age_grace"), "{text}");
    tokio::time::sleep(MINUTE).await;
    assert_eq!(meter.snapshot().connections, 0);
}

/// Its answers fill the window, and it reads nothing of them.
#[tokio::test(start_paused = true)]
async fn an_old_connection_ends_although_its_client_does_not_read() {
    let age = Age { most: 10 * MINUTE, grace: MINUTE };
    let (socket, meter, _stop) = server(ServerSettings { age, ..ServerSettings::default() });
    let mut client = Foreign::on(socket).await;
    let (mut send, recv) = client.echo().await;
    send.send_data(Bytes::from([&[0, 0, 1, 0, 0][..], &[7; 1 << 16]].concat()), false).unwrap();
    tokio::time::sleep(9 * MINUTE / 2).await;
    assert_eq!(meter.snapshot().streams, 1);
    tokio::time::sleep(9 * MINUTE).await;
    assert_eq!((meter.snapshot().streams, meter.snapshot().connections), (0, 0));
    drop((send, recv));
}

/// A caller of another make may be unable to say that it is gone.
#[tokio::test(start_paused = true)]
async fn a_server_ends_a_call_at_its_deadline() {
    let (socket, meter, _stop) = server(ServerSettings::default());
    let mut client = Foreign::on(socket).await;
    let request = Request::post("http://test/Test/Echo").header("content-type", "application/grpc");
    let request = request.header("grpc-timeout", "3S").body(()).unwrap();
    let begun = tokio::time::Instant::now();
    let (response, _send) = client.requests.send_request(request, false).unwrap();
    let response = tokio::time::timeout(MINUTE, response).await.expect("the server ends it").unwrap();
    assert_eq!(response.headers().get("grpc-status").unwrap(), "4");
    assert!((3..=4).contains(&begun.elapsed().as_secs()));
    tokio::time::sleep(MINUTE).await;
    assert_eq!(meter.snapshot().streams, 0);
}

#[tokio::test]
async fn a_sender_on_another_thread_is_told_that_its_caller_is_gone() {
    let (told, mut ends) = mpsc::unbounded_channel();
    let (socket, _meter, _stop) = server_of(ServerSettings::default(), Pour(told));
    let mut client = Foreign::on(socket).await;
    for _ in 0..200 {
        let (response, mut send) = client.open();
        response.await.unwrap();
        send.send_reset(Reason::CANCEL);
        let end = ends.recv().await.unwrap();
        assert!(end.is_cancelled(), "{end}");
    }
}

#[tokio::test]
async fn an_error_with_everything_full_is_what_its_client_reads() {
    let declared = "left out: the declared exception]";
    let trailer = "left out: trailers that the handler has set, the declared exception]";
    for (reads, left_out, has_trailer) in [(64 << 10, declared, true), (8 << 10, trailer, false)] {
        let (socket, _meter, _stop) = server(ServerSettings::default());
        let mut client = Foreign::reading(reads, socket).await;
        let request = Request::post("http://test/Test/Fail").header("content-type", "application/grpc");
        let (response, _send) = client.requests.send_request(request.body(()).unwrap(), false).unwrap();
        let response = response.await.unwrap();
        assert_eq!(response.headers().get("grpc-status").unwrap(), "5");
        let text = response.headers().get("grpc-message").unwrap().to_str().unwrap();
        assert!(text.starts_with("xxx") && text.ends_with(left_out), "{text}");
        assert_eq!(response.headers().contains_key("large"), has_trailer);
    }
}

/// More than the window of the client, all of which its handler has sent when it returns.
async fn answer_that_is_not_read(client: &mut Foreign) -> h2::RecvStream {
    let request = Request::post("http://test/Test/Echo").header("content-type", "application/grpc");
    let (response, mut send) = client.requests.send_request(request.body(()).unwrap(), false).unwrap();
    send.send_data(Bytes::from([&[0, 0, 1, 0x80, 0][..], &[7; 0x18000]].concat()), true).unwrap();
    response.await.unwrap().into_body()
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_reads_is_given_up_after_its_handler_has_returned() {
    let (socket, meter, _stop) = server(ServerSettings::default());
    let mut client = Foreign::on(socket).await;
    let mut recv = answer_that_is_not_read(&mut client).await;
    let begun = tokio::time::Instant::now();
    let ended = loop {
        if let Err(ended) = recv.data().await.unwrap() {
            break ended;
        }
    };
    assert_eq!((ended.reason(), meter.snapshot().handlers), (Some(Reason::CANCEL), 0));
    let passed = begun.elapsed();
    assert!((30..=60).contains(&passed.as_secs()), "{passed:?}");
    // The connection goes on.
    drop(recv);
    let (_send, _recv) = client.echo().await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_read_slowly_arrives_whole() {
    let (socket, _meter, _stop) = server(ServerSettings::default());
    let mut client = Foreign::on(socket).await;
    let mut recv = answer_that_is_not_read(&mut client).await;
    let mut received = 0;
    while let Some(piece) = recv.data().await {
        received += piece.unwrap().len();
        tokio::time::sleep(Duration::from_secs(20)).await;
        let window = recv.flow_control();
        window.release_capacity(window.used_capacity().min(10_000)).unwrap();
    }
    assert_eq!(received, 0x18005);
    assert_eq!(recv.trailers().await.unwrap().unwrap().get("grpc-status").unwrap(), "0");
}

/// Its answer finds no room, its handler has returned, and its client goes.
#[tokio::test]
async fn nobody_watches_over_an_answer_whose_client_is_gone() {
    let (socket, _meter, _stop) = server(ServerSettings::default());
    let mut client = Foreign::set(h2::client::Builder::new().initial_window_size(0), socket).await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for _ in 0..20 {
        let (response, mut send) = client.open();
        send.send_data(Bytes::from_static(MESSAGE), true).unwrap();
        response.await.unwrap();
        send.send_reset(Reason::CANCEL);
    }
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(tasks(), before);
}
