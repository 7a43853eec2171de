//! What calls behind middlewares do to the seam.

use std::pin::pin;

use futures::{FutureExt, Sink, SinkExt};

use super::{cancelled, now, scripted};
use crate::middleware::{AnyMessage, BoxFuture, Opening, RecvNext, SendNext};
use crate::stream::fake::Did;
use crate::stream::sample::{Number, number};
use crate::{Error, Result};

fn pass<'a>(_: &'a Opening, message: AnyMessage<'a>, next: SendNext<'a>) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move { next.run(message).await })
}

fn end<'a>(_: &'a Opening, next: RecvNext<'a>) -> BoxFuture<'a, Result<Option<AnyMessage<'static>>>> {
    Box::pin(async move { Ok(next.run().await?.filter(|_| false)) })
}

#[test]
fn the_request_of_a_server_stream_is_followed_by_an_end_of_its_own() {
    let (client, calls) = scripted();
    let call = client.count(number(3)).stream_send_middleware(|_, message, next| {
        Box::pin(async move {
            next.run(message.lend()).await?;
            next.run(message).await
        })
    });
    let _stream = now(call).unwrap();
    assert_eq!(calls.accept().1.saw(), [Did::Message, Did::Message, Did::Finish]);
}

#[test]
fn a_stream_that_is_ended_for_its_caller_is_reset() {
    let (client, calls) = scripted();
    let mut stream = now(client.double().stream_recv_middleware(end)).unwrap();
    let (_, peer) = calls.accept();
    peer.say(&number(1));
    assert_eq!(now(stream.recv()).unwrap(), None);
    let reason = "the caller gave up the call: a middleware ended its stream";
    assert_eq!(peer.saw(), [Did::Reset(reason.into(), Some(12007))]);

    let mut stream = now(client.double().stream_recv_middleware(end)).unwrap();
    let (_, peer) = calls.accept();
    peer.end(Ok(()));
    assert_eq!(now(stream.recv()).unwrap(), None);
    assert_eq!(peer.saw(), [], "the call was over");
}

#[test]
fn a_sink_takes_one_message_at_a_time_and_sends_it_when_it_is_flushed() {
    let (client, calls) = scripted();
    let mut stream = now(client.double().stream_send_middleware(pass)).unwrap();
    let (_, peer) = calls.accept();
    let mut sink = pin!(&mut stream);
    now(sink.feed(number(1))).unwrap();
    assert_eq!(peer.saw(), []);
    let error = sink.as_mut().start_send(number(2)).unwrap_err();
    assert_eq!(error.to_string(), "`start_send` comes after a `poll_ready` that was ready");
    peer.stop_reading(true);
    assert!(sink.flush().now_or_never().is_none());
    peer.stop_reading(false);
    now(sink.flush()).unwrap();
    assert_eq!(peer.hear::<Number>(), number(1));
}

#[test]
fn close_send_waits_for_a_sink_and_tells_what_its_middlewares_say() {
    let (client, calls) = scripted();
    let refused =
        client.double().stream_send_middleware(|_, _, _| Box::pin(async { Err(Error::other("not that")) }));
    let mut stream = now(refused).unwrap();
    let (_, peer) = calls.accept();
    now(stream.feed(number(1))).unwrap();
    assert_eq!(now(stream.close_send()).unwrap_err().to_string(), "Sums.Double: not that");
    assert_eq!(peer.saw(), [Did::Finish]);

    let mut stream = now(client.double().stream_send_middleware(pass)).unwrap();
    let (_, peer) = calls.accept();
    now(stream.feed(number(1))).unwrap();
    peer.end(Ok(()));
    now(stream.close_send()).unwrap();
    assert!(now(stream.send(number(1))).unwrap_err().is_closed());
}

#[test]
fn dropping_a_handle_whose_middlewares_wait_cancels_the_call() {
    let (client, calls) = scripted();
    let call = client.double().stream_recv_middleware(|_, next| {
        Box::pin(async move {
            next.run().await?;
            std::future::pending().await
        })
    });
    let mut stream = now(call).unwrap();
    let (_, peer) = calls.accept();
    peer.say(&number(1));
    assert!(stream.recv().now_or_never().is_none());
    let (tx, rx) = stream.split();
    now(tx.close_send()).unwrap();
    drop(rx);
    assert_eq!(peer.saw(), [Did::Finish, cancelled()]);
}

#[test]
fn a_stream_is_given_up_when_its_call_is_dropped_in_a_middleware() {
    let (client, calls) = scripted();
    let mut call = client.double().stream_middleware(|call, next| {
        Box::pin(async move {
            next.run(call).await?;
            std::future::pending().await
        })
    });
    assert!((&mut call).now_or_never().is_none());
    let (_, peer) = calls.accept();
    assert_eq!(peer.saw(), []);
    drop(call);
    assert!(matches!(peer.saw()[..], [Did::Reset(_, Some(12007))]));
}
