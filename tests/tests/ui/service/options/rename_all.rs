use streamx::{Message, Result};

#[derive(Message, Clone, Debug, Default)]
pub struct Req {
    #[field(1)]
    pub text: String,
}

#[streamx::service(rename_all = "kebab-case")]
pub trait Files {
    async fn read(&self, req: Req) -> Result<()>;
}

fn main() {}
