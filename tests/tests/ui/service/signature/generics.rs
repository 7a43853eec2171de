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
    async fn read<T: Message>(&self, req: T) -> Result<Res>;
    async fn list<'a>(&'a self, req: Req) -> Result<Res>;
    async fn write(&self, req: impl Message) -> Result<Res>;
    async fn copy(&self, req: Req) -> Result<Self>
    where
        Self: Sized;
}

fn main() {}
