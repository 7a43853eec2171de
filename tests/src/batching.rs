//! How many writes a load takes.

use futures::future::join_all;
use streamx::{Counters, Placement};

use crate::probe::Note;
use crate::rig::{Rig, Setup, echo, soon};

/// How many streams share a connection.
pub const STREAMS: usize = 64;
/// How many messages each of them has in flight, one after another.
pub const ROUNDS: i64 = 200;

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

/// Every stream in a task of its own, one message in flight each.
async fn ping_pong(streams: Vec<streamx::client::Bidi<Note, Note>>) {
    let tasks = streams.into_iter().map(|mut stream| {
        tokio::spawn(async move {
            for number in 0..ROUNDS {
                echo(&mut stream, number).await;
            }
            stream
        })
    });
    // The streams end only after all have done their rounds.
    let done = soon(join_all(tasks)).await;
    assert!(done.iter().all(Result::is_ok));
}

/// Counts the writes of a load of [`STREAMS`].
///
/// # Panics
///
/// If there is more than one for sixteen messages.
pub async fn sixty_four_streams_share_writes(placement: Placement) {
    let rig = Setup::placed(placement).start().await;
    let streams = rig.echoes(STREAMS).await;
    let ((), cost) = counted(&rig, ping_pong(streams)).await;
    let messages = STREAMS as u64 * ROUNDS.unsigned_abs();
    let (client, server) = (cost.client_writes(), cost.server_writes());
    println!("{placement:?}: {messages} messages each way, writes: client {client}, server {server}");
    if placement != Placement::Adaptive {
        assert!(client * 16 <= messages, "{client} writes of the client for {messages} messages");
        assert!(server * 16 <= messages, "{server} writes of the server for {messages} messages");
    }
    rig.at_rest().await;
}
