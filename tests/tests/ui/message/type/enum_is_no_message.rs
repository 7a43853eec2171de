use streamx::Message;

#[derive(Message, Default)]
pub enum Level {
    #[default]
    Info,
}

fn send<M: streamx::Message>(_: M) {}

fn use_it() {
    send(Level::Info);
    send(3_i32);
}

fn main() {}
