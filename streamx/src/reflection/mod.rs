//! The services of a server as the server tells them to whoever asks: `grpc.reflection.v1.ServerReflection`.
//!
//! With [`reflection`](crate::server::ServerBuilder::reflection) on the builder, `grpcurl` and the like list, describe and
//! call every service of a server without a `.proto` file:
//!
//! ```
//! # #[derive(streamx::Message, Clone, Debug, Default)]
//! # struct Line { #[field(1)] text: String }
//! # #[streamx::service(namespace = "echo")]
//! # trait Echo { async fn echo(&self, line: Line) -> streamx::Result<Line>; }
//! # struct Parrot;
//! # impl Echo for Parrot { async fn echo(&self, line: Line) -> streamx::Result<Line> { Ok(line) } }
//! # #[tokio::main]
//! # async fn main() -> streamx::Result<()> {
//! use streamx::Server;
//! use streamx::reflection::{MessageRequest, MessageResponse, ServerReflectionClient, ServerReflectionRequest};
//!
//! let server = Server::builder().add_service(EchoServer::new(Parrot)).reflection().bind("127.0.0.1:0").await?;
//! let client = ServerReflectionClient::connect(format!("ttheader://{}", server.local_addr())).await?;
//! tokio::spawn(server.serve());
//!
//! let mut stream = client.server_reflection_info().await?;
//! stream.send(ServerReflectionRequest::from(MessageRequest::ListServices(String::new()))).await?;
//! let Some(MessageResponse::ListServicesResponse(list)) = stream.recv().await?.unwrap().message_response else { panic!() };
//! assert_eq!(list.service[0].name, "echo.Echo");
//! # Ok(())
//! # }
//! ```
//!
//! What is told is what `proto_idl()` prints, in one file for all services of a namespace. Only where two of them have
//! different types of one name there are two files; a service for which there is no `.proto` file is listed, and asked for
//! it the server says why there is none. The files of Google that define the [well-known types](crate::well_known), and
//! those of health and reflection, are told as they are published.

#![allow(
    clippy::exhaustive_structs,
    clippy::exhaustive_enums,
    reason = "they are what `reflection.proto` says"
)]

mod answers;
mod descriptor;
mod files;

use bytes::Bytes;

use self::answers::Answers;
use self::files::Files;
use crate::server::ServerBuilder;
use crate::{Bidi, Message, Result, Service};

/// `grpc.reflection.v1.ServerReflection`, for [`ServerReflectionClient`]. A server has it from
/// [`reflection`](crate::server::ServerBuilder::reflection).
#[crate::service(crate = crate, namespace = "grpc.reflection.v1")]
pub trait ServerReflection {
    /// Answers each question in turn.
    #[bidi]
    async fn server_reflection_info(
        &self,
        stream: Bidi<ServerReflectionRequest, ServerReflectionResponse>,
    ) -> Result<()>;
}

impl ServerBuilder {
    /// Tells whoever asks what the services of this server are, those that are added later included: see the module
    /// [`reflection`](crate::reflection). Adds `grpc.reflection.v1.ServerReflection`, and the same under its older name
    /// `grpc.reflection.v1alpha.ServerReflection`, which is for gRPC only.
    ///
    /// Whoever reaches the port reads all names, and the numbers and types of all fields; documentation is not told.
    #[must_use]
    pub fn reflection(self) -> Self {
        self.describe(services)
    }
}

/// The namespace of the older version, which differs in nothing else.
const V1ALPHA: &str = "grpc.reflection.v1alpha";

/// The services that describe these and themselves.
fn services(others: &[Service]) -> Vec<Service> {
    let describing = |files: Files| {
        let server = ServerReflectionServer::new(Answers(files.into()));
        let v1 = Service::from(server);
        [v1.clone(), v1.in_namespace(V1ALPHA)].map(Service::only_by_full_name)
    };
    let themselves = describing(Files::default());
    let schemas: Vec<_> = others.iter().chain(&themselves).map(|service| service.schema).collect();
    describing(Files::of(&schemas)).into()
}

/// A question.
#[derive(Message, Clone, Debug, Default, PartialEq, Eq)]
#[message(crate = crate)]
pub struct ServerReflectionRequest {
    /// The host that is asked. Nothing depends on it.
    #[field(1)]
    pub host: String,
    /// What is asked.
    #[field(2, proto = "oneof")]
    pub message_request: Option<MessageRequest>,
}

/// What is asked.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
#[message(crate = crate)]
pub enum MessageRequest {
    /// The file of this name.
    #[field(3)]
    FileByFilename(String),
    /// The file that defines the service, the method, the message or the enum of this full name, like
    /// `echo.TestService.PingPong`.
    #[field(4)]
    FileContainingSymbol(String),
    /// The file that defines an extension. There are none.
    #[field(5)]
    FileContainingExtension(ExtensionRequest),
    /// The numbers of all extensions of this message. There are none.
    #[field(6)]
    AllExtensionNumbersOfType(String),
    /// The names of all services. The text says nothing.
    #[field(7)]
    ListServices(String),
}

impl From<MessageRequest> for ServerReflectionRequest {
    /// The question, of no host in particular.
    fn from(request: MessageRequest) -> Self {
        Self { host: String::new(), message_request: Some(request) }
    }
}

/// Names an extension.
#[derive(Message, Clone, Debug, Default, PartialEq, Eq)]
#[message(crate = crate)]
pub struct ExtensionRequest {
    /// The full name of the message that is extended.
    #[field(1)]
    pub containing_type: String,
    /// The number.
    #[field(2)]
    pub extension_number: i32,
}

/// An answer.
#[derive(Message, Clone, Debug, Default, PartialEq, Eq)]
#[message(crate = crate)]
pub struct ServerReflectionResponse {
    /// The host of the question.
    #[field(1)]
    pub valid_host: String,
    /// The question.
    #[field(2)]
    pub original_request: Option<ServerReflectionRequest>,
    /// What is answered.
    #[field(3, proto = "oneof")]
    pub message_response: Option<MessageResponse>,
}

/// What is answered.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
#[message(crate = crate)]
pub enum MessageResponse {
    /// To the questions for a file.
    #[field(4)]
    FileDescriptorResponse(FileDescriptorResponse),
    /// To the question for the numbers of extensions.
    #[field(5)]
    AllExtensionNumbersResponse(ExtensionNumberResponse),
    /// To the question for the services.
    #[field(6)]
    ListServicesResponse(ListServiceResponse),
    /// There is no such thing. The stream goes on.
    #[field(7)]
    ErrorResponse(ErrorResponse),
}

/// Files.
#[derive(Message, Clone, Debug, Default, PartialEq, Eq)]
#[message(crate = crate)]
pub struct FileDescriptorResponse {
    /// Each as a `google.protobuf.FileDescriptorProto`: first the one that was asked for, then those it imports, as far as
    /// they were not sent before on the same stream.
    #[field(1)]
    pub file_descriptor_proto: Vec<Bytes>,
}

/// The numbers of extensions.
#[derive(Message, Clone, Debug, Default, PartialEq, Eq)]
#[message(crate = crate)]
pub struct ExtensionNumberResponse {
    /// The full name of the message.
    #[field(1)]
    pub base_type_name: String,
    /// The numbers.
    #[field(2)]
    pub extension_number: Vec<i32>,
}

/// Services.
#[derive(Message, Clone, Debug, Default, PartialEq, Eq)]
#[message(crate = crate)]
pub struct ListServiceResponse {
    /// By name.
    #[field(1)]
    pub service: Vec<ServiceResponse>,
}

/// A service.
#[derive(Message, Clone, Debug, Default, PartialEq, Eq)]
#[message(crate = crate)]
pub struct ServiceResponse {
    /// Its full name.
    #[field(1)]
    pub name: String,
}

/// Why there is no answer.
#[derive(Message, Clone, Debug, Default, PartialEq, Eq)]
#[message(crate = crate)]
pub struct ErrorResponse {
    /// The gRPC code: 5 (`NotFound`).
    #[field(1)]
    pub error_code: i32,
    /// The reason.
    #[field(2)]
    pub error_message: String,
}
