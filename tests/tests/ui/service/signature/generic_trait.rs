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
pub trait Files<T> {
    async fn read(&self, req: Req) -> Result<Res>;
}

pub fn names(_: &FilesClient, _: &FilesServer<()>) {}

fn main() {}
