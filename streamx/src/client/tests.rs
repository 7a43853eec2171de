//! What a client's handles do, against a peer in memory.

mod group;
mod metadata;
mod middleware;
#[cfg(feature = "grpc")]
mod once_more;
mod options;

use std::sync::Arc;

use futures::{FutureExt, SinkExt, StreamExt};

use crate::stream::fake::{self, Calls, Did, End};
use crate::stream::sample::{Calculator, Negative, Number, SumsClient, SumsServer, number};
use crate::{Code, Error, Result, client};

fn scripted() -> (SumsClient, Calls) {
    let (channel, calls) = fake::scripted();
    (SumsClient::new(channel), calls)
}

/// What is ready without waiting.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("ready without waiting")
}

fn double() -> (client::Bidi<Number, Number>, End) {
    let (client, calls) = scripted();
    (now(client.double()).unwrap(), calls.accept().1)
}

fn sum() -> (client::ClientStream<Number, Number>, End) {
    let (client, calls) = scripted();
    (now(client.sum()).unwrap(), calls.accept().1)
}

fn count() -> (client::Streaming<Number>, End) {
    let (client, calls) = scripted();
    (now(client.count(number(3))).unwrap(), calls.accept().1)
}

fn cancelled() -> Did {
    Did::Reset("the caller gave up the call: it dropped a handle before the end".into(), Some(12007))
}

#[tokio::test]
async fn every_mode_reaches_the_implementation() -> Result<()> {
    let client = SumsClient::new(fake::to(SumsServer::new(Calculator)));
    assert_eq!(client.add(2, Some(3)).await?, 5);
    assert_eq!(client.add(2, None).await?, 3);
    client.ping().await?;
    assert_eq!(client.find(number(7)).await?, Some(number(7)));
    assert_eq!(client.find(number(8)).await?, None);
    client.log(number(1)).await?;

    let mut sum = client.sum().await?;
    for value in 1..=3 {
        sum.send(number(value)).await?;
    }
    assert_eq!(sum.close_and_recv().await?, number(6));

    let counted: Vec<_> = client.count(number(3)).await?.collect().await;
    assert_eq!(counted.into_iter().collect::<Result<Vec<_>>>()?, [number(0), number(1), number(2)]);

    let mut double = client.double().await?;
    double.send(number(4)).await?;
    assert_eq!(double.recv().await?, Some(number(8)));
    double.close_send().await?;
    assert_eq!(double.recv().await?, None);
    Ok(())
}

#[tokio::test]
async fn a_failure_reaches_the_caller_typed_and_with_the_method() {
    let client = SumsClient::new(fake::to(SumsServer::new(Calculator)));
    let error = client.add(i64::MAX, None).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.code()), ("Sums.Add: too large", Code::OutOfRange));

    let error = client.root(number(-4)).await.unwrap_err();
    assert_eq!(error.exception::<Negative>(), Some(&Negative { value: -4 }));
    assert!(error.to_string().starts_with("Sums.Root: "));

    let mut count = client.count(number(-2)).await.unwrap();
    let error = count.recv().await.unwrap_err();
    assert_eq!(error.exception::<Negative>(), Some(&Negative { value: -2 }));
}

#[test]
fn an_exception_that_came_as_bytes_is_typed() {
    let (mut stream, peer) = count();
    // field 1: Negative { 1: -2 }
    let declared = [0, 1, 10, 0, 1, 255, 255, 255, 255, 255, 255, 255, 254, 0];
    peer.end(Err(Error::other("negative").with_declared_bytes(declared.to_vec().into())));
    let error = now(stream.recv()).unwrap_err();
    assert_eq!(error.exception::<Negative>(), Some(&Negative { value: -2 }));
    assert_eq!(error.to_string(), "Sums.Count: negative");

    for hostile in [&[][..], &[0], &[0, 9, 0], &[0, 1, 10, 0], &[0, 0, 0]] {
        let (mut stream, peer) = count();
        peer.end(Err(Error::other("negative").with_declared_bytes(hostile.to_vec().into())));
        let error = now(stream.recv()).unwrap_err();
        assert_eq!(error.exception::<Negative>(), None);
        assert_eq!(error.to_string(), "Sums.Count: negative");
    }
}

#[test]
fn a_call_starts_at_its_first_poll() {
    let (client, calls) = scripted();
    let mut call = client.double();
    assert!(calls.is_empty());
    assert!((&mut call).now_or_never().unwrap().is_ok());
    let (new, peer) = calls.accept();
    assert_eq!((new.service, new.method), ("Sums", "Double"));
    assert!(peer.saw().contains(&cancelled()), "the handle was dropped");
}

#[test]
fn a_call_that_was_ready_is_never_ready_again() {
    let (client, _calls) = scripted();
    let mut call = client.log(number(1));
    assert!((&mut call).now_or_never().is_some());
    assert!((&mut call).now_or_never().is_none());
}

#[test]
fn names_on_the_wire_are_those_of_the_trait() {
    let (client, calls) = scripted();
    now(client.log(number(1))).unwrap();
    assert_eq!(calls.accept().0.method, "log_number");
}

#[test]
fn the_end_is_none_again_and_again() {
    let (mut stream, peer) = count();
    peer.say(&number(1));
    peer.end(Ok(()));
    assert_eq!(now(stream.recv()).unwrap(), Some(number(1)));
    assert_eq!(now(stream.recv()).unwrap(), None);
    assert_eq!(now(stream.recv()).unwrap(), None);
    assert!(now(stream.next()).is_none());
}

#[test]
fn a_failure_comes_after_the_messages_and_stays() {
    let (mut stream, peer) = count();
    peer.say(&number(1));
    peer.end(Err(Error::other("boom")));
    assert_eq!(now(stream.recv()).unwrap(), Some(number(1)));
    for _ in 0..2 {
        assert_eq!(now(stream.recv()).unwrap_err().to_string(), "Sums.Count: boom");
    }
}

#[test]
fn as_a_stream_a_failure_is_one_item() {
    let (stream, peer) = count();
    peer.say(&number(1));
    peer.end(Err(Error::other("boom")));
    let items: Vec<_> = now(stream.collect());
    assert_eq!(items.len(), 2);
    assert!(items[0].is_ok() && items[1].is_err());
}

#[test]
fn a_message_that_does_not_decode_ends_the_call_with_a_reset() {
    let (mut stream, peer) = count();
    peer.say_bytes(&[0xff]);
    peer.say(&number(1));
    let error = now(stream.recv()).unwrap_err();
    assert_eq!(now(stream.recv()).unwrap_err().to_string(), error.to_string());
    assert!(matches!(peer.saw().last(), Some(Did::Reset(..))));
}

#[test]
fn a_dropped_recv_loses_nothing() {
    let (mut stream, peer) = count();
    assert!(stream.recv().now_or_never().is_none());
    peer.say(&number(1));
    assert_eq!(now(stream.recv()).unwrap(), Some(number(1)));
}

#[test]
fn a_message_is_sent_by_value_by_reference_or_shared() {
    let (mut stream, peer) = double();
    now(stream.send(number(1))).unwrap();
    now(stream.send(&number(2))).unwrap();
    now(stream.send(Arc::new(number(3)))).unwrap();
    now(SinkExt::send(&mut stream, number(4))).unwrap();
    for value in 1..=4 {
        assert_eq!(peer.hear::<Number>(), number(value));
    }
}

#[test]
fn send_waits_for_room_and_a_dropped_one_sends_nothing() {
    let (mut stream, peer) = double();
    peer.stop_reading(true);
    assert!(stream.send(number(1)).now_or_never().is_none());
    peer.stop_reading(false);
    now(stream.send(number(2))).unwrap();
    assert_eq!(peer.hear::<Number>(), number(2));
    assert_eq!(peer.saw(), [Did::Message]);
}

#[test]
fn send_fails_at_once_when_the_server_has_ended_the_call() {
    let (mut stream, peer) = double();
    peer.say(&number(1));
    peer.end(Err(Error::other("enough")));
    assert!(now(stream.send(number(1))).unwrap_err().is_closed());
    now(stream.close_send()).unwrap();
    assert_eq!(now(stream.recv()).unwrap(), Some(number(1)));
    assert_eq!(now(stream.recv()).unwrap_err().to_string(), "Sums.Double: enough");
}

#[test]
fn after_close_send_a_bidi_fails_locally_and_goes_on() {
    let (mut stream, peer) = double();
    now(stream.close_send()).unwrap();
    now(stream.close_send()).unwrap();
    assert!(now(stream.send(number(1))).unwrap_err().is_closed());
    assert_eq!(peer.saw(), [Did::Finish]);
    peer.say(&number(2));
    peer.end(Ok(()));
    assert_eq!(now(stream.recv()).unwrap(), Some(number(2)));
    assert_eq!(now(stream.recv()).unwrap(), None);
}

#[test]
fn closing_a_sink_is_close_send() {
    let (mut stream, peer) = double();
    now(SinkExt::close(&mut stream)).unwrap();
    let (mut client_stream, other) = sum();
    now(SinkExt::close(&mut client_stream)).unwrap();
    assert_eq!((peer.saw(), other.saw()), (vec![Did::Finish], vec![Did::Finish]));
    let (mut tx, _rx) = double().0.split();
    now(SinkExt::close(&mut tx)).unwrap();
}

#[test]
fn a_client_stream_is_its_answer_and_then_its_outcome() {
    let (mut stream, peer) = sum();
    now(stream.send(number(1))).unwrap();
    let mut answer = Box::pin(stream.close_and_recv());
    assert!((&mut answer).now_or_never().is_none());
    peer.say(&number(1));
    assert!((&mut answer).now_or_never().is_none(), "the handler is still running");
    peer.end(Ok(()));
    assert_eq!(now(answer).unwrap(), number(1));
    assert_eq!(peer.saw(), [Did::Message, Did::Finish]);
}

#[test]
fn a_client_stream_that_failed_after_its_answer_failed() {
    let (stream, peer) = sum();
    let reply = now(stream.close_send()).unwrap();
    peer.say(&number(1));
    peer.end(Err(Error::other("late")));
    assert_eq!(now(reply.recv()).unwrap_err().to_string(), "Sums.Sum: late");
}

#[test]
fn a_client_stream_without_an_answer_or_with_two_is_an_error() {
    let (stream, peer) = sum();
    peer.end(Ok(()));
    let error = now(stream.close_and_recv()).unwrap_err();
    assert_eq!(error.to_string(), "Sums.Sum: the server ended the call without a response");

    let (stream, peer) = sum();
    peer.say(&number(1));
    peer.say(&number(2));
    let error = now(stream.close_and_recv()).unwrap_err();
    assert_eq!(error.to_string(), "Sums.Sum: the server sent more than one response");
}

#[test]
fn the_request_of_a_server_stream_is_its_last_message() {
    let (_stream, peer) = count();
    assert_eq!(peer.saw(), [Did::LastMessage]);
    assert_eq!(peer.hear::<Number>(), number(3));
}

#[test]
fn dropping_a_handle_cancels_the_call() {
    let (stream, peer) = double();
    drop(stream);
    assert_eq!(peer.saw(), [cancelled()]);

    let (stream, peer) = sum();
    drop(stream);
    assert_eq!(peer.saw(), [cancelled()]);

    let (stream, peer) = sum();
    drop(now(stream.close_send()));
    assert_eq!(peer.saw(), [Did::Finish, cancelled()]);

    let (stream, peer) = count();
    drop(stream);
    assert_eq!(peer.saw(), [Did::LastMessage, cancelled()]);
}

#[test]
fn dropping_either_half_before_its_end_cancels_the_call() {
    let (stream, peer) = double();
    let (tx, mut rx) = stream.split();
    drop(tx);
    assert_eq!(peer.saw(), [cancelled()]);
    assert!(now(rx.recv()).unwrap_err().is_cancelled());

    let (stream, peer) = double();
    let (mut tx, rx) = stream.split();
    drop(rx);
    assert_eq!(peer.saw(), [cancelled()]);
    assert!(now(tx.send(number(1))).is_err());
}

#[test]
fn dropping_a_half_after_its_end_does_nothing() {
    let (stream, peer) = double();
    let (tx, mut rx) = stream.split();
    now(tx.close_send()).unwrap();
    peer.end(Ok(()));
    assert_eq!(now(rx.recv()).unwrap(), None);
    drop(rx);
    assert_eq!(peer.saw(), [Did::Finish]);

    let (stream, peer) = double();
    peer.say(&number(1));
    peer.end(Ok(()));
    drop(stream);
    assert_eq!(peer.saw(), [], "the call was over");
}

#[test]
fn dropping_a_call_before_it_is_ready_cancels_it() {
    let (client, calls) = scripted();
    let mut call = client.ping();
    assert!((&mut call).now_or_never().is_none());
    let (_, peer) = calls.accept();
    assert_eq!(peer.saw(), [Did::LastMessage]);
    drop(call);
    assert_eq!(peer.saw(), [Did::LastMessage, cancelled()]);
}

#[test]
fn an_answer_without_a_value_is_an_error_unless_it_may_be_absent() {
    let answer = |bytes: &'static [u8]| {
        let (client, calls) = scripted();
        let mut add = client.add(1, None);
        let _ = (&mut add).now_or_never();
        let (_, peer) = calls.accept();
        peer.say_bytes(bytes);
        peer.end(Ok(()));
        now(add)
    };
    let error = answer(&[0]).unwrap_err();
    assert!(error.to_string().starts_with("Sums.Add: the server answered without a value"), "{error}");
    assert_eq!(answer(&[10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0]).unwrap(), 9);
    assert!(answer(&[10, 0]).is_err());
}

#[test]
fn handles_and_calls_are_send_and_static() {
    fn check<T: Send + Unpin + 'static>() {}
    check::<client::Call<Number>>();
    check::<client::Bidi<Number, Number>>();
    check::<client::Streaming<Number>>();
    check::<client::Sender<Number>>();
    check::<client::ClientStream<Number, Number>>();
    check::<client::Reply<Number>>();
    check::<crate::Bidi<Number, Number>>();
    check::<crate::Streaming<Number>>();
    check::<crate::Sender<Number>>();
}
