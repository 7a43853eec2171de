//! Middlewares on both sides: what passes them, in which order, and what they make of messages.

use std::sync::Arc;

use futures::{SinkExt, StreamExt};
use streamx::client::ChannelBuilder;
use streamx::middleware::AnyMessage;
use streamx::server::ServerBuilder;
use streamx_tests::noting::{Log, Noting, around_channel, client_all, noted, number, numbered};
use streamx_tests::probe::Note;
use streamx_tests::rig::Setup;

#[tokio::test]
async fn the_first_registered_is_the_outermost_around_a_bidirectional_stream() {
    let (client, server) = noted(async |rig| {
        let mut stream = rig.client.echo().await.unwrap();
        stream.send(Note::number(7)).await.unwrap();
        assert_eq!(stream.recv().await.unwrap(), Some(Note::number(7)));
        stream.close_send().await.unwrap();
        assert_eq!(stream.recv().await.unwrap(), None);
        assert_eq!(stream.recv().await.unwrap(), None);
    })
    .await;
    let opened = ["outer stream Echo", "inner stream Echo", "inner stream ok", "outer stream ok"];
    let sent = ["outer send 7", "inner send 7", "inner sent", "outer sent"];
    let received = ["inner recv 7", "outer recv 7"];
    let ended = ["inner recv end", "outer recv end"];
    assert_eq!(client, [&opened[..], &sent, &received, &ended].concat());
    assert_eq!(server, [&opened[..2], &received, &sent, &ended, &opened[2..]].concat());
}

#[tokio::test]
async fn the_response_of_a_client_stream_passes_like_any_message() {
    let (client, server) = noted(async |rig| {
        let mut stream = rig.client.sum().await.unwrap();
        stream.send(&Note::number(3)).await.unwrap();
        stream.send(Arc::new(Note::number(4))).await.unwrap();
        assert_eq!(stream.close_and_recv().await.unwrap(), Note::number(7));
    })
    .await;
    let inner = |log: Vec<String>| -> Vec<String> {
        log.into_iter().filter_map(|line| line.strip_prefix("inner ").map(str::to_owned)).collect()
    };
    assert_eq!(
        inner(client),
        ["stream Sum", "stream ok", "send 3", "sent", "send 4", "sent", "recv 7", "recv end"]
    );
    assert_eq!(inner(server), ["stream Sum", "recv 3", "recv 4", "recv end", "send 7", "sent", "stream ok"]);
}

#[tokio::test]
async fn the_request_of_a_server_stream_passes_like_any_message() {
    let (client, server) = noted(async |rig| {
        let stream = rig.client.count(Note::number(2)).await.unwrap();
        assert_eq!(stream.collect::<Vec<_>>().await.len(), 2);
    })
    .await;
    let outer = |log: Vec<String>| -> Vec<String> {
        log.into_iter().filter_map(|line| line.strip_prefix("outer ").map(str::to_owned)).collect()
    };
    assert_eq!(
        outer(client),
        ["stream Count", "stream ok", "send 2", "sent", "recv 2", "recv 2", "recv end"]
    );
    assert_eq!(outer(server), ["stream Count", "recv 2", "send 2", "sent", "send 2", "sent", "stream ok"]);
}

#[tokio::test]
async fn a_unary_call_passes_those_for_unary_calls_only() {
    let (client, server) = noted(async |rig| {
        assert_eq!(rig.client.ask(Note::number(7)).await.unwrap(), Note::number(7));
    })
    .await;
    let passed = ["outer unary 7", "inner unary 7", "inner answer 7", "outer answer 7"];
    assert_eq!((client, server), (passed.map(String::from).into(), passed.map(String::from).into()));
}

#[tokio::test]
async fn those_of_a_call_are_inside_those_of_its_channel_and_of_no_other_call() {
    let log = Log::default();
    let (outer, inner) = (Noting::new("channel", &log), Noting::new("call", &log));
    let rig = around_channel(|channel| client_all(channel, &outer)).await;
    let call = rig.client.echo().with_stream_middleware(inner.clone());
    let call = call.with_stream_send_middleware(inner.clone()).with_stream_recv_middleware(inner.clone());
    let mut stream = call.await.unwrap();
    stream.send(Note::number(1)).await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), Some(Note::number(1)));
    drop(stream);
    let opened = ["channel stream Echo", "call stream Echo", "call stream ok", "channel stream ok"];
    let passed =
        ["channel send 1", "call send 1", "call sent", "channel sent", "call recv 1", "channel recv 1"];
    assert_eq!(log.take(), [&opened[..], &passed].concat());

    rig.client.ask(Note::number(2)).with_unary_middleware(inner).await.unwrap();
    assert_eq!(log.take(), ["channel unary 2", "call unary 2", "call answer 2", "channel answer 2"]);
    rig.client.ask(Note::number(3)).await.unwrap();
    assert_eq!(log.take(), ["channel unary 3", "channel answer 3"]);
}

#[tokio::test]
async fn messages_are_replaced_on_both_sides_and_in_both_directions() {
    let server = |server: ServerBuilder| {
        server
            .stream_recv_middleware(|_, next| {
                Box::pin(async move { Ok(next.run().await?.map(|message| numbered(number(&message) + 10))) })
            })
            .stream_send_middleware(|_, message, next| {
                Box::pin(async move { next.run(numbered(number(&message) + 100)).await })
            })
            .unary_middleware(|call, request, next| {
                Box::pin(async move {
                    let response = next.run(call, numbered(number(&request) + 10)).await?;
                    Ok(numbered(number(&response) + 100))
                })
            })
    };
    let channel = |channel: ChannelBuilder| {
        channel
            .stream_send_middleware(|_, message, next| {
                Box::pin(async move { next.run(numbered(number(&message) + 1)).await })
            })
            .stream_recv_middleware(|_, next| {
                Box::pin(
                    async move { Ok(next.run().await?.map(|message| numbered(number(&message) + 1000))) },
                )
            })
            .unary_middleware(|call, request, next| {
                Box::pin(async move {
                    let response = next.run(call, numbered(number(&request) + 1)).await?;
                    Ok(numbered(number(&response) + 1000))
                })
            })
    };
    let rig = Setup::default().start_around(server, channel).await;
    let mut stream = rig.client.echo().await.unwrap();
    stream.send(Note::number(0)).await.unwrap();
    assert_eq!(stream.recv().await.unwrap(), Some(Note::number(1111)));
    assert_eq!(rig.client.ask(Note::number(0)).await.unwrap(), Note::number(1111));
    let mut sum = rig.client.sum().await.unwrap();
    sum.send(Note::number(0)).await.unwrap();
    assert_eq!(sum.close_and_recv().await.unwrap(), Note::number(1111));
}

#[tokio::test]
async fn a_message_of_another_type_is_refused_by_name() {
    let rig = around_channel(|channel| {
        channel
            .stream_send_middleware(|_, _, next| {
                Box::pin(async move { next.run(AnyMessage::new(7_i64)).await })
            })
            .unary_middleware(|call, request, next| {
                Box::pin(async move {
                    next.run(call, request).await?;
                    Ok(AnyMessage::new("text"))
                })
            })
    })
    .await;
    let mut stream = rig.client.echo().await.unwrap();
    let error = stream.send(Note::default()).await.unwrap_err();
    let text = error.to_string();
    assert_eq!(text, "Probe.Echo: a middleware put a `i64` in the place of a `streamx_tests::probe::Note`");
    let error = rig.client.ask(Note::default()).await.unwrap_err();
    assert!(error.to_string().starts_with("Probe.Ask: a middleware put a `&str`"), "{error}");
}

#[tokio::test]
async fn messages_can_be_left_out_and_sent_twice() {
    let rig = around_channel(|channel| {
        channel
            .stream_send_middleware(|_, message, next| {
                Box::pin(async move {
                    if number(&message) == 1 {
                        return Ok(());
                    }
                    next.run(message.lend()).await?;
                    next.run(message).await
                })
            })
            .stream_recv_middleware(|_, next| {
                Box::pin(async move {
                    loop {
                        let message = next.run().await?;
                        if message.as_ref().is_none_or(|message| number(message) != 3) {
                            return Ok(message);
                        }
                    }
                })
            })
    })
    .await;
    let mut stream = rig.client.echo().await.unwrap();
    for number in 1..=4 {
        stream.send(Note::number(number)).await.unwrap();
    }
    stream.close_send().await.unwrap();
    let received: Vec<_> = stream.map(|note| note.unwrap().number).collect().await;
    assert_eq!(received, [2, 2, 4, 4]);
}

#[tokio::test]
async fn sinks_and_streams_pass_the_same_way_on_both_sides() {
    let (client, server) = noted(async |rig| {
        let (tx, rx) = rig.client.echo().await.unwrap().split();
        let mut tx = tx;
        SinkExt::feed(&mut tx, Note::number(1)).await.unwrap();
        SinkExt::send(&mut tx, Note::number(2)).await.unwrap();
        SinkExt::feed(&mut tx, Note::number(3)).await.unwrap();
        tx.send(Note::number(4)).await.unwrap();
        SinkExt::feed(&mut tx, Note::number(5)).await.unwrap();
        tx.close_send().await.unwrap();
        let received: Vec<_> = rx.map(|note| note.unwrap().number).collect().await;
        assert_eq!(received, [1, 2, 3, 4, 5]);
    })
    .await;
    let sends = |log: &[String]| log.iter().filter(|line| line.starts_with("inner send ")).count();
    assert_eq!((sends(&client), sends(&server)), (5, 5));
}
