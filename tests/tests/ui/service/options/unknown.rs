use streamx::{Message, Result};

#[derive(Message, Clone, Debug, Default)]
pub struct Req {
    #[field(1)]
    pub text: String,
}

#[streamx::service(nmae = "FileService")]
pub trait Files {
    #[unary(rename = "Read")]
    async fn read(&self, req: Req) -> Result<()>;
    #[oneway = "Write"]
    async fn write(&self, req: Req);
}

fn main() {}
