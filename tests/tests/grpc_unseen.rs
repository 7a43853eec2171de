//! Calls over gRPC that their server has certainly not seen: each is made once more, and nothing is done twice.

use std::sync::atomic::Ordering::SeqCst;

use futures::future::join_all;
use h2::Reason;
use streamx::{Channel, Code, Result};
use streamx_tests::foreign_server::{Echo, Scripted};
use streamx_tests::probe::{Note, ProbeClient};
use streamx_tests::rig::{settle, soon};
use tokio::net::TcpListener;

/// What a note without a body takes, with what gRPC puts before it.
const NOTE: usize = 7;
const REFUSES: Echo = Echo { refused: 1, after: 0, answers: false, header: 0 };

async fn client(address: &str) -> ProbeClient {
    ProbeClient::connect(format!("grpc://{address}")).await.unwrap()
}

async fn unary(client: &ProbeClient) -> Result<()> {
    assert_eq!(client.ask(Note::number(1)).await?, Note::number(1));
    Ok(())
}

async fn server_stream(client: &ProbeClient) -> Result<()> {
    let mut stream = client.count(Note::number(1)).await?;
    assert_eq!(stream.recv().await?, Some(Note::number(1)));
    assert_eq!(stream.recv().await?, None);
    Ok(())
}

async fn client_stream(client: &ProbeClient) -> Result<()> {
    let mut stream = client.sum().await?;
    stream.send(Note::number(1)).await?;
    assert_eq!(stream.close_and_recv().await?, Note::number(1));
    Ok(())
}

/// Sends everything before it looks for an answer.
async fn bidi(client: &ProbeClient) -> Result<()> {
    let mut stream = client.echo().await?;
    for number in 1..=9 {
        if stream.send(Note::number(number)).await.is_err() {
            // Why is what it receives.
            break;
        }
        settle().await;
    }
    stream.close_send().await?;
    for number in 1..=9 {
        assert_eq!(stream.recv().await?, Some(Note::number(number)));
    }
    assert_eq!(stream.recv().await?, None);
    Ok(())
}

/// In the mode with this number.
async fn call(client: &ProbeClient, mode: usize) -> Result<()> {
    match mode % 4 {
        0 => unary(client).await,
        1 => server_stream(client).await,
        2 => client_stream(client).await,
        _ => bidi(client).await,
    }
}

#[tokio::test]
async fn a_call_that_was_refused_is_made_once_more_with_all_it_has_sent() {
    for (mode, after) in (0..4).flat_map(|mode| [(mode, 0), (mode, NOTE)]) {
        for (refused, seen) in [(0, 1), (1, 2), (2, 2)] {
            let (address, count) = Echo { refused, after, ..REFUSES }.start().await;
            let outcome = soon(call(&client(&address).await, mode)).await;
            assert_eq!(count.load(SeqCst), seen, "mode {mode}");
            match outcome {
                Ok(()) => assert!(refused < 2),
                Err(error) => assert!(error.is_retryable() && refused == 2, "{error}"),
            }
        }
    }
}

#[tokio::test]
async fn a_bidirectional_call_goes_on_where_it_was_after_its_second_beginning() {
    let (address, seen) = Echo { after: NOTE, ..REFUSES }.start().await;
    let client = client(&address).await;
    let mut stream = client.echo().await.unwrap();
    for number in 1..=9 {
        stream.send(Note::number(number)).await.unwrap();
        assert_eq!(soon(stream.recv()).await.unwrap(), Some(Note::number(number)));
    }
    stream.close_send().await.unwrap();
    assert_eq!(soon(stream.recv()).await.unwrap(), None);
    assert_eq!(seen.load(SeqCst), 2);
}

#[tokio::test]
async fn a_stream_that_has_sent_too_much_is_not_made_again() {
    let large = Note::of_size(1, 20 << 10);
    for (notes, again) in [(3, true), (4, false)] {
        let (address, seen) = Echo { after: notes * (20 << 10), ..REFUSES }.start().await;
        let mut stream = client(&address).await.echo().await.unwrap();
        for _ in 0..notes {
            stream.send(&large).await.unwrap();
        }
        let received = soon(stream.recv()).await;
        assert_eq!(seen.load(SeqCst), if again { 2 } else { 1 });
        match received {
            Ok(note) => assert!(again && note.as_ref() == Some(&large)),
            Err(error) => assert!(error.is_retryable() && !again, "{error}"),
        }
    }
}

#[tokio::test]
async fn a_stream_that_was_answered_is_not_made_again() {
    let (address, seen) = Echo { answers: true, ..REFUSES }.start().await;
    let mut stream = client(&address).await.echo().await.unwrap();
    let error = soon(stream.recv()).await.unwrap_err();
    assert_eq!((error.code(), seen.load(SeqCst)), (Code::Unavailable, 1), "{error}");
}

/// HTTP/2 itself gives up such a call on this side, with the code of a refusal.
#[tokio::test]
async fn a_call_whose_answer_has_too_large_a_header_is_not_made_again() {
    for mode in 0..4 {
        let (address, seen) = Echo { refused: 0, header: 70_000, ..REFUSES }.start().await;
        let error = soon(call(&client(&address).await, mode)).await.unwrap_err();
        assert_eq!(
            (error.code(), error.is_retryable(), seen.load(SeqCst)),
            (Code::Internal, false, 1),
            "{error}"
        );
        assert!(error.to_string().contains("max_header_size"), "{error}");
    }
}

/// The server goes before any call comes, and the client has not read that when it makes one.
#[tokio::test]
async fn a_call_on_a_connection_that_has_just_been_told_to_go_succeeds_elsewhere() {
    for mode in 0..4 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = client(&listener.local_addr().unwrap().to_string()).await;
        let mut server = Scripted::accept(&listener).await;
        server.greet().await;
        server.go_away(0, Reason::NO_ERROR).await;
        let seen = Echo { refused: 0, ..REFUSES }.serve(listener);
        soon(call(&client, mode)).await.unwrap();
        assert_eq!(seen.load(SeqCst), 1, "mode {mode}");
    }
}

#[tokio::test]
async fn no_call_is_given_to_a_connection_that_is_known_to_go() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("grpc://{}", listener.local_addr().unwrap());
    let channel = Channel::connect(url).await.unwrap();
    let client = ProbeClient::new(channel.clone());
    let mut server = Scripted::accept(&listener).await;
    server.greet().await;
    let mut begun = client.echo().await.unwrap();
    let first = server.next(Scripted::HEADERS).await;
    server.go_away(first, Reason::NO_ERROR).await;
    settle().await;
    let seen = Echo { refused: 0, ..REFUSES }.serve(listener);
    for mode in 0..4 {
        soon(call(&client, mode)).await.unwrap();
    }
    assert_eq!((seen.load(SeqCst), channel.counters().streams_opened), (4, 5));
    server.answer(first, b"").await;
    assert_eq!(soon(begun.recv()).await.unwrap(), None);
}

#[tokio::test]
async fn a_server_that_goes_finishes_what_it_has_begun_and_the_rest_goes_elsewhere() {
    for reason in [Reason::NO_ERROR, Reason::ENHANCE_YOUR_CALM] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = client(&listener.local_addr().unwrap().to_string()).await;
        let mut server = Scripted::accept(&listener).await;
        server.greet().await;
        let mut begun = client.echo().await.unwrap();
        begun.send(Note::number(1)).await.unwrap();
        let first = server.next(Scripted::HEADERS).await;
        let other = client.clone();
        let calls = tokio::spawn(async move { join_all((0..4).map(|mode| call(&other, mode))).await });
        for _ in 0..4 {
            server.next(Scripted::HEADERS).await;
        }
        server.go_away(first, reason).await;
        let seen = Echo { refused: 0, ..REFUSES }.serve(listener);
        for outcome in soon(calls).await.unwrap() {
            outcome.unwrap();
        }
        // What the old connection carries goes on both ways meanwhile.
        begun.send(Note::number(2)).await.unwrap();
        server.next(Scripted::DATA).await;
        begun.close_send().await.unwrap();
        server.answer(first, b"\0\0\0\0\x02\x08\x07").await;
        assert_eq!(soon(begun.recv()).await.unwrap(), Some(Note::number(7)));
        assert_eq!(soon(begun.recv()).await.unwrap(), None);
        assert_eq!(seen.load(SeqCst), 4);
    }
}
