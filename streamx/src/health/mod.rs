//! The health of a server and its services, as gRPC knows it: the service `grpc.health.v1.Health`.
//!
//! A [`HealthReporter`] holds a status for each name. The program sets them, and load balancers, `grpc_health_probe` and
//! Kubernetes ask for them. They are asked for in every protocol of the server.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> streamx::Result<()> {
//! use streamx::Server;
//! use streamx::health::{HealthCheckRequest, HealthClient, HealthReporter, ServingStatus};
//!
//! let health = HealthReporter::new();
//! health.set_not_serving("echo.TestService");
//! let server = Server::builder().add_service(health.service()).bind("127.0.0.1:0").await?;
//! let client = HealthClient::connect(format!("ttheader://{}", server.local_addr())).await?;
//! tokio::spawn(server.serve());
//!
//! let request = HealthCheckRequest { service: "echo.TestService".into() };
//! assert_eq!(client.check(request.clone()).await?.status, ServingStatus::NotServing);
//! let mut watch = client.watch(request).await?;
//! assert_eq!(watch.recv().await?.unwrap().status, ServingStatus::NotServing);
//! health.set_serving("echo.TestService");
//! assert_eq!(watch.recv().await?.unwrap().status, ServingStatus::Serving);
//! # Ok(())
//! # }
//! ```
//!
//! The guide is [`guide::health`](crate::guide::health).

#![allow(clippy::exhaustive_structs, clippy::exhaustive_enums, reason = "they are what `health.proto` says")]

mod reporter;

pub use reporter::HealthReporter;

use std::collections::BTreeMap;

use crate::{Message, Result, Sender};

/// `grpc.health.v1.Health`, for [`HealthClient`]. A server has it from a [`HealthReporter`].
#[crate::service(crate = crate, namespace = "grpc.health.v1")]
pub trait Health {
    /// The status of a service now. Fails with [`Code::NotFound`](crate::Code::NotFound) for one that is not known.
    async fn check(&self, request: HealthCheckRequest) -> Result<HealthCheckResponse>;

    /// The status of every service that is known. Fails with
    /// [`Code::ResourceExhausted`](crate::Code::ResourceExhausted) when there are more than 100.
    async fn list(&self, request: HealthListRequest) -> Result<HealthListResponse>;

    /// The status of a service now and whenever it is another one, [`ServingStatus::ServiceUnknown`] while it is not
    /// known. Of changes that follow each other fast only the last may be seen.
    #[server_stream]
    async fn watch(&self, request: HealthCheckRequest, stream: Sender<HealthCheckResponse>) -> Result<()>;
}

/// Asks for the status of a service.
#[derive(Message, Clone, Debug, Default, PartialEq, Eq, Hash)]
#[message(crate = crate)]
pub struct HealthCheckRequest {
    /// The full name of the service, like `echo.TestService`; empty for the server as a whole.
    #[field(1)]
    pub service: String,
}

/// The status of a service.
#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[message(crate = crate)]
pub struct HealthCheckResponse {
    /// The status.
    #[field(1)]
    pub status: ServingStatus,
}

/// Asks for the status of every service.
#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[message(crate = crate)]
pub struct HealthListRequest {}

/// The status of every service.
#[derive(Message, Clone, Debug, Default, PartialEq, Eq)]
#[message(crate = crate)]
pub struct HealthListResponse {
    /// By name.
    #[field(1)]
    pub statuses: BTreeMap<String, HealthCheckResponse>,
}

/// Whether a service can be called.
#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[message(crate = crate)]
pub enum ServingStatus {
    /// Nobody knows.
    #[default]
    Unknown = 0,
    /// It can.
    Serving = 1,
    /// It cannot.
    NotServing = 2,
    /// The server does not know the service; only [`watch`](HealthClient::watch) says so.
    ServiceUnknown = 3,
}
