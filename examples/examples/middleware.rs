//! Middlewares: a server that asks who is there, and a client that keeps its secrets and logs what it receives.

use streamx::middleware::{AnyMessage, Opening, StreamMiddleware, StreamNext, async_trait};
use streamx::{Bidi, Channel, Code, Error, Message, Result, Server};

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Line {
    #[field(1)]
    text: String,
}

#[streamx::service(namespace = "chat")]
trait Chat {
    #[bidi]
    async fn echo(&self, lines: Bidi<Line, Line>) -> Result<()>;
}

struct Parrot;

impl Chat for Parrot {
    async fn echo(&self, mut lines: Bidi<Line, Line>) -> Result<()> {
        while let Some(line) = lines.recv().await? {
            lines.send(line).await?;
        }
        Ok(())
    }
}

/// Serves only those who say who they are.
struct KnownUsers;

#[async_trait]
impl StreamMiddleware for KnownUsers {
    async fn around(&self, call: Opening, next: StreamNext<'_>) -> Result<()> {
        if call.persistent("user").is_none() {
            return Err(Error::new(Code::Unauthenticated, "who are you?"));
        }
        next.run(call).await
    }
}

fn censored(message: &AnyMessage<'_>) -> Option<AnyMessage<'static>> {
    let secret = message.downcast_ref::<Line>().is_some_and(|line| line.text.contains("secret"));
    secret.then(|| AnyMessage::new(Line { text: "…".into() }))
}

#[tokio::main]
async fn main() -> Result<()> {
    let server = Server::builder().add_service(ChatServer::new(Parrot)).with_stream_middleware(KnownUsers);
    let server = server.bind("127.0.0.1:0").await?;
    let channel = Channel::builder(format!("ttheader://{}", server.local_addr()))
        .stream_send_middleware(|_, message, next| {
            Box::pin(async move { next.run(censored(&message).unwrap_or(message)).await })
        })
        .stream_recv_middleware(|call, next| {
            Box::pin(async move {
                let message = next.run().await?;
                println!("{} {}", call.method(), if message.is_some() { "goes on" } else { "has ended" });
                Ok(message)
            })
        });
    tokio::spawn(server.serve());
    let client = ChatClient::new(channel.connect().await?);

    let refused = client.echo().await?.recv().await.unwrap_err();
    println!("refused: {refused}");
    assert_eq!(refused.code(), Code::Unauthenticated);

    let mut lines = client.echo().persistent("user", "ada").await?;
    for (said, heard) in [("hello", "hello"), ("a secret", "…")] {
        lines.send(Line { text: said.into() }).await?;
        assert_eq!(lines.recv().await?, Some(Line { text: heard.into() }));
        println!("{said} came back as {heard}");
    }
    lines.close_send().await?;
    assert_eq!(lines.recv().await?, None);
    Ok(())
}
