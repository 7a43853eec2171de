use streamx::Message;

#[derive(Message, Default)]
pub struct Request {
    #[field(1)]
    pub numbers: std::collections::BTreeSet<f64>,
}

fn main() {}
