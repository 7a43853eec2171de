use streamx::Message;

#[derive(Message)]
pub enum Level {
    Info,
    Warn,
}

fn main() {}
