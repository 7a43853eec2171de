//! Services that share their bare name, on one server: their namespaces tell them apart.

use std::collections::BTreeSet;

use streamx::health::{HealthCheckRequest, HealthClient, HealthReporter, ServingStatus};
use streamx::reflection::{MessageRequest, MessageResponse, ServerReflectionClient, ServerReflectionRequest};
use streamx::{Channel, Code, Error, Message, Result, Sender, Server};
use streamx_tests::rig::soon;

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Line {
    #[field(1)]
    text: String,
}

fn line(text: &str) -> Line {
    Line { text: text.to_owned() }
}

/// A service `Echo` in a namespace, or in none, and a method that no other one has.
macro_rules! echo {
    ($module:ident, ($($namespace:tt)*), $own:ident) => {
        mod $module {
            use super::*;

            #[streamx::service($($namespace)*)]
            pub(super) trait Echo {
                async fn say(&self, line: Line) -> Result<Line>;

                #[server_stream]
                async fn tell(&self, line: Line, stream: Sender<Line>) -> Result<()>;

                async fn $own(&self, line: Line) -> Result<Line>;
            }

            pub(super) struct Parrot;

            impl Echo for Parrot {
                async fn say(&self, said: Line) -> Result<Line> {
                    Ok(line(&format!("{} in {}", said.text, stringify!($module))))
                }

                async fn tell(&self, said: Line, mut stream: Sender<Line>) -> Result<()> {
                    stream.send(self.say(said).await?).await
                }

                async fn $own(&self, line: Line) -> Result<Line> {
                    self.say(line).await
                }
            }

            /// What both kinds of calls bring back.
            pub(super) async fn answers(channel: &Channel) -> Result<[Line; 2]> {
                let client = EchoClient::new(channel.clone());
                let answer = soon(client.say(line("hi"))).await?;
                let mut stream = client.tell(line("hi")).await?;
                Ok([answer, soon(stream.recv()).await?.unwrap_or_default()])
            }
        }
    };
}

echo!(v1, (namespace = "echo.v1"), shout);
echo!(v2, (namespace = "echo.v2"), sing);
echo!(v3, (namespace = "echo.v3"), whisper);
echo!(nowhere, (), mumble);

fn versions() -> streamx::server::ServerBuilder {
    Server::builder()
        .add_service(v1::EchoServer::new(v1::Parrot))
        .add_service(v2::EchoServer::new(v2::Parrot))
}

async fn channel(scheme: &str, server: streamx::server::ServerBuilder) -> Channel {
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let channel = Channel::connect(format!("{scheme}://{}", server.local_addr())).await.unwrap();
    tokio::spawn(server.serve());
    channel
}

fn both(text: &str) -> [Line; 2] {
    [line(text), line(text)]
}

#[tokio::test]
async fn both_versions_of_a_service_are_reached_wherever_a_call_says_which() {
    for scheme in ["ttheader", "grpc", "grpc+thrift"] {
        let channel = channel(scheme, versions()).await;
        assert_eq!(v1::answers(&channel).await.unwrap(), both("hi in v1"), "{scheme}");
        assert_eq!(v2::answers(&channel).await.unwrap(), both("hi in v2"), "{scheme}");
    }
    let inside = versions().in_process().connect().await.unwrap();
    assert_eq!(v1::answers(&inside).await.unwrap(), both("hi in v1"));
    assert_eq!(v2::answers(&inside).await.unwrap(), both("hi in v2"));
}

/// Framed and Buffered messages name the method only.
#[tokio::test]
async fn without_the_name_of_a_service_the_first_that_has_the_method_is_called() {
    for scheme in ["framed", "buffered"] {
        let channel = channel(scheme, versions()).await;
        let (first, second) = (v1::EchoClient::new(channel.clone()), v2::EchoClient::new(channel));
        assert_eq!(soon(first.say(line("hi"))).await.unwrap(), line("hi in v1"), "{scheme}");
        assert_eq!(soon(second.say(line("hi"))).await.unwrap(), line("hi in v1"), "{scheme}");
        assert_eq!(soon(second.sing(line("hi"))).await.unwrap(), line("hi in v2"), "{scheme}");
    }
}

/// As a Kitex client, which has no place for a namespace in a TTHeader.
#[tokio::test]
async fn a_bare_name_that_two_services_have_is_refused_with_both_names() {
    let channel = channel("ttheader", versions()).await;
    let client = nowhere::EchoClient::new(channel);
    let mut stream = client.tell(line("hi")).await.unwrap();
    let refused = [
        ("Echo.Say", soon(client.say(line("hi"))).await.unwrap_err()),
        ("Echo.Tell", soon(stream.recv()).await.unwrap_err()),
    ];
    for (method, error) in refused {
        assert_eq!((error.code(), error.is_retryable()), (Code::Unimplemented, true));
        assert_eq!(
            error.to_string(),
            format!(
                "{method}: the call of {method} may be for one of echo.v1.Echo, echo.v2.Echo: nothing in it says \
                 for which; calls over gRPC with the whole namespace as their package do, and those of streamx clients \
                 over TTHeader"
            )
        );
    }
}

#[tokio::test]
async fn grpc_does_not_know_a_service_in_another_package() {
    let channel = channel("grpc", versions()).await;
    let elsewhere = v3::answers(&channel).await.unwrap_err();
    let without = nowhere::answers(&channel).await.unwrap_err();
    assert_eq!((elsewhere.code(), without.code()), (Code::Unimplemented, Code::Unimplemented));
    assert_eq!(
        elsewhere.to_string(),
        "Echo.Say: unknown service echo.v3.Echo, method Say; this server has echo.v1.Echo, echo.v2.Echo; the package is \
         part of the name"
    );
    let text = without.to_string();
    assert!(
        text.contains("may be for one of echo.v1.Echo, echo.v2.Echo: nothing in it says for which"),
        "{text}"
    );
}

#[tokio::test]
async fn a_service_without_a_namespace_answers_calls_for_any_that_nobody_else_has() {
    for scheme in ["ttheader", "grpc", "grpc+thrift"] {
        let server = versions().add_service(nowhere::EchoServer::new(nowhere::Parrot));
        let channel = channel(scheme, server).await;
        assert_eq!(nowhere::answers(&channel).await.unwrap(), both("hi in nowhere"), "{scheme}");
        assert_eq!(v3::answers(&channel).await.unwrap(), both("hi in nowhere"), "{scheme}");
        assert_eq!(v2::answers(&channel).await.unwrap(), both("hi in v2"), "{scheme}");
    }
}

#[tokio::test]
async fn one_full_name_is_taken_once() {
    let other = versions().add_service(v3::EchoServer::new(v3::Parrot));
    let twice = other.add_service(v2::EchoServer::new(v2::Parrot));
    let error: Error = twice.bind("127.0.0.1:0").await.err().unwrap();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(
        error.to_string(),
        "two services are called echo.v2.Echo, number 2 and number 4 in the order they were added; give one of them \
         another name or another namespace"
    );
}

/// Its messages are others than those of gRPC's service.
mod clinic {
    use super::*;

    #[streamx::service(namespace = "clinic")]
    pub(super) trait Health {
        async fn check(&self, patient: Line) -> Result<i64>;
    }

    pub(super) struct Doctor;

    impl Health for Doctor {
        async fn check(&self, _patient: Line) -> Result<i64> {
            Ok(37)
        }
    }
}

#[tokio::test]
async fn a_service_of_ones_own_may_be_called_health() {
    for scheme in ["ttheader", "grpc", "grpc+thrift"] {
        let reporter = HealthReporter::new();
        for name in ["clinic.Health", "echo.v1.Echo"] {
            reporter.set_serving(name);
        }
        let server = versions().add_service(clinic::HealthServer::new(clinic::Doctor));
        let channel = channel(scheme, server.add_service(reporter.service()).reflection()).await;
        let theirs = HealthClient::new(channel.clone());
        let request = HealthCheckRequest { service: "clinic.Health".to_owned() };
        assert_eq!(soon(theirs.check(request)).await.unwrap().status, ServingStatus::Serving, "{scheme}");
        let names: Vec<_> = theirs.list(Default::default()).await.unwrap().statuses.into_keys().collect();
        assert_eq!(names, ["", "clinic.Health", "echo.v1.Echo"]);
        let ours = clinic::HealthClient::new(channel.clone());
        assert_eq!(soon(ours.check(line("me"))).await.unwrap(), 37, "{scheme}");
        assert_eq!(listed(channel).await, LISTED.map(str::to_owned).into(), "{scheme}");
    }
}

const LISTED: [&str; 6] = [
    "clinic.Health",
    "echo.v1.Echo",
    "echo.v2.Echo",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

/// What a server says it has.
async fn listed(channel: Channel) -> BTreeSet<String> {
    let mut stream = ServerReflectionClient::new(channel).server_reflection_info().await.unwrap();
    let question = MessageRequest::ListServices(String::new());
    stream.send(ServerReflectionRequest::from(question)).await.unwrap();
    match soon(stream.recv()).await.unwrap().unwrap().message_response {
        Some(MessageResponse::ListServicesResponse(list)) => {
            list.service.into_iter().map(|service| service.name).collect()
        }
        other => panic!("{other:?}"),
    }
}
