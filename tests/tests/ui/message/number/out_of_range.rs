use streamx::Message;

#[derive(Message, Default)]
pub struct Request {
    #[field(0)]
    pub zero: i64,
    #[field(-1)]
    pub negative: i64,
    #[field(32768)]
    pub large: i64,
    #[field("1")]
    pub text: i64,
}

fn main() {}
