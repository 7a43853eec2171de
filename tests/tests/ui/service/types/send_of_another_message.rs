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

pub async fn send(mut stream: Bidi<Req, Res>) -> Result<()> {
    stream.send(Res::default()).await?;
    stream.send(Req::default()).await
}

fn main() {}
