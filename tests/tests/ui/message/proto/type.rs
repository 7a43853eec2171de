use streamx::Message;

#[derive(Message, Default)]
struct Request {
    #[field(1, proto = "sint32")]
    id: i64,
    #[field(2, proto = "fixed64")]
    name: Option<String>,
    #[field(3, proto = "map<sint32, _>")]
    by_name: std::collections::HashMap<String, i32>,
    #[field(4, proto = "unpacked")]
    text: String,
}

fn main() {}
