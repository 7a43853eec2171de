//! What is said of methods is what calls do: a client of one version calls a server of the other.

use streamx::schema::{Lock, Who, Wire};
use streamx::{Channel, Code, Message, Result, Server};

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(exception)]
struct SoldOut {
    #[field(1)]
    what: String,
}

mod old {
    use super::*;

    #[streamx::service]
    pub(super) trait Shop {
        async fn buy(&self, what: String) -> Result<i64>;
        async fn pay(&self, amount: i64) -> Result<()>;
        async fn ask(&self, what: String) -> Result<i64>;
        async fn look(&self) -> Result<()>;
    }

    pub(super) struct Counter;

    impl Shop for Counter {
        async fn buy(&self, _: String) -> Result<i64> {
            Ok(1)
        }

        async fn pay(&self, _: i64) -> Result<()> {
            Ok(())
        }

        async fn ask(&self, _: String) -> Result<i64> {
            Ok(1)
        }

        async fn look(&self) -> Result<()> {
            Ok(())
        }
    }
}

mod new {
    use super::*;

    #[streamx::service]
    pub(super) trait Shop {
        async fn buy(&self, what: String, times: i32, note: Option<String>) -> Result<i64>;
        async fn pay(&self, amount: i64) -> Result<(), SoldOut>;
        async fn ask(&self, what: String) -> Result<i64, SoldOut>;
        async fn count(&self) -> Result<i64>;
    }

    pub(super) struct Counter;

    impl Shop for Counter {
        async fn buy(&self, _: String, _: i32, _: Option<String>) -> Result<i64> {
            Ok(2)
        }

        async fn pay(&self, _: i64) -> Result<(), SoldOut> {
            Err(SoldOut { what: "tea".into() })
        }

        async fn ask(&self, what: String) -> Result<i64, SoldOut> {
            Err(SoldOut { what })
        }

        async fn count(&self) -> Result<i64> {
            Ok(2)
        }
    }
}

async fn channel(scheme: &str, service: impl Into<streamx::Service>) -> Channel {
    let server = Server::builder().add_service(service).bind("127.0.0.1:0").await.unwrap();
    let url = format!("{scheme}://{}", server.local_addr());
    tokio::spawn(server.serve());
    Channel::connect(&url).await.unwrap()
}

/// What is said of these clients in this format, by the place.
fn said(who: Who, wire: Wire) -> Vec<(String, &'static str)> {
    let old = Lock::of(&[old::ShopServer::<()>::schema()]).unwrap();
    let new = Lock::of(&[new::ShopServer::<()>::schema()]).unwrap();
    let mut said = Vec::new();
    for change in old.changes(&new) {
        let met = change
            .effects
            .iter()
            .filter(|effect| effect.who == who && effect.wire.is_none_or(|it| it == wire));
        said.extend(met.map(|effect| (change.path.clone(), effect.text)));
    }
    said
}

#[track_caller]
fn assert_said(who: Who, wire: Wire, expected: &[(&str, &str)]) {
    let said = said(who, wire);
    let said: Vec<_> = said.iter().map(|(path, text)| (&**path, *text)).collect();
    assert_eq!(said, expected);
}

#[tokio::test]
async fn old_clients_of_a_new_server() {
    let client = old::ShopClient::new(channel("ttheader", new::ShopServer::new(new::Counter)).await);
    let error = client.buy("tea".into()).await.unwrap_err();
    assert!(error.to_string().contains("times"), "{error}");
    client.pay(1).await.unwrap();
    let error = client.ask("tea".into()).await.unwrap_err();
    assert!(error.to_string().contains("without a value"), "{error}");
    assert_eq!(client.look().await.unwrap_err().code(), Code::Unimplemented);
    let no_value =
        "the exception reads as an answer without a value: streamx fails, Kitex gives nil and no error";
    let expected = [
        ("Shop.Ask(sold_out)", no_value),
        ("Shop.Buy(times)", "the call fails when it is not sent"),
        ("Shop.Look", "calls fail with `Unimplemented`"),
        ("Shop.Pay(sold_out)", "the exception reads as success"),
    ];
    assert_said(Who::OldClients, Wire::Thrift, &expected);
}

#[tokio::test]
async fn old_clients_of_a_new_server_in_protobuf() {
    let client = old::ShopClient::new(channel("grpc", new::ShopServer::new(new::Counter)).await);
    assert_eq!(client.buy("tea".into()).await.unwrap(), 2);
    for error in [client.pay(1).await.unwrap_err(), client.ask("tea".into()).await.unwrap_err()] {
        assert!(error.to_string().contains("SoldOut"), "{error}");
    }
    assert_eq!(client.look().await.unwrap_err().code(), Code::Unimplemented);
    let expected = [
        ("Shop.Ask(sold_out)", "the exception reads as an ordinary error"),
        ("Shop.Look", "calls fail with `Unimplemented`"),
        ("Shop.Pay(sold_out)", "the exception reads as an ordinary error"),
    ];
    assert_said(Who::OldClients, Wire::Protobuf, &expected);
}

#[tokio::test]
async fn new_clients_of_an_old_server() {
    let client = new::ShopClient::new(channel("ttheader", old::ShopServer::new(old::Counter)).await);
    assert_eq!(client.buy("tea".into(), 2, None).await.unwrap(), 1);
    client.pay(1).await.unwrap();
    assert_eq!(client.count().await.unwrap_err().code(), Code::Unimplemented);
    assert_said(Who::NewClients, Wire::Thrift, &[("Shop.Count", "calls fail with `Unimplemented`")]);
}
