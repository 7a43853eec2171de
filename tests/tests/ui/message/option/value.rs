use streamx::Message;

#[derive(Message, Default)]
pub struct Request {
    #[field(1, required = true)]
    pub id: i64,
    #[field(2, rename)]
    pub message: String,
    #[field(3, rename = other)]
    pub text: String,
    #[field(4, rename = "user-tags")]
    pub tags: String,
    #[field(5, rename = "id")]
    pub same: i32,
}

fn main() {}
