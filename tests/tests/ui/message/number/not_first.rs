use streamx::Message;

#[derive(Message, Default)]
pub struct Request {
    #[field(required)]
    pub id: i64,
    #[field]
    pub message: String,
    #[field(rename = "t", 3)]
    pub text: String,
    #[field(4 required)]
    pub comma: String,
}

fn main() {}
