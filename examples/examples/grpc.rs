//! gRPC without a `.proto` file: every mode, a deadline, metadata, an error, and the file for clients in other languages.

use std::time::Duration;

use streamx::{Bidi, Code, Context, Error, Message, Result, Sender, Server, Streaming};

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Number {
    #[field(1)]
    value: i64,
}

#[streamx::service(namespace = "sums")]
trait Sums {
    async fn double(&self, ctx: Context, number: Number) -> Result<Number>;
    #[client_stream]
    async fn sum(&self, numbers: Streaming<Number>) -> Result<Number>;
    #[server_stream]
    async fn repeat(&self, number: Number, numbers: Sender<Number>) -> Result<()>;
    #[bidi]
    async fn echo(&self, numbers: Bidi<Number, Number>) -> Result<()>;
}

struct Calculator;

impl Sums for Calculator {
    async fn double(&self, ctx: Context, Number { value }: Number) -> Result<Number> {
        println!("user {:?}, deadline: {}", ctx.metadata().get("user"), ctx.deadline().is_some());
        match ctx.metadata().get("user") {
            Some("nobody") => std::future::pending().await,
            Some(_) => Ok(Number { value: 2 * value }),
            None => Err(Error::new(Code::PermissionDenied, "who is it?")),
        }
    }
    async fn sum(&self, mut numbers: Streaming<Number>) -> Result<Number> {
        let mut sum = Number::default();
        while let Some(number) = numbers.recv().await? {
            sum.value += number.value;
        }
        Ok(sum)
    }
    async fn repeat(&self, number: Number, mut numbers: Sender<Number>) -> Result<()> {
        numbers.send(number).await
    }
    async fn echo(&self, mut numbers: Bidi<Number, Number>) -> Result<()> {
        while let Some(number) = numbers.recv().await? {
            numbers.send(number).await?;
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let server = Server::builder().add_service(SumsServer::new(Calculator)).reflection();
    let server = server.bind("127.0.0.1:0").await?;
    let address = server.local_addr();
    tokio::spawn(server.serve());
    println!("{}", SumsServer::<Calculator>::proto_idl());
    // With reflection no tool needs that file:
    println!("grpcurl -plaintext -H 'user: Ann' -d '{{\"value\": 21}}' {address} sums.Sums/Double\n");

    let (client, number) = (SumsClient::connect(format!("grpc://{address}")).await?, Number { value: 21 });
    assert_eq!(client.double(number.clone()).metadata("user", "Ann").await?.value, 42);
    let error = client.double(number.clone()).await.unwrap_err();
    println!("{error}");
    assert_eq!((error.code(), error.grpc_status()), (Code::PermissionDenied, Some(7)));
    let late = client.double(number.clone()).metadata("user", "nobody").timeout(Duration::from_millis(50));
    assert!(late.await.unwrap_err().is_timeout());

    let mut sum = client.sum().await?;
    sum.send(&number).await?;
    assert_eq!(sum.close_and_recv().await?.value, 21);
    assert_eq!(client.repeat(number.clone()).await?.recv().await?, Some(number.clone()));
    let mut echo = client.echo().await?;
    echo.send(&number).await?;
    assert_eq!(echo.recv().await?, Some(number));
    echo.close_send().await
}
