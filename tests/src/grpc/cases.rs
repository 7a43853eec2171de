//! What a client of streamx must see, whoever serves `TestService`. The names and what is sent are those of gRPC's
//! description of its interop tests, which the client of grpc-go runs too.

use std::time::Duration;

use bytes::Bytes;
use streamx::codec::protobuf;
use streamx::{Channel, Code, Compression, Metadata, tls, well_known};

use super::handlers::{INITIAL, TRAILING};
use super::orca::{self, OpenRcaServiceClient, OrcaLoadReport, OrcaLoadReportRequest};
use super::test_service::{
    EchoStatus, Empty, Payload, PayloadType, ResponseParameters, SimpleRequest, SimpleResponse,
    StreamingInputCallRequest, StreamingOutputCallRequest, StreamingOutputCallResponse, TestOrcaReport,
    TestServiceClient, UnimplementedMethodClient, UnimplementedServiceClient,
};

const REQUESTS: [usize; 4] = [27_182, 8, 1_828, 45_904];
const RESPONSES: [i32; 4] = [31_415, 9, 2_653, 58_979];
const LARGE_REQUEST: usize = 271_828;
const LARGE_RESPONSE: i32 = 314_159;
const SOAK: usize = 10;
const INITIAL_VALUE: &str = "test_initial_metadata_value";
const TRAILING_VALUE: &[u8] = b"\xab\xab\xab";

/// The server under test, as its clients know it.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "tests fill it in")]
pub struct Target<S> {
    /// Where it is.
    pub url: String,
    /// Whom a client trusts, over TLS.
    pub tls: Option<tls::Client>,
    /// How a client compresses what it sends.
    pub compression: Option<Compression>,
    /// What keeps it alive.
    pub server: S,
}

impl<S> Target<S> {
    async fn channel(&self) -> Channel {
        let mut channel = Channel::builder(&self.url);
        if let Some(tls) = &self.tls {
            channel = channel.tls(tls.clone());
        }
        if let Some(compression) = self.compression {
            channel = channel.compression(compression);
        }
        channel.connect().await.expect("the server listens")
    }

    async fn client(&self) -> TestServiceClient {
        TestServiceClient::new(self.channel().await)
    }
}

pub async fn empty_unary<S>(target: Target<S>) {
    assert_eq!(target.client().await.empty_call(Empty {}).await.unwrap(), Empty {});
}

pub async fn large_unary<S>(target: Target<S>) {
    large(&target.client().await).await;
}

pub async fn client_streaming<S>(target: Target<S>) {
    let mut stream = target.client().await.streaming_input_call().await.unwrap();
    for size in REQUESTS {
        let payload = Some(zeros(size));
        stream.send(StreamingInputCallRequest { payload, expect_compressed: None }).await.unwrap();
    }
    assert_eq!(stream.close_and_recv().await.unwrap().aggregated_payload_size, 74_922);
}

pub async fn server_streaming<S>(target: Target<S>) {
    let mut stream = target.client().await.streaming_output_call(asking(&RESPONSES, None)).await.unwrap();
    for size in RESPONSES {
        assert_holds(stream.recv().await.unwrap(), size);
    }
    assert_eq!(stream.recv().await.unwrap(), None);
}

pub async fn ping_pong<S>(target: Target<S>) {
    let mut stream = target.client().await.full_duplex_call().await.unwrap();
    for (request, response) in REQUESTS.into_iter().zip(RESPONSES) {
        stream.send(asking(&[response], Some(zeros(request)))).await.unwrap();
        assert_holds(stream.recv().await.unwrap(), response);
    }
    stream.close_send().await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), None);
}

pub async fn empty_stream<S>(target: Target<S>) {
    let mut stream = target.client().await.full_duplex_call().await.unwrap();
    stream.close_send().await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), None);
}

/// Not one of the description, whose list leaves out this method of the service.
pub async fn half_duplex<S>(target: Target<S>) {
    let mut stream = target.client().await.half_duplex_call().await.unwrap();
    for (request, response) in REQUESTS.into_iter().zip(RESPONSES) {
        stream.send(asking(&[response], Some(zeros(request)))).await.unwrap();
    }
    stream.close_send().await.unwrap();
    for size in RESPONSES {
        assert_holds(stream.recv().await.unwrap(), size);
    }
    assert_eq!(stream.recv().await.unwrap(), None);
}

/// The time may be over before the stream is open.
pub async fn timeout_on_sleeping_server<S>(target: Target<S>) {
    let client = target.client().await;
    let outcome = async {
        let mut stream = client.full_duplex_call().timeout(Duration::from_millis(1)).await?;
        let _too_late = stream.send(asking(&[], Some(zeros(27_182)))).await;
        stream.recv().await
    };
    let error = outcome.await.unwrap_err();
    assert_eq!((error.code(), error.is_timeout()), (Code::DeadlineExceeded, true), "{error}");
}

pub async fn cancel_after_begin<S>(target: Target<S>) {
    let mut stream = target.client().await.streaming_input_call().await.unwrap();
    stream.cancel("enough");
    let error = stream.close_and_recv().await.unwrap_err();
    assert_eq!((error.code(), error.is_cancelled()), (Code::Cancelled, true), "{error}");
}

pub async fn cancel_after_first_response<S>(target: Target<S>) {
    let mut stream = target.client().await.full_duplex_call().await.unwrap();
    stream.send(asking(&[31_415], Some(zeros(27_182)))).await.unwrap();
    assert_holds(stream.recv().await.unwrap(), 31_415);
    stream.cancel("enough");
    let error = stream.recv().await.unwrap_err();
    assert_eq!((error.code(), error.is_cancelled()), (Code::Cancelled, true), "{error}");
}

pub async fn status_code_and_message<S>(target: Target<S>) {
    let client = target.client().await;
    let status = Some(EchoStatus { code: 2, message: "test status message".to_owned() });
    let request = SimpleRequest { response_status: status.clone(), ..SimpleRequest::default() };
    let unary = client.unary_call(request).await.unwrap_err();

    let mut stream = client.full_duplex_call().await.unwrap();
    let request = StreamingOutputCallRequest { response_status: status, ..asking(&[], None) };
    stream.send(request).await.unwrap();
    stream.close_send().await.unwrap();
    let streamed = stream.recv().await.unwrap_err();
    for error in [unary, streamed] {
        assert_eq!(error.code(), Code::Unknown, "{error}");
        assert!(error.to_string().contains("test status message"), "{error}");
    }
}

pub async fn special_status_message<S>(target: Target<S>) {
    let message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
    let status = Some(EchoStatus { code: 2, message: message.to_owned() });
    let request = SimpleRequest { response_status: status, ..SimpleRequest::default() };
    let error = target.client().await.unary_call(request).await.unwrap_err();
    assert_eq!(error.code(), Code::Unknown, "{error}");
    assert!(error.to_string().contains(message), "{error:?}");
}

pub async fn custom_metadata<S>(target: Target<S>) {
    let client = target.client().await;
    let call = client.unary_call(asking_unary(LARGE_RESPONSE, LARGE_REQUEST));
    let call = call.metadata(INITIAL, INITIAL_VALUE).metadata_bin(TRAILING, TRAILING_VALUE);
    let (response, header, trailer) = call.with_metadata().await.unwrap();
    assert_holds_unary(&response, LARGE_RESPONSE);
    assert_echoes(&header, &trailer);

    let call =
        client.full_duplex_call().metadata(INITIAL, INITIAL_VALUE).metadata_bin(TRAILING, TRAILING_VALUE);
    let mut stream = call.await.unwrap();
    stream.send(asking(&[LARGE_RESPONSE], Some(zeros(LARGE_REQUEST)))).await.unwrap();
    stream.close_send().await.unwrap();
    let header = stream.header().await.unwrap();
    assert_holds(stream.recv().await.unwrap(), LARGE_RESPONSE);
    assert_eq!(stream.recv().await.unwrap(), None);
    assert_echoes(&header, &stream.trailer().await.unwrap());
}

/// In place of the balancer of the description, which gRPC's clients tell of the report, the test reads it.
pub async fn orca_per_rpc<S>(target: Target<S>) {
    let wanted = TestOrcaReport {
        cpu_utilization: 0.8210,
        memory_utilization: 0.5847,
        request_cost: [("cost".to_owned(), 3456.32)].into(),
        utilization: [("util".to_owned(), 0.30499)].into(),
    };
    let request = SimpleRequest { orca_per_query_report: Some(wanted.clone()), ..SimpleRequest::default() };
    let (_, _, trailer) = target.client().await.unary_call(request).with_metadata().await.unwrap();
    let bytes = Bytes::copy_from_slice(trailer.get_bin(orca::PER_CALL).expect("a report"));
    assert_eq!(protobuf::decode::<OrcaLoadReport>(bytes).unwrap(), wanted.into());
}

/// As `orca_per_rpc`, with what the server reports on a stream of its own. Those of other makes do so once in a second.
pub async fn orca_oob<S>(target: Target<S>) {
    let second = well_known::Duration::from(Duration::from_secs(1));
    let request = OrcaLoadReportRequest { report_interval: Some(second), ..OrcaLoadReportRequest::default() };
    let mut reports =
        OpenRcaServiceClient::new(target.channel().await).stream_core_metrics(request).await.unwrap();
    let mut stream = target.client().await.full_duplex_call().await.unwrap();
    for (cpu_utilization, memory_utilization, util) in [(0.8210, 0.5847, 0.30499), (0.29309, 0.2, 0.2039)] {
        let utilization = [("util".to_owned(), util)].into();
        let load =
            TestOrcaReport { cpu_utilization, memory_utilization, utilization, ..TestOrcaReport::default() };
        let request =
            StreamingOutputCallRequest { orca_oob_report: Some(load.clone()), ..asking(&[1], None) };
        stream.send(request).await.unwrap();
        assert_holds(stream.recv().await.unwrap(), 1);
        let wanted = OrcaLoadReport::from(load);
        while reports.recv().await.unwrap().expect("reports do not end") != wanted {}
    }
}

pub async fn unimplemented_method<S>(target: Target<S>) {
    let client = UnimplementedMethodClient::new(target.channel().await);
    let error = client.unimplemented_call(Empty {}).await.unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented, "{error}");
}

pub async fn unimplemented_service<S>(target: Target<S>) {
    let client = UnimplementedServiceClient::new(target.channel().await);
    let error = client.unimplemented_call(Empty {}).await.unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented, "{error}");
}

/// Many calls of one channel, here at once.
pub async fn rpc_soak<S>(target: Target<S>) {
    let client = target.client().await;
    futures::future::join_all((0..SOAK).map(|_| large(&client))).await;
}

/// A channel for each of many calls.
pub async fn channel_soak<S>(target: Target<S>) {
    for _ in 0..SOAK {
        large(&target.client().await).await;
    }
}

async fn large(client: &TestServiceClient) {
    let response = client.unary_call(asking_unary(LARGE_RESPONSE, LARGE_REQUEST)).await.unwrap();
    assert_holds_unary(&response, LARGE_RESPONSE);
}

fn zeros(size: usize) -> Payload {
    Payload { kind: PayloadType::Compressable, body: Bytes::from(vec![0; size]) }
}

fn asking_unary(response_size: i32, size: usize) -> SimpleRequest {
    SimpleRequest { response_size, payload: Some(zeros(size)), ..SimpleRequest::default() }
}

fn asking(sizes: &[i32], payload: Option<Payload>) -> StreamingOutputCallRequest {
    let wanted = |&size: &i32| ResponseParameters { size, ..ResponseParameters::default() };
    let response_parameters = sizes.iter().map(wanted).collect();
    StreamingOutputCallRequest { response_parameters, payload, ..StreamingOutputCallRequest::default() }
}

#[track_caller]
fn assert_holds_unary(response: &SimpleResponse, size: i32) {
    let payload = response.payload.as_ref().expect("a payload");
    assert_eq!(
        (payload.kind, payload.body.len()),
        (PayloadType::Compressable, usize::try_from(size).unwrap())
    );
    assert!(payload.body.iter().all(|&byte| byte == 0));
}

#[track_caller]
fn assert_holds(response: Option<StreamingOutputCallResponse>, size: i32) {
    let payload = response.expect("a response").payload;
    assert_holds_unary(&SimpleResponse { payload, ..SimpleResponse::default() }, size);
}

#[track_caller]
fn assert_echoes(header: &Metadata, trailer: &Metadata) {
    assert_eq!(header.get(INITIAL), Some(INITIAL_VALUE), "{header:?}");
    assert_eq!(trailer.get_bin(TRAILING), Some(TRAILING_VALUE), "{trailer:?}");
}

/// Makes a test of every case: `every_grpc_case!(start)`, where `start` is an `async fn` that gives a [`Target`], or none
/// where there cannot be one. `every_grpc_case!(start, besides unary metadata)` leaves out the case for which the answer of
/// a unary call needs a header and a trailer of its own, as only gRPC has them.
/// `every_grpc_case!(start, and load reports)` adds those about the load of a server, which few servers report.
#[macro_export]
macro_rules! every_grpc_case {
    ($start:path) => {
        $crate::every_grpc_case! { $start, besides unary metadata }
        $crate::every_grpc_case! { @each $start; custom_metadata }
    };
    ($start:path, and load reports) => {
        $crate::every_grpc_case! { $start }
        $crate::every_grpc_case! { @each $start; orca_per_rpc orca_oob }
    };
    ($start:path, besides unary metadata) => {
        $crate::every_grpc_case! { @each $start;
            empty_unary large_unary client_streaming server_streaming ping_pong empty_stream half_duplex
            timeout_on_sleeping_server cancel_after_begin cancel_after_first_response status_code_and_message
            special_status_message unimplemented_method unimplemented_service rpc_soak channel_soak
        }
    };
    (@each $start:path; $($case:ident)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                if let Some(target) = $start().await {
                    $crate::cases::within_patience($crate::grpc::cases::$case(target)).await;
                }
            }
        )*
    };
}
