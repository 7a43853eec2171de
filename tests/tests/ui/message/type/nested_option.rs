use streamx::Message;

#[derive(Message, Default)]
pub struct Request {
    #[field(1)]
    pub ids: Vec<Option<i32>>,
    #[field(2)]
    pub id: Option<Option<i32>>,
}

fn main() {}
