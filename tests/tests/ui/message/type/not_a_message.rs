use streamx::Message;

#[derive(Default)]
pub struct Tag;

#[derive(Message, Default)]
pub struct Request {
    #[field(1)]
    pub tag: Tag,
    #[field(2)]
    pub tags: Vec<Tag>,
}

fn main() {}
