use streamx::Message;

#[derive(Message, Default)]
pub struct Tag {
    pub name: String,
}

#[derive(Message, Default)]
pub struct Request {
    #[field(1)]
    pub tag: Tag,
}

fn send<M: streamx::Message>(_: M) {}

fn use_it() {
    send(Tag::default());
    send(Request::default());
}

fn main() {}
