use streamx::{Bidi, Message, Result};

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
pub trait Chat {
    #[bidi]
    async fn talk(&self, lines: Bidi<Req, Res>) -> Result<Res>;
}

fn main() {}
