use streamx::{Bidi, Message, Result};

#[derive(Message, Clone, Debug, Default)]
pub struct Req {
    #[field(1)]
    pub text: String,
}

#[streamx::service]
pub trait Files {
    async fn zero(&self, #[field(0)] a: i32) -> Result<()>;
    async fn large(&self, #[field(40000)] a: i32) -> Result<()>;
    async fn text(&self, #[field("1")] a: i32) -> Result<()>;
    async fn twice(&self, a: i32, #[field(1)] b: i32) -> Result<()>;
    #[bidi]
    async fn stream(&self, #[field(1)] stream: Bidi<Req, Req>) -> Result<()>;
}

fn main() {}
