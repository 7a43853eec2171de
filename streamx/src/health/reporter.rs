//! What the program says of its health, and what clients read of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use super::{
    Health, HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse, HealthServer,
    ServingStatus,
};
use crate::{Code, Error, Result, Sender, Service};

/// The longest name that is watched: the one thing of a client that is kept while it watches.
const LONGEST_NAME: usize = 1024;

/// How many services are listed, as `health.proto` has it.
const LONGEST_LIST: usize = 100;

/// Says how the services of a server are. Cheap to clone; all clones say the same.
///
/// A name is whatever the program and those who ask agree on. By custom it is the full name of a service, its namespace
/// and its name, like `echo.TestService`; the empty name is the server as a whole, and is serving from the start.
///
/// # Dropping
///
/// Changes nothing.
#[derive(Clone)]
pub struct HealthReporter(Arc<watch::Sender<State>>);

struct State {
    statuses: BTreeMap<String, ServingStatus>,
    /// Whether every service is not serving, whatever is set.
    shut_down: bool,
    /// Whether those who watch are to leave.
    draining: bool,
}

impl HealthReporter {
    /// One that knows the server as a whole, which is serving.
    pub fn new() -> Self {
        let statuses = BTreeMap::from([(String::new(), ServingStatus::Serving)]);
        Self(Arc::new(watch::Sender::new(State { statuses, shut_down: false, draining: false })))
    }

    /// The service that answers with these statuses, for [`add_service`](crate::server::ServerBuilder::add_service).
    ///
    /// When its server is shut down this reporter is, too, and streams of `Watch` end after that, so that none of them
    /// holds up the end of the server.
    pub fn service(&self) -> Service {
        let reporter = self.clone();
        let service = Service::from(HealthServer::new(Answers(self.clone()))).only_by_full_name();
        service.on_drain(move || reporter.drain())
    }

    /// The service can be called.
    pub fn set_serving(&self, service: impl Into<String>) {
        self.set_status(service, ServingStatus::Serving);
    }

    /// The service cannot be called.
    pub fn set_not_serving(&self, service: impl Into<String>) {
        self.set_status(service, ServingStatus::NotServing);
    }

    /// The service has this status. Does nothing after a [`shutdown`](Self::shutdown).
    pub fn set_status(&self, service: impl Into<String>, status: ServingStatus) {
        let service = service.into();
        self.change(|state| {
            let known = state.statuses.get(&service) == Some(&status);
            if state.shut_down || known {
                return false;
            }
            state.statuses.insert(service, status);
            true
        });
    }

    /// Forgets a service: it is unknown then, as it was before its status was set.
    pub fn clear_status(&self, service: &str) {
        self.change(|state| state.statuses.remove(service).is_some());
    }

    /// The status of a service; none for one that is not known.
    pub fn status(&self, service: &str) -> Option<ServingStatus> {
        self.0.borrow().statuses.get(service).copied()
    }

    /// No service is serving from now on, whatever is set, until [`resume`](Self::resume): for a server that is about to
    /// end, so that its clients go elsewhere before it does.
    pub fn shutdown(&self) {
        self.change(|state| state.put_all(ServingStatus::NotServing, true));
    }

    /// Takes back a [`shutdown`](Self::shutdown): every service that is known is serving.
    pub fn resume(&self) {
        self.change(|state| {
            state.draining = false;
            state.put_all(ServingStatus::Serving, false)
        });
    }

    fn drain(&self) {
        self.change(|state| {
            state.draining = true;
            state.put_all(ServingStatus::NotServing, true)
        });
    }

    fn change(&self, change: impl FnOnce(&mut State) -> bool) {
        self.0.send_if_modified(change);
    }
}

impl Default for HealthReporter {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for HealthReporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HealthReporter").field(&self.0.borrow().statuses).finish()
    }
}

impl State {
    fn put_all(&mut self, status: ServingStatus, shut_down: bool) -> bool {
        self.shut_down = shut_down;
        self.statuses.values_mut().for_each(|each| *each = status);
        true
    }
}

/// The service. It does what that of grpc-go does (`health/server.go`), which ends no stream when its server ends.
struct Answers(HealthReporter);

impl Health for Answers {
    async fn check(&self, request: HealthCheckRequest) -> Result<HealthCheckResponse> {
        let status = self.0.status(&request.service);
        let unknown = || Error::new(Code::NotFound, "nothing is known of the health of this service");
        status.map(|status| HealthCheckResponse { status }).ok_or_else(unknown)
    }

    async fn list(&self, _request: HealthListRequest) -> Result<HealthListResponse> {
        let state = self.0.0.borrow();
        if state.statuses.len() > LONGEST_LIST {
            let text = format!("more than {LONGEST_LIST} services are not listed: ask for each");
            return Err(Error::new(Code::ResourceExhausted, text));
        }
        let status = |(name, &status): (&String, &_)| (name.clone(), HealthCheckResponse { status });
        Ok(HealthListResponse { statuses: state.statuses.iter().map(status).collect() })
    }

    async fn watch(
        &self,
        request: HealthCheckRequest,
        mut stream: Sender<HealthCheckResponse>,
    ) -> Result<()> {
        let name = request.service;
        if name.len() > LONGEST_NAME {
            let text = format!("the name of a service has at most {LONGEST_NAME} bytes");
            return Err(Error::new(Code::InvalidArgument, text));
        }
        let mut changes = self.0.0.subscribe();
        let mut last = None;
        loop {
            let (status, draining) = {
                let state = changes.borrow_and_update();
                let status = state.statuses.get(&name).copied();
                (status.unwrap_or(ServingStatus::ServiceUnknown), state.draining)
            };
            if last.replace(status) != Some(status) {
                stream.send(HealthCheckResponse { status }).await?;
            }
            // The reporter is here, so there is always somebody who can change something.
            if draining || changes.changed().await.is_err() {
                return Err(Error::new(Code::Unavailable, "the server is shutting down").retryable());
            }
        }
    }
}
