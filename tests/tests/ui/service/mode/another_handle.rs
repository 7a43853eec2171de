use streamx::{Bidi, Message, Result, Sender, Streaming};

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
    async fn talk(&self, lines: Streaming<Req>) -> Result<()>;
    #[client_stream]
    async fn upload(&self, lines: Bidi<Req, Res>) -> Result<Res>;
    #[server_stream]
    async fn download(&self, req: Req, lines: Streaming<Res>) -> Result<()>;
    async fn forgotten(&self, lines: Sender<Res>) -> Result<()>;
}

fn main() {}
