//! How long it takes until a handler learns that its caller has given up: directly, and over three hops.
//!
//! All sides are in one process, because only there the two moments can be compared; what lies between them are TCP
//! connections over loopback.

use std::io;
use std::time::{Duration, Instant};

use streamx::{Bidi, Channel, Context, Error, Message, Result, Server, Service};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::echo::Runtime;

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Token {
    #[field(1)]
    number: i64,
}

#[streamx::service]
trait Model {
    #[bidi]
    async fn generate(&self, ctx: Context, stream: Bidi<Token, Token>) -> Result<()>;
}

/// Waits for the end of its caller, and does nothing else.
struct Last {
    told: UnboundedSender<Instant>,
}

impl Model for Last {
    async fn generate(&self, ctx: Context, mut stream: Bidi<Token, Token>) -> Result<()> {
        stream.send(Token::default()).await?;
        let reason = ctx.cancelled().await;
        // The receiver lives as long as the measurement.
        let _ = self.told.send(Instant::now());
        Err(reason)
    }
}

/// Passes on what the next one sends.
struct Hop {
    next: ModelClient,
}

impl Model for Hop {
    async fn generate(&self, _ctx: Context, mut stream: Bidi<Token, Token>) -> Result<()> {
        let mut next = self.next.generate().await?;
        while let Some(token) = next.recv().await? {
            stream.send(token).await?;
        }
        Ok(())
    }
}

/// Measures `runs` times and prints what came out.
pub(crate) fn measure(runtime: Runtime, runs: usize) -> io::Result<()> {
    runtime.build()?.block_on(async {
        for hops in [1, 3] {
            let mut times = cancel(hops, runs).await.map_err(io::Error::other)?;
            times.sort_unstable();
            let at = |share: f64| micros(times[((times.len() - 1) as f64 * share) as usize]);
            println!(
                "{hops} hop(s), {runs} runs: until the last handler knows, us: median {:.0}, p99 {:.0}, most {:.0}",
                at(0.5),
                at(0.99),
                at(1.0)
            );
        }
        Ok(())
    })
}

async fn cancel(hops: usize, runs: usize) -> Result<Vec<Duration>> {
    let (told, mut moments) = unbounded_channel();
    let mut client = start(ModelServer::new(Last { told })).await?;
    for _ in 1..hops {
        client = start(ModelServer::new(Hop { next: client })).await?;
    }
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        times.push(cancel_once(&client, &mut moments).await?);
    }
    Ok(times)
}

async fn cancel_once(client: &ModelClient, moments: &mut UnboundedReceiver<Instant>) -> Result<Duration> {
    let mut stream = client.generate().await?;
    stream.recv().await?;
    let start = Instant::now();
    drop(stream);
    let told = moments.recv().await.ok_or_else(|| Error::other("the last handler is gone"))?;
    Ok(told.duration_since(start))
}

async fn start(service: impl Into<Service>) -> Result<ModelClient> {
    let server = Server::builder().add_service(service).bind("127.0.0.1:0").await?;
    let url = format!("ttheader://{}", server.local_addr());
    tokio::spawn(server.serve());
    Ok(ModelClient::new(Channel::builder(url).connect().await?))
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
