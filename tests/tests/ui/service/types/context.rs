use streamx::{Message, Result};

#[derive(Message, Clone, Debug, Default)]
pub struct Req {
    #[field(1)]
    pub text: String,
}

pub struct Context;

#[streamx::service]
pub trait Files {
    async fn read(&self, ctx: Context, req: Req) -> Result<Req>;
}

fn main() {}
