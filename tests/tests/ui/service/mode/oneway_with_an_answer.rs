use streamx::{Message, Result};

#[derive(Message, Clone, Debug, Default)]
pub struct Req {
    #[field(1)]
    pub text: String,
}

#[streamx::service]
pub trait Chat {
    #[oneway]
    async fn notify(&self, req: Req) -> Result<()>;
}

fn main() {}
