use streamx::{Message, Result};

#[derive(Message, Clone, Debug, Default)]
pub struct Req {
    #[field(1)]
    pub text: String,
}

pub struct Plain;

#[streamx::service]
pub trait Files {
    async fn read(&self, req: Req) -> Result<Plain>;
}

fn main() {}
