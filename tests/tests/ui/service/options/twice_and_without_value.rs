use streamx::Result;

#[streamx::service(name = "A", name = "B", crate = "streamx")]
pub trait Files {
    async fn read(&self, path: String) -> Result<()>;
}

#[streamx::service(name)]
pub trait Disks {
    async fn read(&self, path: String) -> Result<()>;
}

#[streamx::service(name = 7)]
pub trait Tapes {
    async fn read(&self, #[field(1, required)] path: String) -> Result<()>;
}

fn main() {}
