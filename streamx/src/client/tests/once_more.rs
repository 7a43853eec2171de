//! What can happen between the two attempts of a stream.

use std::future::poll_fn;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use futures::poll;
use tokio::sync::oneshot;

use crate::call::{Exchange, Incoming};
use crate::client::once_more::once_more;
use crate::stream::fake::{Did, Line};
use crate::{Code, Error, Result};

fn refused() -> Error {
    Error::transport("refused").retryable()
}

async fn recv(incoming: &mut dyn Incoming) -> Result<Option<Bytes>> {
    poll_fn(|cx| incoming.poll_message(cx)).await
}

/// A call whose first attempt was refused, and that waits for its second one.
async fn between() -> (Exchange, oneshot::Sender<Result<Exchange>>) {
    let (line, (second, opened)) = (Line::default(), oneshot::channel());
    let again = move || opened.map(|opened| opened.unwrap_or_else(|_| Err(Error::closed("none")))).boxed();
    let mut exchange = once_more(line.caller().exchange(), again);
    put(&mut exchange, b"first").unwrap();
    line.handler().end(Err(refused()));
    assert!(poll!(Box::pin(recv(&mut *exchange.incoming))).is_pending());
    (exchange, second)
}

fn put(exchange: &mut Exchange, message: &[u8]) -> Result<()> {
    let write = &mut |out: &mut BytesMut| {
        out.extend_from_slice(message);
        Ok(())
    };
    exchange.outgoing.put(write, false)
}

#[tokio::test]
async fn a_sender_waits_for_the_second_attempt_and_what_was_put_goes_there() {
    let (mut exchange, second) = between().await;
    assert!(poll!(poll_fn(|cx| exchange.outgoing.poll_ready(cx))).is_pending());
    put(&mut exchange, b"it did not look whether it may").unwrap();
    exchange.outgoing.finish();
    let line = Line::default();
    assert!(second.send(Ok(line.caller().exchange())).is_ok());
    poll_fn(|cx| exchange.outgoing.poll_ready(cx)).await.unwrap();
    line.handler().end(Ok(()));
    assert_eq!(recv(&mut *exchange.incoming).await.unwrap(), None);
    assert_eq!(line.handler().hear_bytes(), "first");
    assert_eq!(line.handler().hear_bytes(), "it did not look whether it may");
    assert_eq!(line.handler().saw(), [Did::Message, Did::LastMessage, Did::Finish]);
}

#[tokio::test]
async fn a_call_that_is_given_up_meanwhile_stays_so_and_is_not_opened_again() {
    let (mut exchange, second) = between().await;
    exchange.incoming.reset(Error::new(Code::Cancelled, "enough"));
    for _ in 0..2 {
        let ready = poll!(poll_fn(|cx| exchange.outgoing.poll_ready(cx)));
        assert!(matches!(ready, Poll::Ready(Err(error)) if error.message() == "enough"));
        assert_eq!(recv(&mut *exchange.incoming).await.unwrap_err().message(), "enough");
        assert_eq!(put(&mut exchange, b"late").unwrap_err().message(), "enough");
        assert!(exchange.incoming.is_over());
        // As the sender does that finds the call over and is dropped.
        exchange.outgoing.reset(Error::new(Code::Cancelled, "it dropped a handle"));
    }
    tokio::task::yield_now().await;
    assert!(second.is_closed(), "nobody opens it any more");
}

#[tokio::test]
async fn nothing_is_opened_for_handles_that_are_gone() {
    let (exchange, second) = between().await;
    drop(exchange);
    tokio::task::yield_now().await;
    assert!(second.is_closed());
}

#[tokio::test]
async fn when_the_second_attempt_cannot_be_made_the_outcome_of_the_first_stays() {
    for closed in [false, true] {
        let (mut exchange, second) = between().await;
        if closed {
            drop(second);
        } else {
            assert!(second.send(Err(Error::transport("nobody listens"))).is_ok());
        }
        for _ in 0..2 {
            assert_eq!(recv(&mut *exchange.incoming).await.unwrap_err().message(), "refused");
        }
        assert!(put(&mut exchange, b"late").unwrap_err().is_closed());
    }
}

#[test]
fn without_a_runtime_a_call_stays_as_it_is() {
    let line = Line::default();
    let mut exchange = once_more(line.caller().exchange(), || unreachable!());
    line.handler().end(Err(refused()));
    let received = recv(&mut *exchange.incoming).now_or_never().unwrap();
    assert_eq!(received.unwrap_err().message(), "refused");
}
