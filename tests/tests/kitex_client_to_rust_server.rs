//! The real Kitex as a client of a server of streamx.

use std::env;
use std::fs;
use std::path::Path;
use std::time::Duration;

use streamx::{Bidi, Error, Message, Result};
use streamx_tests::interop::{Handlers, InteropServer, Packet};
use streamx_tests::kitex::{self, Kitex};
use streamx_tests::process::Server;

async fn server() -> Server {
    Server::start(Path::new(env!("CARGO_BIN_EXE_interop-server"))).await
}

async fn every_case_holds(kitex: &Kitex, group: &str, unary: &str) {
    let server = server().await;
    let output = kitex.client(server.addr(), group, &["-peer", "streamx", "-unary", unary]).await;
    assert!(output.ok(), "{output}");
    server.stop().await;
}

#[tokio::test]
async fn unary_calls_over_framed() {
    let Some(kitex) = kitex::build() else { return };
    every_case_holds(&kitex, "unary", "framed").await;
}

#[tokio::test]
async fn unary_calls_over_buffered() {
    let Some(kitex) = kitex::build() else { return };
    every_case_holds(&kitex, "unary", "buffered").await;
}

#[tokio::test]
async fn unary_calls_over_ttheader_framed() {
    let Some(kitex) = kitex::build() else { return };
    every_case_holds(&kitex, "unary", "ttheader-framed").await;
}

#[tokio::test]
async fn unary_calls_over_ttheader_without_an_inner_length() {
    let Some(kitex) = kitex::build() else { return };
    every_case_holds(&kitex, "unary", "ttheader").await;
}

#[tokio::test]
async fn streams() {
    let Some(kitex) = kitex::build() else { return };
    every_case_holds(&kitex, "streaming", "framed").await;
}

#[tokio::test]
async fn unary_calls_over_grpc() {
    let Some(kitex) = kitex::build() else { return };
    every_case_holds(&kitex, "unary", "grpc").await;
}

#[tokio::test]
async fn streams_over_grpc() {
    let Some(kitex) = kitex::build() else { return };
    every_case_holds(&kitex, "streaming", "grpc").await;
}

#[tokio::test]
async fn unary_calls_over_grpc_in_protobuf() {
    let Some(kitex) = kitex::build() else { return };
    every_case_holds(&kitex, "unary", "grpc-protobuf").await;
}

#[tokio::test]
async fn streams_over_grpc_in_protobuf() {
    let Some(kitex) = kitex::build() else { return };
    every_case_holds(&kitex, "streaming", "grpc-protobuf").await;
}

/// What a Kitex client sees of a `recv_timeout` that its own servers do not have.
#[tokio::test]
async fn the_recv_timeout_of_a_server_is_a_failure_of_the_call() {
    let Some(kitex) = kitex::build() else { return };
    let server = streamx::Server::builder().recv_timeout(Duration::from_millis(300));
    let server = server.add_service(InteropServer::new(Handlers::new())).bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().to_string();
    tokio::spawn(server.serve());
    let output = kitex.client(&addr, "bounded", &["-peer", "streamx"]).await;
    assert!(output.ok(), "{output}");
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(exception)]
struct Empty {
    #[field(1)]
    message: String,
}

/// Interop as far as one case of the Kitex client goes, with an exception that its own schema does not have.
#[streamx::service(name = "Interop")]
trait Vault {
    #[bidi]
    async fn echo(&self, stream: Bidi<Packet, Packet>) -> Result<(), Empty>;
}

struct Spent;

impl Vault for Spent {
    async fn echo(&self, mut stream: Bidi<Packet, Packet>) -> Result<(), Empty> {
        let empty = || Empty { message: "the vault is empty".to_owned() };
        let packet = stream.recv().await.ok().flatten().ok_or_else(empty)?;
        stream.send(packet).await.map_err(|_| empty())?;
        Err(empty())
    }
}

#[tokio::test]
async fn a_declared_exception_at_the_end_of_a_stream_is_an_ordinary_error() {
    let Some(kitex) = kitex::build() else { return };
    let server = streamx::Server::builder().add_service(VaultServer::new(Spent));
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().to_string();
    tokio::spawn(server.serve());
    let output = kitex.client(&addr, "declared", &["-peer", "streamx"]).await;
    assert!(output.ok(), "{output}");
}

/// Interop as far as the case `echo` goes, in the namespace of which Kitex sends the last part.
#[streamx::service(name = "Interop", namespace = "acme.Interop")]
trait Echoing {
    #[bidi]
    async fn echo(&self, stream: Bidi<Packet, Packet>) -> Result<()>;
}

/// Another service of that name.
#[streamx::service(name = "Interop", namespace = "acme.other")]
trait Refusing {
    #[bidi]
    async fn echo(&self, stream: Bidi<Packet, Packet>) -> Result<()>;
}

struct Mirror;

impl Echoing for Mirror {
    async fn echo(&self, mut stream: Bidi<Packet, Packet>) -> Result<()> {
        while let Some(packet) = stream.recv().await? {
            stream.send(packet).await?;
        }
        Ok(())
    }
}

impl Refusing for Mirror {
    async fn echo(&self, _: Bidi<Packet, Packet>) -> Result<()> {
        Err(Error::other("this is the other service"))
    }
}

/// Kitex says the last part of the namespace over gRPC with Thrift, and nothing of it in a TTHeader.
#[tokio::test]
async fn of_two_services_of_one_name_kitex_reaches_what_it_can_name() {
    let Some(kitex) = kitex::build() else { return };
    let server = streamx::Server::builder();
    let server = server.add_service(RefusingServer::new(Mirror)).add_service(EchoingServer::new(Mirror));
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().to_string();
    tokio::spawn(server.serve());
    let over = |unary| {
        let (kitex, addr) = (&kitex, &addr);
        async move { kitex.client(addr, "echo", &["-peer", "streamx", "-unary", unary]).await }
    };
    let named = over("grpc").await;
    assert!(named.ok(), "{named}");
    for (protocol, text) in [
        ("framed", "the call of Interop.Echo may be for one of acme.Interop.Interop, acme.other.Interop"),
        ("grpc-protobuf", "unknown service interop.Interop, method Echo"),
    ] {
        let refused = over(protocol).await;
        assert!(!refused.ok() && refused.to_string().contains(text), "{refused}");
    }
}

#[tokio::test]
async fn streams_with_connections_of_their_own() {
    let Some(kitex) = kitex::build() else { return };
    for pool in ["long", "short"] {
        let server = server().await;
        let output = kitex.client(server.addr(), "streaming", &["-peer", "streamx", "-pool", pool]).await;
        assert!(output.ok(), "{pool}: {output}");
        server.stop().await;
    }
}

/// What streams travel over; `framed` is TTHeader Streaming, with Framed for unary calls.
const PROTOCOLS: [&str; 3] = ["framed", "grpc", "grpc-protobuf"];

#[tokio::test]
async fn a_killed_server_fails_every_mode() {
    let Some(kitex) = kitex::build() else { return };
    for protocol in PROTOCOLS {
        let mut server = server().await;
        let options = ["-peer", "streamx", "-unary", protocol];
        let mut client = kitex.attended(server.addr(), "server-killed", &options);
        client.asks_for("kill").await;
        server.kill().await;
        client.done().await;
        let output = client.finish().await;
        assert!(output.ok(), "{protocol}: {output}");
    }
}

#[tokio::test]
async fn a_client_works_again_after_a_restart() {
    let Some(kitex) = kitex::build() else { return };
    for protocol in PROTOCOLS {
        let mut server = server().await;
        let mut client =
            kitex.attended(server.addr(), "reconnect", &["-peer", "streamx", "-unary", protocol]);
        client.asks_for("restart").await;
        server.restart().await;
        client.done().await;
        let output = client.finish().await;
        assert!(output.ok(), "{protocol}: {output}");
    }
}

/// Kitex's own generator reads the committed files, so this makes it the judge of our schema.
#[test]
fn the_committed_idl_is_what_the_trait_prints() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/kitex/idl"));
    let thrift = InteropServer::<Handlers>::thrift_idl().to_string();
    let proto = InteropServer::<Handlers>::proto_idl().to_string();
    for (file, printed) in [("interop.thrift", thrift), ("interop.proto", proto)] {
        let committed = folder.join(file);
        if env::var_os("UPDATE_SNAPSHOTS").is_some() {
            fs::write(&committed, &printed).unwrap();
        }
        assert_eq!(fs::read_to_string(&committed).unwrap(), printed, "{file}");
    }
}
