use streamx::Message;

#[derive(Message, Default)]
pub struct Request {
    #[field(1, default = 3)]
    pub message: String,
    #[field(2, default = 3)]
    pub retries: Option<i32>,
}

fn main() {}
