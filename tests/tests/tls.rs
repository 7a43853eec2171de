//! Calls over TLS and mutual TLS: every mode and protocol, who the caller is, new certificates, and the end.

use streamx::tls::{self, Identity, Replaceable};
use streamx::{Bidi, Channel, Code, Context, Message, Placement, Pool, Result, Server};
use streamx_tests::authority::{Authority, self_signed_pem};
use streamx_tests::probe::{Handlers, Note, ProbeClient, ProbeServer};
use streamx_tests::rig::{Load, Rig, Setup, echo, settle, soon};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The protocols that carry streams.
const WITH_STREAMS: [&str; 3] = ["ttheader", "grpc", "grpc+thrift"];
/// Those that carry unary calls only.
const WITHOUT_STREAMS: [&str; 5] =
    ["framed", "buffered", "ttheader+unframed", "framed+nonstrict", "buffered+nonstrict"];

fn secured(server: tls::Server, client: tls::Client) -> Setup {
    Setup { tls: Some((server.into(), client.into())), ..Setup::default() }
}

/// A client of rustls that trusts this authority.
fn trusting(authority: &Authority) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
}

async fn every_mode(rig: &Rig) {
    let client = &rig.client;
    let note = Note::of_size(3, 100_000);
    assert_eq!(soon(client.ask(note.clone())).await.unwrap(), note);
    echo(&mut client.echo().await.unwrap(), 1).await;
    let mut sum = client.sum().await.unwrap();
    for number in 1..=10 {
        sum.send(Note::number(number)).await.unwrap();
    }
    assert_eq!(soon(sum.close_and_recv()).await.unwrap().number, 55);
    let mut count = client.count(note.clone()).await.unwrap();
    for _ in 0..3 {
        assert_eq!(soon(count.recv()).await.unwrap(), Some(note.clone()));
    }
    assert_eq!(soon(count.recv()).await.unwrap(), None);
    drop(count);
    rig.at_rest().await;
}

#[tokio::test]
async fn every_mode_works_over_tls() {
    let authority = Authority::new();
    every_mode(&secured(authority.server(), authority.client()).start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mode_works_over_mutual_tls() {
    for scheme in WITH_STREAMS {
        let authority = Authority::new();
        let client = authority.mutual_client(&["caller.internal"]);
        every_mode(&secured(authority.mutual_server(), client).start_over(scheme).await).await;
    }
}

#[tokio::test]
async fn every_mode_works_over_grpc_and_tls() {
    for scheme in ["grpc", "grpc+thrift"] {
        let authority = Authority::new();
        every_mode(&secured(authority.server(), authority.client()).start_over(scheme).await).await;
    }
}

/// What clients of gRPC in other languages insist on.
#[tokio::test]
async fn the_handshake_settles_on_http_2_where_a_client_offers_it() {
    let authority = Authority::new();
    let rig = secured(authority.server(), authority.client()).start().await;
    for (offered, settled) in [(vec!["h2"], Some("h2")), (vec!["http/1.1", "h2"], Some("h2")), (vec![], None)]
    {
        let mut config = trusting(&authority);
        config.alpn_protocols = offered.iter().map(|&name| name.into()).collect();
        let tcp = TcpStream::connect(rig.address()).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = TlsConnector::from(std::sync::Arc::new(config)).connect(name, tcp).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), settled.map(str::as_bytes), "{offered:?}");
    }

    let mut config = trusting(&authority);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let tcp = TcpStream::connect(rig.address()).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let failed = TlsConnector::from(std::sync::Arc::new(config)).connect(name, tcp).await;
    assert!(failed.unwrap_err().to_string().contains("NoApplicationProtocol"));
}

#[tokio::test]
async fn messages_without_streams_travel_over_tls_on_the_same_port() {
    let authority = Authority::new();
    let rig = secured(authority.server(), authority.client()).start().await;
    for scheme in WITHOUT_STREAMS {
        let url = format!("{scheme}+tls://{}", rig.address());
        let channel = Channel::builder(url).tls(authority.client()).connect().await.unwrap();
        let note = Note::of_size(7, 100_000);
        assert_eq!(soon(ProbeClient::new(channel).ask(note.clone())).await.unwrap(), note, "{scheme}");
    }
    every_mode(&rig).await;
}

#[tokio::test]
async fn the_server_at_a_unix_socket_goes_by_the_name_that_the_client_was_told() {
    let authority = Authority::new();
    let path = std::env::temp_dir().join(format!("streamx-tls-{}.sock", std::process::id()));
    let server = tls::Server::new(authority.issue(&["probe.internal"])).unwrap();
    let server = Server::builder().add_service(ProbeServer::new(Handlers::default())).tls(server);
    let server = server.bind(format!("unix:{}", path.display())).await.unwrap();
    tokio::spawn(server.serve());
    let builder = |scheme| Channel::builder(format!("{scheme}+tls://unix:{}", path.display()));
    for scheme in WITH_STREAMS.into_iter().chain(WITHOUT_STREAMS) {
        let named = authority.client().server_name("probe.internal");
        let channel = builder(scheme).tls(named).connect().await.unwrap();
        assert_eq!(ProbeClient::new(channel).ask(Note::number(7)).await.unwrap().number, 7, "{scheme}");
    }

    let error = builder("ttheader").tls(authority.client()).connect_lazy().unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(error.to_string().contains("tls::Client::server_name"), "{error}");
}

#[derive(Message, Clone, Debug, Default)]
struct Names {
    #[field(1)]
    seen: Vec<String>,
}

#[streamx::service]
trait Whoami {
    async fn whoami(&self, ctx: Context) -> Result<Names>;

    #[bidi]
    async fn on_a_stream(&self, ctx: Context, stream: Bidi<Names, Names>) -> Result<()>;
}

struct Mirror;

fn names(ctx: &Context) -> Names {
    let Some(peer) = ctx.peer_identity() else { return Names::default() };
    let certificates = peer.certificates().map(|der| format!("{} bytes", der.len()));
    let names = peer.dns_names().chain(peer.uris()).map(str::to_owned);
    let address = ctx.peer_addr().map(|addr| addr.ip().to_string());
    Names { seen: names.chain(certificates).chain(address).collect() }
}

impl Whoami for Mirror {
    async fn whoami(&self, ctx: Context) -> Result<Names> {
        Ok(names(&ctx))
    }

    async fn on_a_stream(&self, ctx: Context, mut stream: Bidi<Names, Names>) -> Result<()> {
        stream.send(names(&ctx)).await
    }
}

/// What a server says of its caller in one call, and in one stream where the scheme carries streams.
async fn whoami(server: tls::Server, client: tls::Client, scheme: &str) -> Vec<Vec<String>> {
    let server = Server::builder().add_service(WhoamiServer::new(Mirror)).tls(server);
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let url = format!("{scheme}+tls://{}", server.local_addr());
    tokio::spawn(server.serve());
    let client = WhoamiClient::new(Channel::builder(url).tls(client).connect().await.unwrap());
    let mut answers = vec![client.whoami().await.unwrap().seen];
    if WITH_STREAMS.contains(&scheme) {
        let mut stream = client.on_a_stream().await.unwrap();
        answers.push(soon(stream.recv()).await.unwrap().unwrap().seen);
    }
    answers
}

#[tokio::test]
async fn a_handler_sees_the_names_and_the_certificate_of_its_caller() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue_pem(&["billing.internal", "spiffe://prod/billing"]);
    let der = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let bytes = format!("{} bytes", der.len());
    let identity = Identity::from_pem(&certificate, &key).unwrap();
    let client = tls::Client::mutual(authority.roots(), identity).unwrap();
    for (schemes, calls) in [(&WITH_STREAMS[..], 2), (&WITHOUT_STREAMS[..], 1)] {
        for scheme in schemes {
            let seen = whoami(authority.mutual_server(), client.clone(), scheme).await;
            let wanted = ["billing.internal", "spiffe://prod/billing", &bytes, "127.0.0.1"];
            assert_eq!(seen, vec![wanted; calls], "{scheme}");
        }
    }
}

#[tokio::test]
async fn a_server_that_asks_for_no_certificate_knows_nobody() {
    let authority = Authority::new();
    let client = authority.mutual_client(&["billing.internal"]);
    for scheme in WITH_STREAMS.into_iter().chain(WITHOUT_STREAMS) {
        let seen = whoami(authority.server(), client.clone(), scheme).await;
        assert!(seen.iter().all(Vec::is_empty), "{scheme}: {seen:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_signed_by_itself_is_trusted_by_itself() {
    let (certificate, key) = self_signed_pem("127.0.0.1");
    let server = tls::Server::new(Identity::from_pem(&certificate, key).unwrap()).unwrap();
    let client = tls::Client::new(tls::Roots::from_pem(certificate).unwrap()).unwrap();
    every_mode(&secured(server, client).start().await).await;
}

#[tokio::test]
async fn configurations_of_rustls_are_taken_as_they_are() {
    use tls::rustls::crypto::ring::default_provider;
    use tls::rustls::version::TLS12;
    let authority = Authority::new();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    // A client of the old version only, as it could not be had otherwise.
    let config = ClientConfig::builder_with_provider(default_provider().into());
    let config = config.with_protocol_versions(&[&TLS12]).unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    every_mode(&secured(authority.server(), config.into()).start().await).await;
}

#[tokio::test]
async fn new_certificates_are_for_new_connections_and_running_calls_go_on() {
    for scheme in WITH_STREAMS {
        let (old, new) = (Authority::new(), Authority::new());
        let (server, client) = (Replaceable::new(old.server()), Replaceable::new(old.client()));
        let rig = Setup { tls: Some((server.clone(), client.clone())), ..Setup::default() }.start().await;
        // The stream has its connection to itself, so the next call of the channel needs another one.
        let builder = || Channel::builder(format!("{scheme}+tls://{}", rig.address())).pool(Pool::long());
        let dial = |client: tls::Client| builder().tls(client).connect();
        let probe = ProbeClient::new(builder().tls(client.clone()).connect().await.unwrap());
        let mut running = probe.echo().await.unwrap();
        echo(&mut running, 1).await;

        server.replace(new.server());
        echo(&mut running, 2).await;
        let refused = dial(old.client()).await.unwrap_err();
        assert!(refused.to_string().contains("UnknownIssuer"), "{scheme}: {refused}");
        let fresh = ProbeClient::new(dial(new.client()).await.unwrap());
        assert_eq!(fresh.ask(Note::number(3)).await.unwrap().number, 3);
        let refused = soon(probe.ask(Note::number(4))).await.unwrap_err();
        assert!(refused.to_string().contains("UnknownIssuer"), "{scheme}: {refused}");
        client.replace(new.client());
        assert_eq!(soon(probe.ask(Note::number(4))).await.unwrap().number, 4);
        echo(&mut running, 5).await;
        drop(running);
        rig.at_rest().await;
    }
}

#[test]
fn what_cannot_be_used_is_refused_when_it_is_read() {
    let authority = Authority::new();
    let ((certificate, key), (_, other_key)) = (authority.issue_pem(&["a"]), authority.issue_pem(&["b"]));
    let broken = certificate.replace("MII", "???");
    for (certificate, key, why) in [
        (&*certificate, &*other_key, "the certificate and the private key do not fit"),
        (&*key, &*key, "there is no `BEGIN CERTIFICATE` in it"),
        (&*certificate, &*certificate, "the private key cannot be read"),
        (&*broken, &*key, "the certificate cannot be read"),
    ] {
        let error = Identity::from_pem(certificate, key).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.to_string().contains(why), "{error}");
    }
    assert!(tls::Roots::from_pem("").unwrap_err().to_string().contains("no `BEGIN CERTIFICATE`"));
    let error = Identity::from_files("/nowhere/server.pem", "/nowhere/server.key").unwrap_err();
    assert!(error.to_string().contains("/nowhere/server.pem"), "{error}");
}

/// As without TLS: see `batching.rs`.
#[tokio::test]
async fn sixty_four_streams_share_writes() {
    for placement in [Placement::Connection, Placement::Task] {
        let authority = Authority::new();
        let setup = secured(authority.server(), authority.client());
        let rig = Setup { placement, ..setup }.start().await;
        let load = Load::start(&rig, 64).await;
        rig.all_arrived().await;
        let before = (rig.client().writes, rig.server().writes);
        load.run(100).await;
        rig.all_arrived().await;
        let writes = (rig.client().writes - before.0, rig.server().writes - before.1);
        println!("{placement:?}: 6400 messages each way, writes: client {}, server {}", writes.0, writes.1);
        assert!(writes.0 * 16 <= 6400 && writes.1 * 16 <= 6400, "{placement:?}: {writes:?}");
    }
}

#[tokio::test]
async fn one_stream_takes_one_write_a_message() {
    let authority = Authority::new();
    let rig = secured(authority.server(), authority.client()).start().await;
    let mut streams = rig.echoes(1).await;
    rig.all_arrived().await;
    let before = (rig.client().writes, rig.server().writes);
    for number in 0..100 {
        echo(&mut streams[0], number).await;
    }
    rig.all_arrived().await;
    assert_eq!((rig.client().writes - before.0, rig.server().writes - before.1), (100, 100));
}

/// More than sockets hold, read late: what TLS has taken and the socket below has not must leave in the end.
async fn large_messages_arrive_whole(flavor: &str) {
    let authority = Authority::new();
    let rig = secured(authority.server(), authority.client()).start().await;
    for size in [200_000, 3_000_000, 9_999_999] {
        let mut stream = rig.client.echo().await.unwrap();
        let note = Note::of_size(1, size);
        for _ in 0..3 {
            soon(stream.send(&note)).await.unwrap();
        }
        settle().await;
        for _ in 0..3 {
            assert!(soon(stream.recv()).await.unwrap().as_ref() == Some(&note), "{flavor}, {size} bytes");
        }
    }
    rig.at_rest().await;
}

#[tokio::test]
async fn large_messages_arrive_whole_on_the_current_thread_runtime() {
    large_messages_arrive_whole("current-thread").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_messages_arrive_whole_on_the_multi_thread_runtime() {
    large_messages_arrive_whole("multi-thread").await;
}

#[tokio::test]
async fn a_server_that_is_killed_ends_the_streams_of_its_connections() {
    let authority = Authority::new();
    let mut rig = secured(authority.server(), authority.client()).start().await;
    let mut streams = rig.echoes(3).await;
    rig.kill_server().await;
    for stream in &mut streams {
        let error = soon(stream.recv()).await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable, "{error}");
    }
    drop(streams);
    rig.at_rest().await;
}

#[tokio::test]
async fn a_connection_that_is_cut_on_the_way_is_not_an_end() {
    let authority = Authority::new();
    let rig = secured(authority.server(), authority.client()).start().await;
    let relay = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ttheader+tls://{}", relay.local_addr().unwrap());
    let server = rig.address().to_owned();
    let relaying = tokio::spawn(async move {
        let (mut near, _) = relay.accept().await.unwrap();
        let mut far = TcpStream::connect(server).await.unwrap();
        let _cut = copy_bidirectional(&mut near, &mut far).await;
    });
    let client = ProbeClient::new(Channel::builder(url).tls(authority.client()).connect().await.unwrap());
    let mut stream = client.echo().await.unwrap();
    echo(&mut stream, 1).await;
    relaying.abort();
    let error = soon(stream.recv()).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.to_string().contains("close_notify"), "{error}");
    drop(stream);
    rig.at_rest().await;
}

#[tokio::test]
async fn a_connection_that_ends_says_so_in_tls() {
    let authority = Authority::new();
    let rig = secured(authority.server(), authority.client()).start().await;
    let config = trusting(&authority);
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let socket = TcpStream::connect(rig.address()).await.unwrap();
    let mut peer = TlsConnector::from(std::sync::Arc::new(config)).connect(name, socket).await.unwrap();
    peer.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    peer.flush().await.unwrap();
    let mut answer = String::new();
    // Without the goodbye this would be an error.
    soon(peer.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}
