//! Messages of gRPC that are compressed.

use std::io::{Read, Write};

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use streamx::{Channel, Compression, Limits, Server};
use streamx_tests::counting;
use streamx_tests::foreign::answer;
use streamx_tests::probe::{Handlers, Note, ProbeClient, ProbeServer};
use streamx_tests::rig::{Setup, echo, soon};
use tokio::task::JoinHandle;

const SIZE: usize = 100_000;

/// A server, and a place before it where bytes are counted: those to the server, and those back.
async fn counted(server: Option<Compression>) -> (String, JoinHandle<(u64, u64)>) {
    let mut builder = Server::builder().add_service(ProbeServer::new(Handlers::default()));
    if let Some(compression) = server {
        builder = builder.compression(compression);
    }
    let server = builder.bind("127.0.0.1:0").await.unwrap();
    let behind = server.local_addr().to_string();
    tokio::spawn(server.serve());
    counting::before(behind).await
}

/// How many bytes a note and its echo are on the way, with what is set on each side.
async fn bytes_of_an_echo(client: Option<Compression>, server: Option<Compression>) -> (u64, u64) {
    let (address, counting) = counted(server).await;
    let mut builder = Channel::builder(format!("grpc://{address}"));
    if let Some(compression) = client {
        builder = builder.compression(compression);
    }
    let client = ProbeClient::new(builder.connect().await.unwrap());
    let mut stream = client.echo().await.unwrap();
    let note = Note::of_size(1, SIZE);
    stream.send(&note).await.unwrap();
    assert_eq!(soon(stream.recv()).await.unwrap(), Some(note));
    stream.close_send().await.unwrap();
    assert_eq!(soon(stream.recv()).await.unwrap(), None);
    drop((stream, client));
    soon(counting).await.unwrap()
}

#[tokio::test]
async fn what_is_compressed_takes_fewer_bytes_and_a_server_answers_alike() {
    let (to, back) = bytes_of_an_echo(None, None).await;
    assert!(to > SIZE as u64 && back > SIZE as u64, "{to} {back}");
    for compression in [Compression::Gzip, Compression::Zstd] {
        let (to, back) = bytes_of_an_echo(Some(compression), None).await;
        assert!(to < 5_000 && back < 5_000, "{compression:?}: {to} {back}");
        let (to, back) = bytes_of_an_echo(None, Some(compression)).await;
        assert!(to > SIZE as u64 && back < 5_000, "{compression:?}: {to} {back}");
    }
}

#[tokio::test]
async fn every_mode_takes_compressed_messages() {
    for compression in [Compression::Gzip, Compression::Zstd] {
        let rig = Setup::default().start_over_grpc().await;
        let channel = Channel::builder(format!("grpc://{}", rig.address())).compression(compression);
        let client = ProbeClient::new(channel.connect().await.unwrap());
        let note = Note::of_size(2, SIZE);
        assert_eq!(soon(client.ask(note.clone())).await.unwrap(), note);
        let mut sum = client.sum().await.unwrap();
        for _ in 0..3 {
            sum.send(&note).await.unwrap();
        }
        assert_eq!(soon(sum.close_and_recv()).await.unwrap().number, 6);
        let mut count = client.count(note.clone()).await.unwrap();
        for _ in 0..2 {
            assert_eq!(soon(count.recv()).await.unwrap().as_ref(), Some(&note));
        }
        assert_eq!(soon(count.recv()).await.unwrap(), None);
        drop((count, client));
        rig.at_rest().await;
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn message(flag: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&[flag], &length[..], bytes].concat()
}

const PROTOBUF: (&str, &str) = ("content-type", "application/grpc");
const GZIP: (&str, &str) = ("grpc-encoding", "gzip");
const ACCEPTS: (&str, &str) = ("grpc-accept-encoding", "identity, gzip");

/// How everything begins that zstd has compressed (RFC 8878, 3.1.1).
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The note with the number 7, and a body that gzip makes short.
fn note() -> Vec<u8> {
    let body = [7; 4096];
    [b"\x08\x07\x12\x80\x20", &body[..]].concat()
}

#[tokio::test]
async fn a_client_of_another_make_compresses_with_gzip_and_reads_what_it_is_answered() {
    let rig = Setup::default().start_over_grpc().await;
    let (note, call) = (note(), "/probe.Probe/Ask");
    let compressed = answer(rig.address(), call, &[PROTOBUF, GZIP, ACCEPTS], &message(1, &gzip(&note))).await;
    assert_eq!((compressed.header("grpc-status"), compressed.header("grpc-encoding")), ("0", "gzip"));
    assert_eq!(compressed.body[0], 1);
    let mut back = Vec::new();
    GzDecoder::new(&compressed.body[5..]).read_to_end(&mut back).unwrap();
    assert_eq!(back, note);

    // Not every message of a client that compresses is compressed.
    let plain = answer(rig.address(), call, &[PROTOBUF, GZIP, ACCEPTS], &message(0, &note)).await;
    assert_eq!((plain.header("grpc-status"), plain.body[0]), ("0", 1));
    // One that has not said that it reads it is answered plainly, as tonic is.
    let plain = answer(rig.address(), call, &[PROTOBUF, GZIP], &message(1, &gzip(&note))).await;
    assert_eq!((plain.header("grpc-encoding"), &plain.body[..]), ("", &message(0, &note)[..]));
    // One that does not say how is answered plainly.
    let plain = answer(rig.address(), call, &[PROTOBUF], &message(0, &note)).await;
    assert_eq!((plain.header("grpc-encoding"), &plain.body[..]), ("", &message(0, &note)[..]));
    rig.at_rest().await;
}

/// What a server is told is a wish: what its client reads decides.
#[tokio::test]
async fn a_server_that_is_told_to_compress_with_zstd_answers_what_its_client_reads() {
    let server = Server::builder().add_service(ProbeServer::new(Handlers::default()));
    let server = server.compression(Compression::Zstd).bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().to_string();
    tokio::spawn(server.serve());
    let (note, unzip) = (note(), |packed: &[u8]| {
        let mut unpacked = Vec::new();
        GzDecoder::new(packed).read_to_end(&mut unpacked).unwrap();
        unpacked
    });
    let calls = [message(0, &note), message(1, &gzip(&note))];
    for (accepts, [plain, zipped]) in [
        (None, ["", ""]),
        (Some(""), ["", ""]),
        (Some("identity"), ["", ""]),
        (Some("deflate,snappy"), ["", ""]),
        (Some("zstdx, zst"), ["", ""]),
        (Some("gzip"), ["", "gzip"]),
        (Some("identity,deflate,gzip"), ["", "gzip"]),
        (Some("gzip, zstd"), ["zstd", "zstd"]),
    ] {
        for (call, encoding) in calls.iter().zip([plain, zipped]) {
            let mut headers = vec![PROTOBUF];
            headers.extend((call[0] == 1).then_some(GZIP));
            headers.extend(accepts.map(|accepts| ("grpc-accept-encoding", accepts)));
            let answer = answer(&address, "/probe.Probe/Ask", &headers, call).await;
            let context = format!("{accepts:?} {encoding}");
            assert_eq!(answer.header("grpc-status"), "0", "{context}");
            assert_eq!(answer.header("grpc-encoding"), encoding, "{context}");
            match encoding {
                "" => assert_eq!(answer.body, message(0, &note), "{context}"),
                "gzip" => {
                    assert_eq!((answer.body[0], unzip(&answer.body[5..])), (1, note.clone()), "{context}")
                }
                _ => {
                    assert_eq!((answer.body[0], answer.body[5..9].to_vec()), (1, ZSTD.to_vec()), "{context}")
                }
            }
        }
    }
}

#[tokio::test]
async fn what_does_not_decompress_ends_its_own_call_only() {
    let limits = Limits::default().max_message_size(64 << 10);
    let rig = Setup { server: limits, ..Setup::default() }.start_over_grpc().await;
    let mut other = rig.client.echo().await.unwrap();
    let bomb = gzip(&vec![0; 8 << 20]);
    assert!(bomb.len() < 10_000);
    let table = [
        (vec![GZIP], message(1, b"no gzip"), "13", "is no gzip"),
        (vec![GZIP], message(1, &bomb), "8", "larger than 65536 bytes (limit max_message_size)"),
        (vec![], message(1, &gzip(b"")), "13", "has not said how it compresses"),
        (vec![("grpc-encoding", "snappy")], message(0, b""), "12", "these are: gzip,zstd,identity"),
    ];
    for (mut headers, body, status, text) in table {
        headers.push(PROTOBUF);
        let answer = answer(rig.address(), "/probe.Probe/Ask", &headers, &body).await;
        assert_eq!(answer.header("grpc-status"), status, "{text}: {answer:?}");
        assert!(answer.header("grpc-message").contains(text), "{text}: {answer:?}");
        if status == "12" {
            assert_eq!(answer.header("grpc-accept-encoding"), "gzip,zstd,identity");
        }
        echo(&mut other, 1).await;
    }
    drop(other);
    rig.at_rest().await;
}
