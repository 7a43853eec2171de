//! `TestService` as a server of tonic, written by hand: what tonic's generator would write needs protoc.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::codegen::{Service, http};
use tonic::server::Grpc;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::messages::{
    EchoStatus, Empty, SimpleRequest, SimpleResponse, StreamingInputCallRequest, StreamingInputCallResponse,
    StreamingOutputCallRequest, StreamingOutputCallResponse, details_of, zeros,
};

type Responses = BoxStream<'static, Result<StreamingOutputCallResponse, Status>>;

/// What a server has beside its handlers.
#[derive(Default)]
pub struct Settings {
    /// A certificate and its key in PEM, for TLS.
    pub identity: Option<(String, String)>,
    /// How it compresses its answers. It takes messages that are compressed likewise, and plain ones.
    pub compression: Option<CompressionEncoding>,
    /// No connection takes calls for longer.
    pub age: Option<Duration>,
}

/// Serves on a free port of this machine until the runtime ends, and gives `IP:PORT`.
pub async fn start(settings: Settings) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let mut server = Server::builder();
    if let Some((certificate, key)) = settings.identity {
        let identity = Identity::from_pem(certificate, key);
        server = server.tls_config(ServerTlsConfig::new().identity(identity)).unwrap();
    }
    if let Some(age) = settings.age {
        server = server.max_connection_age(age);
    }
    let service = TestService { compression: settings.compression };
    tokio::spawn(server.serve_with_incoming(service, TcpIncoming::from(listener)));
    addr
}

#[derive(Clone, Copy)]
struct TestService {
    compression: Option<CompressionEncoding>,
}

impl TestService {
    fn grpc<Req, Res>(self) -> Grpc<ProstCodec<Res, Req>>
    where
        Req: prost::Message + Default + 'static,
        Res: prost::Message + 'static,
    {
        let grpc = Grpc::new(ProstCodec::default());
        match self.compression {
            Some(compression) => grpc.accept_compressed(compression).send_compressed(compression),
            None => grpc,
        }
    }
}

impl Service<http::Request<Body>> for TestService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = *self;
        Box::pin(async move {
            let method = request.uri().path().strip_prefix("/grpc.testing.TestService/").unwrap_or_default();
            Ok(match method {
                "EmptyCall" => service.grpc().unary(Handler(empty_call), request).await,
                "UnaryCall" => service.grpc().unary(Handler(unary_call), request).await,
                "StreamingOutputCall" => {
                    let handler = Handler(streaming_output_call);
                    service.grpc().server_streaming(handler, request).await
                }
                "StreamingInputCall" => {
                    let handler = Handler(streaming_input_call);
                    service.grpc().client_streaming(handler, request).await
                }
                "FullDuplexCall" => service.grpc().streaming(Handler(full_duplex_call), request).await,
                "HalfDuplexCall" => service.grpc().streaming(Handler(half_duplex_call), request).await,
                _ => Status::unimplemented("there is no such method").into_http(),
            })
        })
    }
}

/// A function as tonic wants it, whatever the mode.
struct Handler<F>(F);

impl<F, Req, Res, Answer> Service<Request<Req>> for Handler<F>
where
    F: Fn(Request<Req>) -> Answer,
    Answer: Future<Output = Result<Response<Res>, Status>>,
{
    type Response = Response<Res>;
    type Error = Status;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Req>) -> Answer {
        (self.0)(request)
    }
}

async fn empty_call(_: Request<Empty>) -> Result<Response<Empty>, Status> {
    Ok(Response::new(Empty {}))
}

async fn unary_call(request: Request<SimpleRequest>) -> Result<Response<SimpleResponse>, Status> {
    let request = request.into_inner();
    end_with(request.response_status)?;
    Ok(Response::new(SimpleResponse { payload: zeros(usize::try_from(request.response_size).unwrap()) }))
}

async fn streaming_output_call(
    request: Request<StreamingOutputCallRequest>,
) -> Result<Response<Responses>, Status> {
    Ok(Response::new(responses(Ok(request.into_inner()))))
}

async fn streaming_input_call(
    request: Request<Streaming<StreamingInputCallRequest>>,
) -> Result<Response<StreamingInputCallResponse>, Status> {
    let size = |request: StreamingInputCallRequest| request.payload.map_or(0, |payload| payload.body.len());
    let size = request.into_inner().try_fold(0, async |sum, request| Ok(sum + size(request))).await?;
    Ok(Response::new(StreamingInputCallResponse { aggregated_payload_size: i32::try_from(size).unwrap() }))
}

async fn full_duplex_call(
    request: Request<Streaming<StreamingOutputCallRequest>>,
) -> Result<Response<Responses>, Status> {
    Ok(Response::new(request.into_inner().flat_map(responses).boxed()))
}

async fn half_duplex_call(
    request: Request<Streaming<StreamingOutputCallRequest>>,
) -> Result<Response<Responses>, Status> {
    let requests: Vec<_> = request.into_inner().collect().await;
    Ok(Response::new(stream::iter(requests).flat_map(responses).boxed()))
}

fn responses(request: Result<StreamingOutputCallRequest, Status>) -> Responses {
    let sizes = request.and_then(|request| {
        end_with(request.response_status)?;
        Ok(request.response_parameters.into_iter().map(|wanted| wanted.size))
    });
    match sizes {
        Ok(sizes) => {
            stream::iter(sizes.map(|size| {
                Ok(StreamingOutputCallResponse { payload: zeros(usize::try_from(size).unwrap()) })
            }))
            .boxed()
        }
        Err(status) => stream::iter([Err(status)]).boxed(),
    }
}

fn end_with(status: Option<EchoStatus>) -> Result<(), Status> {
    match status {
        Some(status) if status.code != 0 => {
            let details = match &*status.message {
                "with details" => details_of(status.code, &status.message),
                _ => Bytes::new(),
            };
            Err(Status::with_details(Code::from(status.code), status.message, details))
        }
        _ => Ok(()),
    }
}
