//! Business errors, which arrive as they were made, in every mode.

use futures::future::join_all;
use streamx::{Bidi, Channel, Error, Message, Result, Sender, Server, Streaming};
use streamx_tests::rig::{eventually, soon};

/// An order; where a handler gets one, its amount says how many messages it sends before it fails.
#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Order {
    #[field(1)]
    amount: i64,
}

/// Every call ends with the business error of the [`Teller`].
#[streamx::service]
trait Bank {
    async fn pay(&self, order: Order) -> Result<Order>;

    /// Pays at another bank.
    async fn forward(&self, order: Order) -> Result<Order>;

    /// Reads up to an order of nothing.
    #[client_stream]
    async fn pay_all(&self, stream: Streaming<Order>) -> Result<Order>;

    #[server_stream]
    async fn receipts(&self, order: Order, stream: Sender<Order>) -> Result<()>;

    /// Reads one order.
    #[bidi]
    async fn talk(&self, stream: Bidi<Order, Order>) -> Result<()>;
}

#[derive(Clone)]
struct Teller {
    error: Error,
    other_bank: Option<BankClient>,
}

impl Teller {
    fn new(error: Error) -> Self {
        Self { error, other_bank: None }
    }
}

impl Bank for Teller {
    async fn pay(&self, _: Order) -> Result<Order> {
        Err(self.error.clone())
    }

    async fn forward(&self, order: Order) -> Result<Order> {
        match &self.other_bank {
            Some(bank) => bank.pay(order).await,
            None => Ok(order),
        }
    }

    async fn pay_all(&self, mut stream: Streaming<Order>) -> Result<Order> {
        while stream.recv().await?.is_some_and(|order| order.amount != 0) {}
        Err(self.error.clone())
    }

    async fn receipts(&self, order: Order, mut stream: Sender<Order>) -> Result<()> {
        for amount in 0..order.amount {
            stream.send(Order { amount }).await?;
        }
        Err(self.error.clone())
    }

    async fn talk(&self, mut stream: Bidi<Order, Order>) -> Result<()> {
        let order = stream.recv().await?.unwrap_or_default();
        for amount in 0..order.amount {
            stream.send(Order { amount }).await?;
        }
        Err(self.error.clone())
    }
}

fn no_balance() -> Error {
    Error::biz(10001, "no balance").with_extra("k", "v").with_extra("currency", "EUR")
}

/// Demands the very error of [`no_balance`], with the method that failed in its text.
#[track_caller]
fn is_no_balance(error: &Error, method: &str) {
    assert_eq!(error.as_biz(), no_balance().as_biz(), "{error}");
    assert_eq!(error.to_string(), format!("{method}: business error 10001: no balance"));
}

/// Channels to a teller: through a socket, and inside this process.
struct Channels {
    address: String,
    banks: [Channel; 2],
}

async fn channels(teller: Teller) -> Channels {
    let server = Server::builder().add_service(BankServer::new(teller.clone()));
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().to_string();
    tokio::spawn(server.serve());
    let socket = Channel::connect(format!("ttheader://{address}")).await.unwrap();
    Channels { address, banks: [socket, Channel::in_process(BankServer::new(teller))] }
}

async fn banks(error: Error) -> [BankClient; 2] {
    channels(Teller::new(error)).await.banks.map(BankClient::new)
}

#[tokio::test]
async fn a_unary_call_fails_with_the_business_error() {
    for client in banks(no_balance()).await {
        is_no_balance(&client.pay(Order::default()).await.unwrap_err(), "Bank.Pay");
        let answer = client.forward(Order { amount: 5 }).await.unwrap();
        assert_eq!(answer.amount, 5, "the connection serves the next call");
    }
}

#[tokio::test]
async fn calls_at_once_fail_with_their_own_business_errors() {
    for client in banks(no_balance()).await {
        let calls = join_all((0..16).map(|amount| client.pay(Order { amount })));
        for answer in soon(calls).await {
            is_no_balance(&answer.unwrap_err(), "Bank.Pay");
        }
    }
}

#[tokio::test]
async fn over_framed_a_business_error_is_an_ordinary_one_with_its_text() {
    let channels = channels(Teller::new(no_balance())).await;
    let client = BankClient::connect(&format!("framed://{}", channels.address)).await.unwrap();
    let error = client.pay(Order::default()).await.unwrap_err();
    assert_eq!(error.as_biz(), None);
    assert_eq!(error.to_string(), "Bank.Pay: business error 10001: no balance");
}

#[tokio::test]
async fn a_client_stream_fails_with_the_business_error() {
    for client in banks(no_balance()).await {
        let empty = client.pay_all().await.unwrap();
        is_no_balance(&soon(empty.close_and_recv()).await.unwrap_err(), "Bank.PayAll");

        let mut orders = client.pay_all().await.unwrap();
        for amount in 1..4 {
            orders.send(Order { amount }).await.unwrap();
        }
        is_no_balance(&soon(orders.close_and_recv()).await.unwrap_err(), "Bank.PayAll");
    }
}

#[tokio::test]
async fn a_client_stream_that_goes_on_sending_fails_with_the_business_error() {
    for client in banks(no_balance()).await {
        let mut stream = client.pay_all().await.unwrap();
        let late = loop {
            if let Err(late) = soon(stream.send(Order::default())).await {
                break late;
            }
            tokio::task::yield_now().await;
        };
        assert!(late.is_closed() && late.as_biz().is_none(), "the outcome is with the answer: {late}");
        is_no_balance(&soon(stream.close_and_recv()).await.unwrap_err(), "Bank.PayAll");
    }
}

#[tokio::test]
async fn a_server_stream_gives_what_was_sent_and_then_the_business_error() {
    for channel in channels(Teller::new(no_balance())).await.banks {
        for sent in [0, 1, 20] {
            let mut stream = BankClient::new(channel.clone()).receipts(Order { amount: sent }).await.unwrap();
            eventually(|| channel.counters().streams == 0).await;
            for amount in 0..sent {
                assert_eq!(stream.recv().await.unwrap(), Some(Order { amount }));
            }
            for _ in 0..2 {
                is_no_balance(&soon(stream.recv()).await.unwrap_err(), "Bank.Receipts");
            }
        }
    }
}

#[tokio::test]
async fn a_bidirectional_stream_gives_what_was_sent_and_then_the_business_error() {
    for channel in channels(Teller::new(no_balance())).await.banks {
        let client = BankClient::new(channel.clone());
        for sent in [0, 1, 20] {
            let mut stream = client.talk().await.unwrap();
            stream.send(Order { amount: sent }).await.unwrap();
            eventually(|| channel.counters().streams == 0).await;
            for amount in 0..sent {
                assert_eq!(stream.recv().await.unwrap(), Some(Order { amount }));
            }
            for _ in 0..2 {
                is_no_balance(&soon(stream.recv()).await.unwrap_err(), "Bank.Talk");
            }
        }
        let mut silent = client.talk().await.unwrap();
        silent.close_send().await.unwrap();
        is_no_balance(&soon(silent.recv()).await.unwrap_err(), "Bank.Talk");
    }
}

#[tokio::test]
async fn every_text_comes_back_as_it_was() {
    let texts = [
        "",
        "\"quoted\" \\ \\u0041 {}[]:,/",
        "<a href=\"b&c\">",
        "tab\t line\n return\r bell\u{7} backspace\u{8} page\u{c} nothing\0 \u{1f} \u{7f}",
        "äöü 中文 🦀 e\u{301} \u{2028}\u{2029}\u{fffd}\u{feff}\u{10ffff}",
    ];
    let error = texts.iter().fold(Error::biz(i32::MIN, texts.concat()), |error, text| {
        error.with_extra(format!("{text}key"), *text).with_extra(*text, "value")
    });
    let want = error.as_biz().unwrap();
    assert_eq!(want.extra().len(), 2 * texts.len());
    for client in banks(error.clone()).await {
        let unary = client.pay(Order::default()).await.unwrap_err();
        assert_eq!(unary.as_biz(), Some(want));
        let mut stream = client.receipts(Order::default()).await.unwrap();
        assert_eq!(stream.recv().await.unwrap_err().as_biz(), Some(want));
    }
}

#[tokio::test]
async fn a_business_error_without_extra_or_text_arrives() {
    for code in [1, -1, i32::MAX] {
        for client in banks(Error::biz(code, "")).await {
            let mut stream = client.receipts(Order::default()).await.unwrap();
            for error in [client.pay(Order::default()).await.unwrap_err(), stream.recv().await.unwrap_err()] {
                let biz = error.as_biz().unwrap();
                assert_eq!((biz.code(), biz.message(), biz.extra().len()), (code, "", 0));
            }
        }
    }
}

/// On the wire the code 0 means that all is well.
#[tokio::test]
async fn the_code_zero_is_still_a_failure() {
    for client in banks(Error::biz(0, "no code")).await {
        let mut stream = client.receipts(Order::default()).await.unwrap();
        let upload = client.pay_all().await.unwrap();
        for error in [
            client.pay(Order::default()).await.unwrap_err(),
            soon(stream.recv()).await.unwrap_err(),
            soon(upload.close_and_recv()).await.unwrap_err(),
        ] {
            assert!(error.to_string().ends_with(": business error 0: no code"), "{error}");
        }
    }
}

/// What does not fit a header is left out; the code stays.
#[tokio::test]
async fn a_text_too_long_for_a_header_leaves_the_code() {
    for client in banks(Error::biz(7, "x".repeat(70_000))).await {
        let mut stream = client.receipts(Order::default()).await.unwrap();
        for error in [client.pay(Order::default()).await.unwrap_err(), stream.recv().await.unwrap_err()] {
            let biz = error.as_biz().unwrap();
            assert_eq!((biz.code(), biz.message()), (7, ""));
        }
    }
}

#[tokio::test]
async fn a_handler_passes_on_the_business_error_of_its_own_call() {
    for other_bank in banks(no_balance()).await {
        let teller = Teller { error: Error::other("not this"), other_bank: Some(other_bank) };
        for channel in channels(teller).await.banks {
            let error = BankClient::new(channel).forward(Order::default()).await.unwrap_err();
            is_no_balance(&error, "Bank.Forward");
        }
    }
}

#[tokio::test]
async fn a_stream_keeps_its_connection_although_its_client_is_dropped() {
    for client in banks(no_balance()).await {
        let mut stream = client.talk().await.unwrap();
        drop(client);
        stream.send(Order { amount: 1 }).await.unwrap();
        assert_eq!(soon(stream.recv()).await.unwrap(), Some(Order { amount: 0 }));
        is_no_balance(&soon(stream.recv()).await.unwrap_err(), "Bank.Talk");
    }
}
