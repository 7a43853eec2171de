//! What the options of a call make of what the channel is asked for.

use futures::FutureExt;

use super::{now, scripted};
use crate::call::{Context, Mode, NewCall};
use crate::stream::fake::{self, Line};
use crate::stream::sample::{Knowing, Known, KnownClient, KnownServer, Number, SumsClient, number};
use crate::{Bidi, Code, Result, Sender, Streaming};

/// What travels with a call.
fn pairs(new: &NewCall) -> Vec<(&str, &str)> {
    new.strings.iter().map(|(key, value)| (&**key, &**value)).collect()
}

/// The context of a handler that was called with these.
fn serving(strings: &[(&str, &str)]) -> Context {
    let strings = strings.iter().map(|&(key, value)| (key.into(), value.into())).collect();
    let new = NewCall {
        namespace: "",
        service: "Upstream",
        method: "Call",
        mode: Mode::Unary,
        strings,
        binary: Vec::new(),
        parent: None,
        timeout: None,
        wait_for_ready: false,
    };
    fake::context(&new, &Line::default().handler())
}

#[test]
fn options_reach_the_opening_with_their_prefixes() {
    let (client, calls) = scripted();
    let call = client.double().persistent("user", "42").transient("attempt", "1").metadata("zone", "b");
    let _stream = now(call).unwrap();
    let (new, _) = calls.accept();
    assert_eq!((new.service, new.method, new.mode), ("Sums", "Double", Mode::Bidi));
    assert_eq!(pairs(&new), [("RPC_PERSIST_user", "42"), ("RPC_TRANSIT_attempt", "1"), ("zone", "b")]);
}

#[test]
fn the_last_value_of_a_key_counts_and_an_empty_one_is_not_sent() {
    let (client, calls) = scripted();
    let call = client.log(number(1)).persistent("k", "1").persistent("k", "2");
    now(call.transient("k", "3").transient("k", "").metadata("m", "")).unwrap();
    assert_eq!(pairs(&calls.accept().0), [("RPC_PERSIST_k", "2")]);
}

#[test]
fn the_first_mistake_is_what_awaiting_the_call_returns() {
    let (client, calls) = scripted();
    let call = client.double().persistent("", "1").transient("biz-status", "2").persistent("k", "3");
    let error = now(call).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(
        error.to_string(),
        "Sums.Double: cannot take the pair with the key ``: a key may not be empty"
    );
    assert!(calls.is_empty());
}

#[test]
fn more_than_fits_before_the_first_message_is_a_mistake() {
    let (client, calls) = scripted();
    let quarter = "x".repeat((12 << 10) - 5);
    let call =
        || client.log(number(1)).metadata("a", &quarter).metadata("b", &quarter).metadata("c", &quarter);
    now(call().metadata("d", &quarter)).unwrap();
    assert_eq!(calls.accept().0.strings.len(), 4);
    let error = now(call().metadata("d", format!("{quarter}x"))).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    let text = error.to_string();
    assert!(
        text.starts_with(
            "Sums.log_number: the pairs that travel beside the messages take 49153 bytes, of 49152"
        ),
        "{text}"
    );
    assert!(calls.is_empty());
}

#[test]
fn a_call_made_in_a_handler_carries_its_persistent_metainfo_on() {
    let (client, calls) = scripted();
    let upstream =
        serving(&[("RPC_PERSIST_user", "42"), ("RPC_PERSIST_zone", "b"), ("RPC_TRANSIT_attempt", "1")]);
    let call = Context::enter(&mut Some(upstream), || client.log(number(1)));
    now(call.persistent("zone", "c")).unwrap();
    assert_eq!(pairs(&calls.accept().0), [("RPC_PERSIST_user", "42"), ("RPC_PERSIST_zone", "c")]);

    now(client.log(number(1))).unwrap();
    assert_eq!(pairs(&calls.accept().0), [], "the handler is not being polled any more");
}

#[test]
fn an_empty_value_ends_what_is_inherited() {
    let (client, calls) = scripted();
    let upstream = serving(&[("RPC_PERSIST_user", "42"), ("RPC_PERSIST_zone", "b")]);
    now(client.log(number(1)).context(&upstream).persistent("user", "")).unwrap();
    assert_eq!(pairs(&calls.accept().0), [("RPC_PERSIST_zone", "b")]);
}

#[test]
fn a_detached_call_inherits_nothing_and_a_call_can_have_another_context() {
    let (client, calls) = scripted();
    let upstream = serving(&[("RPC_PERSIST_user", "42")]);
    let other = serving(&[("RPC_PERSIST_user", "43")]);
    let (detached, adopted) = Context::enter(&mut Some(upstream), || {
        (client.log(number(1)).detached().transient("k", "1"), client.log(number(1)).context(&other))
    });
    now(detached).unwrap();
    assert_eq!(pairs(&calls.accept().0), [("RPC_TRANSIT_k", "1")]);
    now(adopted).unwrap();
    assert_eq!(pairs(&calls.accept().0), [("RPC_PERSIST_user", "43")]);
}

#[test]
fn an_option_after_the_first_poll_changes_nothing() {
    let (client, calls) = scripted();
    let mut call = client.add(1, None);
    assert!((&mut call).now_or_never().is_none());
    let mut call = call.persistent("", "1").with_metadata();
    let (_, peer) = calls.accept();
    peer.say_bytes(&[10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0]);
    peer.end(Ok(()));
    assert_eq!(now(&mut call).unwrap().0, 2);
    assert!((&mut call).now_or_never().is_none());
}

/// A call of a call: the second is made in the handler of the first.
#[tokio::test]
async fn metainfo_travels_the_chain_and_transient_values_one_hop() -> Result<()> {
    let (outer, calls) = scripted();
    let client = KnownClient::new(fake::to(KnownServer::new(Knowing)));
    let said = client.who("hello".into(), 1).persistent("user", "42").transient("attempt", "1").await?;
    assert_eq!(said, r#"hello Some("42") Some("1")"#);

    struct Relay(SumsClient);
    impl Known for Relay {
        async fn who(&self, _: Context, _: String, _: i64) -> Result<String> {
            tokio::task::yield_now().await;
            self.0.log(number(1)).await?;
            Ok(String::new())
        }
        async fn log(&self, _: Context, _: Number) {}
        async fn sum(&self, _: Context, _: Streaming<Number>) -> Result<Number> {
            Ok(number(0))
        }
        async fn count(&self, _: Context, _: Number, _: Sender<Number>) -> Result<()> {
            Ok(())
        }
        async fn double(&self, _: Context, _: Bidi<Number, Number>) -> Result<()> {
            Ok(())
        }
    }
    let relay = KnownClient::new(fake::to(KnownServer::new(Relay(outer))));
    relay.who(String::new(), 1).persistent("user", "42").transient("attempt", "1").await?;
    assert_eq!(pairs(&calls.accept().0), [("RPC_PERSIST_user", "42")]);
    Ok(())
}
