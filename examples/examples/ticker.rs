//! A server stream with an end, and an endless one that its client gives up.

use std::sync::Arc;
use std::time::Duration;

use streamx::{Message, Result, Sender, Server};
use tokio::sync::Notify;

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Ticks {
    /// No end without it.
    #[field(1)]
    count: Option<i64>,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Tick {
    #[field(1)]
    number: i64,
}

#[streamx::service(namespace = "clock")]
trait Clock {
    #[server_stream]
    async fn tick(&self, ticks: Ticks, stream: Sender<Tick>) -> Result<()>;
}

struct Ticker {
    stopped: Arc<Notify>,
}

impl Clock for Ticker {
    async fn tick(&self, ticks: Ticks, mut stream: Sender<Tick>) -> Result<()> {
        let _tell = TellOnDrop(Arc::clone(&self.stopped));
        let mut interval = tokio::time::interval(Duration::from_millis(1));
        for number in 0..ticks.count.unwrap_or(i64::MAX) {
            interval.tick().await;
            stream.send(Tick { number }).await?;
        }
        Ok(())
    }
}

/// A handler is dropped when its caller is gone, wherever it waits.
struct TellOnDrop(Arc<Notify>);

impl Drop for TellOnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let stopped = Arc::new(Notify::new());
    let ticker = ClockServer::new(Ticker { stopped: Arc::clone(&stopped) });
    let server = Server::builder().add_service(ticker).bind("127.0.0.1:0").await?;
    let client = ClockClient::connect(&format!("ttheader://{}", server.local_addr())).await?;
    tokio::spawn(server.serve());

    let mut stream = client.tick(Ticks { count: Some(3) }).await?;
    let mut numbers = vec![];
    while let Some(tick) = stream.recv().await? {
        println!("tick {}", tick.number);
        numbers.push(tick.number);
    }
    assert_eq!(numbers, [0, 1, 2]);
    stopped.notified().await;

    let mut stream = client.tick(Ticks::default()).await?;
    assert_eq!(stream.recv().await?, Some(Tick { number: 0 }));
    drop(stream);
    stopped.notified().await;
    println!("the endless ticker has stopped: its client is gone");
    Ok(())
}
