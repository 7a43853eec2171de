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
    fn read(&self, req: Req) -> Result<Res>;
}

struct Disk;

impl Files for Disk {
    async fn read(&self, req: Req) -> Result<Res> {
        Ok(Res { text: req.text })
    }
}

pub async fn call(client: FilesClient) -> Result<String> {
    let _ = FilesServer::new(Disk);
    Ok(client.read(Req::default()).await?.text)
}

fn main() {}
