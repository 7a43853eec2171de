use streamx::Message;

#[derive(Message)]
pub enum Body {
    #[field(1)]
    Text(String),
    #[field(2)]
    Nothing,
    #[field(3)]
    Two(String, i32),
    Numberless(i32),
    #[field(5, required)]
    Optional(Option<i32>),
    #[other]
    #[field(6)]
    Other(i32),
}

fn main() {}
