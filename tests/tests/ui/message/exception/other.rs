use streamx::Message;

#[derive(Message)]
#[message(exception)]
pub enum GetError {
    #[field(1)]
    Problem(Problem),
    #[other]
    Other(String),
}

#[derive(Message, Default)]
#[message(exception)]
pub struct Problem {
    #[field(1)]
    pub text: String,
}

fn main() {}
