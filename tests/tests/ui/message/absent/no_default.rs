use streamx::Message;

#[derive(Message)]
pub enum Body {
    #[field(1)]
    Text(String),
}

#[derive(Message)]
pub struct Request {
    #[field(1)]
    pub body: Body,
}

fn main() {}
