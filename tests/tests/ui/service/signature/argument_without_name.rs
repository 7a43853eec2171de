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
    async fn read(&self, _: Req) -> Result<Res>;
    async fn write(&self, Req { text }: Req) -> Result<Res> {
        Ok(Res { text })
    }
}

fn main() {}
