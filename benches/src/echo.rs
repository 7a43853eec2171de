//! streamx: a bidirectional echo.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::{BufMut, Bytes, BytesMut};
use streamx::{Bidi, Message, Placement, Result, Server, Service};
use tokio::runtime::{self, Builder};
use tokio::sync::mpsc;

use crate::control;

/// How many round trips a stream makes before it sends other bytes.
const FRESH_EVERY: u64 = 64;

/// The runtime of a process.
#[derive(Clone, Copy)]
pub(crate) enum Runtime {
    CurrentThread,
    /// The multi-thread runtime with so many workers.
    Threads(usize),
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Blob {
    #[field(1)]
    data: Bytes,
}

#[streamx::service(namespace = "bench")]
trait Bench {
    #[bidi]
    async fn echo(&self, stream: Bidi<Blob, Blob>) -> Result<()>;
}

struct Echo;

impl Bench for Echo {
    async fn echo(&self, mut stream: Bidi<Blob, Blob>) -> Result<()> {
        while let Some(message) = stream.recv().await? {
            stream.send(message).await?;
        }
        Ok(())
    }
}

/// Answers every message with itself.
pub(crate) fn serve(runtime: Runtime, placement: Placement) -> io::Result<()> {
    let service = Service::from(BenchServer::new(Echo)).placement(placement);
    runtime.build()?.block_on(async {
        let server = Server::builder().add_service(service).bind("127.0.0.1:0").await;
        let server = server.map_err(io::Error::other)?;
        control::listening(server.local_addr());
        server.serve().await.map_err(io::Error::other)
    })
}

/// Keeps one message per stream in flight, and compares every answer.
pub(crate) fn drive(runtime: Runtime, address: SocketAddr, streams: u32, size: usize) -> io::Result<()> {
    runtime.build()?.block_on(async {
        let round_trips = Arc::new(AtomicU64::new(0));
        let client =
            BenchClient::connect(&format!("ttheader://{address}")).await.map_err(io::Error::other)?;
        let (started, mut begun) = mpsc::unbounded_channel();
        let (ended, mut end) = mpsc::unbounded_channel();
        for number in 0..streams {
            let (client, round_trips) = (client.clone(), Arc::clone(&round_trips));
            let (started, ended) = (started.clone(), ended.clone());
            tokio::spawn(async move {
                let result = exchange(client, number, size, &started, &round_trips).await;
                // The receiver lives as long as the process.
                let _ = ended.send(result);
            });
        }
        for _ in 0..streams {
            tokio::select! {
                _ = begun.recv() => {}
                Some(result) = end.recv() => return result.map_err(io::Error::other),
            }
        }
        control::ready(round_trips);
        end.recv().await.map_or(Ok(()), |result| result.map_err(io::Error::other))
    })
}

async fn exchange(
    client: BenchClient,
    number: u32,
    size: usize,
    started: &mpsc::UnboundedSender<()>,
    round_trips: &AtomicU64,
) -> Result<()> {
    let mut stream = client.echo().await?;
    let mut message = Blob::default();
    for made in 0.. {
        if made % FRESH_EVERY == 0 {
            message = fresh(number, made, size);
        }
        stream.send(&message).await?;
        let answer = stream.recv().await?;
        assert!(answer.is_some_and(|answer| answer == message), "the answer is not the echo of the message");
        if made == 0 {
            // The receiver lives until every stream has begun.
            let _ = started.send(());
        }
        round_trips.fetch_add(1, Relaxed);
    }
    Ok(())
}

/// A message that no other stream sends, and this one never again.
fn fresh(number: u32, made: u64, size: usize) -> Blob {
    let mut data = BytesMut::zeroed(size);
    let mut front = &mut data[..];
    front.put_u64(number.into());
    front.put_u64(made);
    Blob { data: data.freeze() }
}

impl Runtime {
    pub(crate) fn build(self) -> io::Result<runtime::Runtime> {
        match self {
            Self::CurrentThread => Builder::new_current_thread().enable_all().build(),
            Self::Threads(workers) => {
                Builder::new_multi_thread().worker_threads(workers).enable_all().build()
            }
        }
    }
}
