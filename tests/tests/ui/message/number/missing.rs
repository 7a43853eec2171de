use streamx::Message;

#[derive(Message, Default)]
pub struct Request {
    #[field(1)]
    pub id: i64,
    pub message: String,
    pub text: String,
}

fn main() {}
