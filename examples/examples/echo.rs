//! A server and a client in one program, in all four modes.

use futures::TryStreamExt;
use streamx::{Bidi, Message, Result, Sender, Server, Streaming};

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Text {
    #[field(1)]
    text: String,
}

#[streamx::service(namespace = "echo")]
trait TestService {
    async fn ping_pong(&self, req: Text) -> Result<Text>;
    #[bidi]
    async fn echo(&self, stream: Bidi<Text, Text>) -> Result<()>;
    #[client_stream]
    async fn join(&self, stream: Streaming<Text>) -> Result<Text>;
    #[server_stream]
    async fn split(&self, req: Text, stream: Sender<Text>) -> Result<()>;
}

struct Echo;

impl TestService for Echo {
    async fn ping_pong(&self, req: Text) -> Result<Text> {
        Ok(req)
    }

    async fn echo(&self, mut stream: Bidi<Text, Text>) -> Result<()> {
        while let Some(req) = stream.recv().await? {
            stream.send(req).await?;
        }
        Ok(())
    }

    async fn join(&self, stream: Streaming<Text>) -> Result<Text> {
        let words: Vec<String> = stream.map_ok(|req| req.text).try_collect().await?;
        Ok(Text { text: words.join(" ") })
    }

    async fn split(&self, req: Text, mut stream: Sender<Text>) -> Result<()> {
        for word in req.text.split(' ') {
            stream.send(Text { text: word.into() }).await?;
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let server = Server::builder().add_service(TestServiceServer::new(Echo)).bind("127.0.0.1:0").await?;
    let client = TestServiceClient::connect(&format!("ttheader://{}", server.local_addr())).await?;
    tokio::spawn(server.serve());
    let words = ["one", "two", "three"].map(|text| Text { text: text.into() });

    println!("unary: {:?}", client.ping_pong(words[0].clone()).await?);

    let mut stream = client.join().await?;
    for word in &words {
        stream.send(word).await?;
    }
    let joined = stream.close_and_recv().await?;
    println!("client stream: {joined:?}");
    assert_eq!(joined.text, "one two three");

    let parts: Vec<_> = client.split(joined).await?.try_collect().await?;
    println!("server stream: {parts:?}");
    assert_eq!(parts, words);

    let mut stream = client.echo().await?;
    for word in &words {
        stream.send(word).await?;
        println!("bidirectional: {:?}", stream.recv().await?);
    }
    stream.close_send().await?;
    assert_eq!(stream.recv().await?, None);
    Ok(())
}
