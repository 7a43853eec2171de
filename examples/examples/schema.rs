//! The schema for others, as a `.thrift` and a `.proto` file, and what a change of it would break.

use streamx::schema::Lock;
use streamx::{Bidi, Message, Result};

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Order {
    #[field(1)]
    item: String,
    #[field(2, default = 1)]
    amount: i32,
}

/// A shop.
#[streamx::service(namespace = "shop")]
trait Shop {
    /// Gives the number of the order.
    async fn buy(&self, order: Order) -> Result<i64>;

    /// Haggles.
    #[bidi]
    async fn haggle(&self, stream: Bidi<Order, Order>) -> Result<()>;
}

/// The same service, a year later.
mod later {
    use super::*;

    #[derive(Message, Clone, Debug, Default, PartialEq)]
    pub(super) struct Order {
        #[field(1)]
        item: String,
        #[field(2, default = 1)]
        amount: i64,
        #[field(3)]
        note: Option<String>,
    }

    #[streamx::service(namespace = "shop")]
    pub(super) trait Shop {
        async fn buy(&self, order: Order) -> Result<i64>;

        #[bidi]
        async fn haggle(&self, stream: Bidi<Order, Order>) -> Result<()>;
    }
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let (thrift, proto) = (ShopServer::<()>::thrift_idl(), ShopServer::<()>::proto_idl());
    println!("shop.thrift:\n\n{thrift}\nshop.proto:\n\n{proto}");
    assert!(thrift.contains(r#"Order Haggle(1: Order request) (streaming.mode = "bidirectional")"#));
    assert!(proto.contains("rpc Haggle(stream Order) returns (stream Order);"));

    // A test calls `schema::check`, which does this with a file that is committed.
    let lock = Lock::of(&[ShopServer::<()>::schema()])?;
    println!("shop.schema.lock:\n\n{lock}");
    let committed: Lock = Lock::parse(&lock.to_string())?;
    assert_eq!(committed.changes(&lock), []);

    let changes = committed.changes(&Lock::of(&[later::ShopServer::<()>::schema()])?);
    println!("a year later:\n");
    changes.iter().for_each(|change| println!("{change}\n"));
    let breaks: Vec<_> = changes.iter().map(|change| (&*change.path, change.is_breaking())).collect();
    assert_eq!(breaks, [("Order.amount", true), ("Order.note", false)]);
    Ok(())
}
