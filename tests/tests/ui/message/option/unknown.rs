use streamx::Message;

#[derive(Message, Default)]
#[message(error)]
pub struct Request {
    #[field(1, requried)]
    pub id: i64,
    #[field(2, name = "text")]
    pub message: String,
}

fn main() {}
