use streamx::{Message, Result};

#[derive(Message, Clone, Debug, Default)]
pub struct Req {
    #[field(1)]
    pub text: String,
}

#[streamx::service(name = "A", name = "B")]
pub trait Files {
    async fn read(&self, req: Req) -> Result<()>;
}

#[streamx::service(name)]
pub trait Disks {
    async fn read(&self, req: Req) -> Result<()>;
}

#[streamx::service(name = 7)]
pub trait Tapes {
    async fn read(&self, req: Req) -> Result<()>;
}

fn main() {}
