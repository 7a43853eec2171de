//! The limits on the time of a call: of the whole call, of each `recv` on a client, and of each `recv` of a handler.

use std::time::Duration;

use streamx::{Bidi, Channel, Context, Message, Result, Server, Side};

const BRIEF: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(60);

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Line {
    #[field(1)]
    text: String,
}

fn line(text: &str) -> Line {
    Line { text: text.to_owned() }
}

#[streamx::service]
trait Echo {
    /// Sends every line back but those that say `quiet`.
    #[bidi]
    async fn echo(&self, ctx: Context, stream: Bidi<Line, Line>) -> Result<()>;
}

struct Parrot;

impl Echo for Parrot {
    async fn echo(&self, ctx: Context, mut stream: Bidi<Line, Line>) -> Result<()> {
        let told = if ctx.deadline().is_some() { "a" } else { "no" };
        println!("the caller has {told} deadline");
        while let Some(line) = stream.recv().await? {
            if line.text != "quiet" {
                stream.send(line).await?;
            }
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let server = Server::builder().add_service(EchoServer::new(Parrot)).recv_timeout(Duration::from_secs(1));
    let server = server.bind("127.0.0.1:0").await?;
    let channel = Channel::builder(format!("ttheader://{}", server.local_addr())).timeout(LONG);
    tokio::spawn(server.serve());
    let client = EchoClient::new(channel.connect().await?);

    // The whole call: whatever is done with it then fails, and the server is told.
    let mut stream = client.echo().timeout(BRIEF).await?;
    let error = stream.recv().await.unwrap_err();
    println!("{error}");
    assert!(error.is_timeout() && error.kitex_code() == Some(12015));

    // Each `recv`: the call is given up ...
    let mut stream = client.echo().recv_timeout(BRIEF).await?;
    stream.send(line("quiet")).await?;
    let error = stream.recv().await.unwrap_err();
    println!("{error}");
    assert!(error.is_timeout() && error.kitex_code() == Some(12014));

    // ... or goes on.
    let mut stream = client.echo().recv_timeout(BRIEF).keep_open(true).await?;
    assert!(stream.recv().await.unwrap_err().is_retryable());
    stream.send(line("hello")).await?;
    while let Err(error) = stream.recv().await {
        assert!(error.is_retryable(), "{error}"); // the echo takes its time
    }
    println!("the stream that was kept open goes on");

    // Nothing is sent: after a second the handler has waited too long, and ends the call.
    let error = client.echo().await?.recv().await.unwrap_err();
    println!("{error}");
    assert!(error.is_timeout() && error.side() == Side::Server);
    Ok(())
}
