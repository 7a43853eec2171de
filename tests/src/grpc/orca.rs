//! Reports of a server's load, as `xds.data.orca.v3` and `xds.service.orca.v3` define them: with the end of a call, or on a
//! stream of their own.

#![allow(
    clippy::exhaustive_structs,
    missing_docs,
    reason = "messages of a test: written out in literals by every test"
)]

use std::collections::BTreeMap;

use streamx::well_known::Duration;
use streamx::{Message, Result, Sender};

use super::Handlers;
use super::test_service::TestOrcaReport;

/// The trailer with the report of one call.
pub const PER_CALL: &str = "endpoint-load-metrics-bin";

/// Without the rates, which no case asks for.
#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct OrcaLoadReport {
    #[field(1)]
    pub cpu_utilization: f64,
    #[field(2)]
    pub mem_utilization: f64,
    #[field(4)]
    pub request_cost: BTreeMap<String, f64>,
    #[field(5)]
    pub utilization: BTreeMap<String, f64>,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct OrcaLoadReportRequest {
    #[field(1)]
    pub report_interval: Option<Duration>,
    #[field(2)]
    pub request_cost_names: Vec<String>,
}

#[streamx::service(namespace = "xds.service.orca.v3")]
pub trait OpenRcaService {
    /// Sends reports until the caller has enough.
    #[server_stream]
    async fn stream_core_metrics(
        &self,
        request: OrcaLoadReportRequest,
        stream: Sender<OrcaLoadReport>,
    ) -> Result<()>;
}

impl OpenRcaService for Handlers {
    /// A report for each change of the load, at once, in place of one for each interval.
    async fn stream_core_metrics(
        &self,
        _: OrcaLoadReportRequest,
        mut stream: Sender<OrcaLoadReport>,
    ) -> Result<()> {
        let mut load = self.load.subscribe();
        loop {
            let report = load.borrow_and_update().clone();
            stream.send(report).await?;
            if load.changed().await.is_err() {
                return Ok(());
            }
        }
    }
}

impl From<TestOrcaReport> for OrcaLoadReport {
    fn from(wanted: TestOrcaReport) -> Self {
        let TestOrcaReport { cpu_utilization, memory_utilization, request_cost, utilization } = wanted;
        Self { cpu_utilization, mem_utilization: memory_utilization, request_cost, utilization }
    }
}
