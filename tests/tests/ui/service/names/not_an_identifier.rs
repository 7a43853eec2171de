use streamx::{Message, Result};

#[derive(Message, Clone, Debug, Default)]
pub struct Req {
    #[field(1)]
    pub text: String,
}

#[streamx::service(name = "file service", namespace = "a..b")]
pub trait Files {
    #[unary(name = "")]
    async fn read(&self, req: Req) -> Result<()>;
}

fn main() {}
