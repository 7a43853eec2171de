//! `grpc.testing.TestService` as a trait: the names and numbers are those of `messages.proto` and `test.proto` in the sources
//! of gRPC.

#![allow(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    missing_docs,
    reason = "messages of a test: written out in literals by every test"
)]

use std::collections::BTreeMap;

use bytes::Bytes;
use streamx::{Bidi, Context, Message, Result, Sender, Streaming};

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Empty {}

#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
pub enum PayloadType {
    #[default]
    Compressable = 0,
    #[other]
    Unknown(i32),
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct BoolValue {
    #[field(1)]
    pub value: bool,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Payload {
    #[field(1, rename = "type")]
    pub kind: PayloadType,
    #[field(2)]
    pub body: Bytes,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct EchoStatus {
    #[field(1)]
    pub code: i32,
    #[field(2)]
    pub message: String,
}

/// What a server is to report of its load, after the call or from then on.
#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct TestOrcaReport {
    #[field(1)]
    pub cpu_utilization: f64,
    #[field(2)]
    pub memory_utilization: f64,
    #[field(3)]
    pub request_cost: BTreeMap<String, f64>,
    #[field(4)]
    pub utilization: BTreeMap<String, f64>,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct SimpleRequest {
    #[field(1)]
    pub response_type: PayloadType,
    #[field(2)]
    pub response_size: i32,
    #[field(3)]
    pub payload: Option<Payload>,
    #[field(4)]
    pub fill_username: bool,
    #[field(5)]
    pub fill_oauth_scope: bool,
    #[field(6)]
    pub response_compressed: Option<BoolValue>,
    #[field(7)]
    pub response_status: Option<EchoStatus>,
    #[field(8)]
    pub expect_compressed: Option<BoolValue>,
    #[field(9)]
    pub fill_server_id: bool,
    #[field(11)]
    pub orca_per_query_report: Option<TestOrcaReport>,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct SimpleResponse {
    #[field(1)]
    pub payload: Option<Payload>,
    #[field(2)]
    pub username: String,
    #[field(3)]
    pub oauth_scope: String,
    #[field(4)]
    pub server_id: String,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct StreamingInputCallRequest {
    #[field(1)]
    pub payload: Option<Payload>,
    #[field(2)]
    pub expect_compressed: Option<BoolValue>,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct StreamingInputCallResponse {
    #[field(1)]
    pub aggregated_payload_size: i32,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct ResponseParameters {
    #[field(1)]
    pub size: i32,
    #[field(2)]
    pub interval_us: i32,
    #[field(3)]
    pub compressed: Option<BoolValue>,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct StreamingOutputCallRequest {
    #[field(1)]
    pub response_type: PayloadType,
    #[field(2)]
    pub response_parameters: Vec<ResponseParameters>,
    #[field(3)]
    pub payload: Option<Payload>,
    #[field(7)]
    pub response_status: Option<EchoStatus>,
    #[field(8)]
    pub orca_oob_report: Option<TestOrcaReport>,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct StreamingOutputCallResponse {
    #[field(1)]
    pub payload: Option<Payload>,
}

/// Every mode of a call. Two headers of the caller come back, `x-grpc-test-echo-initial` as a header and
/// `x-grpc-test-echo-trailing-bin` as a trailer, and a status that a request asks for is how the call ends.
///
/// Without `CacheableUnaryCall`, which is for a proxy between the two and has no case that does without one.
#[streamx::service(namespace = "grpc.testing")]
pub trait TestService {
    async fn empty_call(&self, empty: Empty) -> Result<Empty>;

    /// Answers with a payload of `response_size` zeros.
    async fn unary_call(&self, ctx: Context, request: SimpleRequest) -> Result<SimpleResponse>;

    /// Sends a payload for each of the `response_parameters`.
    #[server_stream]
    async fn streaming_output_call(
        &self,
        request: StreamingOutputCallRequest,
        stream: Sender<StreamingOutputCallResponse>,
    ) -> Result<()>;

    /// Answers with the size of all payloads.
    #[client_stream]
    async fn streaming_input_call(
        &self,
        stream: Streaming<StreamingInputCallRequest>,
    ) -> Result<StreamingInputCallResponse>;

    /// Does what `StreamingOutputCall` does for every request, at once.
    #[bidi]
    async fn full_duplex_call(
        &self,
        ctx: Context,
        stream: Bidi<StreamingOutputCallRequest, StreamingOutputCallResponse>,
    ) -> Result<()>;

    /// Does what `StreamingOutputCall` does for every request, once all are there.
    #[bidi]
    async fn half_duplex_call(
        &self,
        stream: Bidi<StreamingOutputCallRequest, StreamingOutputCallResponse>,
    ) -> Result<()>;
}

/// A method that the servers of `TestService` have not.
#[streamx::service(name = "TestService", namespace = "grpc.testing")]
pub trait UnimplementedMethod {
    async fn unimplemented_call(&self, empty: Empty) -> Result<Empty>;
}

/// A service that the servers of `TestService` have not.
#[streamx::service(namespace = "grpc.testing")]
pub trait UnimplementedService {
    async fn unimplemented_call(&self, empty: Empty) -> Result<Empty>;
}
