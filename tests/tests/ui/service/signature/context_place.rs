use streamx::{Context, Message, Result, Sender, Streaming};

#[derive(Message, Clone, Debug, Default)]
pub struct Req {
    #[field(1)]
    pub text: String,
}

type Call = Context;

#[streamx::service]
pub trait Files {
    async fn read(&self, req: Req, ctx: Context) -> Result<Req>;
    async fn copy(&self, ctx: Context, req: Req, other: streamx::Context) -> Result<Req>;
    #[client_stream]
    async fn write(&self, stream: Streaming<Req>, #[context] ctx: Call) -> Result<Req>;
    #[server_stream]
    async fn watch(&self, #[context(first)] ctx: Call, req: Req, stream: Sender<Req>) -> Result<()>;
    async fn find(&self, #[field(1)] ctx: Context, req: Req) -> Result<Req>;
    async fn list(&self, ctx: &Context, req: Req) -> Result<Req>;
}

fn main() {}
