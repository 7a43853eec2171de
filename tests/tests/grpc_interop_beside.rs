//! The cases of gRPC's interop tests between streamx peers over TTHeader: what they demand is not bound to a protocol.

use streamx::Server;
use streamx_tests::grpc::Handlers;
use streamx_tests::grpc::cases::Target;
use streamx_tests::grpc::test_service::TestServiceServer;
use tokio::task::JoinHandle;

async fn start() -> Option<Target<JoinHandle<streamx::Result<()>>>> {
    let server = Server::builder().add_service(TestServiceServer::new(Handlers));
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let url = format!("ttheader://{}", server.local_addr());
    Some(Target { url, tls: None, server: tokio::spawn(server.serve()) })
}

streamx_tests::every_grpc_case!(start, besides unary metadata);
