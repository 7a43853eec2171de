use streamx::Message;

#[derive(Message, Default)]
pub struct Request {
    #[field(3)]
    #[field(required)]
    pub second: i64,
}

fn main() {}
