//! What Act does, and what its commands share with other methods.

use bytes::Bytes;
use streamx::{Bidi, Context, Error, Result};

use super::{Command, InteropClient, Packet};

pub(super) async fn act(
    ctx: &Context,
    next: Option<&InteropClient>,
    command: Command,
    mut stream: Bidi<Command, Packet>,
) -> Result<()> {
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
        "talk" => {
            greet(ctx)?;
            stream.send(Packet { text: told(ctx), ..Packet::default() }).await?;
            while let Some(command) = stream.recv().await? {
                stream.send(Packet { number: command.count, ..Packet::default() }).await?;
            }
            Ok(())
        }
        "listen" => {
            for packet in packets(&command)? {
                stream.send(packet).await?;
            }
            while stream.recv().await?.is_some() {}
            Ok(())
        }
        "eof" => {
            while stream.recv().await?.is_some() {}
            Err(Error::other("EOF"))
        }
        "relay" => relay(next, stream).await,
        other => Err(Error::other(format!("unknown command {other:?}"))),
    }
}

/// The call to the next server ends with this one.
async fn relay(next: Option<&InteropClient>, mut stream: Bidi<Command, Packet>) -> Result<()> {
    let next = next.ok_or_else(|| Error::other("this server has no next one"))?;
    let mut onward = next.act().await?;
    onward.send(Command { what: "wait".into(), ..Command::default() }).await?;
    while let Some(packet) = onward.recv().await? {
        stream.send(packet).await?;
    }
    Ok(())
}

/// A header and a trailer.
pub(super) fn greet(ctx: &Context) -> Result<()> {
    ctx.set_header("h1", "v1")?;
    ctx.set_trailer("t1", "v1")
}

async fn headers(ctx: &Context, stream: &mut Bidi<Command, Packet>) -> Result<()> {
    ctx.set_header("h1", "v1")?;
    ctx.set_header("h2", "v2")?;
    ctx.send_header().await?;
    ctx.set_trailer("t1", "v1")?;
    stream.recv().await?;
    Ok(())
}

pub(super) fn told(ctx: &Context) -> String {
    let line = |pairs: &mut dyn Iterator<Item = (&str, &str)>| {
        let mut pairs: Vec<_> = pairs.map(|(key, value)| format!("{key}={value}")).collect();
        pairs.sort();
        pairs.join(",")
    };
    let (persistent, transient) = (line(&mut ctx.persistent_iter()), line(&mut ctx.transient_iter()));
    format!("persistent [{persistent}] transient [{transient}]")
}

/// The business error of every command that asks for one.
pub(super) fn no_balance() -> Error {
    Error::biz(10001, "no balance").with_extra("k", "v")
}

/// The packets that a command asks for; they share one body.
pub(super) fn packets(command: &Command) -> Result<impl Iterator<Item = Packet> + use<>> {
    let size = usize::try_from(command.size).map_err(Error::other)?;
    let body = Bytes::from(vec![b'x'; size]);
    Ok((0..command.count).map(move |number| Packet { number, body: body.clone(), text: String::new() }))
}
