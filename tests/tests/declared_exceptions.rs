//! Declared exceptions at the end of calls.

use streamx::middleware::{AnyMessage, Opening, UnaryMiddleware, UnaryNext, async_trait};
use streamx::well_known::Any;
use streamx::{Bidi, Error, Message, Result, Sender, Server, Streaming};
use streamx_tests::rig::soon;

/// An order; its amount says which exception its handler fails with.
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

/// The methods of `Result<_, Missing>` always fail with it, those of `Result<_, Refusal>` with what the first order names.
#[streamx::service(namespace = "bank")]
trait Vault {
    async fn open(&self, order: Order) -> Result<Order, Refusal>;

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

struct Guard;

impl Vault for Guard {
    async fn open(&self, order: Order) -> Result<Order, Refusal> {
        Err(refusal(&order))
    }

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
    Error::biz(10001, "no balance").with_extra("k", "v")
}

/// A client over gRPC with protobuf.
async fn over_grpc(server: streamx::server::ServerBuilder) -> VaultClient {
    let server = server.add_service(VaultServer::new(Guard)).bind("127.0.0.1:0").await.unwrap();
    let url = format!("grpc://{}", server.local_addr());
    tokio::spawn(server.serve());
    VaultClient::connect(url).await.unwrap()
}

/// Clients of a guard: through a socket, over gRPC with both formats, and inside this process.
async fn vaults() -> [VaultClient; 4] {
    let server = Server::builder().add_service(VaultServer::new(Guard)).bind("127.0.0.1:0").await.unwrap();
    let urls = ["ttheader", "grpc+thrift"].map(|scheme| format!("{scheme}://{}", server.local_addr()));
    tokio::spawn(server.serve());
    let [ttheader, thrift] = urls.map(VaultClient::connect);
    let protobuf = over_grpc(Server::builder()).await;
    [ttheader.await.unwrap(), thrift.await.unwrap(), VaultClient::in_process(Guard), protobuf]
}

#[tokio::test]
async fn a_declared_exception_is_the_answer_of_a_unary_call() {
    for client in vaults().await {
        for order in [MISSING, DENIED, POOR, Order::default()] {
            is_refusal(&order, &soon(client.open(order.clone())).await.unwrap_err(), "Vault.Open");
        }
    }
}

/// What a client of another make reads.
#[tokio::test]
async fn over_grpc_with_protobuf_a_declared_exception_is_a_detail_with_its_full_name() {
    let client = over_grpc(Server::builder()).await;
    let missing = Any::pack("bank.Missing", &missing()).unwrap();
    let denied = Any::pack("bank.Denied", &Denied { user: 7 }).unwrap();
    for (order, details) in [(MISSING, vec![missing]), (DENIED, vec![denied]), (POOR, vec![])] {
        assert_eq!(soon(client.open(order.clone())).await.unwrap_err().details(), details);
        let mut stream = client.list_as(order.clone()).await.unwrap();
        assert_eq!(stream.recv().await.unwrap(), Some(order));
        assert_eq!(soon(stream.recv()).await.unwrap_err().details(), details);
    }
}

/// Middlewares see an exception as an error, and hand it on.
#[tokio::test]
async fn a_declared_exception_passes_middlewares_over_grpc() {
    let server = Server::builder().with_unary_middleware(Aside);
    let client = over_grpc(server).await;
    for order in [MISSING, DENIED, POOR, Order::default()] {
        is_refusal(&order, &soon(client.open(order.clone())).await.unwrap_err(), "Vault.Open");
    }
}

struct Aside;

#[async_trait]
impl UnaryMiddleware for Aside {
    async fn around(
        &self,
        call: Opening,
        request: AnyMessage<'_>,
        next: UnaryNext<'_>,
    ) -> Result<AnyMessage<'static>> {
        next.run(call, request).await
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
        POOR => assert_eq!(error.as_biz(), no_balance().as_biz(), "{error}"),
        _ => {
            assert_eq!(error.to_string(), format!("{method}: closed today"));
            assert_eq!((error.exception::<Missing>(), error.as_biz()), (None, None));
        }
    }
}

/// At the end of a stream an exception travels in a header, of which it may have 30 KiB, and 16 KiB with what else is in a
/// status of protobuf.
#[tokio::test]
async fn a_declared_exception_too_large_for_the_end_of_a_stream_is_an_error_without_it() {
    let around_the_key = 2 + 3 + 4 + 1; // its number; the head of the field, the length, the end of the struct
    let longest = (30 << 10) - around_the_key;
    // The code; the text; the heads of the detail, of its name with the name, of its value, and of the key.
    let around_the_detail = 2 + (3 + 227) + 3 + (2 + 32) + 3 + 3;
    let longest_detail = (16 << 10) - around_the_detail;
    for (client, longest) in vaults().await.into_iter().zip([longest, longest, longest, longest_detail]) {
        for (length, fits) in [(longest, true), (longest + 1, false), (1 << 20, false)] {
            let mut stream = client.lengthy(Order { amount: length }).await.unwrap();
            let error = soon(stream.recv()).await.unwrap_err();
            let found = error.exception::<Missing>().map(|missing| missing.key.len());
            assert_eq!(found, fits.then(|| usize::try_from(length).unwrap()), "{error}");
            assert!(error.to_string().starts_with("Vault.Lengthy: declared exception Missing "), "{error}");
        }
    }
}

/// Looks as [`Missing`] does on the wire.
#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(exception)]
struct Shut {
    #[field(1)]
    by: String,
}

#[derive(Message, Clone, Debug)]
#[message(exception)]
enum Closed {
    #[field(1)]
    Shut(Shut),
    #[other]
    Other(Error),
}

/// Fails with the error of a vault behind it.
#[streamx::service]
trait Counter {
    #[server_stream]
    async fn fetch(&self, order: Order, stream: Sender<Order>) -> Result<(), Closed>;
}

struct Clerk(VaultClient);

impl Counter for Clerk {
    async fn fetch(&self, order: Order, _: Sender<Order>) -> Result<(), Closed> {
        let mut stream = self.0.list(order).await?;
        while stream.recv().await?.is_some() {}
        Ok(())
    }
}

#[tokio::test]
async fn the_exception_of_another_service_is_not_taken_for_one_of_the_method() {
    for vault in vaults().await {
        let client = CounterClient::in_process(Clerk(vault));
        let mut stream = client.fetch(MISSING).await.unwrap();
        let error = soon(stream.recv()).await.unwrap_err();
        assert_eq!(error.exception::<Shut>(), None, "{error}");
        assert!(error.to_string().contains("declared exception Missing "), "{error}");
    }
}
