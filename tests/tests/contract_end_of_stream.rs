//! The rules at the end of a stream, each through a TCP socket and inside one process.

use futures::{SinkExt, StreamExt};
use streamx::Error;
use streamx_tests::probe::{End, Handlers, Note, ProbeClient};
use streamx_tests::rig::{Rig, eventually, soon};

/// The same rule over both kinds of connection.
macro_rules! rules {
    ($($(#[$doc:meta])* async fn $name:ident($client:ident: ProbeClient) $body:block)*) => { $(
        mod $name {
            use super::*;

            async fn rule($client: ProbeClient) $body

            #[tokio::test]
            async fn over_tcp() {
                let rig = Rig::start().await;
                soon(rule(rig.client.clone())).await;
                rig.at_rest().await;
            }

            #[tokio::test]
            async fn in_process() {
                let handlers = Handlers::default();
                soon(rule(ProbeClient::in_process(handlers.clone()))).await;
                eventually(|| handlers.alive() == 0).await;
            }
        }
    )* };
}

fn failed(error: &Error) {
    assert_eq!(error.to_string().matches("the disk is full").count(), 1, "{error}");
    assert!(!error.is_closed());
}

rules! {
    async fn the_end_is_none_and_again_on_every_later_call(client: ProbeClient) {
        let mut stream = client.count(Note::number(2)).await.unwrap();
        assert!(stream.recv().await.unwrap().is_some());
        assert!(stream.recv().await.unwrap().is_some());
        for _ in 0..3 {
            assert_eq!(stream.recv().await.unwrap(), None);
        }
    }

    async fn a_failure_is_an_error_on_this_and_every_later_call(client: ProbeClient) {
        let mut stream = client.end().await.unwrap();
        stream.send(Note::number(End::FAILED)).await.unwrap();
        for _ in 0..3 {
            failed(&stream.recv().await.unwrap_err());
        }
    }

    async fn as_a_stream_a_failure_is_one_error_and_then_the_end(client: ProbeClient) {
        let mut stream = client.end().await.unwrap();
        SinkExt::send(&mut stream, Note::number(End::FAILED)).await.unwrap();
        failed(&stream.next().await.unwrap().unwrap_err());
        assert!(stream.next().await.is_none());
        assert!(stream.next().await.is_none());
    }

    async fn a_send_after_the_server_has_ended_the_call_says_that_it_is_closed(client: ProbeClient) {
        for (end, text) in [(End::WELL, None), (End::FAILED, Some("the disk is full"))] {
            let (mut tx, mut rx) = client.end().await.unwrap().split();
            tx.send(Note::number(end)).await.unwrap();
            let error = loop {
                match tx.send(Note::default()).await {
                    Ok(()) => tokio::task::yield_now().await,
                    Err(error) => break error,
                }
            };
            assert!(error.is_closed(), "{error}");
            assert!(error.to_string().contains("recv"), "it says where the outcome is: {error}");
            let outcome = rx.recv().await;
            match text {
                None => assert_eq!(outcome.unwrap(), None),
                Some(text) => assert!(outcome.unwrap_err().to_string().contains(text)),
            }
        }
    }

    async fn queued_messages_are_delivered_before_the_failure(client: ProbeClient) {
        let mut stream = client.burst_and_fail().await.unwrap();
        stream.close_send().await.unwrap();
        for number in 0..100 {
            assert_eq!(stream.recv().await.unwrap(), Some(Note::number(number)));
        }
        failed(&stream.recv().await.unwrap_err());
    }

    async fn close_send_is_idempotent_and_a_later_send_fails_locally(client: ProbeClient) {
        let mut stream = client.echo().await.unwrap();
        stream.send(Note::number(1)).await.unwrap();
        stream.close_send().await.unwrap();
        stream.close_send().await.unwrap();
        let error = stream.send(Note::number(2)).await.unwrap_err();
        assert!(error.is_closed(), "{error}");
        assert!(error.to_string().contains("close_send"), "{error}");
        assert_eq!(stream.recv().await.unwrap(), Some(Note::number(1)), "the call goes on");
        assert_eq!(stream.recv().await.unwrap(), None);
    }

    async fn close_send_does_not_fail_when_the_server_was_faster(client: ProbeClient) {
        let mut stream = client.end().await.unwrap();
        stream.send(Note::number(End::FAILED)).await.unwrap();
        failed(&stream.recv().await.unwrap_err());
        stream.close_send().await.unwrap();
        stream.close_send().await.unwrap();
    }

    async fn a_handler_that_returns_before_reading_everything_ends_the_call_normally(client: ProbeClient) {
        let mut stream = client.end().await.unwrap();
        for _ in 0..100 {
            if let Err(error) = stream.send(Note::number(End::WELL)).await {
                assert!(error.is_closed(), "{error}");
            }
        }
        assert_eq!(stream.recv().await.unwrap(), None);
    }

    async fn a_client_stream_gets_its_answer_although_the_server_did_not_read_it(client: ProbeClient) {
        let mut stream = client.first().await.unwrap();
        stream.send(Note::number(5)).await.unwrap();
        while stream.send(Note::of_size(0, 1000)).await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert_eq!(stream.close_and_recv().await.unwrap(), Note::number(5));
    }

    async fn a_client_stream_that_failed_answers_with_the_failure(client: ProbeClient) {
        let mut stream = client.first().await.unwrap();
        stream.send(Note::number(-1)).await.unwrap();
        failed(&stream.close_and_recv().await.unwrap_err());
        let mut stream = client.first().await.unwrap();
        stream.send(Note::number(-1)).await.unwrap();
        let reply = stream.close_send().await.unwrap();
        failed(&reply.recv().await.unwrap_err());
    }

    async fn a_panic_of_the_handler_is_a_failure_that_tells_nothing_private(client: ProbeClient) {
        let mut stream = client.end().await.unwrap();
        stream.send(Note::number(End::PANICKED)).await.unwrap();
        let error = stream.recv().await.unwrap_err();
        assert!(error.to_string().contains("panicked"), "{error}");
        assert!(!error.to_string().contains("as the test asked"), "{error}");
    }
}
