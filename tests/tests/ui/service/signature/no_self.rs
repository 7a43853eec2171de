use streamx::{Message, Result};

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
pub trait Files {
    async fn read(req: Req) -> Result<Res>;
    async fn write(&mut self, req: Req) -> Result<Res>;
    async fn remove(self, req: Req) -> Result<Res>;
    async fn list(self: std::sync::Arc<Self>, req: Req) -> Result<Res>;
}

fn main() {}
