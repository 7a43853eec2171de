use streamx::{Message, Result};

#[derive(Message, Clone, Debug, Default)]
pub struct Req {
    #[field(1)]
    pub text: String,
}

#[derive(Message, Clone, Debug, Default)]
pub struct Res {
    #[field(1)]
    pub text: String,
}

#[streamx::service]
pub trait Files {
    async fn read(&self, req: Req) -> Result<Res>;
}

struct Disk;

impl Files for Disk {
    async fn read(&self, req: Req) -> Result<Res> {
        let text = std::rc::Rc::new(req.text);
        std::future::ready(()).await;
        Ok(Res { text: text.to_string() })
    }
}

fn main() {}
