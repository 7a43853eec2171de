use streamx::Message;

#[derive(Message)]
pub enum Body {
    #[field(1)]
    Text(String),
    #[field(2)]
    Number(u64),
}

fn main() {}
