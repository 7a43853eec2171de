use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use streamx::{Bidi, Context, Error, Result, Sender, Streaming};

use super::calls::Calls;
use super::{Command, Everything, Interop, NotFound, Packet};

/// The service as a user of streamx writes it.
#[derive(Clone, Debug)]
pub struct Handlers {
    calls: Calls,
    notes: Arc<Mutex<Vec<String>>>,
}

impl Handlers {
    /// Handlers that have counted nothing and noted nothing.
    pub fn new() -> Self {
        Self { calls: Calls::new(), notes: Arc::default() }
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
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    async fn notes(&self) -> Result<Vec<String>> {
        Ok(self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn fail(&self, command: Command) -> Result<Packet> {
        match command.what.as_str() {
            "error" => Err(Error::other("boom")),
            "biz" => Err(no_balance()),
            "panic" => panic!("bang"),
            _ => Ok(Packet { number: command.count, body: Bytes::new(), text: command.what }),
        }
    }

    async fn told(&self, ctx: Context) -> Result<String> {
        Ok(told(&ctx))
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

    async fn download(&self, ctx: Context, command: Command, mut stream: Sender<Packet>) -> Result<()> {
        let sent = async {
            match command.what.as_str() {
                "told" => stream.send(Packet { text: told(&ctx), ..Packet::default() }).await?,
                "headers" => {
                    ctx.set_header("h1", "v1")?;
                    ctx.set_trailer("t1", "v1")?;
                }
                _ => {}
            }
            for packet in packets(&command)? {
                stream.send(packet).await?;
            }
            Ok(())
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
        self.calls.counted(act(&ctx, command, stream)).await
    }
}

impl Handlers {
    async fn count(&self, command: Command, mut stream: Bidi<Command, Packet>) -> Result<()> {
        let tally = self.calls.reached(command.count, command.size).await;
        stream.send(Packet { number: tally.cancelled, body: Bytes::new(), text: tally.reason }).await?;
        stream.send(Packet { number: tally.alive, ..Packet::default() }).await
    }
}

async fn act(ctx: &Context, command: Command, mut stream: Bidi<Command, Packet>) -> Result<()> {
    match command.what.as_str() {
        "return" => Ok(()),
        "fail" => Err(Error::other("boom")),
        "fail-after" => {
            for packet in packets(&command)? {
                stream.send(packet).await?;
            }
            Err(Error::other("boom"))
        }
        "biz" => Err(no_balance()),
        "biz-after" => {
            for packet in packets(&command)? {
                stream.send(packet).await?;
            }
            Err(no_balance())
        }
        "panic" => panic!("bang"),
        "finish-first" => {
            for packet in packets(&command)? {
                stream.send(packet).await?;
            }
            Ok(())
        }
        "wait" => {
            stream.send(Packet { text: "waiting".into(), ..Packet::default() }).await?;
            Err(ctx.cancelled().await)
        }
        "told" => stream.send(Packet { text: told(ctx), ..Packet::default() }).await,
        "headers" => headers(ctx, &mut stream).await,
        "headers-biz" => {
            headers(ctx, &mut stream).await?;
            Err(no_balance())
        }
        other => Err(Error::other(format!("unknown command {other:?}"))),
    }
}

async fn headers(ctx: &Context, stream: &mut Bidi<Command, Packet>) -> Result<()> {
    ctx.set_header("h1", "v1")?;
    ctx.set_header("h2", "v2")?;
    ctx.send_header().await?;
    ctx.set_trailer("t1", "v1")?;
    stream.recv().await?;
    Ok(())
}

fn told(ctx: &Context) -> String {
    let line = |pairs: &mut dyn Iterator<Item = (&str, &str)>| {
        let mut pairs: Vec<_> = pairs.map(|(key, value)| format!("{key}={value}")).collect();
        pairs.sort();
        pairs.join(",")
    };
    let (persistent, transient) = (line(&mut ctx.persistent_iter()), line(&mut ctx.transient_iter()));
    format!("persistent [{persistent}] transient [{transient}]")
}

/// The business error of every command that asks for one.
fn no_balance() -> Error {
    Error::biz(10001, "no balance").with_extra("k", "v")
}

/// The packets that a command asks for; they share one body.
fn packets(command: &Command) -> Result<impl Iterator<Item = Packet> + use<>> {
    let size = usize::try_from(command.size).map_err(Error::other)?;
    let body = Bytes::from(vec![b'x'; size]);
    Ok((0..command.count).map(move |number| Packet { number, body: body.clone(), text: String::new() }))
}
