use streamx::Message;

#[derive(Message, Default)]
pub struct Request {
    #[field(1, required, default = 3)]
    pub id: i64,
    #[field(2, required)]
    pub message: Option<String>,
    #[field(3, required, required)]
    pub twice: i32,
}

fn main() {}
