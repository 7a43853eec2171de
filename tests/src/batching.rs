//! How many writes a load takes.

use futures::future::join_all;
use streamx::{Counters, Placement};

use crate::probe::Note;
use crate::rig::{Rig, Setup, soon};

/// How many streams share a connection.
pub const STREAMS: usize = 64;
/// How many messages each of them has in flight, one after another.
pub const ROUNDS: i64 = 200;
/// The same over gRPC, where a message takes longer.
const GRPC_ROUNDS: i64 = 50;

/// The counters of both sides before and after.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "tests look at the fields")]
pub struct Between {
    pub client: (Counters, Counters),
    pub server: (Counters, Counters),
}

impl Between {
    pub fn client_writes(&self) -> u64 {
        self.client.1.writes - self.client.0.writes
    }

    pub fn server_writes(&self) -> u64 {
        self.server.1.writes - self.server.0.writes
    }
}

/// What a load costs.
pub async fn counted<T>(rig: &Rig, load: impl Future<Output = T>) -> (T, Between) {
    rig.all_arrived().await;
    let before = (rig.client(), rig.server());
    let out = load.await;
    rig.all_arrived().await;
    let after = (rig.client(), rig.server());
    (out, Between { client: (before.0, after.0), server: (before.1, after.1) })
}

/// Every stream in a task of its own, so many messages of so many bytes, one in flight each.
async fn ping_pong(streams: Vec<streamx::client::Bidi<Note, Note>>, rounds: i64, size: usize) {
    let tasks = streams.into_iter().map(|mut stream| {
        tokio::spawn(async move {
            for number in 0..rounds {
                let note = Note::of_size(number, size);
                stream.send(&note).await.expect("the stream is open");
                assert_eq!(stream.recv().await.expect("the stream is open"), Some(note));
            }
            stream
        })
    });
    // The streams end only after all have done their rounds.
    let done = soon(join_all(tasks)).await;
    assert!(done.iter().all(Result::is_ok));
}

/// Counts the writes of a load of [`STREAMS`] over TTHeader, 80 bytes a message.
///
/// # Panics
///
/// If there is more than one for sixteen messages.
pub async fn sixty_four_streams_share_writes(placement: Placement) {
    let cost = cost("ttheader", placement, ROUNDS, 80).await;
    if placement != Placement::Adaptive {
        assert_shared(&cost, ROUNDS);
    }
}

/// Counts the writes of a load of [`STREAMS`] over gRPC with either format, 1 KiB a message.
///
/// # Panics
///
/// If there is more than one for sixteen messages.
pub async fn sixty_four_grpc_streams_share_writes(scheme: &str, placement: Placement) {
    let cost = cost(scheme, placement, GRPC_ROUNDS, 1024).await;
    assert_shared(&cost, GRPC_ROUNDS);
}

async fn cost(scheme: &str, placement: Placement, rounds: i64, size: usize) -> Between {
    let rig = Setup::placed(placement).start_over(scheme).await;
    let streams = rig.echoes(STREAMS).await;
    let ((), cost) = counted(&rig, ping_pong(streams, rounds, size)).await;
    let (messages, client, server) = (messages(rounds), cost.client_writes(), cost.server_writes());
    println!(
        "{scheme}, {placement:?}: {messages} messages each way, writes: client {client}, server {server}"
    );
    rig.at_rest().await;
    cost
}

/// How many messages go each way.
fn messages(rounds: i64) -> u64 {
    STREAMS as u64 * rounds.unsigned_abs()
}

fn assert_shared(cost: &Between, rounds: i64) {
    let (messages, client, server) = (messages(rounds), cost.client_writes(), cost.server_writes());
    assert!(client * 16 <= messages, "{client} writes of the client for {messages} messages");
    assert!(server * 16 <= messages, "{server} writes of the server for {messages} messages");
}
