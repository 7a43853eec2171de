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

pub async fn send(mut stream: streamx::client::ClientStream<Req, Res>) -> Result<Res> {
    let answer = stream.close_and_recv().await?;
    stream.send(Req::default()).await?;
    Ok(answer)
}

fn main() {}
