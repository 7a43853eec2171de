//! Section 5: options and middleware, of a client of the server of section 3.

use std::sync::Mutex;

use super::messages::*;
use super::server::Echo;
use super::service::*;
use streamx::middleware::{AnyMessage, BoxFuture, Opening, StreamNext, UnaryNext};

static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn note(text: String) {
    SEEN.lock().unwrap().push(text);
}

fn log_streams(call: Opening, next: StreamNext<'_>) -> BoxFuture<'_, streamx::Result<()>> {
    Box::pin(async move {
        note(format!("opens {}", call.method()));
        next.run(call).await
    })
}

fn retry_budget<'a>(
    call: Opening,
    request: AnyMessage<'a>,
    next: UnaryNext<'a>,
) -> BoxFuture<'a, streamx::Result<AnyMessage<'static>>> {
    Box::pin(async move {
        note(format!("asks {}", call.method()));
        next.run(call, request).await
    })
}

fn audit(res: &Response) {
    note(format!("audits {}", res.message));
}

async fn program() -> streamx::Result<TestServiceClient> {
use std::time::Duration;

let channel = streamx::Channel::builder("ttheader://127.0.0.1:8888")
    .recv_timeout(Duration::from_secs(3))
    .connect_timeout(Duration::from_secs(1))
    .pool(streamx::Pool::mux(2))                              // or Pool::long(), Pool::short()
    .stream_middleware(log_streams)                           // around the opening of a stream
    .stream_send_middleware(|call, message, next| Box::pin(async move {   // around each message sent
        tracing::debug!(method = call.method(), "send");
        next.run(message).await
    }))
    .stream_recv_middleware(|_call, next| Box::pin(async move {           // around each recv, the end of the stream included
        let message = next.run().await?;                                  // Ok(None) is the end
        if let Some(res) = message.as_ref().and_then(|m| m.downcast_ref::<Response>()) { audit(res); }
        Ok(message)
    }))
    .unary_middleware(retry_budget)
    .connect()
    .await?;
let client = TestServiceClient::new(channel);

    Ok(client)
}

#[test]
fn the_program_of_options_and_middleware_runs() {
    super::client::with_the_server_program(async {
        let client = program().await?;
        let req = Request { message: "hello".into(), ..Request::default() };
        let mut stream = client.echo().await?;
        stream.send(&req).await?;
        stream.close_send().await?;
        while stream.recv().await?.is_some() {}
        client.ping_pong(req).await.map(drop)
    });
    let seen = SEEN.lock().unwrap().clone();
    assert_eq!(seen, ["opens Echo", "audits hello", "asks PingPong"]);
}

#[tokio::test]
async fn the_same_four_are_on_a_server() {
    let server = streamx::Server::builder()
        .stream_middleware(|call, next| Box::pin(async move { next.run(call).await }))
        .stream_send_middleware(|_call, message, next| Box::pin(async move { next.run(message).await }))
        .stream_recv_middleware(|_call, next| Box::pin(async move { next.run().await }))
        .unary_middleware(|call, request, next| Box::pin(async move { next.run(call, request).await }))
        .add_service(TestServiceServer::new(Echo));
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let url = format!("ttheader://{}", server.local_addr());
    tokio::spawn(server.serve());
    let client = TestServiceClient::connect(url).await.unwrap();
    let req = Request { message: "hello".into(), ..Request::default() };
    assert_eq!(client.ping_pong(req).await.unwrap().message, "hello");
}
