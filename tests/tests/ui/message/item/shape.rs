use streamx::Message;

#[derive(Message)]
pub struct Tuple(i32, String);

#[derive(Message)]
pub union Bits {
    number: i32,
    float: f32,
}

#[derive(Message)]
pub struct Borrowed<'a> {
    #[field(1)]
    pub text: &'a str,
}

#[derive(Message)]
pub struct Sized<const N: usize> {
    #[field(1)]
    pub text: String,
}

#[derive(Message)]
pub enum Nothing {}

fn main() {}
