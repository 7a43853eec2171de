use streamx::Message;

#[derive(Message, Default)]
pub struct Request {
    #[field(1)]
    pub id: u32,
    #[field(2)]
    pub ids: Vec<u64>,
}

fn main() {}
