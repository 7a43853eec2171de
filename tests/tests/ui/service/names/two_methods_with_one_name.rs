use streamx::{Message, Result};

#[derive(Message, Clone, Debug, Default)]
pub struct Req {
    #[field(1)]
    pub text: String,
}

#[derive(Message, Clone, Debug, Default)]
pub struct Res {
    #[field(1)]
    pub text: String,
}

#[streamx::service]
pub trait Files {
    async fn read_all(&self, req: Req) -> Result<Res>;
    #[unary(name = "ReadAll")]
    async fn slurp(&self, req: Req) -> Result<Res>;
}

fn main() {}
