use streamx::Message;

#[derive(Message, Default)]
pub enum Level {
    #[default]
    #[field(1)]
    Info,
    Warn,
}

fn main() {}
