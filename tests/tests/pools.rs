//! Which connections a channel has, how long they live, and what happens while none can be made.

use std::collections::HashSet;
use std::time::Duration;

use futures::future::join_all;
use streamx::client;
use streamx::{Bidi, Channel, Code, Context, Limits, Message, Pool, Result, Server, Service};
use streamx_tests::probe::{Handlers, Note, ProbeClient, ProbeServer};
use streamx_tests::rig::{echo, eventually, settle, soon};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Port {
    #[field(1)]
    number: i64,
}

/// Says from which port of the client a call came: calls with the same one share a connection.
#[streamx::service]
trait Ports {
    #[bidi]
    async fn stream(&self, ctx: Context, stream: Bidi<Port, Port>) -> Result<()>;
}

struct Clerk;

impl Ports for Clerk {
    async fn stream(&self, ctx: Context, mut stream: Bidi<Port, Port>) -> Result<()> {
        let number = ctx.peer_addr().map_or(0, |address| address.port().into());
        while stream.recv().await?.is_some() {
            stream.send(Port { number }).await?;
        }
        Ok(())
    }
}

/// A server, and a channel to it that has made no connection yet.
struct Place {
    channel: Channel,
    probe: ProbeClient,
    ports: PortsClient,
    handlers: Handlers,
    server: JoinHandle<Result<()>>,
    address: String,
}

async fn place(pool: Pool) -> Place {
    with_limits(pool, Limits::default()).await
}

async fn with_limits(pool: Pool, limits: Limits) -> Place {
    let handlers = Handlers::default();
    let (address, server) = serve("127.0.0.1:0", &handlers).await;
    let channel = Channel::builder(format!("ttheader://{address}")).pool(pool).limits(limits);
    let channel = channel.connect_lazy().unwrap();
    let (probe, ports) = (ProbeClient::new(channel.clone()), PortsClient::new(channel.clone()));
    Place { channel, probe, ports, handlers, server, address }
}

/// Serves at an address as soon as it is free.
async fn serve(address: &str, handlers: &Handlers) -> (String, JoinHandle<Result<()>>) {
    let service = Service::from(ProbeServer::new(handlers.clone()));
    let bind =
        || Server::builder().add_service(service.clone()).add_service(PortsServer::new(Clerk)).bind(address);
    let mut bound = bind().await;
    while bound.is_err() {
        tokio::task::yield_now().await;
        bound = bind().await;
    }
    let server = bound.unwrap();
    (server.local_addr().to_string(), tokio::spawn(server.serve()))
}

impl Place {
    fn connections(&self) -> u64 {
        self.channel.counters().connections
    }

    fn made(&self) -> u64 {
        self.channel.counters().connections_opened
    }

    async fn comes_to(&self, connections: u64) {
        eventually(|| self.connections() == connections).await;
    }

    /// No call is left, here or in a handler.
    async fn at_rest(&self) {
        let rest = || {
            let now = self.channel.counters();
            (now.streams, now.queued_bytes, self.handlers.alive()) == (0, 0, 0)
        };
        eventually(rest).await;
    }

    /// Nothing is left of the channel.
    async fn ends(self) {
        let Self { channel, probe, ports, server, .. } = self;
        assert_eq!(soon(channel.shutdown(HOUR)).await, 0);
        assert_eq!((channel.counters().connections, channel.counters().streams), (0, 0));
        drop((probe, ports));
        server.abort();
        let _cancelled = server.await;
    }

    async fn stream(&self) -> (client::Bidi<Port, Port>, i64) {
        let mut stream = soon(self.ports.stream()).await.unwrap();
        let port = port(&mut stream).await;
        (stream, port)
    }

    async fn waiting(&self, calls: usize) -> Vec<JoinHandle<Result<Note>>> {
        let begun = self.handlers.alive();
        let tasks = (0..).take(calls).map(|number| tokio::spawn(self.probe.wait(Note::number(number))));
        let tasks: Vec<_> = tasks.collect();
        eventually(|| self.handlers.alive() == begun + calls).await;
        tasks
    }
}

async fn port(stream: &mut client::Bidi<Port, Port>) -> i64 {
    stream.send(Port::default()).await.unwrap();
    soon(stream.recv()).await.unwrap().unwrap().number
}

async fn finish(stream: &mut client::Bidi<Port, Port>) {
    stream.close_send().await.unwrap();
    assert_eq!(soon(stream.recv()).await.unwrap(), None);
}

/// Moves a clock that stands, and lets everybody see it.
async fn pass(time: Duration) {
    let step = Duration::from_millis(500);
    for _ in 0..time.as_millis() / step.as_millis() {
        tokio::time::advance(step).await;
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
    settle().await;
}

#[tokio::test]
async fn streams_take_the_connections_of_mux_in_turn() {
    let place = place(Pool::mux(2)).await;
    let mut streams = Vec::new();
    let mut ports = Vec::new();
    for _ in 0..6 {
        let (stream, port) = place.stream().await;
        streams.push(stream);
        ports.push(port);
    }
    assert_eq!((place.connections(), place.made()), (2, 2));
    assert_ne!(ports[0], ports[1]);
    for two in ports.windows(3) {
        assert_eq!(two[0], two[2], "{ports:?}");
    }
    drop(streams);
    place.ends().await;
}

#[tokio::test]
async fn a_further_connection_is_made_when_those_of_mux_are_full() {
    let place = with_limits(Pool::mux(2), Limits::default().max_streams(2)).await;
    let mut ports = Vec::new();
    let mut streams = Vec::new();
    for _ in 0..5 {
        let (stream, port) = place.stream().await;
        streams.push(stream);
        ports.push(port);
    }
    assert_eq!(ports.iter().collect::<HashSet<_>>().len(), 3, "{ports:?}");
    assert_eq!(ports.iter().filter(|&port| *port == ports[4]).count(), 1, "{ports:?}");
    drop(streams);
    place.ends().await;
}

#[tokio::test]
async fn calls_that_come_at_once_make_no_more_connections_than_mux_has() {
    let place = place(Pool::mux(2)).await;
    let opened = join_all((0..20).map(|_| place.probe.echo())).await;
    let streams: Vec<_> = opened.into_iter().map(Result::unwrap).collect();
    eventually(|| place.handlers.alive() == 20).await;
    let calls = place.waiting(20).await;
    assert_eq!((place.connections(), place.made()), (4, 4), "two for streams, two for unary calls");
    place.handlers.open_gate();
    for call in soon(join_all(calls)).await {
        call.unwrap().unwrap();
    }
    drop(streams);
    place.ends().await;
}

#[tokio::test]
async fn what_there_is_serves_when_mux_cannot_make_the_next_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ttheader://{}", listener.local_addr().unwrap());
    let channel = Channel::builder(url).pool(Pool::mux(2)).connect().await.unwrap();
    let (_peer, _) = soon(listener.accept()).await.unwrap();
    drop(listener);
    let client = ProbeClient::new(channel.clone());
    let first = soon(client.echo()).await.unwrap();
    let second = soon(client.echo()).await.unwrap();
    assert_eq!((channel.counters().connections, channel.counters().streams), (1, 2));
    drop((first, second));
    assert_eq!(soon(channel.shutdown(HOUR)).await, 0);
}

#[tokio::test]
async fn a_connection_of_long_carries_one_stream_and_then_the_next() {
    let place = place(Pool::long()).await;
    let (mut a, first) = place.stream().await;
    let (mut b, second) = place.stream().await;
    assert_ne!(first, second);
    // Free when the stream is over, though its handle is there.
    finish(&mut a).await;
    let (c, third) = place.stream().await;
    assert_eq!(third, first);
    // And when it was cancelled.
    drop(c);
    let (d, fourth) = place.stream().await;
    assert_eq!(fourth, first);
    assert_eq!(port(&mut b).await, second);
    assert_eq!((place.connections(), place.made()), (2, 2));
    drop((a, b, d));
    place.at_rest().await;
    place.ends().await;
}

#[tokio::test]
async fn a_connection_of_long_with_messages_nobody_has_read_is_not_used_again() {
    let place = place(Pool::long()).await;
    let mut counted = place.probe.count(Note::of_size(3, 1000)).await.unwrap();
    counted.trailer().await.unwrap();
    let (stream, _) = place.stream().await;
    assert_eq!(place.made(), 2);
    for _ in 0..3 {
        counted.recv().await.unwrap().unwrap();
    }
    let (again, _) = place.stream().await;
    assert_eq!(place.made(), 2);
    drop((stream, again));
    place.ends().await;
}

#[tokio::test]
async fn a_connection_of_long_carries_one_unary_call_also_to_a_streamx_server() {
    let place = place(Pool::long()).await;
    place.probe.ask(Note::number(0)).await.unwrap();
    let calls = place.waiting(4).await;
    assert_eq!((place.connections(), place.made()), (4, 4));
    place.handlers.open_gate();
    for call in soon(join_all(calls)).await {
        call.unwrap().unwrap();
    }
    for number in 0..10 {
        soon(place.probe.ask(Note::number(number))).await.unwrap();
    }
    assert_eq!((place.connections(), place.made()), (4, 4));
    place.ends().await;
}

#[tokio::test]
async fn no_more_than_max_idle_connections_are_kept() {
    let place = place(Pool::long().max_idle(2)).await;
    let calls = place.waiting(5).await;
    place.handlers.open_gate();
    for call in soon(join_all(calls)).await {
        call.unwrap().unwrap();
    }
    soon(place.probe.ask(Note::number(0))).await.unwrap();
    place.comes_to(2).await;
    let mut streams = Vec::new();
    for _ in 0..5 {
        streams.push(place.stream().await.0);
    }
    drop(streams);
    drop(place.stream().await);
    place.comes_to(4).await;
    assert_eq!(place.made(), 10);
    place.ends().await;
}

#[tokio::test]
async fn short_has_a_connection_for_each_call_that_ends_with_it() {
    let place = place(Pool::short()).await;
    let (mut a, first) = place.stream().await;
    let (mut b, second) = place.stream().await;
    assert_ne!(first, second);
    place.comes_to(2).await;
    finish(&mut a).await;
    // Though its handle is there.
    place.comes_to(1).await;
    assert_eq!(port(&mut b).await, second);
    drop(b);
    place.comes_to(0).await;
    for number in 0..3 {
        soon(place.probe.ask(Note::number(number))).await.unwrap();
    }
    place.comes_to(0).await;
    assert_eq!(place.made(), 5);
    // Also when the server ends the stream first, with messages that were not read.
    let mut counted = place.probe.count(Note::of_size(3, 1000)).await.unwrap();
    counted.trailer().await.unwrap();
    place.comes_to(0).await;
    assert_eq!(counted.recv().await.unwrap(), Some(Note::of_size(3, 1000)));
    drop((a, counted));
    place.at_rest().await;
    place.ends().await;
}

#[tokio::test(start_paused = true)]
async fn connections_close_when_their_idle_time_is_over() {
    for pool in [Pool::long(), Pool::mux(1), Pool::default()] {
        let place = place(pool.idle_timeout(8 * SECOND)).await;
        echo(&mut place.probe.echo().await.unwrap(), 1).await;
        place.probe.ask(Note::number(1)).await.unwrap();
        place.at_rest().await;
        assert_eq!(place.connections(), 2);
        pass(7 * SECOND).await;
        assert_eq!(place.connections(), 2);
        pass(5 * SECOND).await;
        place.comes_to(0).await;
        // It was not lost, so it is not made again before a call needs one.
        pass(60 * SECOND).await;
        assert_eq!((place.connections(), place.made()), (0, 2));
        echo(&mut soon(place.probe.echo()).await.unwrap(), 1).await;
        assert_eq!(soon(place.probe.ask(Note::number(1))).await.unwrap(), Note::number(1));
        assert_eq!(place.made(), 4);
        place.at_rest().await;
        pass(13 * SECOND).await;
        place.comes_to(0).await;
        place.ends().await;
    }
}

#[tokio::test(start_paused = true)]
async fn by_default_only_connections_of_one_call_at_a_time_close_when_they_are_idle() {
    for (pool, kept) in [(Pool::long(), 0), (Pool::mux(2), 2), (Pool::default(), 2)] {
        let place = place(pool).await;
        echo(&mut place.probe.echo().await.unwrap(), 1).await;
        place.probe.ask(Note::number(1)).await.unwrap();
        place.at_rest().await;
        pass(59 * SECOND).await;
        assert_eq!(place.connections(), 2);
        pass(31 * SECOND).await;
        place.comes_to(kept).await;
        place.ends().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_with_a_call_is_not_idle() {
    for pool in [Pool::long(), Pool::mux(1)] {
        let place = place(pool.idle_timeout(4 * SECOND)).await;
        let (mut stream, first) = place.stream().await;
        let calls = place.waiting(1).await;
        pass(30 * SECOND).await;
        assert_eq!(place.connections(), 2);
        assert_eq!(port(&mut stream).await, first);
        place.handlers.open_gate();
        for call in soon(join_all(calls)).await {
            call.unwrap().unwrap();
        }
        finish(&mut stream).await;
        pass(7 * SECOND).await;
        place.comes_to(0).await;
        place.ends().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_too_old_takes_no_new_stream_and_ends_with_its_last() {
    let place = place(Pool::mux(1).max_age(20 * SECOND)).await;
    let (mut old, first) = place.stream().await;
    pass(17 * SECOND).await;
    let (mut also_old, port_then) = place.stream().await;
    assert_eq!(port_then, first, "its age is not reached");
    pass(3 * SECOND).await;
    let (new, second) = place.stream().await;
    assert_ne!(second, first);
    assert_eq!(port(&mut old).await, first);
    assert_eq!((place.connections(), place.made()), (2, 2));
    finish(&mut old).await;
    assert_eq!(port(&mut also_old).await, first);
    finish(&mut also_old).await;
    // The handles are there, the streams are not.
    place.comes_to(1).await;
    drop((old, also_old, new));
    // Nobody asks for one: an old connection closes by itself, and is not made again.
    pass(26 * SECOND).await;
    place.comes_to(0).await;
    assert_eq!(place.made(), 2);
    place.ends().await;
}

#[tokio::test]
async fn a_failed_dial_fails_its_call_and_the_next_one_dials_again() {
    for pool in [Pool::default(), Pool::mux(2), Pool::long(), Pool::short()] {
        let mut place = place(pool).await;
        place.server.abort();
        let _cancelled = (&mut place.server).await;
        for _ in 0..3 {
            let error = soon(place.probe.echo()).await.unwrap_err();
            assert!(error.is_retryable() && error.to_string().contains("cannot connect"), "{error}");
            let error = soon(place.probe.ask(Note::number(1))).await.unwrap_err();
            assert!(error.is_retryable() && error.to_string().contains("cannot connect"), "{error}");
        }
        let address = place.address.clone();
        place.server = soon(serve(&address, &place.handlers)).await.1;
        echo(&mut soon(place.probe.echo()).await.unwrap(), 1).await;
        soon(place.probe.ask(Note::number(1))).await.unwrap();

        // And when connections are lost that were there.
        place.server.abort();
        let _cancelled = (&mut place.server).await;
        place.comes_to(0).await;
        soon(place.probe.echo()).await.unwrap_err();
        place.server = soon(serve(&address, &place.handlers)).await.1;
        echo(&mut soon(place.probe.echo()).await.unwrap(), 1).await;
        soon(place.probe.ask(Note::number(1))).await.unwrap();
        place.at_rest().await;
        place.ends().await;
    }
}

#[tokio::test]
async fn connecting_makes_one_connection_and_a_short_one_is_not_kept() {
    for (pool, kept) in [(Pool::mux(3), 1), (Pool::long(), 1), (Pool::short(), 0)] {
        let handlers = Handlers::default();
        let (address, server) = serve("127.0.0.1:0", &handlers).await;
        for scheme in ["ttheader", "framed"] {
            let channel = Channel::builder(format!("{scheme}://{address}")).pool(pool.clone());
            let channel = channel.connect().await.unwrap();
            assert_eq!(channel.counters().connections_opened, 1);
            eventually(|| channel.counters().connections == kept).await;
        }
        server.abort();
    }
}

#[test]
fn a_pool_of_no_connection_is_refused() {
    let error = Channel::builder("ttheader://127.0.0.1:1").pool(Pool::mux(0)).connect_lazy().unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(error.to_string().contains("Pool::mux(0)"), "{error}");
}

/// An address nobody listens at.
async fn nowhere() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_a_connection_is_served_when_there_is_a_server() {
    for pool in [Pool::default(), Pool::mux(2), Pool::long(), Pool::short()] {
        let address = nowhere().await;
        let channel = Channel::builder(format!("ttheader://{address}")).pool(pool).wait_for_ready(true);
        let channel = channel.connect_lazy().unwrap();
        let client = ProbeClient::new(channel.clone());
        let calls: Vec<_> = (0..5).map(|number| tokio::spawn(client.ask(Note::number(number)))).collect();
        let streams: Vec<_> = (0..5).map(|_| tokio::spawn(client.echo())).collect();
        pass(20 * SECOND).await;
        assert!(
            calls.iter().all(|call| !call.is_finished()) && streams.iter().all(|call| !call.is_finished())
        );
        assert_eq!(client.echo().wait_for_ready(false).await.unwrap_err().code(), Code::Unavailable);

        let handlers = Handlers::default();
        let (_, server) = soon(serve(&address, &handlers)).await;
        pass(20 * SECOND).await;
        for (number, call) in (0..).zip(soon(join_all(calls)).await) {
            assert_eq!(call.unwrap().unwrap(), Note::number(number));
        }
        for stream in soon(join_all(streams)).await {
            echo(&mut stream.unwrap().unwrap(), 1).await;
        }
        assert_eq!(soon(channel.shutdown(HOUR)).await, 0);
        eventually(|| handlers.alive() == 0).await;
        server.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_a_connection_uses_the_one_that_another_call_makes() {
    let address = nowhere().await;
    let channel = Channel::builder(format!("ttheader://{address}")).connect_lazy().unwrap();
    let client = ProbeClient::new(channel.clone());
    let waiting: Vec<_> = (0..3).map(|_| tokio::spawn(client.echo().wait_for_ready(true))).collect();
    pass(10 * SECOND).await;
    let handlers = Handlers::default();
    let (_, server) = soon(serve(&address, &handlers)).await;
    let other = client.echo().await.unwrap();
    // Without a tick of the clock.
    eventually(|| waiting.iter().all(JoinHandle::is_finished)).await;
    assert_eq!(channel.counters().connections_opened, 1);
    drop((waiting, other));
    assert_eq!(soon(channel.shutdown(HOUR)).await, 0);
    server.abort();
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_connection_ends_with_the_time_of_the_call_or_the_channel() {
    let url = format!("ttheader://{}", nowhere().await);
    let channel = Channel::builder(&url).wait_for_ready(true).connect_lazy().unwrap();
    let client = ProbeClient::new(channel.clone());
    let first = tokio::spawn(client.echo().timeout(5 * SECOND));
    let second = tokio::spawn(client.ask(Note::number(1)).timeout(9 * SECOND));
    let last = tokio::spawn(client.echo());
    pass(6 * SECOND).await;
    assert!(soon(first).await.unwrap().unwrap_err().is_timeout());
    assert!(!second.is_finished());
    pass(4 * SECOND).await;
    assert!(soon(second).await.unwrap().unwrap_err().is_timeout());
    assert!(!last.is_finished());
    assert_eq!(soon(channel.shutdown(HOUR)).await, 0);
    let error = soon(last).await.unwrap().unwrap_err();
    assert!(error.is_closed() && error.to_string().contains("the channel was shut down"), "{error}");
    assert_eq!(channel.counters().connections_opened, 0);
}
