//! Middlewares that answer, refuse, fail, begin anew, or never come to an end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use futures::{FutureExt, StreamExt};
use streamx::middleware::{AnyMessage, BoxFuture, Opening, UnaryMiddleware, UnaryNext, async_trait};
use streamx::{Code, Error, Result};
use streamx_tests::noting::{Log, Noting, around_channel, around_server, number, numbered};
use streamx_tests::probe::{End, Note};
use streamx_tests::rig::eventually;
use tokio::sync::Notify;

#[tokio::test]
async fn an_end_that_a_middleware_makes_up_cancels_the_call() {
    let rig = around_channel(|channel| {
        channel.stream_recv_middleware(|_, next| {
            Box::pin(async move { Ok(next.run().await?.filter(|message| number(message) != 2)) })
        })
    })
    .await;
    let mut stream = rig.client.flood(Note::number(2)).await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), None);
    assert_eq!(stream.recv().await.unwrap(), None);
    eventually(|| rig.handlers.alive() == 0).await;
}

#[tokio::test]
async fn a_stream_that_is_refused_does_not_reach_a_server() {
    let rig = around_channel(|channel| {
        channel.stream_middleware(|_, _| {
            Box::pin(async { Err(Error::new(Code::ResourceExhausted, "enough for today")) })
        })
    })
    .await;
    let error = rig.client.echo().await.unwrap_err();
    assert_eq!(error.to_string(), "Probe.Echo: enough for today");
    assert_eq!((error.code(), rig.handlers.begun()), (Code::ResourceExhausted, 0));
    assert_eq!(rig.client().frames_sent, 0);
}

#[tokio::test]
async fn a_stream_that_is_refused_does_not_reach_a_handler() {
    let rig = around_server(|server| {
        server.stream_middleware(|call, next| {
            Box::pin(async move {
                match call.persistent("user") {
                    Some(_) => next.run(call).await,
                    None => Err(Error::new(Code::Unauthenticated, "who are you?")),
                }
            })
        })
    })
    .await;
    let mut stream = rig.client.echo().await.unwrap();
    let error = stream.recv().await.unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.code()),
        ("Probe.Echo: who are you?", Code::Unauthenticated)
    );
    assert_eq!(rig.handlers.begun(), 0);
    let mut stream = rig.client.echo().persistent("user", "42").await.unwrap();
    stream.close_send().await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), None);
}

#[tokio::test]
async fn a_middleware_can_end_a_stream_well_but_not_one_that_owes_a_response() {
    let rig = around_server(|server| server.stream_middleware(|_, _| Box::pin(async { Ok(()) }))).await;
    assert_eq!(rig.client.echo().await.unwrap().recv().await.unwrap(), None);
    let error = rig.client.sum().await.unwrap().close_and_recv().await.unwrap_err();
    assert!(error.to_string().contains("without the response"), "{error}");
}

#[tokio::test]
async fn a_client_that_opens_no_stream_says_so() {
    let rig = around_channel(|channel| channel.stream_middleware(|_, _| Box::pin(async { Ok(()) }))).await;
    let error = rig.client.echo().await.unwrap_err();
    assert!(error.to_string().contains("returned `Ok` without a stream"), "{error}");
}

#[tokio::test]
async fn a_stream_that_a_middleware_does_not_want_is_cancelled() {
    let rig = around_channel(|channel| {
        channel.stream_middleware(|call, next| {
            Box::pin(async move {
                next.run(call.clone()).await?;
                next.run(call).await?;
                Err(Error::other("second thoughts"))
            })
        })
    })
    .await;
    let error = rig.client.ignore().await.unwrap_err();
    assert_eq!(error.to_string(), "Probe.Ignore: second thoughts");
    // The handlers may not even have begun.
    eventually(|| rig.server().streams_opened == 2).await;
    rig.at_rest().await;
}

fn answer<'a>(_: Opening, _: AnyMessage<'a>, _: UnaryNext<'a>) -> BoxFuture<'a, Result<AnyMessage<'static>>> {
    Box::pin(async { Ok(numbered(42)) })
}

#[tokio::test]
async fn a_unary_call_is_answered_without_its_server_or_its_handler() {
    let rig = around_channel(|channel| channel.unary_middleware(answer)).await;
    assert_eq!(rig.client.ask(Note::number(7)).await.unwrap(), Note::number(42));
    assert_eq!(rig.client().frames_sent, 0);
    let rig = around_server(|server| server.unary_middleware(answer)).await;
    assert_eq!(rig.client.ask(Note::number(7)).await.unwrap(), Note::number(42));
    assert_eq!(rig.handlers.begun(), 0);
}

fn refuse<'a>(_: Opening, _: AnyMessage<'a>, _: UnaryNext<'a>) -> BoxFuture<'a, Result<AnyMessage<'static>>> {
    Box::pin(async { Err(Error::biz(10001, "no balance").with_extra("k", "v")) })
}

#[tokio::test]
async fn a_failure_around_a_unary_call_is_its_outcome_on_either_side() {
    let want = Error::biz(10001, "no balance").with_extra("k", "v");
    let near = around_channel(|channel| channel.unary_middleware(refuse)).await;
    let far = around_server(|server| server.unary_middleware(refuse)).await;
    for rig in [near, far] {
        let error = rig.client.ask(Note::default()).await.unwrap_err();
        assert_eq!(error.as_biz(), want.as_biz());
        assert!(error.to_string().starts_with("Probe.Ask: "), "{error}");
    }
}

#[tokio::test]
async fn a_failure_around_a_message_that_is_sent_is_what_send_returns() {
    let rig = around_channel(|channel| {
        channel.stream_send_middleware(|_, message, next| {
            Box::pin(async move {
                if number(&message) == 1 { Err(Error::other("not that")) } else { next.run(message).await }
            })
        })
    })
    .await;
    let mut stream = rig.client.echo().await.unwrap();
    let error = stream.send(Note::number(1)).await.unwrap_err();
    assert_eq!(error.to_string(), "Probe.Echo: not that");
    stream.send(Note::number(2)).await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), Some(Note::number(2)), "the stream goes on");
}

#[tokio::test]
async fn a_failure_around_a_message_that_arrives_cancels_the_call_of_a_client() {
    let rig = around_channel(|channel| {
        channel.stream_recv_middleware(|_, next| {
            Box::pin(async move {
                next.run().await?;
                Err(Error::other("not that"))
            })
        })
    })
    .await;
    let mut stream = rig.client.flood(Note::number(1)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(stream.recv().await.unwrap_err().to_string(), "Probe.Flood: not that");
    }
    eventually(|| rig.handlers.alive() == 0).await;
}

#[tokio::test]
async fn a_failure_around_a_message_of_a_server_is_its_handlers() {
    let recv = around_server(|server| {
        server.stream_recv_middleware(|_, _| Box::pin(async { Err(Error::other("not that")) }))
    })
    .await;
    let send = around_server(|server| {
        server.stream_send_middleware(|_, _, _| Box::pin(async { Err(Error::other("not that")) }))
    })
    .await;
    for rig in [recv, send] {
        let mut stream = rig.client.echo().await.unwrap();
        stream.send(Note::default()).await.unwrap();
        assert_eq!(stream.recv().await.unwrap_err().to_string(), "Probe.Echo: not that");
    }
}

#[tokio::test]
async fn what_a_handler_fails_with_passes_its_middlewares() {
    let log = Log::default();
    let noting = Noting::new("server", &log);
    let rig = around_server(|server| server.with_stream_middleware(noting)).await;
    let mut stream = rig.client.end().await.unwrap();
    stream.send(Note::number(End::FAILED)).await.unwrap();
    let error = stream.recv().await.unwrap_err();
    assert_eq!(error.to_string(), "Probe.End: the disk is full");
    rig.at_rest().await;
    assert_eq!(log.take(), ["server stream End", "server stream failed"]);
}

/// Fails the first time, as a connection that is lost would.
struct Unlucky(AtomicUsize);

#[async_trait]
impl UnaryMiddleware for Unlucky {
    async fn around(
        &self,
        call: Opening,
        request: AnyMessage<'_>,
        next: UnaryNext<'_>,
    ) -> Result<AnyMessage<'static>> {
        let answer = next.run(call, request).await;
        if self.0.fetch_add(1, SeqCst) == 0 { Err(Error::other("bad luck")) } else { answer }
    }
}

#[tokio::test]
async fn a_client_makes_a_unary_call_again() {
    let rig = around_channel(|channel| {
        channel
            .unary_middleware(|call, request, next| {
                Box::pin(async move {
                    match next.run(call.clone(), request.lend()).await {
                        Err(_) => next.run(call, request).await,
                        answer => answer,
                    }
                })
            })
            .with_unary_middleware(Unlucky(AtomicUsize::new(0)))
    })
    .await;
    let (note, _, _) = rig.client.ask(Note::number(7)).with_metadata().await.unwrap();
    assert_eq!((note, rig.handlers.begun()), (Note::number(7), 2));
}

#[tokio::test]
async fn a_server_runs_a_handler_again_with_a_request_of_its_own_only() {
    let rig = around_server(|server| {
        server.unary_middleware(|call, request, next| {
            Box::pin(async move {
                let note = request.downcast_ref::<Note>().cloned().unwrap_or_default();
                let lent = next.run(call.clone(), request.lend()).await.unwrap_err();
                assert!(lent.to_string().contains("lent the `streamx_tests::probe::Note`"), "{lent}");
                next.run(call.clone(), request).await?;
                next.run(call, AnyMessage::new(note)).await
            })
        })
    })
    .await;
    assert_eq!(rig.client.ask(Note::number(7)).await.unwrap(), Note::number(7));
    assert_eq!(rig.handlers.begun(), 2);
}

#[tokio::test]
async fn a_recv_that_is_dropped_in_a_middleware_loses_nothing() {
    let go = Arc::new(Notify::new());
    let waiting = Arc::clone(&go);
    let rig = around_channel(|channel| {
        channel.stream_recv_middleware(move |_, next| {
            let go = Arc::clone(&waiting);
            Box::pin(async move {
                let message = next.run().await?;
                go.notified().await;
                Ok(message)
            })
        })
    })
    .await;
    let mut stream = rig.client.echo().await.unwrap();
    for number in 1..=2 {
        stream.send(Note::number(number)).await.unwrap();
    }
    rig.all_arrived().await;
    for number in 1..=2 {
        for _ in 0..3 {
            assert!(stream.recv().now_or_never().is_none());
            assert!(stream.next().now_or_never().is_none());
        }
        go.notify_one();
        assert_eq!(stream.recv().await.unwrap(), Some(Note::number(number)));
    }
}

#[tokio::test]
async fn a_handle_can_do_everything_else_while_a_middleware_waits() {
    let rig = around_channel(|channel| {
        channel.stream_recv_middleware(|_, next| {
            Box::pin(async move {
                next.run().await?;
                std::future::pending().await
            })
        })
    })
    .await;
    let mut stream = rig.client.echo().await.unwrap();
    stream.send(Note::number(1)).await.unwrap();
    rig.all_arrived().await;
    assert!(stream.recv().now_or_never().is_none());
    assert!(stream.header().await.unwrap().is_empty());
    stream.cancel("no more");
    eventually(|| rig.handlers.alive() == 0).await;
}

#[tokio::test]
async fn a_send_that_is_dropped_in_a_middleware_sends_nothing_and_the_stream_goes_on() {
    let rig = around_channel(|channel| {
        channel.stream_send_middleware(|_, message, next| {
            Box::pin(async move {
                if number(&message) == 1 {
                    std::future::pending::<()>().await;
                }
                next.run(message).await
            })
        })
    })
    .await;
    let mut stream = rig.client.echo().await.unwrap();
    assert!(stream.send(Note::number(1)).now_or_never().is_none());
    stream.send(Note::number(2)).await.unwrap();
    stream.close_send().await.unwrap();
    let received: Vec<_> = stream.map(|note| note.unwrap().number).collect().await;
    assert_eq!(received, [2]);
}
