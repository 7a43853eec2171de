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
    async fn new(&self, req: Req) -> Result<Res>;
    #[oneway]
    async fn connect(&self, req: Req);
    #[unary(name = "Local")]
    async fn in_process(&self, req: Req) -> Result<Res>;
}

fn main() {}
