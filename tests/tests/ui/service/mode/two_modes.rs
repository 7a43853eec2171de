use streamx::{Bidi, Message, Result};

#[derive(Message, Clone, Debug, Default)]
pub struct Req {
    #[field(1)]
    pub text: String,
}

#[derive(Message, Clone, Debug, Default)]
pub struct Res {
    #[field(1)]
    pub text: String,
}

#[streamx::service]
pub trait Chat {
    #[bidi]
    #[client_stream]
    async fn talk(&self, lines: Bidi<Req, Res>) -> Result<()>;
}

pub async fn call(client: ChatClient) -> Result<()> {
    client.talk().await?.send(Req::default()).await
}

fn main() {}
