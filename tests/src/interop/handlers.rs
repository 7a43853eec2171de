use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use streamx::{Bidi, Context, Error, Result, Sender, Streaming};
use tokio::sync::watch;

use super::act::{act, greet, no_balance, packets, told};
use super::calls::Calls;
use super::{Command, Everything, Interop, InteropClient, NotFound, Packet};

/// The service as a user of streamx writes it.
#[derive(Clone, Debug)]
pub struct Handlers {
    calls: Calls,
    notes: Arc<watch::Sender<Vec<String>>>,
    next: Option<InteropClient>,
}

impl Handlers {
    /// Handlers that have counted nothing and noted nothing.
    pub fn new() -> Self {
        Self { calls: Calls::new(), notes: Arc::default(), next: None }
    }

    /// The same, of a server in the middle of a chain.
    pub fn before(next: InteropClient) -> Self {
        Self { next: Some(next), ..Self::new() }
    }
}

impl Default for Handlers {
    fn default() -> Self {
        Self::new()
    }
}

impl Interop for Handlers {
    async fn mirror(&self, value: Everything) -> Result<Everything> {
        Ok(value)
    }

    async fn ping(&self, packet: Packet) -> Result<Packet> {
        Ok(packet)
    }

    async fn get(&self, key: String) -> Result<Packet, NotFound> {
        if key == "missing" {
            return Err(NotFound { key, code: 404 });
        }
        Ok(Packet { number: 1, body: Bytes::new(), text: key })
    }

    async fn add(&self, a: i64, b: i64) -> Result<i64> {
        Ok(a.wrapping_add(b))
    }

    async fn nothing(&self) -> Result<()> {
        Ok(())
    }

    async fn note(&self, text: String) {
        self.notes.send_modify(|notes| notes.push(text));
    }

    async fn notes(&self) -> Result<Vec<String>> {
        Ok(self.notes.borrow().clone())
    }

    async fn fail(&self, command: Command) -> Result<Packet> {
        match command.what.as_str() {
            "error" => Err(Error::other("boom")),
            "biz" => Err(no_balance()),
            "panic" => panic!("bang"),
            "hold" => {
                let number = command.count.to_string();
                let noted = self.notes.subscribe().wait_for(|notes| notes.contains(&number)).await.is_ok();
                Ok(Packet { number: noted.into(), ..Packet::default() })
            }
            "release" => {
                self.note(command.count.to_string()).await;
                Ok(Packet::default())
            }
            _ => Ok(Packet { number: command.count, body: Bytes::new(), text: command.what }),
        }
    }

    async fn told(&self, ctx: Context) -> Result<String> {
        Ok(told(&ctx))
    }

    async fn left(&self, ctx: Context) -> Result<i64> {
        let left = ctx.deadline().map(|at| at.saturating_duration_since(Instant::now()));
        left.map_or(Ok(-1), |left| i64::try_from(left.as_millis())).map_err(Error::other)
    }

    async fn echo(&self, mut stream: Bidi<Packet, Packet>) -> Result<()> {
        let mirrored = async {
            while let Some(packet) = stream.recv().await? {
                stream.send(packet).await?;
            }
            Ok(())
        };
        self.calls.counted(mirrored).await
    }

    async fn mirror_all(&self, mut stream: Bidi<Everything, Everything>) -> Result<()> {
        let mirrored = async {
            while let Some(value) = stream.recv().await? {
                stream.send(value).await?;
            }
            Ok(())
        };
        self.calls.counted(mirrored).await
    }

    async fn upload(&self, mut stream: Streaming<Packet>) -> Result<Packet> {
        let counted = async {
            let (mut number, mut size) = (0, 0);
            while let Some(packet) = stream.recv().await? {
                number += 1;
                size += packet.body.len();
                if packet.text == "enough" {
                    break;
                }
            }
            Ok(Packet { number, body: Bytes::new(), text: size.to_string() })
        };
        self.calls.counted(counted).await
    }

    async fn gather(&self, ctx: Context, mut stream: Streaming<Packet>) -> Result<Packet> {
        let gathered = async {
            greet(&ctx)?;
            let mut number = 0;
            while let Some(packet) = stream.recv().await? {
                number += 1;
                if packet.text == "hold" {
                    ctx.send_header().await?;
                    return Err(ctx.cancelled().await);
                }
            }
            Ok(Packet { number, body: Bytes::new(), text: told(&ctx) })
        };
        self.calls.counted(gathered).await
    }

    async fn download(&self, ctx: Context, command: Command, mut stream: Sender<Packet>) -> Result<()> {
        let sent = async {
            let what = command.what.as_str();
            if matches!(what, "headers" | "talk") {
                greet(&ctx)?;
            }
            if matches!(what, "told" | "talk") {
                stream.send(Packet { text: told(&ctx), ..Packet::default() }).await?;
            }
            for packet in packets(&command)? {
                stream.send(packet).await?;
            }
            if what == "wait" { Err(ctx.cancelled().await) } else { Ok(()) }
        };
        self.calls.counted(sent).await
    }

    async fn act(&self, ctx: Context, mut stream: Bidi<Command, Packet>) -> Result<()> {
        let Some(command) = stream.recv().await? else {
            return Err(Error::other("the first command is missing"));
        };
        if command.what == "count" {
            return self.count(command, stream).await; // does not count itself
        }
        self.calls.counted(act(&ctx, self.next.as_ref(), command, stream)).await
    }
}

impl Handlers {
    async fn count(&self, command: Command, mut stream: Bidi<Command, Packet>) -> Result<()> {
        let tally = self.calls.reached(command.count, command.size).await;
        stream.send(Packet { number: tally.cancelled, body: Bytes::new(), text: tally.reason }).await?;
        stream.send(Packet { number: tally.alive, ..Packet::default() }).await
    }
}
