use streamx::Message;

#[derive(Message)]
enum Body {
    #[field(1)]
    Text(String),
    #[field(2)]
    Number(i64),
}

#[derive(Message, Default)]
struct NoUnion {
    #[field(1, proto = "oneof")]
    body: Option<Inner>,
}

#[derive(Message, Default)]
struct Inner {}

#[derive(Message)]
struct NoOption {
    #[field(3, required, proto = "oneof")]
    body: Body,
}

#[derive(Message, Default)]
struct Taken {
    #[field(2)]
    id: i64,
    #[field(3, proto = "oneof")]
    body: Option<Body>,
}

fn main() {
    let _ = streamx::codec::protobuf::encode(&Taken::default(), &mut Default::default());
}
