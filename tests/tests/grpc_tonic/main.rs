//! tonic, the gRPC of Rust: its client and its server in the cases of gRPC's interop tests.

#[allow(unreachable_pub, reason = "says what the other files of this test use")]
mod client;
mod exceptions;
#[allow(unreachable_pub, reason = "says what the other files of this test use")]
mod messages;
#[allow(unreachable_pub, reason = "says what the other files of this test use")]
mod server;

use client::Peer;
use server::Settings;
use streamx::Compression;
use streamx_tests::authority::Authority;
use streamx_tests::cases::within_patience;
use streamx_tests::counting;
use streamx_tests::grpc::Serving;
use streamx_tests::grpc::cases::{self, Target};
use streamx_tests::grpc::test_service::{EchoStatus, SimpleRequest, TestServiceClient};
use streamx_tests::rig::soon;
use tonic::codec::CompressionEncoding;

/// What both know.
const COMPRESSIONS: [(Compression, CompressionEncoding); 2] =
    [(Compression::Gzip, CompressionEncoding::Gzip), (Compression::Zstd, CompressionEncoding::Zstd)];

use crate::exceptions::{FailingClient, FailingServer, OwnStatus};

/// A status that the server sends with itself as a detail.
fn with_details() -> EchoStatus {
    EchoStatus { code: 5, message: "with details".to_owned() }
}

mod rust_client_to_tonic_server {
    use super::*;

    async fn start() -> Option<Target<()>> {
        let addr = server::start(Settings::default()).await;
        Some(Target { url: format!("grpc://{addr}"), tls: None, compression: None, server: () })
    }

    // Its server cannot send the trailers of a call that went well.
    streamx_tests::every_grpc_case!(start, besides unary metadata);

    #[tokio::test]
    async fn the_details_of_a_status_arrive() {
        within_patience(async {
            let client = TestServiceClient::connect(start().await.unwrap().url).await.unwrap();
            let request = SimpleRequest { response_status: Some(with_details()), ..SimpleRequest::default() };
            let error = client.unary_call(request).await.unwrap_err();
            assert_eq!(error.code(), streamx::Code::NotFound);
            let echoed: EchoStatus = error.details()[0].unpack("grpc.testing.EchoStatus").unwrap().unwrap();
            assert_eq!(echoed, with_details());
        })
        .await;
    }

    #[tokio::test]
    async fn a_detail_that_the_method_declares_is_its_exception() {
        within_patience(async {
            let client = FailingClient::connect(start().await.unwrap().url).await.unwrap();
            let request =
                || SimpleRequest { response_status: Some(with_details()), ..SimpleRequest::default() };
            let unary = client.unary_call(request()).await.unwrap_err();
            let mut stream = client.full_duplex_call().await.unwrap();
            stream.send(request()).await.unwrap();
            for error in [unary, stream.recv().await.unwrap_err()] {
                assert_eq!(error.exception::<OwnStatus>(), Some(&exceptions::own()), "{error}");
                assert_eq!((error.code(), error.details().len()), (streamx::Code::NotFound, 1));
            }
        })
        .await;
    }
}

mod rust_client_to_tonic_server_over_tls {
    use super::*;

    async fn start() -> Option<Target<()>> {
        let authority = Authority::new();
        let identity = Some(authority.issue_pem(&["127.0.0.1"]));
        let addr = server::start(Settings { identity, ..Settings::default() }).await;
        let (url, tls) = (format!("grpc+tls://{addr}"), Some(authority.client()));
        Some(Target { url, tls, compression: None, server: () })
    }

    streamx_tests::every_grpc_case!(start, besides unary metadata);
}

/// Both sides compress.
async fn compressing(ours: Compression, theirs: CompressionEncoding) -> Target<()> {
    let addr = server::start(Settings { compression: Some(theirs), ..Settings::default() }).await;
    Target { url: format!("grpc://{addr}"), tls: None, compression: Some(ours), server: () }
}

mod rust_client_to_tonic_server_with_gzip {
    use super::*;

    async fn start() -> Option<Target<()>> {
        Some(compressing(Compression::Gzip, CompressionEncoding::Gzip).await)
    }

    streamx_tests::every_grpc_case!(start, besides unary metadata);
}

mod rust_client_to_tonic_server_with_zstd {
    use super::*;

    async fn start() -> Option<Target<()>> {
        Some(compressing(Compression::Zstd, CompressionEncoding::Zstd).await)
    }

    streamx_tests::every_grpc_case!(start, besides unary metadata);
}

/// A connection takes calls for some milliseconds, and then ends with its last one.
mod rust_client_to_tonic_server_whose_connections_become_old {
    use std::time::Duration;

    use streamx::Channel;
    use streamx_tests::grpc::test_service::{ResponseParameters, StreamingOutputCallRequest};

    use super::*;

    /// So many streams run at once, at most.
    const STREAMS: usize = 20;

    #[tokio::test]
    async fn streams_run_to_their_end_and_calls_begin_elsewhere() {
        within_patience(async {
            let age = Some(Duration::from_millis(10));
            let url = format!("grpc://{}", server::start(Settings { age, ..Settings::default() }).await);
            let channel = Channel::connect(url).await.unwrap();
            let client = TestServiceClient::new(channel.clone());
            let mut streams = Vec::new();
            while channel.counters().connections_opened < 8 {
                if streams.len() < STREAMS {
                    streams.push(client.full_duplex_call().await.unwrap());
                }
                for (size, stream) in (1..).zip(&mut streams) {
                    let parameters = ResponseParameters { size, ..ResponseParameters::default() };
                    let request = StreamingOutputCallRequest {
                        response_parameters: vec![parameters],
                        ..StreamingOutputCallRequest::default()
                    };
                    stream.send(request).await.unwrap();
                    let got = stream.recv().await.unwrap().unwrap();
                    assert_eq!(
                        got.payload.map_or(0, |payload| payload.body.len()),
                        usize::try_from(size).unwrap()
                    );
                }
                let request = SimpleRequest { response_size: 7, ..SimpleRequest::default() };
                assert_eq!(client.unary_call(request).await.unwrap().payload.unwrap().body.len(), 7);
            }
            assert!(channel.counters().connections > 1, "streams keep their connections");
            for mut stream in streams {
                stream.close_send().await.unwrap();
                assert!(stream.recv().await.unwrap().is_none());
            }
            assert_eq!(channel.counters().streams, 0);
        })
        .await;
    }
}

mod tonic_client_to_rust_server {
    use super::*;

    #[tokio::test]
    async fn every_case_holds() {
        let server = Serving::start().await;
        within_patience(client::every_case(&Peer::at(server.addr()))).await;
    }

    #[tokio::test]
    async fn every_case_holds_over_tls() {
        let server = Serving::start_over_tls().await;
        let peer = Peer { roots: server.roots(), ..Peer::at(server.addr()) };
        within_patience(client::every_case(&peer)).await;
    }

    #[tokio::test]
    async fn every_case_holds_with_what_is_compressed() {
        for (_, compression) in COMPRESSIONS {
            let server = Serving::start().await;
            let peer = Peer { compression: Some(compression), ..Peer::at(server.addr()) };
            within_patience(client::every_case(&peer)).await;
        }
    }
    #[tokio::test]
    async fn a_declared_exception_is_a_detail_of_the_status() {
        let server = streamx::Server::builder().add_service(FailingServer::new(exceptions::Always));
        let server = server.bind("127.0.0.1:0").await.unwrap();
        let addr = server.local_addr().to_string();
        tokio::spawn(server.serve());
        within_patience(client::exceptions(&Peer::at(addr))).await;
    }
}

/// The payloads of `UnaryCall` are zeros, of which there is little left when they are compressed.
mod what_is_compressed_takes_few_bytes {
    use super::*;

    const FEW: u64 = 5_000;

    #[tokio::test]
    async fn from_a_client_of_tonic_and_back() {
        for (_, compression) in COMPRESSIONS {
            let server = Serving::start().await;
            let (addr, counted) = counting::before(server.addr()).await;
            let peer = Peer { compression: Some(compression), ..Peer::at(addr) };
            within_patience(client::unary(&peer)).await;
            let (to, back) = soon(counted).await.unwrap();
            assert!(to < FEW && back < FEW, "{compression}: {to} {back}");
        }
    }

    #[tokio::test]
    async fn to_a_server_of_tonic_and_back() {
        for (ours, theirs) in COMPRESSIONS {
            let target = compressing(ours, theirs).await;
            let (addr, counted) = counting::before(target.url.replace("grpc://", "")).await;
            let target = Target { url: format!("grpc://{addr}"), ..target };
            within_patience(cases::large_unary(target)).await;
            let (to, back) = soon(counted).await.unwrap();
            assert!(to < FEW && back < FEW, "{ours:?}: {to} {back}");
        }
    }
}

/// Proves the peer that the tests of streamx rely on. Its server does not look at the deadline once it
/// has sent a header, and echoes no metadata.
mod tonic_alone {
    use super::*;

    #[tokio::test]
    async fn every_case_holds() {
        let addr = server::start(Settings::default()).await;
        within_patience(client::every_case_without_metadata(&Peer::at(addr))).await;
    }

    #[tokio::test]
    async fn every_case_holds_over_tls_with_what_is_compressed() {
        for (_, compression) in COMPRESSIONS {
            let authority = Authority::new();
            let identity = Some(authority.issue_pem(&["127.0.0.1"]));
            let compression = Some(compression);
            let addr = server::start(Settings { identity, compression, age: None }).await;
            let peer = Peer { addr, roots: Some(authority.pem()), compression };
            within_patience(client::every_case_without_metadata(&peer)).await;
        }
    }
}
