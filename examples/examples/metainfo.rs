//! What travels beside the messages: metainfo down a chain of services, a header and a trailer back.

use streamx::{Context, Message, Result, Sender, Server, Service};

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Item {
    #[field(1)]
    text: String,
}

/// Both the shop and the stock behind it.
#[streamx::service]
trait Shop {
    #[server_stream]
    async fn list(&self, ctx: Context, query: Item, stream: Sender<Item>) -> Result<()>;
}

/// The last of the chain: sends what it was told.
struct Stock;

impl Shop for Stock {
    async fn list(&self, ctx: Context, query: Item, mut stream: Sender<Item>) -> Result<()> {
        ctx.set_header("warehouse", "north")?; // leaves with the first message
        let told = |value: Option<&str>| value.unwrap_or("nobody").to_owned();
        let (user, attempt) = (told(ctx.persistent("user")), told(ctx.transient("attempt")));
        stream.send(Item { text: format!("{} for {user}, attempt {attempt}", query.text) }).await?;
        ctx.set_trailer("items", "1") // leaves when the handler returns
    }
}

/// Hands on what comes from the next one. Persistent metainfo goes on by itself, transient only if it is set again.
struct Front {
    next: ShopClient,
}

impl Shop for Front {
    async fn list(&self, ctx: Context, query: Item, mut stream: Sender<Item>) -> Result<()> {
        println!("the front serves {:?}, attempt {:?}", ctx.persistent("user"), ctx.transient("attempt"));
        let mut next = self.next.list(query).transient("attempt", "of the front").await?;
        for (key, value) in next.header().await?.iter() {
            ctx.set_header(key, value)?;
        }
        while let Some(item) = next.recv().await? {
            stream.send(item).await?;
        }
        for (key, value) in next.trailer().await?.iter() {
            ctx.set_trailer(key, value)?;
        }
        Ok(())
    }
}

async fn start(service: impl Into<Service>) -> Result<ShopClient> {
    let server = Server::builder().add_service(service).bind("127.0.0.1:0").await?;
    let url = format!("ttheader://{}", server.local_addr());
    tokio::spawn(server.serve());
    ShopClient::connect(url).await
}

#[tokio::main]
async fn main() -> Result<()> {
    let next = start(ShopServer::new(Stock)).await?;
    let client = start(ShopServer::new(Front { next })).await?;

    let call = client.list(Item { text: "tea".into() });
    let mut stream = call.persistent("user", "42").transient("attempt", "1").await?;
    let header = stream.header().await?;
    println!("header {header:?}");
    while let Some(item) = stream.recv().await? {
        println!("{}", item.text);
        assert_eq!(item.text, "tea for 42, attempt of the front");
    }
    let trailer = stream.trailer().await?;
    println!("trailer {trailer:?}");
    assert_eq!((header.get("warehouse"), trailer.get("items")), (Some("north"), Some("1")));
    Ok(())
}
