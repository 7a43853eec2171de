use streamx::Message;

#[derive(Message)]
pub struct Tag {
    #[field(1)]
    pub name: String,
}

#[derive(Message)]
pub struct Page<T> {
    #[field(1)]
    pub first: T,
}

fn send<M: streamx::Message>(_: M) {}

fn use_it() {
    send(Page { first: Tag { name: String::new() } });
}

fn main() {}
