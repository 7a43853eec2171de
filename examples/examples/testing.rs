//! Testing a service: a handler on its own, and client and server over a network that fails. In your crate the three
//! functions below are tests, marked `#[tokio::test(start_paused = true)]`.

use std::time::Duration;
use streamx::testing::{self, Network};
use streamx::{Bidi, Code, Context, Message, Result};

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Bid {
    #[field(1)]
    amount: i64,
}

#[streamx::service]
trait Auction {
    /// Sends every bid on that beats the last one.
    #[bidi]
    async fn bid(&self, ctx: Context, bids: Bidi<Bid, Bid>) -> Result<()>;
}

struct House;

impl Auction for House {
    async fn bid(&self, ctx: Context, mut bids: Bidi<Bid, Bid>) -> Result<()> {
        let mut highest = ctx.persistent("reserve").and_then(|reserve| reserve.parse().ok()).unwrap_or(0);
        while let Some(bid) = bids.recv().await? {
            if bid.amount > highest {
                highest = bid.amount;
                bids.send(bid).await?;
            }
        }
        ctx.set_trailer("sold-for", &highest.to_string())
    }
}

/// No server: the test is the caller.
async fn only_higher_bids_count() -> Result<()> {
    let (bids, mut caller) = testing::bidi::<Bid, Bid>();
    let ctx = caller.persistent("reserve", "10").context();
    for amount in [5, 20, 15, 30] {
        caller.send(Bid { amount });
    }
    caller.close_send();
    House.bid(ctx, bids).await?;
    assert_eq!(caller.received(), [Bid { amount: 20 }, Bid { amount: 30 }]);
    println!("sold for {}", caller.trailer().get("sold-for").unwrap_or_default());
    assert_eq!(caller.trailer().get("sold-for"), Some("30"));
    Ok(())
}

/// Seconds of delay pass at once, because the clock is stopped.
async fn a_slow_network_changes_nothing() -> Result<()> {
    let network = Network::seeded(7);
    network.delay(Duration::from_secs(1)..=Duration::from_secs(5)).split(3);
    let client = AuctionClient::new(network.channel(AuctionServer::new(House)));
    let mut bids = client.bid().timeout(Duration::from_secs(3600)).await?;
    let bid = Bid { amount: 1 };
    bids.send(&bid).await?;
    assert_eq!(bids.recv().await?, Some(bid));
    Ok(())
}

async fn a_lost_connection_is_no_end() -> Result<()> {
    let network = Network::seeded(7);
    let mut bids = AuctionClient::new(network.channel(AuctionServer::new(House))).bid().await?;
    network.reset();
    let error = bids.recv().await.expect_err("the connection is lost");
    println!("the stream failed: {error}");
    assert_eq!(error.code(), Code::Unavailable);
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    only_higher_bids_count().await?;
    a_slow_network_changes_nothing().await?;
    a_lost_connection_is_no_end().await
}
