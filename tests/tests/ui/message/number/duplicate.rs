use streamx::Message;

#[derive(Message, Default)]
pub struct Request {
    #[field(1)]
    pub id: i64,
    #[field(2)]
    pub message: String,
    #[field(1)]
    pub text: String,
}

fn main() {}
