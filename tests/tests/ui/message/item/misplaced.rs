use streamx::Message;

#[derive(Message, Default)]
#[field(1)]
pub struct Request {
    #[field(1)]
    #[other]
    pub id: i64,
}

fn main() {}
