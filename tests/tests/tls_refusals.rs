//! What does not become a TLS connection: refused in time, with the reason, and at no cost to anybody else.

use std::time::Duration;

use streamx::tls::{self, Replaceable};
use streamx::{Channel, Code, Error, Result};
use streamx_tests::authority::Authority;
use streamx_tests::logs::Logs;
use streamx_tests::probe::{Note, ProbeClient};
use streamx_tests::raw::{self, Raw};
use streamx_tests::rig::{Rig, Setup, echo, eventually, jumping, settle, soon};
use tokio::net::TcpListener;
use tokio::time::advance;

async fn serving(server: tls::Server, client: tls::Client) -> Rig {
    Setup { tls: Some((server.into(), client.into())), ..Setup::default() }.start().await
}

async fn connect(rig: &Rig, tls: impl Into<Replaceable<tls::Client>>) -> Result<ProbeClient> {
    let channel = Channel::builder(format!("ttheader+tls://{}", rig.address())).tls(tls);
    channel.connect().await.map(ProbeClient::new)
}

/// The log of the server once it has one.
async fn logged(logs: Logs) -> String {
    let lines = std::cell::RefCell::new(String::new());
    eventually(|| {
        lines.borrow_mut().push_str(&logs.take());
        !lines.borrow().is_empty()
    })
    .await;
    lines.into_inner()
}

/// A server that the client has no reason to trust.
async fn is_refused_by_the_client(server: tls::Server, client: tls::Client, why: &str, told: &str) {
    let authority = Authority::new();
    let trusted = Replaceable::new(authority.server());
    let setup = Setup { tls: Some((trusted.clone(), authority.client().into())), ..Setup::default() };
    let rig = setup.start().await;
    let mut bystander = rig.client.echo().await.unwrap();
    echo(&mut bystander, 1).await;
    trusted.replace(server);

    let logs = Logs::capture();
    let error = soon(connect(&rig, client.clone())).await.unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), (Code::Unavailable, false), "{error}");
    assert!(
        error.to_string().contains(&format!("cannot connect to ttheader+tls://{}", rig.address())),
        "{error}"
    );
    assert!(error.to_string().contains(why), "{error}");
    let log = logged(logs).await;
    assert!(log.contains("the TLS handshake failed") && log.contains(told), "{log}");

    // Waiting does not help, so nobody waits.
    let lazy = Channel::builder(format!("ttheader+tls://{}", rig.address())).tls(client);
    let lazy = ProbeClient::new(lazy.connect_lazy().unwrap());
    let error = soon(lazy.ask(Note::number(1)).wait_for_ready(true)).await.unwrap_err();
    assert!(error.to_string().contains(why), "{error}");
    echo(&mut bystander, 2).await;
    drop(bystander);
    rig.at_rest().await;
}

#[tokio::test]
async fn a_client_refuses_a_server_of_an_authority_it_does_not_trust() {
    let client = Authority::new().client();
    is_refused_by_the_client(Authority::new().server(), client, "UnknownIssuer", "UnknownCA").await;
}

#[tokio::test]
async fn a_client_refuses_a_server_with_the_certificate_of_another_host() {
    let authority = Authority::new();
    let elsewhere = || tls::Server::new(authority.issue(&["elsewhere.internal"])).unwrap();
    let why = "certificate not valid for name \"127.0.0.1\"";
    is_refused_by_the_client(elsewhere(), authority.client(), why, "BadCertificate").await;
    let rig = serving(elsewhere(), authority.client().server_name("elsewhere.internal")).await;
    assert_eq!(rig.client.ask(Note::number(1)).await.unwrap().number, 1);
}

#[tokio::test]
async fn a_client_refuses_a_server_whose_certificate_has_expired() {
    let authority = Authority::new();
    let server = tls::Server::new(authority.issue_expired(&["127.0.0.1"])).unwrap();
    is_refused_by_the_client(server, authority.client(), "certificate expired", "CertificateExpired").await;
}

/// A client that the server has no reason to trust. In TLS 1.3 it learns this after its own handshake: from its first
/// call.
async fn is_refused_by_the_server(authority: &Authority, client: tls::Client, why: &str, logged_why: &str) {
    let rig = serving(authority.mutual_server(), authority.mutual_client(&["good.internal"])).await;
    let mut bystander = rig.client.echo().await.unwrap();
    echo(&mut bystander, 1).await;
    let before = rig.server().streams_opened;

    let logs = Logs::capture();
    let refused = connect(&rig, client).await.unwrap();
    let error = soon(async { refused.echo().await?.recv().await.map(drop) }).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.to_string().contains(why), "{error}");
    let error = soon(refused.ask(Note::number(1))).await.unwrap_err();
    assert!(error.to_string().contains(why), "{error}");
    let log = logged(logs).await;
    assert!(log.contains("the TLS handshake failed") && log.contains(logged_why), "{log}");

    assert_eq!(rig.server().streams_opened, before, "no handler knows of it");
    echo(&mut bystander, 2).await;
    drop((bystander, refused));
    rig.at_rest().await;
}

#[tokio::test]
async fn a_server_refuses_a_client_without_a_certificate() {
    let authority = Authority::new();
    let why = "received fatal alert: CertificateRequired";
    is_refused_by_the_server(&authority, authority.client(), why, "peer sent no certificates").await;
}

#[tokio::test]
async fn a_server_refuses_a_client_of_an_authority_it_does_not_trust() {
    let (authority, other) = (Authority::new(), Authority::new());
    let client = tls::Client::mutual(authority.roots(), other.issue(&["good.internal"])).unwrap();
    is_refused_by_the_server(&authority, client, "received fatal alert", "UnknownIssuer").await;
}

#[tokio::test]
async fn a_server_refuses_a_client_whose_certificate_has_expired() {
    let authority = Authority::new();
    let client = tls::Client::mutual(authority.roots(), authority.issue_expired(&["good.internal"])).unwrap();
    is_refused_by_the_server(&authority, client, "received fatal alert", "certificate expired").await;
}

async fn both_kinds_fail(client: &ProbeClient, streams: bool) -> Vec<Error> {
    // The large one is still being written when the answer comes.
    let notes = [Note::number(1), Note::of_size(1, 10_000_000)];
    let mut errors = Vec::new();
    for note in notes {
        errors.push(soon(client.ask(note)).await.unwrap_err());
    }
    if streams {
        errors.push(soon(async { client.echo().await?.recv().await.map(drop) }).await.unwrap_err());
    }
    errors
}

#[tokio::test]
async fn a_client_without_tls_is_told_by_a_server_with_it() {
    let logs = Logs::capture();
    let authority = Authority::new();
    let rig = serving(authority.server(), authority.client()).await;
    for scheme in ["ttheader", "framed"] {
        let plain = Channel::connect(format!("{scheme}://{}", rig.address())).await.unwrap();
        for error in both_kinds_fail(&ProbeClient::new(plain), scheme == "ttheader").await {
            assert_eq!(error.code(), Code::Unavailable, "{error}");
            assert!(error.to_string().contains("it serves TLS only"), "{scheme}: {error}");
        }
        let log = logged(logs).await;
        assert!(log.contains("the client does not speak TLS"), "{log}");
    }
    assert_eq!(rig.client.ask(Note::number(1)).await.unwrap().number, 1);
}

#[tokio::test]
async fn a_client_with_tls_fails_at_a_server_without_it() {
    let logs = Logs::capture();
    let rig = Rig::start().await;
    let error = soon(connect(&rig, Authority::new().client())).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.to_string().contains("does the server speak TLS?"), "{error}");
    let log = logged(logs).await;
    assert!(log.contains("a TLS ClientHello on a port without TLS"), "{log}");
    assert_eq!(rig.client.ask(Note::number(1)).await.unwrap().number, 1);
}

#[tokio::test]
async fn a_server_that_answers_in_another_protocol_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ttheader+tls://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut peer = Raw::accepted(listener.accept().await.unwrap().0);
        peer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        std::future::pending::<()>().await
    });
    let connecting = Channel::builder(url).tls(Authority::new().client()).connect();
    let error = soon(connecting).await.unwrap_err();
    assert!(error.to_string().ends_with("the server does not speak TLS"), "{error}");
}

#[test]
fn a_url_and_its_certificates_say_the_same() {
    let client = || Authority::new().client();
    let error = Channel::builder("ttheader+tls://127.0.0.1:1").connect_lazy().unwrap_err();
    assert!(error.to_string().contains("Channel::builder(url).tls(…)"), "{error}");
    let error = Channel::builder("framed://127.0.0.1:1").tls(client()).connect_lazy().unwrap_err();
    assert!(error.to_string().contains("`framed+tls://` would"), "{error}");
    let error = Channel::builder("ttheader+tls://no_such name:1").tls(client()).connect_lazy().unwrap_err();
    assert!(error.to_string().contains("`no_such name` cannot be the name of a TLS server"), "{error}");
}

#[tokio::test]
async fn a_client_gives_up_a_server_that_does_not_finish_the_handshake() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ttheader+tls://{}", listener.local_addr().unwrap());
    let channel = Channel::builder(url).tls(Authority::new().client());
    let (failed, took) = jumping(channel.connect_timeout(Duration::from_secs(2)).connect()).await;
    let error = failed.unwrap_err();
    assert!(error.is_retryable() && error.to_string().ends_with("no answer within 2s"), "{error}");
    assert!(took >= Duration::from_secs(2) && took < Duration::from_secs(3), "{took:?}");
}

/// The ClientHello of a client, as it is sent.
async fn hello() -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ttheader+tls://{}", listener.local_addr().unwrap());
    let channel = Channel::builder(url).tls(Authority::new().client());
    let dialing = tokio::spawn(channel.connect());
    let hello = Raw::accepted(listener.accept().await.unwrap().0).read().await;
    dialing.abort();
    hello
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_stops_half_way_is_closed_after_first_frame_timeout() {
    let authority = Authority::new();
    let hello = hello().await;
    let rig = serving(authority.server(), authority.client()).await;
    let mut streams = rig.echoes(1).await;
    let logs = Logs::capture();
    for length in [0, 1, 5, 100, hello.len()] {
        let mut peer = Raw::connect(rig.address()).await;
        peer.write(&hello[..length]).await;
        settle().await;
        advance(Duration::from_millis(9_990)).await;
        settle().await;
        assert!(!peer.is_closed(), "not before its time, after {length} bytes");
        advance(Duration::from_millis(20)).await;
        eventually(|| peer.is_closed()).await;
        let log = logged(logs).await;
        assert!(log.contains("has not finished its TLS handshake in time"), "after {length} bytes: {log}");
    }
    echo(&mut streams[0], 1).await;
}

#[tokio::test]
async fn damaged_handshakes_cost_their_own_connections_only() {
    let authority = Authority::new();
    let hello = hello().await;
    let rig = serving(authority.server(), authority.client()).await;
    let mut streams = rig.echoes(1).await;
    for place in (0..hello.len()).step_by(7) {
        let mut damaged = hello.clone();
        damaged[place] ^= 0x55;
        let mut peer = Raw::connect(rig.address()).await;
        peer.write(&damaged).await;
    }
    let mut peer = Raw::connect(rig.address()).await;
    peer.write(&raw::frame(1, raw::HEADER, "Echo", b"")).await;
    echo(&mut streams[0], 1).await;
    assert_eq!(rig.server().connections, 1);
}
