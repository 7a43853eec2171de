//! A server says how it is to whoever asks and whoever watches, and what its services are.

use streamx::health::{HealthCheckRequest, HealthClient, HealthReporter, ServingStatus};
use streamx::reflection::{MessageRequest, MessageResponse, ServerReflectionClient, ServerReflectionRequest};
use streamx::{Channel, Code, Message, Result, Server};

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Line {
    #[field(1)]
    text: String,
}

#[streamx::service(namespace = "echo")]
trait Echo {
    async fn echo(&self, line: Line) -> Result<Line>;
}

struct Parrot;

impl Echo for Parrot {
    async fn echo(&self, line: Line) -> Result<Line> {
        Ok(line)
    }
}

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

#[tokio::main]
async fn main() -> Result<()> {
    let health = HealthReporter::new();
    let server = Server::builder()
        .add_service(EchoServer::new(Parrot))
        .add_service(health.service())
        .reflection()
        .bind("127.0.0.1:0")
        .await?;
    let channel = Channel::connect(format!("grpc://{}", server.local_addr())).await?;
    let shutdown = server.shutdown_handle();
    let serving = tokio::spawn(server.serve());

    // The server as a whole is serving from the start; nothing is known of its services.
    let client = HealthClient::new(channel.clone());
    assert_eq!(client.check(of("")).await?.status, ServingStatus::Serving);
    assert_eq!(client.check(of("echo.Echo")).await.unwrap_err().code(), Code::NotFound);

    // Whoever watches is told of each change.
    let mut watch = client.watch(of("echo.Echo")).await?;
    println!("{:?}", watch.recv().await?);
    health.set_serving("echo.Echo");
    let status = watch.recv().await?.map(|response| response.status);
    println!("{status:?}");
    assert_eq!(status, Some(ServingStatus::Serving));

    // Reflection lists what there is.
    let mut questions = ServerReflectionClient::new(channel).server_reflection_info().await?;
    let question = MessageRequest::ListServices(String::new());
    questions.send(ServerReflectionRequest::from(question)).await?;
    let answer = questions.recv().await?.and_then(|answer| answer.message_response);
    let Some(MessageResponse::ListServicesResponse(list)) = answer else { panic!("no list: {answer:?}") };
    list.service.iter().for_each(|service| println!("{}", service.name));
    assert_eq!((list.service.len(), &*list.service[0].name), (4, "echo.Echo"));
    questions.close_send().await?;

    // The end of the server is a change, too.
    shutdown.drain();
    let status = watch.recv().await?.map(|response| response.status);
    println!("{status:?}");
    assert_eq!(status, Some(ServingStatus::NotServing));
    serving.await.map_err(streamx::Error::other)?
}
