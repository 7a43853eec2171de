use streamx::{Bidi, Message, Result, Sender, Streaming};

#[derive(Message, Clone, Debug, Default)]
pub struct Req {
    #[field(1)]
    pub text: String,
}

pub struct Plain;

#[streamx::service]
pub trait Chat {
    #[bidi]
    async fn talk(&self, lines: Bidi<Req, Plain>) -> Result<()>;
    #[client_stream]
    async fn sum(&self, numbers: Streaming<i64>) -> Result<Req>;
    #[server_stream]
    async fn count(&self, to: i64, numbers: Sender<Req>) -> Result<()>;
    #[client_stream]
    async fn add(&self, numbers: Streaming<Req>) -> Result<i64>;
}

fn main() {}
