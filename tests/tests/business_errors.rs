//! Failures that are part of what a service promises: business errors, and declared exceptions at the end of streams.

use futures::future::join_all;
use streamx::{Bidi, Channel, Error, Message, Result, Sender, Server, Streaming};
use streamx_tests::rig::{eventually, soon};

/// An order; where a handler gets one, its amount says how many messages it sends before it fails.
#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Order {
    #[field(1)]
    amount: i64,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(exception)]
struct Missing {
    #[field(1)]
    key: String,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(exception)]
struct Denied {
    #[field(1)]
    user: i64,
}

#[derive(Message, Clone, Debug)]
#[message(exception)]
enum Refusal {
    #[field(1)]
    Missing(Missing),
    #[field(4)]
    Denied(Denied),
    #[other]
    Other(Error),
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

/// Every call ends with the exception that the amount of its first order names.
#[streamx::service]
trait Vault {
    #[client_stream]
    async fn store(&self, stream: Streaming<Order>) -> Result<Order, Missing>;

    #[server_stream]
    async fn list(&self, order: Order, stream: Sender<Order>) -> Result<(), Missing>;

    #[bidi]
    async fn visit(&self, stream: Bidi<Order, Order>) -> Result<(), Missing>;

    #[client_stream]
    async fn store_as(&self, stream: Streaming<Order>) -> Result<Order, Refusal>;

    #[server_stream]
    async fn list_as(&self, order: Order, stream: Sender<Order>) -> Result<(), Refusal>;

    #[bidi]
    async fn visit_as(&self, stream: Bidi<Order, Order>) -> Result<(), Refusal>;

    /// Fails with a key of so many bytes.
    #[server_stream]
    async fn lengthy(&self, order: Order, stream: Sender<Order>) -> Result<(), Missing>;
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

struct Guard;

impl Vault for Guard {
    async fn store(&self, mut stream: Streaming<Order>) -> Result<Order, Missing> {
        while let Ok(Some(_)) = stream.recv().await {}
        Err(missing())
    }

    async fn list(&self, order: Order, mut stream: Sender<Order>) -> Result<(), Missing> {
        let _sent = stream.send(order).await;
        Err(missing())
    }

    async fn visit(&self, mut stream: Bidi<Order, Order>) -> Result<(), Missing> {
        while let Ok(Some(order)) = stream.recv().await {
            let _sent = stream.send(order).await;
        }
        Err(missing())
    }

    async fn store_as(&self, mut stream: Streaming<Order>) -> Result<Order, Refusal> {
        Err(refusal(&stream.recv().await?.unwrap_or_default()))
    }

    async fn list_as(&self, order: Order, mut stream: Sender<Order>) -> Result<(), Refusal> {
        stream.send(&order).await?;
        Err(refusal(&order))
    }

    async fn visit_as(&self, mut stream: Bidi<Order, Order>) -> Result<(), Refusal> {
        let order = stream.recv().await?.unwrap_or_default();
        stream.send(&order).await?;
        Err(refusal(&order))
    }

    async fn lengthy(&self, order: Order, _: Sender<Order>) -> Result<(), Missing> {
        Err(Missing { key: "k".repeat(order.amount.try_into().unwrap_or_default()) })
    }
}

fn missing() -> Missing {
    Missing { key: "gold".into() }
}

const MISSING: Order = Order { amount: 1 };
const DENIED: Order = Order { amount: 2 };
const POOR: Order = Order { amount: 3 };

fn refusal(order: &Order) -> Refusal {
    match *order {
        MISSING => Refusal::Missing(missing()),
        DENIED => Refusal::Denied(Denied { user: 7 }),
        POOR => Refusal::Other(no_balance()),
        _ => Refusal::Other(Error::other("closed today")),
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

/// Channels to a teller and a guard: through a socket, and the two in this process.
struct Channels {
    address: String,
    banks: [Channel; 2],
    vaults: [Channel; 2],
}

async fn channels(teller: Teller) -> Channels {
    let bank = BankServer::new(teller.clone());
    let server = Server::builder().add_service(bank).add_service(VaultServer::new(Guard));
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().to_string();
    tokio::spawn(server.serve());
    let socket = Channel::connect(format!("ttheader://{address}")).await.unwrap();
    Channels {
        address,
        banks: [socket.clone(), Channel::in_process(BankServer::new(teller))],
        vaults: [socket, Channel::in_process(VaultServer::new(Guard))],
    }
}

async fn banks(error: Error) -> [BankClient; 2] {
    channels(Teller::new(error)).await.banks.map(BankClient::new)
}

async fn vaults() -> [VaultClient; 2] {
    channels(Teller::new(no_balance())).await.vaults.map(VaultClient::new)
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
async fn a_declared_exception_ends_a_client_stream() {
    for client in vaults().await {
        let mut stream = client.store().await.unwrap();
        stream.send(Order::default()).await.unwrap();
        is_missing(&soon(stream.close_and_recv()).await.unwrap_err(), "Vault.Store");
        for order in [MISSING, DENIED, POOR, Order::default()] {
            let mut stream = client.store_as().await.unwrap();
            stream.send(&order).await.unwrap();
            is_refusal(&order, &soon(stream.close_and_recv()).await.unwrap_err(), "Vault.StoreAs");
        }
    }
}

#[tokio::test]
async fn a_declared_exception_ends_a_server_stream() {
    for client in vaults().await {
        let mut stream = client.list(MISSING).await.unwrap();
        assert_eq!(stream.recv().await.unwrap(), Some(MISSING));
        for _ in 0..2 {
            is_missing(&soon(stream.recv()).await.unwrap_err(), "Vault.List");
        }
        for order in [MISSING, DENIED, POOR, Order::default()] {
            let mut stream = client.list_as(order.clone()).await.unwrap();
            assert_eq!(stream.recv().await.unwrap().as_ref(), Some(&order));
            is_refusal(&order, &soon(stream.recv()).await.unwrap_err(), "Vault.ListAs");
        }
    }
}

#[tokio::test]
async fn a_declared_exception_ends_a_bidirectional_stream() {
    for client in vaults().await {
        let mut stream = client.visit().await.unwrap();
        stream.send(MISSING).await.unwrap();
        stream.close_send().await.unwrap();
        assert_eq!(stream.recv().await.unwrap(), Some(MISSING));
        for _ in 0..2 {
            is_missing(&soon(stream.recv()).await.unwrap_err(), "Vault.Visit");
        }
        for order in [MISSING, DENIED, POOR, Order::default()] {
            let mut stream = client.visit_as().await.unwrap();
            stream.send(&order).await.unwrap();
            assert_eq!(stream.recv().await.unwrap().as_ref(), Some(&order));
            is_refusal(&order, &soon(stream.recv()).await.unwrap_err(), "Vault.VisitAs");
        }
    }
}

#[track_caller]
fn is_missing(error: &Error, method: &str) {
    assert_eq!(error.exception::<Missing>(), Some(&missing()), "{error}");
    assert_eq!((error.exception::<Denied>(), error.as_biz()), (None, None));
    assert!(error.to_string().starts_with(&format!("{method}: declared exception Missing ")), "{error}");
    assert!(error.to_string().contains("gold"), "{error}");
}

#[track_caller]
fn is_refusal(order: &Order, error: &Error, method: &str) {
    match *order {
        MISSING => is_missing(error, method),
        DENIED => {
            assert_eq!(error.exception::<Denied>(), Some(&Denied { user: 7 }), "{error}");
            assert_eq!(error.exception::<Missing>(), None);
        }
        POOR => is_no_balance(error, method),
        _ => {
            assert_eq!(error.to_string(), format!("{method}: closed today"));
            assert_eq!((error.exception::<Missing>(), error.as_biz()), (None, None));
        }
    }
}

/// At the end of a stream an exception travels in a header, of which it may have 30 KiB.
#[tokio::test]
async fn a_declared_exception_too_large_for_the_end_of_a_stream_is_an_error_without_it() {
    let around_the_key = 2 + 3 + 4 + 1; // its number; the head of the field, the length, the end of the struct
    let longest = (30 << 10) - around_the_key;
    for client in vaults().await {
        for (length, fits) in [(longest, true), (longest + 1, false), (1 << 20, false)] {
            let mut stream = client.lengthy(Order { amount: length }).await.unwrap();
            let error = soon(stream.recv()).await.unwrap_err();
            let found = error.exception::<Missing>().map(|missing| missing.key.len());
            assert_eq!(found, fits.then(|| usize::try_from(length).unwrap()), "{error}");
            assert!(error.to_string().starts_with("Vault.Lengthy: declared exception Missing "), "{error}");
        }
    }
}
