//! One server, one port, five protocols: the trait, the handlers and the code of the client are the same in each.

use streamx::{Bidi, Context, Message, Result, Server};

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Line {
    #[field(1)]
    text: String,
}

#[streamx::service(namespace = "echo")]
trait Echo {
    /// Says which protocol the call came over.
    async fn ask(&self, ctx: Context, line: Line) -> Result<Line>;

    /// The same, for every line of a stream.
    #[bidi]
    async fn talk(&self, ctx: Context, stream: Bidi<Line, Line>) -> Result<()>;
}

struct Parrot;

impl Echo for Parrot {
    async fn ask(&self, ctx: Context, line: Line) -> Result<Line> {
        Ok(answer(&ctx, &line))
    }

    async fn talk(&self, ctx: Context, mut stream: Bidi<Line, Line>) -> Result<()> {
        while let Some(line) = stream.recv().await? {
            stream.send(answer(&ctx, &line)).await?;
        }
        Ok(())
    }
}

fn answer(ctx: &Context, line: &Line) -> Line {
    Line { text: format!("{} over {:?}", line.text, ctx.protocol()) }
}

/// What each scheme is to the handlers of unary calls and of streams, if it has these.
const SCHEMES: [(&str, &str, Option<&str>); 5] = [
    ("ttheader", "TTHeader", Some("TTHeaderStreaming")),
    ("framed", "Framed", None),
    ("buffered", "Buffered", None),
    ("grpc", "Grpc", Some("Grpc")),
    ("grpc+thrift", "Grpc", Some("Grpc")),
];

#[tokio::main]
async fn main() -> Result<()> {
    let server = Server::builder().add_service(EchoServer::new(Parrot)).bind("127.0.0.1:0").await?;
    let address = server.local_addr();
    tokio::spawn(server.serve());

    for (scheme, call, streams) in SCHEMES {
        let client = EchoClient::connect(format!("{scheme}://{address}")).await?;
        let answer = client.ask(Line { text: "a call".into() }).await?.text;
        println!("{scheme:12} {answer}");
        assert_eq!(answer, format!("a call over {call}"));

        let answer = talk(&client).await;
        match (streams, answer) {
            (Some(protocol), Ok(answer)) => {
                println!("{scheme:12} {answer}");
                assert_eq!(answer, format!("a stream over {protocol}"));
            }
            (None, Err(error)) => println!("{scheme:12} {error}"),
            (_, other) => panic!("{scheme}: {other:?}"),
        }
    }
    Ok(())
}

async fn talk(client: &EchoClient) -> Result<String> {
    let mut stream = client.talk().await?;
    stream.send(Line { text: "a stream".into() }).await?;
    stream.close_send().await?;
    Ok(stream.recv().await?.unwrap_or_default().text)
}
