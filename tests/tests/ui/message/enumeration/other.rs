use streamx::Message;

#[derive(Message)]
#[repr(i32)]
pub enum NoNumber {
    Info,
    #[other]
    Unknown,
}

#[derive(Message)]
#[repr(i32)]
pub enum Two {
    Info,
    #[other]
    Unknown(i32),
    #[other]
    Further(i32),
}

#[derive(Message)]
#[repr(i32)]
pub enum NotI32 {
    Info,
    #[other]
    Unknown(u32),
}

fn main() {}
