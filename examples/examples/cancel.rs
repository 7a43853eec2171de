//! A cancel goes through three services: the caller gives up, and the last handler learns who and why.

use streamx::{Bidi, Channel, Context, Error, Message, Result, Server, Service};
use tokio::sync::mpsc;

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Token {
    #[field(1)]
    text: String,
}

/// Both the gateway and the model behind it.
#[streamx::service]
trait Model {
    #[bidi]
    async fn generate(&self, ctx: Context, stream: Bidi<Token, Token>) -> Result<()>;
}

/// Passes everything on. Its call to the next one is never given up by hand.
struct Gateway {
    next: ModelClient,
}

impl Model for Gateway {
    async fn generate(&self, _ctx: Context, mut stream: Bidi<Token, Token>) -> Result<()> {
        let mut next = self.next.generate().await?;
        while let Some(token) = next.recv().await? {
            stream.send(token).await?;
        }
        Ok(())
    }
}

/// Sends tokens until nobody wants them any more.
struct Gpu {
    stopped: mpsc::UnboundedSender<Error>,
}

impl Model for Gpu {
    async fn generate(&self, ctx: Context, mut stream: Bidi<Token, Token>) -> Result<()> {
        let send_all = async {
            for number in 0.. {
                stream.send(Token { text: format!("token {number}") }).await?;
            }
            Ok(())
        };
        // Whichever is first: `send` fails for the same reason.
        let reason = tokio::select! {
            reason = ctx.cancelled() => reason,
            Err(reason) = send_all => reason,
        };
        self.stopped.send(reason.clone()).map_err(Error::other)?;
        Err(reason)
    }
}

/// Serves, and connects to it under this name.
async fn start(service: impl Into<Service>, caller: &str) -> Result<ModelClient> {
    let server = Server::builder().add_service(service).bind("127.0.0.1:0").await?;
    let url = format!("ttheader://{}", server.local_addr());
    tokio::spawn(server.serve());
    Ok(ModelClient::new(Channel::builder(url).caller(caller).connect().await?))
}

#[tokio::main]
async fn main() -> Result<()> {
    let (stopped, mut reasons) = mpsc::unbounded_channel();
    let next = start(ModelServer::new(Gpu { stopped }), "gateway").await?;
    let client = start(ModelServer::new(Gateway { next }), "browser").await?;

    let mut stream = client.generate().await?;
    println!("received {:?}", stream.recv().await?);
    stream.cancel("the user has closed the window");

    let reason = reasons.recv().await.ok_or_else(|| Error::other("the model was not told"))?;
    println!("the model stopped: {reason}");
    assert_eq!(reason.cancel_path().collect::<Vec<_>>(), ["browser", "gateway"]);
    assert!(reason.to_string().contains("the user has closed the window"));
    Ok(())
}
