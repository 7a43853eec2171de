use streamx::Message;

#[derive(Message, Default)]
pub struct Tag {
    #[field(1)]
    pub name: String,
}

#[derive(Message)]
#[message(exception)]
pub enum GetError {
    #[field(1)]
    Tag(Tag),
}

fn main() {}
