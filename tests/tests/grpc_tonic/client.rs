//! What a client of tonic must see, whoever serves `TestService`.

use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};
use prost::Message as _;
use tokio::sync::mpsc;
use tonic::client::Grpc;
use tonic::codec::CompressionEncoding;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::messages::{
    self, EchoStatus, Empty, ResponseParameters, SimpleRequest, SimpleResponse, StreamingInputCallRequest,
    StreamingInputCallResponse, StreamingOutputCallRequest, StreamingOutputCallResponse, details_of, zeros,
};

const REQUESTS: [usize; 4] = [27_182, 8, 1_828, 45_904];
const RESPONSES: [i32; 4] = [31_415, 9, 2_653, 58_979];
const INITIAL: &str = "x-grpc-test-echo-initial";
const TRAILING: &str = "x-grpc-test-echo-trailing-bin";

/// The server under test, as its clients know it.
#[derive(Clone, Debug)]
pub struct Peer {
    /// `IP:PORT`.
    pub addr: String,
    /// Whom a client trusts, in PEM, over TLS.
    pub roots: Option<String>,
    /// How a client compresses what it sends, and what it reads.
    pub compression: Option<CompressionEncoding>,
}

impl Peer {
    pub fn at(addr: impl Into<String>) -> Self {
        Self { addr: addr.into(), roots: None, compression: None }
    }

    /// A client with a connection of its own.
    async fn client(&self) -> Grpc<Channel> {
        let scheme = if self.roots.is_some() { "https" } else { "http" };
        let mut endpoint = Endpoint::from_shared(format!("{scheme}://{}", self.addr)).unwrap();
        if let Some(roots) = &self.roots {
            let roots = Certificate::from_pem(roots);
            endpoint = endpoint.tls_config(ClientTlsConfig::new().ca_certificate(roots)).unwrap();
        }
        let mut client = Grpc::new(endpoint.connect().await.unwrap());
        if let Some(compression) = self.compression {
            client = client.send_compressed(compression).accept_compressed(compression);
        }
        client.ready().await.unwrap();
        client
    }
}

pub async fn every_case(peer: &Peer) {
    every_case_without_metadata(peer).await;
    a_deadline_that_passes(peer).await;
    metadata(peer).await;
    details(peer).await;
}

pub async fn every_case_without_metadata(peer: &Peer) {
    unary(peer).await;
    client_streaming(peer).await;
    server_streaming(peer).await;
    ping_pong(peer).await;
    failures(peer).await;
}

pub async fn unary(peer: &Peer) {
    let mut client = peer.client().await;
    let empty: Response<Empty> =
        client.unary(Request::new(Empty {}), path("EmptyCall"), codec()).await.unwrap();
    assert_eq!(empty.into_inner(), Empty {});
    client.ready().await.unwrap();
    let request = SimpleRequest { response_size: 314_159, payload: zeros(271_828), response_status: None };
    let large: SimpleResponse = unary_call(&mut client, request).await.unwrap().into_inner();
    assert_eq!(large.payload, zeros(314_159));
}

async fn client_streaming(peer: &Peer) {
    let requests = REQUESTS.map(|size| StreamingInputCallRequest { payload: zeros(size) });
    let request = Request::new(stream::iter(requests));
    let answer = peer.client().await.client_streaming(request, path("StreamingInputCall"), codec()).await;
    let answer: StreamingInputCallResponse = answer.unwrap().into_inner();
    assert_eq!(answer.aggregated_payload_size, 74_922);
}

async fn server_streaming(peer: &Peer) {
    let request = Request::new(asking(&RESPONSES, 0));
    let stream = peer.client().await.server_streaming(request, path("StreamingOutputCall"), codec()).await;
    let stream: Streaming<StreamingOutputCallResponse> = stream.unwrap().into_inner();
    let sizes = stream.map_ok(|response| response.payload.unwrap().body.len()).try_collect::<Vec<_>>();
    assert_eq!(sizes.await.unwrap(), RESPONSES.map(|size| usize::try_from(size).unwrap()));
}

async fn ping_pong(peer: &Peer) {
    let mut pairs =
        REQUESTS.into_iter().zip(RESPONSES).map(|(request, response)| asking(&[response], request));
    let (requests, mut responses) =
        full_duplex_call(peer, pairs.next().unwrap(), Request::new).await.unwrap();
    for size in RESPONSES {
        let got = responses.message().await.unwrap().unwrap();
        assert_eq!(got.payload, zeros(usize::try_from(size).unwrap()));
        pairs.next().into_iter().for_each(|request| requests.send(request).unwrap());
    }
    drop(requests);
    assert_eq!(responses.message().await.unwrap(), None);
}

async fn failures(peer: &Peer) {
    let mut client = peer.client().await;
    let message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
    let status = Some(EchoStatus { code: 2, message: message.to_owned() });
    let request = SimpleRequest { response_status: status.clone(), ..SimpleRequest::default() };
    let unary = unary_call(&mut client, request).await.unwrap_err();
    let request = StreamingOutputCallRequest { response_status: status, ..asking(&[9], 8) };
    let streamed = match full_duplex_call(peer, request, Request::new).await {
        Ok((_requests, mut responses)) => responses.message().await.unwrap_err(),
        Err(status) => status,
    };
    for status in [unary, streamed] {
        assert_eq!((status.code(), status.message()), (Code::Unknown, message));
    }

    for path in
        ["/grpc.testing.TestService/UnimplementedCall", "/grpc.testing.UnimplementedService/EmptyCall"]
    {
        client.ready().await.unwrap();
        let path = PathAndQuery::from_static(path);
        let answer = client.unary::<_, Empty, _>(Request::new(Empty {}), path, codec()).await;
        assert_eq!(answer.unwrap_err().code(), Code::Unimplemented);
    }
}

/// Once it has a header a client of tonic leaves this to the server.
async fn a_deadline_that_passes(peer: &Peer) {
    let hurried = |requests| {
        let mut request = Request::new(requests);
        request.set_timeout(Duration::from_millis(1));
        request
    };
    let outcome = async {
        let (_requests, mut responses) = full_duplex_call(peer, asking(&[], 27_182), hurried).await?;
        responses.message().await
    };
    let status = outcome.await.unwrap_err();
    // Said by the client when it is the first to notice, with a code of its own.
    assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status}");
}

async fn metadata(peer: &Peer) {
    let mut unary = Request::new(SimpleRequest { response_size: 1, ..SimpleRequest::default() });
    insert(unary.metadata_mut());
    let answer: Response<SimpleResponse> =
        peer.client().await.unary(unary, path("UnaryCall"), codec()).await.unwrap();
    assert_holds(answer.metadata(), answer.metadata());

    let with_metadata = |requests| {
        let mut request = Request::new(requests);
        insert(request.metadata_mut());
        request
    };
    let requests = with_metadata(stream::iter([asking(&[1], 1)]).boxed());
    let answer = peer.client().await.streaming(requests, path("FullDuplexCall"), codec()).await.unwrap();
    let header = answer.metadata().clone();
    let mut responses: Streaming<StreamingOutputCallResponse> = answer.into_inner();
    assert_eq!(responses.message().await.unwrap().unwrap().payload, zeros(1));
    assert_eq!(responses.message().await.unwrap(), None);
    assert_holds(&header, &responses.trailers().await.unwrap().unwrap());
}

/// What tonic gives is the `google.rpc.Status` in bytes.
async fn details(peer: &Peer) {
    let wanted = EchoStatus { code: 5, message: "with details".to_owned() };
    let request = SimpleRequest { response_status: Some(wanted), ..SimpleRequest::default() };
    let status = unary_call(&mut peer.client().await, request).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "with details"));
    assert_eq!(status.details(), &details_of(5, "with details")[..]);
}

/// A server whose methods declare `EchoStatus` as an exception, and fail with it.
pub async fn exceptions(peer: &Peer) {
    let unary = unary_call(&mut peer.client().await, SimpleRequest::default()).await.unwrap_err();
    let first = StreamingOutputCallRequest::default();
    let streamed = match full_duplex_call(peer, first, Request::new).await {
        Ok((_sender, mut answers)) => answers.message().await.unwrap_err(),
        Err(status) => status,
    };
    let echoed = EchoStatus { code: 5, message: "with details".to_owned() };
    for status in [unary, streamed] {
        assert_eq!(status.code(), Code::Unknown);
        let sent = messages::Status::decode(status.details()).unwrap();
        assert_eq!((sent.code, &*sent.message), (2, status.message()));
        let [detail] = &sent.details[..] else { panic!("{sent:?}") };
        assert_eq!(detail.type_url, "type.googleapis.com/grpc.testing.EchoStatus");
        assert_eq!(EchoStatus::decode(detail.value.clone()).unwrap(), echoed);
        assert!(status.metadata().get_bin("streamx-declared-bin").is_none(), "one way is enough");
    }
}

type Requests = stream::BoxStream<'static, StreamingOutputCallRequest>;
type Sender = mpsc::UnboundedSender<StreamingOutputCallRequest>;

/// A call whose first request is on its way: a client of tonic has no stream before it has a header, which most servers send
/// with the first response.
async fn full_duplex_call(
    peer: &Peer,
    first: StreamingOutputCallRequest,
    request: impl FnOnce(Requests) -> Request<Requests>,
) -> Result<(Sender, Streaming<StreamingOutputCallResponse>), Status> {
    let (sender, receiver) = mpsc::unbounded_channel();
    sender.send(first).unwrap();
    let requests = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    let request = request(requests.boxed());
    let answer = peer.client().await.streaming(request, path("FullDuplexCall"), codec()).await?;
    Ok((sender, answer.into_inner()))
}

async fn unary_call(
    client: &mut Grpc<Channel>,
    request: SimpleRequest,
) -> Result<Response<SimpleResponse>, Status> {
    client.ready().await.unwrap();
    client.unary(Request::new(request), path("UnaryCall"), codec()).await
}

fn path(method: &str) -> PathAndQuery {
    format!("/grpc.testing.TestService/{method}").parse().unwrap()
}

fn codec<Req, Res>() -> ProstCodec<Req, Res> {
    ProstCodec::default()
}

fn asking(sizes: &[i32], size: usize) -> StreamingOutputCallRequest {
    let response_parameters = sizes.iter().map(|&size| ResponseParameters { size }).collect();
    StreamingOutputCallRequest { response_parameters, payload: zeros(size), response_status: None }
}

fn insert(metadata: &mut MetadataMap) {
    metadata.insert(INITIAL, MetadataValue::from_static("test_initial_metadata_value"));
    metadata.insert_bin(TRAILING, MetadataValue::from_bytes(b"\n\x0b\n\x0b\n\x0b"));
}

fn assert_holds(header: &MetadataMap, trailer: &MetadataMap) {
    assert_eq!(header.get(INITIAL).unwrap(), "test_initial_metadata_value");
    assert_eq!(trailer.get_bin(TRAILING).unwrap().to_bytes().unwrap(), &b"\n\x0b\n\x0b\n\x0b"[..]);
}
