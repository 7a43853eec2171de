//! A file in parts over a client stream, answered once; and one that is refused half-way.

use bytes::Bytes;
use streamx::{Code, Error, Message, Result, Server, Streaming};

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Part {
    /// A slice of the receive buffer: nothing is copied.
    #[field(1)]
    bytes: Bytes,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Receipt {
    #[field(1)]
    parts: i32,
    #[field(2)]
    bytes: i64,
}

#[streamx::service(namespace = "files")]
trait Files {
    #[client_stream]
    async fn upload(&self, parts: Streaming<Part>) -> Result<Receipt>;
}

struct Store {
    quota: i64,
}

impl Files for Store {
    async fn upload(&self, mut parts: Streaming<Part>) -> Result<Receipt> {
        let mut receipt = Receipt::default();
        while let Some(part) = parts.recv().await? {
            receipt.parts += 1;
            receipt.bytes += i64::try_from(part.bytes.len()).map_err(Error::other)?;
            if receipt.bytes > self.quota {
                let text = format!("a file may have {} bytes", self.quota);
                return Err(Error::new(Code::ResourceExhausted, text));
            }
        }
        Ok(receipt)
    }
}

async fn upload(client: &FilesClient, parts: usize) -> Result<Receipt> {
    let part = Part { bytes: Bytes::from(vec![7; 64 << 10]) };
    let mut stream = client.upload().await?;
    for _ in 0..parts {
        if let Err(error) = stream.send(&part).await {
            // The server has ended the call: why, is what `close_and_recv` returns.
            assert!(error.is_closed());
            break;
        }
    }
    stream.close_and_recv().await
}

#[tokio::main]
async fn main() -> Result<()> {
    let store = FilesServer::new(Store { quota: 1 << 20 });
    let server = Server::builder().add_service(store).bind("127.0.0.1:0").await?;
    let client = FilesClient::connect(&format!("ttheader://{}", server.local_addr())).await?;
    tokio::spawn(server.serve());

    let receipt = upload(&client, 16).await?;
    println!("16 parts: {receipt:?}");
    assert_eq!(receipt, Receipt { parts: 16, bytes: 1 << 20 });

    let error = upload(&client, 1000).await.expect_err("it is larger than the quota");
    println!("1000 parts: {error}");
    assert_eq!(error.code(), Code::ResourceExhausted);
    Ok(())
}
