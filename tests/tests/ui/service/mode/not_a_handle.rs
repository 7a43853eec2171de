use streamx::{Message, Result};

#[derive(Message, Clone, Debug, Default)]
pub struct Req {
    #[field(1)]
    pub text: String,
}

#[streamx::service]
pub trait Chat {
    #[bidi]
    async fn talk(&self, lines: Req) -> Result<()>;
}

fn main() {}
