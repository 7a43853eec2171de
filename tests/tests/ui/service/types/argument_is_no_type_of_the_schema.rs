use streamx::{Message, Result};

#[derive(Message, Clone, Debug, Default)]
pub struct Req {
    #[field(1)]
    pub text: String,
}

pub struct Plain;

#[streamx::service]
pub trait Files {
    async fn read(&self, req: Plain) -> Result<Req>;
    async fn seek(&self, offset: u64) -> Result<Req>;
    async fn open(&self, path: &str) -> Result<Req>;
}

fn main() {}
