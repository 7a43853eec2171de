//! What streams cost while they are idle, and what they leave behind: nothing.

use std::sync::mpsc;

use streamx::{Counters, Limits, Placement, Server, Service};
use streamx_tests::probe::{Handlers, Note, ProbeClient, ProbeServer};
use streamx_tests::rig::{Rig, Setup, eventually_or, soon};
use tokio::runtime::{Builder, Handle, Runtime};

const IDLE: usize = 1000;
const MANY: u32 = 10_000;

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Opens idle bidirectional streams, with a message each way behind them; the heap they hold at this moment on this
/// thread, in bytes per stream.
fn held_by_idle_streams(runtime: &Runtime, client: &ProbeClient) -> i64 {
    let mut streams = Vec::with_capacity(IDLE);
    let counted = allocation_counter::measure(|| {
        runtime.block_on(async {
            for number in 0..IDLE {
                let mut stream = client.echo().await.unwrap();
                let note = Note::of_size(number.try_into().unwrap(), 80);
                stream.send(&note).await.unwrap();
                assert_eq!(stream.recv().await.unwrap(), Some(note));
                streams.push(stream);
            }
        });
    });
    counted.bytes_current / i64::try_from(IDLE).unwrap()
}

/// Both sides on this thread.
fn both_sides(placement: Placement) -> i64 {
    let runtime = current_thread();
    let rig = runtime.block_on(Setup::placed(placement).start());
    held_by_idle_streams(&runtime, &rig.client)
}

/// The server on a thread of its own, whose heap is not counted here.
fn client_side() -> i64 {
    let (address, listening) = mpsc::channel();
    std::thread::spawn(move || {
        current_thread().block_on(async {
            let service = Service::from(ProbeServer::new(Handlers::default()));
            let server = Server::builder().add_service(service).bind("127.0.0.1:0").await.unwrap();
            address.send(server.local_addr()).unwrap();
            server.serve().await
        })
    });
    let runtime = current_thread();
    let url = format!("ttheader://{}", listening.recv().unwrap());
    let client = runtime.block_on(ProbeClient::connect(&url)).unwrap();
    held_by_idle_streams(&runtime, &client)
}

#[test]
fn an_idle_stream_costs_at_most_2_kib_a_side() {
    let client = client_side();
    println!("an idle stream costs the client {client} bytes");
    assert!((100..=2048).contains(&client), "an idle stream costs the client {client} bytes");
    for placement in [Placement::Connection, Placement::Task] {
        let server = both_sides(placement) - client;
        println!("an idle stream costs the server {server} bytes ({placement:?})");
        assert!(
            (100..=2048).contains(&server),
            "an idle stream costs the server {server} bytes ({placement:?})"
        );
    }
}

/// Everything that must be as it was.
fn held(rig: &Rig) -> [u64; 10] {
    let of = |now: Counters| [now.streams, now.handlers, now.queued_bytes, now.connections];
    let ([a, b, c, d], [e, f, g, h]) = (of(rig.client()), of(rig.server()));
    let tasks = Handle::current().metrics().num_alive_tasks();
    [a, b, c, d, e, f, g, h, rig.handlers.alive() as u64, tasks as u64]
}

/// The same, once it has stopped to change: a task that has just ended may still be counted.
async fn settled(rig: &Rig) -> [u64; 10] {
    loop {
        let seen = held(rig);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        if held(rig) == seen {
            return seen;
        }
    }
}

async fn back_to(start: [u64; 10], rig: &Rig) {
    eventually_or(|| held(rig) == start, || format!("{start:?} became {:?}", held(rig))).await;
}

async fn finished_streams_leave_nothing(placement: Placement) {
    let rig = Setup::placed(placement).start().await;
    drop(rig.echoes(1).await);
    rig.at_rest().await;
    let start = settled(&rig).await;
    for number in 0..MANY {
        let mut stream = rig.client.echo().await.unwrap();
        let note = Note::number(number.into());
        stream.send(&note).await.unwrap();
        assert_eq!(stream.recv().await.unwrap(), Some(note));
        stream.close_send().await.unwrap();
        assert_eq!(stream.recv().await.unwrap(), None);
    }
    back_to(start, &rig).await;
    assert_eq!(rig.server().streams_opened, u64::from(MANY) + 1);
    assert_eq!(rig.client().connections_opened, 1);
}

#[tokio::test]
async fn ten_thousand_finished_streams_leave_nothing_behind() {
    for placement in [Placement::Connection, Placement::Task] {
        soon(finished_streams_leave_nothing(placement)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_finished_streams_leave_nothing_behind_on_the_multi_thread_runtime() {
    soon(finished_streams_leave_nothing(Placement::Adaptive)).await;
}

/// Opens a stream and drops it at the point that the number says.
async fn cancelled(rig: &Rig, point: u32) {
    let client = &rig.client;
    match point {
        0 => drop(client.echo()),
        1 => drop(client.echo().await.unwrap()),
        2 => {
            let mut stream = client.echo().await.unwrap();
            stream.send(Note::number(1)).await.unwrap();
        }
        3 => {
            let mut stream = client.echo().await.unwrap();
            stream.send(Note::number(1)).await.unwrap();
            stream.recv().await.unwrap();
        }
        4 => {
            let mut stream = client.echo().await.unwrap();
            stream.send(Note::number(1)).await.unwrap();
            stream.close_send().await.unwrap();
        }
        5 => drop(client.count(Note::number(5)).await.unwrap()),
        6 => {
            let mut stream = client.count(Note::of_size(20, 100)).await.unwrap();
            stream.recv().await.unwrap();
        }
        7 => {
            let mut stream = client.sum().await.unwrap();
            stream.send(Note::number(1)).await.unwrap();
            drop(stream.close_send().await.unwrap());
        }
        8 => {
            let (mut tx, rx) = client.echo().await.unwrap().split();
            let _given_up = tx.send(Note::number(1)).await;
            drop(rx);
            tokio::task::yield_now().await;
            let _given_up = tx.send(Note::number(2)).await;
        }
        _ => {
            let mut call = Box::pin(client.wait(Note::number(1)));
            assert!(futures::poll!(&mut call).is_pending());
        }
    }
}

async fn cancelled_streams_leave_nothing(placement: Placement) {
    // To the server this looks like a flood of resets.
    let server = Limits::default().unanswered_resets_per_second(usize::MAX);
    let rig = Setup { placement, server, ..Setup::default() }.start().await;
    drop(rig.echoes(1).await);
    rig.at_rest().await;
    let start = settled(&rig).await;
    // A small generator of our own keeps the run repeatable.
    let mut random = 1u32;
    for _ in 0..MANY {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        cancelled(&rig, (random >> 16) % 10).await;
        if (random >> 16).is_multiple_of(3) {
            tokio::task::yield_now().await;
        }
    }
    back_to(start, &rig).await;
    assert!(rig.server().streams_opened > u64::from(MANY / 2), "{:?}", rig.server());
}

#[tokio::test]
async fn ten_thousand_cancelled_streams_leave_nothing_behind() {
    for placement in [Placement::Connection, Placement::Task] {
        soon(cancelled_streams_leave_nothing(placement)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_cancelled_streams_leave_nothing_behind_on_the_multi_thread_runtime() {
    soon(cancelled_streams_leave_nothing(Placement::Adaptive)).await;
}
