//! How a server ends: at once, or when what runs has finished.

use std::future::pending;
use std::path::PathBuf;
use std::time::Duration;

use streamx::server::ShutdownHandle;
use streamx::{Code, Placement, Result, Server, Service};
use streamx_tests::logs::Logs;
use streamx_tests::probe::{Handlers, Note, ProbeClient, ProbeServer};
use streamx_tests::rig::{Rig, echo, eventually, settle, soon};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server that can be told to end.
struct Ending {
    client: ProbeClient,
    handlers: Handlers,
    address: String,
    end: oneshot::Sender<()>,
    shutdown: ShutdownHandle,
    serving: JoinHandle<Result<()>>,
}

async fn ending(placement: Placement, drain: Duration) -> Ending {
    let handlers = Handlers::default();
    let service = Service::from(ProbeServer::new(handlers.clone())).placement(placement);
    let server = Server::builder().add_service(service).drain_timeout(drain);
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().to_string();
    let (end, ends) = oneshot::channel();
    let shutdown = server.shutdown_handle();
    let serving = tokio::spawn(server.serve_with_shutdown(async move {
        let _told = ends.await;
    }));
    let client = ProbeClient::connect(&format!("ttheader://{address}")).await.unwrap();
    Ending { client, handlers, address, end, shutdown, serving }
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn running_streams_finish_and_new_ones_are_refused() {
    for placement in [Placement::Connection, Placement::Task] {
        let Ending { client, handlers, address, end, shutdown, serving } = ending(placement, HOUR).await;
        let mut stream = client.echo().await.unwrap();
        echo(&mut stream, 1).await;
        client.ask(Note::number(1)).await.unwrap();
        let call = tokio::spawn(client.wait(Note::number(2)));
        eventually(|| handlers.alive() == 2).await;
        end.send(()).unwrap();
        settle().await;

        let error = soon(client.echo().await.unwrap().recv()).await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        assert_eq!(error.code(), Code::Unavailable);
        assert!(error.to_string().contains("shutting down"), "{error}");
        let error = soon(client.ask(Note::number(3))).await.unwrap_err();
        assert!(error.is_retryable() && error.to_string().contains("shutting down"), "{error}");
        assert!(TcpStream::connect(&address).await.is_err(), "the port is closed");
        assert!(!serving.is_finished());

        echo(&mut stream, 4).await;
        stream.close_send().await.unwrap();
        assert_eq!(soon(stream.recv()).await.unwrap(), None);
        handlers.open_gate();
        assert_eq!(soon(call).await.unwrap().unwrap(), Note::number(2));
        soon(serving).await.unwrap().unwrap();
        assert_eq!((handlers.alive(), shutdown.cut_off()), (0, &[][..]));
    }
}

#[tokio::test]
async fn a_server_without_calls_ends_at_once_and_its_port_is_free() {
    let Ending { client, address, end, serving, .. } = ending(Placement::Adaptive, HOUR).await;
    echo(&mut client.echo().await.unwrap(), 1).await;
    let silent = TcpStream::connect(&address).await.unwrap();
    settle().await;
    end.send(()).unwrap();
    soon(serving).await.unwrap().unwrap();
    let server = Server::builder().bind(&address).await.unwrap();
    assert_eq!(server.local_addr().to_string(), address);
    drop(silent);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_finished_after_drain_timeout_ends_with_the_reason() {
    for placement in [Placement::Connection, Placement::Task] {
        let drain = Duration::from_secs(5);
        let Ending { client, handlers, end, serving, .. } = ending(placement, drain).await;
        let mut stream = client.echo().await.unwrap();
        echo(&mut stream, 1).await;
        let call = tokio::spawn(client.wait(Note::number(2)));
        eventually(|| handlers.alive() == 2).await;
        end.send(()).unwrap();
        settle().await;
        tokio::time::advance(drain - Duration::from_millis(10)).await;
        settle().await;
        echo(&mut stream, 2).await;
        tokio::time::advance(Duration::from_millis(20)).await;
        soon(serving).await.unwrap().unwrap();
        eventually(|| handlers.alive() == 0).await;
        let error = soon(stream.recv()).await.unwrap_err();
        assert!(error.to_string().contains("was shut down before the call had ended"), "{error}");
        assert_eq!((error.kitex_code(), error.code()), (Some(12013), Code::Unavailable));
        let error = soon(call).await.unwrap().unwrap_err();
        assert!(error.to_string().contains("was shut down before the call had ended"), "{error}");
    }
}

#[tokio::test]
async fn a_second_signal_cuts_at_once_and_says_what() {
    for placement in [Placement::Connection, Placement::Task] {
        let Ending { client, handlers, address, end, shutdown, serving } = ending(placement, HOUR).await;
        let logs = Logs::capture();
        let mut streams = [client.echo().await.unwrap(), client.echo().await.unwrap()];
        for stream in &mut streams {
            echo(stream, 1).await;
        }
        client.ask(Note::number(1)).await.unwrap();
        let call = tokio::spawn(client.wait(Note::number(2)));
        eventually(|| handlers.alive() == 3).await;
        end.send(()).unwrap();
        settle().await;
        // The first one again is no second one.
        shutdown.drain();
        settle().await;
        assert!(!serving.is_finished() && shutdown.cut_off().is_empty());
        for stream in &mut streams {
            echo(stream, 2).await;
        }
        shutdown.cut();
        soon(serving).await.unwrap().unwrap();
        for stream in &mut streams {
            let error = soon(stream.recv()).await.unwrap_err();
            assert_eq!((error.kitex_code(), error.code()), (Some(12013), Code::Unavailable), "{error}");
        }
        let error = soon(call).await.unwrap().unwrap_err();
        assert!(error.to_string().contains("was shut down before the call had ended"), "{error}");
        eventually(|| handlers.alive() == 0).await;
        let cut_off: Vec<_> = shutdown.cut_off().iter().map(ToString::to_string).collect();
        assert_eq!(cut_off, ["Probe.Echo: 2 calls", "Probe.Wait: 1 call"]);
        let log = logs.take();
        let line = log.lines().find(|line| line.contains("calls were cut off")).unwrap();
        assert!(
            line.contains("calls=3") && line.contains("Probe.Echo: 2 calls, Probe.Wait: 1 call"),
            "{log}"
        );
        Server::builder().bind(&address).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_serves_for_ever_ends_when_it_is_told_from_elsewhere() {
    for cut in [false, true] {
        let handlers = Handlers::default();
        let server = Server::builder().add_service(ProbeServer::new(handlers.clone())).drain_timeout(HOUR);
        let server = server.bind("127.0.0.1:0").await.unwrap();
        let (address, shutdown) = (server.local_addr().to_string(), server.shutdown_handle());
        let serving = tokio::spawn(server.serve());
        let client = ProbeClient::connect(&format!("ttheader://{address}")).await.unwrap();
        let mut stream = client.echo().await.unwrap();
        echo(&mut stream, 1).await;
        if cut {
            shutdown.cut();
            assert_eq!(soon(stream.recv()).await.unwrap_err().kitex_code(), Some(12013));
        } else {
            shutdown.drain();
            settle().await;
            assert!(TcpStream::connect(&address).await.is_err(), "the port is closed");
            stream.close_send().await.unwrap();
            assert_eq!(soon(stream.recv()).await.unwrap(), None);
        }
        soon(serving).await.unwrap().unwrap();
        assert_eq!(shutdown.cut_off().len(), usize::from(cut));
        assert_eq!(handlers.alive(), 0);
        Server::builder().bind(&address).await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_of_a_server_that_ends_sends_the_next_call_elsewhere() {
    let Ending { client, handlers, end, serving, .. } = ending(Placement::Connection, HOUR).await;
    client.ask(Note::number(0)).await.unwrap();
    let mut slow = client.hold().await.unwrap();
    let call = tokio::spawn(client.wait(Note::number(1)));
    let other = tokio::spawn(client.wait(Note::number(2)));
    eventually(|| handlers.alive() == 3).await;
    end.send(()).unwrap();
    settle().await;
    // Over a connection that is there the server refuses it.
    let error = soon(client.ask(Note::number(3))).await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("shutting down"), "{error}");
    // The refusal said that the connection ends, so this call looks for another one.
    let error = soon(client.ask(Note::number(4))).await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("cannot connect"), "{error}");
    handlers.open_gate();
    assert_eq!(soon(call).await.unwrap().unwrap(), Note::number(1));
    assert_eq!(soon(other).await.unwrap().unwrap(), Note::number(2));
    slow.close_send().await.unwrap();
    assert_eq!(soon(slow.recv()).await.unwrap(), Some(Note::number(0)));
    soon(serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn dropping_the_future_of_serve_ends_everything() {
    let mut rig = Rig::start().await;
    let mut streams = rig.echoes(3).await;
    let call = tokio::spawn(rig.client.wait(Note::number(1)));
    eventually(|| rig.handlers.alive() == 4).await;
    rig.kill_server().await;
    rig.at_rest().await;
    eventually(|| rig.server().connections == 0 && rig.client().connections == 0).await;
    for stream in &mut streams {
        soon(stream.recv()).await.unwrap_err();
    }
    soon(call).await.unwrap().unwrap_err();
    Server::builder().bind(rig.address()).await.unwrap();
}

#[tokio::test]
async fn dropping_a_bound_server_closes_its_port() {
    let server = Server::builder().bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().to_string();
    drop(server);
    assert!(TcpStream::connect(&address).await.is_err());
}

fn socket_file(name: &str) -> PathBuf {
    let file = std::env::temp_dir().join(format!("streamx-{}-{name}.sock", std::process::id()));
    assert!(!file.exists());
    file
}

#[tokio::test]
async fn a_unix_socket_serves_every_mode_and_protocol_and_goes_with_its_server() {
    let file = socket_file("modes");
    let address = format!("unix:{}", file.display());
    let service = ProbeServer::new(Handlers::default());
    let server = Server::builder().add_service(service).bind(&address).await.unwrap();
    assert_eq!((server.local_addr().to_string(), server.local_addr().port()), (address.clone(), None));
    let serving = tokio::spawn(server.serve_with_shutdown(pending()));
    let client = ProbeClient::connect(&format!("ttheader://{address}")).await.unwrap();
    echo(&mut client.echo().await.unwrap(), 1).await;
    assert_eq!(client.ask(Note::number(2)).await.unwrap(), Note::number(2));
    let mut sum = client.sum().await.unwrap();
    for number in 0..4 {
        sum.send(Note::number(number)).await.unwrap();
    }
    assert_eq!(sum.close_and_recv().await.unwrap(), Note::number(6));
    let mut count = client.count(Note::number(2)).await.unwrap();
    while let Some(note) = count.recv().await.unwrap() {
        assert_eq!(note.number, 2);
    }
    let with_streams = ["ttheader", "grpc", "grpc+thrift"].map(|scheme| (scheme, true));
    let without = ["framed", "buffered", "ttheader+unframed", "framed+nonstrict", "buffered+nonstrict"];
    for (scheme, streams) in with_streams.into_iter().chain(without.map(|scheme| (scheme, false))) {
        let client = ProbeClient::connect(&format!("{scheme}://{address}")).await.unwrap();
        assert_eq!(client.ask(Note::number(3)).await.unwrap(), Note::number(3), "{scheme}");
        if streams {
            echo(&mut client.echo().await.unwrap(), 4).await;
        }
    }
    serving.abort();
    let _cancelled = serving.await;
    assert!(!file.exists());
}

#[tokio::test]
async fn a_unix_socket_that_exists_is_an_error_that_names_it() {
    let file = socket_file("taken");
    let address = format!("unix:{}", file.display());
    let first = Server::builder().bind(&address).await.unwrap();
    let error = Server::builder().bind(&address).await.unwrap_err();
    assert!(error.to_string().contains(&address), "{error}");
    drop(first);
    assert!(!file.exists());
}
