use streamx::Message;

#[derive(Message, Default)]
struct Request {
    #[field(1, proto = "sint46")]
    id: i64,
    #[field(2, proto = "map<sint32>")]
    names: std::collections::HashMap<i32, String>,
    #[field(3, proto = sint64)]
    limit: i64,
    #[field(4, proto)]
    offset: i64,
    #[field(5, proto = "sint64", proto = "fixed64")]
    size: i64,
}

#[derive(Message)]
enum Body {
    #[field(1, proto = "sint64")]
    Number(i64),
}

fn main() {}
