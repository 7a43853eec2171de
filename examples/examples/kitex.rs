//! One call per mode to a real Kitex server: the peer of the tests, which implements `tests/kitex/idl/interop.thrift`.

use bytes::Bytes;
use streamx::{Bidi, Message, Result, Sender, Streaming};

const HOW_TO: &str = "This program calls a Kitex server. To build one (with Go) and start it:

    cargo test -p streamx-tests --test kitex_alone
    tests/kitex/bin/kitex-server 127.0.0.1:8888

and then, while that runs:

    cargo run --example kitex -- 127.0.0.1:8888";

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Packet {
    #[field(1)]
    number: i64,
    #[field(2)]
    body: Bytes,
    #[field(3)]
    text: String,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Command {
    #[field(1)]
    what: String,
    #[field(2)]
    count: i64,
    #[field(3)]
    size: i64,
}

/// Those methods of the peer's service that are called here.
#[streamx::service(namespace = "interop")]
trait Interop {
    async fn ping(&self, packet: Packet) -> Result<Packet>;
    #[bidi]
    async fn echo(&self, stream: Bidi<Packet, Packet>) -> Result<()>;
    #[client_stream]
    async fn upload(&self, stream: Streaming<Packet>) -> Result<Packet>;
    #[server_stream]
    async fn download(&self, command: Command, stream: Sender<Packet>) -> Result<()>;
}

#[tokio::main]
async fn main() -> Result<()> {
    let Some(address) = std::env::args().nth(1) else {
        println!("{HOW_TO}");
        return Ok(());
    };
    let client = InteropClient::connect(&format!("ttheader://{address}")).await?;
    let packet = |number| Packet { number, text: "hello".to_owned(), body: Bytes::from_static(b"four") };

    println!("unary: {:?}", client.ping(packet(1)).await?);

    let mut stream = client.upload().await?;
    stream.send(packet(1)).await?;
    stream.send(packet(2)).await?;
    let sum = stream.close_and_recv().await?;
    println!("client stream: {sum:?}");
    assert_eq!(sum.number, 2, "packets that arrived");

    let mut stream = client.download(Command { count: 3, size: 4, ..Command::default() }).await?;
    for number in 0..3 {
        let packet = stream.recv().await?.unwrap_or_default();
        println!("server stream: {packet:?}");
        assert_eq!((packet.number, packet.body.len()), (number, 4));
    }
    assert_eq!(stream.recv().await?, None);

    let mut stream = client.echo().await?;
    stream.send(packet(3)).await?;
    println!("bidirectional: {:?}", stream.recv().await?);
    stream.close_send().await?;
    assert_eq!(stream.recv().await?, None);
    Ok(())
}
