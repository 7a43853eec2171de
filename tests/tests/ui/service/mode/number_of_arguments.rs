use streamx::{Bidi, Message, Result, Sender};

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
    async fn talk(&self, req: Req, lines: Bidi<Req, Res>) -> Result<()>;
    #[client_stream]
    async fn upload(&self) -> Result<Res>;
    #[server_stream]
    async fn download(&self, lines: Sender<Res>) -> Result<()>;
}

fn main() {}
