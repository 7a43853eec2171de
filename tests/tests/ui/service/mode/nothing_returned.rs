use streamx::{Bidi, Message, Streaming};

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
    async fn say(&self, req: Req);
    #[bidi]
    async fn talk(&self, lines: Bidi<Req, Res>);
    #[client_stream]
    async fn upload(&self, lines: Streaming<Req>);
}

fn main() {}
