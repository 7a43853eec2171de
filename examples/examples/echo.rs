//! A server and a client in one program, in all four modes.

use futures::try_join;
use streamx::{Bidi, Message, Result, Sender, Server, Streaming};

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Request {
    #[field(1)]
    message: String,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Response {
    #[field(1)]
    message: String,
}

/// The service of the Kitex documentation.
#[streamx::service(namespace = "echo")]
trait TestService {
    async fn ping_pong(&self, req: Request) -> Result<Response>;

    #[bidi]
    async fn echo(&self, stream: Bidi<Request, Response>) -> Result<()>;

    #[client_stream]
    async fn echo_client(&self, stream: Streaming<Request>) -> Result<Response>;

    #[server_stream]
    async fn echo_server(&self, req: Request, stream: Sender<Response>) -> Result<()>;
}

struct Echo;

impl TestService for Echo {
    async fn ping_pong(&self, req: Request) -> Result<Response> {
        Ok(Response { message: req.message })
    }

    async fn echo(&self, mut stream: Bidi<Request, Response>) -> Result<()> {
        while let Some(req) = stream.recv().await? {
            stream.send(Response { message: req.message }).await?;
        }
        Ok(())
    }

    async fn echo_client(&self, mut stream: Streaming<Request>) -> Result<Response> {
        let mut all = Vec::new();
        while let Some(req) = stream.recv().await? {
            all.push(req.message);
        }
        Ok(Response { message: all.join(" ") })
    }

    async fn echo_server(&self, req: Request, mut stream: Sender<Response>) -> Result<()> {
        for word in req.message.split(' ') {
            stream.send(Response { message: word.to_owned() }).await?;
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let server = Server::builder().add_service(TestServiceServer::new(Echo)).bind("127.0.0.1:0").await?;
    let address = server.local_addr();
    println!("serving at {address}");
    tokio::spawn(server.serve());

    let client = TestServiceClient::connect(&format!("ttheader://{address}")).await?;
    let say = |message: &str| Request { message: message.to_owned() };

    let res = client.ping_pong(say("hello")).await?;
    println!("unary            hello -> {}", res.message);
    assert_eq!(res.message, "hello");

    let mut stream = client.echo_client().await?;
    for word in ["one", "two", "three"] {
        stream.send(say(word)).await?;
    }
    let res = stream.close_and_recv().await?;
    println!("client streaming one, two, three -> {}", res.message);
    assert_eq!(res.message, "one two three");

    let mut stream = client.echo_server(say("one two three")).await?;
    let mut count = 0;
    while let Some(res) = stream.recv().await? {
        println!("server streaming one two three -> {}", res.message);
        count += 1;
    }
    assert_eq!(count, 3);

    let (mut tx, mut rx) = client.echo().await?.split();
    let send = async move {
        for word in ["one", "two", "three"] {
            tx.send(say(word)).await?;
        }
        tx.close_send().await
    };
    let recv = async move {
        let mut count = 0;
        while let Some(res) = rx.recv().await? {
            println!("bidirectional    -> {}", res.message);
            count += 1;
        }
        Result::Ok(count)
    };
    assert_eq!(try_join!(send, recv)?.1, 3);
    Ok(())
}
