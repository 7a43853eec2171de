//! Apache Thrift for Python, in code that its compiler writes for the schema that our trait prints.

use std::path::Path;

use streamx::{Channel, Code};
use streamx_tests::apache::{self, Transport};
use streamx_tests::cases::Peer;
use streamx_tests::interop::{Command, Handlers, InteropClient, InteropServer, Packet};
use streamx_tests::process::Output;

const TRANSPORTS: [Transport; 2] = [Transport::Buffered, Transport::Framed];

/// How many cases `peer.py` has, each of them in three forms of the binary protocol.
const CASES: usize = 3 * 16;

macro_rules! unary_cases {
    ($start:ident) => {
        // Without business errors, which Thrift does not have, and without panics, see below.
        streamx_tests::every_case! { $start, "current_thread";
            unary::ping unary::ping_empty unary::ping_1000 unary::ping_1mib unary::ping_8mib unary::ping_concurrent
            unary::mirror unary::get unary::declared_exception unary::several_arguments unary::void unary::oneway
            unary::unary_error unary::unary_unknown_method unary::unary_unknown_service
        }
    };
}

mod rust_client_to_python_server_over_buffered {
    use super::*;

    async fn start() -> Option<Peer> {
        Peer::apache(Transport::Buffered).await
    }

    unary_cases!(start);
}

mod rust_client_to_python_server_over_framed {
    use super::*;

    async fn start() -> Option<Peer> {
        Peer::apache(Transport::Framed).await
    }

    unary_cases!(start);
}

/// Which takes both forms, and answers in the strict one.
mod rust_client_that_is_not_strict_to_python_server_over_buffered {
    use super::*;

    async fn start() -> Option<Peer> {
        Some(Peer::apache(Transport::Buffered).await?.unary_over(&["buffered+nonstrict"]))
    }

    unary_cases!(start);
}

mod rust_client_that_is_not_strict_to_python_server_over_framed {
    use super::*;

    async fn start() -> Option<Peer> {
        Some(Peer::apache(Transport::Framed).await?.unary_over(&["framed+nonstrict"]))
    }

    unary_cases!(start);
}

/// Its text stays in Python.
#[tokio::test]
async fn what_a_handler_in_python_raises_is_an_internal_error() {
    let Some(apache) = apache::install() else { return };
    for transport in TRANSPORTS {
        let server = apache.server(transport).await;
        let channel = Channel::builder(format!("{}://{}", transport.name(), server.addr()));
        let client = InteropClient::new(channel.connect().await.unwrap());
        let command = Command { what: "panic".to_owned(), ..Command::default() };
        let error = client.fail(command).await.unwrap_err();
        assert_eq!(error.code(), Code::Unknown, "{error}");
        assert!(error.to_string().contains("Internal error"), "{error}");
        assert_eq!(client.ping(Packet::default()).await.unwrap(), Packet::default());
        server.stop().await;
    }
}

#[tokio::test]
async fn a_python_client_sees_every_case_hold_with_a_server_of_streamx() {
    let Some(apache) = apache::install() else { return };
    let server = streamx::Server::builder().add_service(InteropServer::new(Handlers::new()));
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().to_string();
    tokio::spawn(server.serve());
    for transport in TRANSPORTS {
        assert_holds(&apache.client(&addr, transport).await);
    }
}

/// Proves the peer that the tests of streamx rely on, and the harness that runs it.
mod python_alone {
    use super::*;

    #[tokio::test]
    async fn every_case_holds() {
        let Some(apache) = apache::install() else { return };
        for transport in TRANSPORTS {
            let server = apache.server(transport).await;
            assert_holds(&apache.client(server.addr(), transport).await);
        }
    }

    #[tokio::test]
    async fn a_case_that_does_not_hold_is_reported() {
        let Some(apache) = apache::install() else { return };
        let mut gone = apache.server(Transport::Framed).await;
        gone.kill().await;
        let output = apache.client(gone.addr(), Transport::Framed).await;
        assert!(!output.ok(), "a dead server passed: {output}");
        assert!(output.lines()[0].starts_with("FAIL ping in_python: "), "{output}");
    }
}

/// The Apache compiler reads the committed file, so this makes it the judge of our schema. It is the one that Kitex's generator
/// reads, whose test writes it.
#[test]
fn the_committed_idl_is_what_the_trait_prints() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("apache/interop.thrift");
    let printed = InteropServer::<Handlers>::thrift_idl().to_string();
    assert_eq!(std::fs::read_to_string(committed).unwrap(), printed);
}

#[track_caller]
fn assert_holds(output: &Output) {
    assert!(output.ok() && output.lines().len() == CASES, "{output}");
}
