//! Headers and trailers, as the handles of a client give them.

use futures::FutureExt;

use super::{count, double, now, scripted, sum};
use crate::stream::fake;
use crate::stream::sample::{Knowing, KnownClient, KnownServer, number};
use crate::{Error, Metadata, Result};

fn pairs(metadata: &Metadata) -> Vec<(&str, &str)> {
    metadata.iter().collect()
}

#[test]
fn a_header_is_awaited_and_given_again_and_again() {
    let (mut stream, peer) = count();
    assert!(stream.header().now_or_never().is_none());
    peer.say_header("k", "v");
    peer.say(&number(1));
    for _ in 0..2 {
        assert_eq!(pairs(&now(stream.header()).unwrap()), [("k", "v")]);
    }
    assert_eq!(now(stream.recv()).unwrap(), Some(number(1)), "the header takes no message");
    assert_eq!(now(stream.header()).unwrap().get("k"), Some("v"));
}

#[test]
fn a_trailer_comes_with_the_end_and_leaves_the_messages() {
    let (mut stream, peer) = double();
    peer.say(&number(1));
    peer.say_trailer("k", "v");
    assert!(stream.trailer().now_or_never().is_none());
    peer.end(Ok(()));
    for _ in 0..2 {
        assert_eq!(pairs(&now(stream.trailer()).unwrap()), [("k", "v")]);
    }
    assert_eq!(now(stream.recv()).unwrap(), Some(number(1)));
    assert_eq!(now(stream.recv()).unwrap(), None);
    let (_tx, mut rx) = stream.split();
    assert_eq!(now(rx.trailer()).unwrap().get("k"), Some("v"));
}

#[test]
fn a_call_that_ends_well_without_them_has_empty_ones() {
    let (mut stream, peer) = double();
    peer.end(Ok(()));
    assert!(now(stream.header()).unwrap().is_empty());
    assert!(now(stream.trailer()).unwrap().is_empty());
}

#[test]
fn a_failure_keeps_its_trailer_and_is_the_answer_without_one() {
    let (mut stream, peer) = count();
    peer.say_trailer("k", "v");
    peer.end(Err(Error::other("broken")));
    assert_eq!(now(stream.trailer()).unwrap().get("k"), Some("v"));
    assert_eq!(now(stream.header()).unwrap_err().to_string(), "Sums.Count: broken");
    assert_eq!(now(stream.recv()).unwrap_err().to_string(), "Sums.Count: broken");

    let (mut stream, peer) = count();
    peer.end(Err(Error::other("broken")));
    assert_eq!(now(stream.trailer()).unwrap_err().to_string(), "Sums.Count: broken");
}

#[test]
fn a_client_stream_has_its_header_before_and_its_trailer_after_the_close() {
    let (mut stream, peer) = sum();
    peer.say_header("k", "v");
    assert_eq!(now(stream.header()).unwrap().get("k"), Some("v"));
    let mut reply = now(stream.close_send()).unwrap();
    peer.say(&number(3));
    peer.say_trailer("t", "w");
    peer.end(Ok(()));
    assert_eq!(now(reply.header()).unwrap().get("k"), Some("v"));
    assert_eq!(now(reply.trailer()).unwrap().get("t"), Some("w"));
    assert_eq!(now(reply.recv()).unwrap(), number(3));
}

#[test]
fn an_answer_comes_with_header_and_trailer_if_one_asks() {
    let (client, calls) = scripted();
    let mut call = client.add(1, None).with_metadata().persistent("user", "42");
    assert!((&mut call).now_or_never().is_none());
    let (new, peer) = calls.accept();
    assert_eq!(new.strings.len(), 1, "options can be set before and after");
    peer.say_header("k", "v");
    peer.say_trailer("t", "w");
    peer.say_bytes(&[10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0]);
    peer.end(Ok(()));
    let (answer, header, trailer) = now(call).unwrap();
    assert_eq!((answer, pairs(&header), pairs(&trailer)), (2, vec![("k", "v")], vec![("t", "w")]));
}

#[tokio::test]
async fn what_a_handler_sets_reaches_its_caller() -> Result<()> {
    let client = KnownClient::new(fake::to(KnownServer::new(Knowing)));
    let (_, header, trailer) = client.who("hello".into(), 2).with_metadata().await?;
    assert_eq!((header.get("method"), trailer.get("times")), (Some("Who"), Some("2")));

    client.log(number(1)).with_metadata().await?;

    let mut sum = client.sum().await?;
    sum.send(number(2)).await?;
    let (answer, header, trailer) = sum.close_and_recv_with_metadata().await?;
    assert_eq!((answer, header.get("from"), trailer.get("sum")), (number(2), Some("sum"), Some("2")));

    let mut count = client.count(number(3)).await?;
    assert_eq!(count.trailer().await?.get("to"), Some("3"));
    assert_eq!(count.recv().await?, Some(number(3)));

    let mut double = client.double().await?;
    double.close_send().await?;
    assert_eq!(double.recv().await?, None);
    Ok(())
}
