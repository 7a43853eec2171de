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

struct Disk(std::sync::mpsc::Receiver<String>);

impl Files for Disk {
    async fn read(&self, req: Req) -> Result<Res> {
        Ok(Res { text: req.text })
    }
}

pub fn serve(disk: Disk) {
    FilesServer::new(disk);
    FilesServer::new(());
}

fn main() {}
